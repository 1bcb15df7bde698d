"""Builds the package: setuptools' own way, and one without TensorFlow.

    pip install . -C tensorflow=no

leaves out of the requirements whatever [tool.parity] in pyproject.toml does not name: `scratch`
and checks against a golden trace do without. pip has no extra that takes a requirement away, but
it hands such settings to the build (PEP 517, config_settings).
"""

import email
import re
import tempfile
import tomllib
from pathlib import Path

from setuptools import build_meta
from setuptools.build_meta import (
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
)

__all__ = ["build_editable", "build_sdist", "build_wheel", "get_requires_for_build_editable",
           "get_requires_for_build_sdist", "get_requires_for_build_wheel",
           "prepare_metadata_for_build_editable", "prepare_metadata_for_build_wheel"]

SETTING, ANSWERS = "tensorflow", ("yes", "no")


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None) -> str:
    """The wheel's dist-info folder; returns its name.

    Raises:
        ValueError: for a `tensorflow` other than yes and no.
    """
    return prepared(build_meta.prepare_metadata_for_build_wheel, metadata_directory,
                    config_settings)


def prepare_metadata_for_build_editable(metadata_directory, config_settings=None) -> str:
    """The same for `pip install -e`."""
    return prepared(build_meta.prepare_metadata_for_build_editable, metadata_directory,
                    config_settings)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None) -> str:
    """The wheel, with the requirements that its settings ask for; returns its name."""
    with tempfile.TemporaryDirectory() as folder:
        name = prepare_metadata_for_build_wheel(folder, config_settings)
        return build_meta.build_wheel(wheel_directory, config_settings, str(Path(folder) / name))


def build_editable(wheel_directory, config_settings=None, metadata_directory=None) -> str:
    """The same for `pip install -e`."""
    with tempfile.TemporaryDirectory() as folder:
        name = prepare_metadata_for_build_editable(folder, config_settings)
        return build_meta.build_editable(wheel_directory, config_settings,
                                         str(Path(folder) / name))


def prepared(prepare, metadata_directory, config_settings) -> str:
    """What setuptools prepares, without the requirements that the settings leave out."""
    whole = is_whole(config_settings)
    name = prepare(metadata_directory, config_settings)
    if not whole:
        path = Path(metadata_directory) / name / "METADATA"
        path.write_text(lightened(path.read_text(encoding="utf-8"), kept()), encoding="utf-8")
    return name


def is_whole(config_settings) -> bool:
    """Whether TensorFlow and what goes with it are among the requirements."""
    answer = (config_settings or {}).get(SETTING, "yes")
    if answer not in ANSWERS:
        raise ValueError(f"Expected -C {SETTING}=yes or -C {SETTING}=no. Received: {answer}")
    return answer == "yes"


def kept() -> frozenset[str]:
    """The requirements that stay, by name."""
    with open("pyproject.toml", "rb") as file:
        return frozenset(tomllib.load(file)["tool"]["parity"]["without-tensorflow"])


def lightened(metadata: str, names: frozenset[str]) -> str:
    """The text of METADATA with those requirements alone, and no extras."""
    message = email.message_from_string(metadata)
    requirements = message.get_all("Requires-Dist", [])
    del message["Requires-Dist"], message["Provides-Extra"]
    for requirement in requirements:
        if re.split(r"[^A-Za-z0-9._-]", requirement)[0] in names and ";" not in requirement:
            message["Requires-Dist"] = requirement
    return message.as_string()
