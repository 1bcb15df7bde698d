"""`pip install . -C tensorflow=no`: what it asks for, and what can be done with it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from importlib import util
from pathlib import Path

import numpy as np
import pytest

import compare
import scratch
from compare.cli.errors import WITH_TENSORFLOW
from tests import patience

SOURCE = Path(__file__).parents[3]
PROJECT = tomllib.loads((SOURCE / "pyproject.toml").read_text())
KEPT = PROJECT["tool"]["parity"]["without-tensorflow"]

METADATA = """\
Metadata-Version: 2.4
Name: keras-parity
Version: 1
Requires-Python: >=3.11
Provides-Extra: test
Requires-Dist: numpy>=2.0
Requires-Dist: numpy-extra
Requires-Dist: tensorflow>=2.18
Requires-Dist: tqdm
Requires-Dist: tqdm>=9; extra == "test"

# Tensorflow\n\nRequires-Dist: stays, as it is the description
"""


def requirement(text: str) -> str:
    return re.match(r"[A-Za-z0-9_-]+", text).group()


@pytest.fixture(scope="module")
def backend():
    spec = util.spec_from_file_location(
        "build_backend", SOURCE / "compare" / "packaging" / "build_backend.py")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_requirements_are_taken_from_the_metadata(backend):
    lightened = backend.lightened(METADATA, frozenset(("numpy", "tqdm")))
    head, description = lightened.split("\n\n", 1)
    assert [row for row in head.splitlines() if "Requires-Dist" in row] == [
        "Requires-Dist: numpy>=2.0", "Requires-Dist: tqdm"]
    assert "Requires-Python: >=3.11" in head and "Extra" not in head
    assert description == METADATA.split("\n\n", 1)[1]


@pytest.mark.parametrize("answer", ["", "No", "maybe"])
def test_another_answer_is_refused(backend, answer, tmp_path):
    with pytest.raises(ValueError, match=r"Expected -C tensorflow=yes or -C tensorflow=no. "
                                         f"Received: {answer}"):
        backend.build_wheel(str(tmp_path), {"tensorflow": answer})
    assert not list(tmp_path.iterdir())


def test_what_is_left_out_is_known_by_name():
    left_out = {requirement(text) for text in PROJECT["project"]["dependencies"]} - set(KEPT)
    assert {name.replace("scikit-learn", "sklearn") for name in left_out} == WITH_TENSORFLOW


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """(the interpreter of an environment without TensorFlow, a folder with a golden trace)."""
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("light")
    copied = folder / "source"
    shutil.copytree(SOURCE, copied, ignore=shutil.ignore_patterns(
        ".git", "tests", "*.egg-info", "build", "__pycache__", ".hypothesis", ".*_cache"))
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = Path(subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True).stdout.strip())
    # what pip would download, and what builds, from here; shared libraries lie beside a package
    for name in (*KEPT, "setuptools", "_distutils_hack"):
        package = Path(util.find_spec(name).origin).parent
        for path in package.parent.glob(f"{name}*"):
            (site / path.name).symlink_to(path)
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install",
                    "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check",
                    "-C", "tensorflow=no", str(copied)], check=True)
    record(folder / "golden.npz")
    return python, folder


def record(path) -> None:
    model = scratch.Sequential([scratch.Input((5, 4, 2)), scratch.Conv2D(3, (2, 3), name="conv"),
                                scratch.Flatten(), scratch.Dense(4, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(9)
    compare.record(model, rng.standard_normal((3, 5, 4, 2)), rng.integers(0, 4, 3)).save(path)


def parity(light, *words):
    python, folder = light
    return subprocess.run([python, "-m", "compare", *words], cwd=folder, capture_output=True,
                          text=True, timeout=patience.SECONDS,
                          env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"})


def test_a_golden_trace_is_checked_without_tensorflow(light):
    done = parity(light, "check", "--golden", "golden.npz", "--html", "page.html",
                  "--json", "report.json", "--junit", "report.xml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Parity holds" in done.stdout
    assert all((light[1] / name).stat().st_size for name in
               ("page.html", "report.json", "report.xml"))


@pytest.mark.parametrize("words", [("check", "--dataset", "digits"), ("bench", "--quick"),
                                   ("fuzz", "--count", "1"), ("record", "--out", "other.npz")])
def test_what_needs_more_says_so_in_one_line(light, words):
    done = parity(light, *words)
    assert done.returncode == 2 and not done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith("Say `pip install .` in its folder"), done.stderr
