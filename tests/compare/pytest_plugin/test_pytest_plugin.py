"""The `parity` fixture in somebody else's tests: silent when all is well, brief when it is not."""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

import compare
import scratch
from tests import patience

TESTS = '''
import numpy as np
import scratch


def network():
    model = scratch.Sequential([scratch.Input((5, 4, 2)), scratch.Conv2D(3, (2, 3), name="conv"),
                                scratch.Flatten(), scratch.Dense(4, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.set_weights([np.random.default_rng(i).standard_normal(w.shape)
                       for i, w in enumerate(model.get_weights())])
    return model


def test_right(parity):
    parity(network(), "golden.npz")


def test_wrong(parity):
    model = network()
    model.get_layer("conv").kernel[0, 1, 0, 2] *= 1 + 1e-6
    parity(model, "golden.npz")


def test_without_keras(parity):
    import sys
    parity(network(), "golden.npz")
    assert "tensorflow" not in sys.modules
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "test_theirs.py").write_text(TESTS)
    namespace = {}
    exec(TESTS, namespace)
    rng = np.random.default_rng(9)
    x, y = rng.standard_normal((3, 5, 4, 2)), rng.integers(0, 4, 3)
    compare.record(namespace["network"](), x, y).save(folder / "golden.npz")
    return folder


PLUGIN = str(Path(compare.__file__).parent / "pytest_plugin")


def run(project, *options):
    plugin = [] if _installed() else ["-p", "keras_parity_pytest"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin, *options,
         "test_theirs.py"], cwd=project, capture_output=True, text=True, timeout=patience.SECONDS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*filter(None, sys.path), PLUGIN])})


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(entry.value == "keras_parity_pytest" for entry in entry_points(group="pytest11"))


@pytest.mark.parametrize("options", [
    pytest.param((), id="alone"), pytest.param(("-n", "2"), id="xdist", marks=pytest.mark.long)])
def test_failures_show_the_table_and_the_first_divergence_only(project, options):
    done = run(project, *options)
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "First at gate 'weights': conv kernel at [0, 1, 0, 2] is" in said
    assert "where nothing may differ" in said
    # the line that pytest repeats at its end: layer, tensor, what is wrong
    assert re.search(r"^FAILED test_theirs.py::test_wrong - Failed: conv kernel", done.stdout, re.M)
    assert "Traceback" not in done.stdout and "def test_wrong" not in done.stdout


def test_the_fixture_returns_the_report(parity):
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)])
    x = np.ones((2, 3), "float32")
    report = parity(model, compare.record(model, x, upstream=np.eye(2)))
    assert report and report.rows


@pytest.mark.sampled(2)
@pytest.mark.parametrize("editable", [False, True], ids=["normal", "editable"])
def test_an_installation_leaves_other_projects_alone(tmp_path, editable):
    """Beside a project that has a package compare, and without any of this project's modules.

    The plugin is found by the name that an installation gives it; nothing is downloaded.
    """
    pytest.importorskip("setuptools", minversion="77")
    source = Path(__file__).parents[3]  # where pyproject.toml is, wherever this is installed
    copied = tmp_path / "source"
    shutil.copytree(source, copied, ignore=shutil.ignore_patterns(
        ".git", "tests", "*.egg-info", "build", "__pycache__", ".hypothesis", ".*_cache"))
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                          capture_output=True, text=True, check=True).stdout.strip()
    ours = [path for path in sys.path if path.endswith("-packages")]
    (Path(site) / "theirs.pth").write_text("\n".join(ours))  # plain folders: no plugins run there
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps",
                    "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check",
                    *(["--editable"] if editable else []), str(copied)], check=True)
    project = tmp_path / "project"
    (project / "compare").mkdir(parents=True)
    (project / "compare" / "__init__.py").write_text("x = 1\n")
    (project / "test_it.py").write_text(BESIDE)
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=project, capture_output=True,
        text=True, timeout=patience.SECONDS,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"})
    assert "2 passed" in done.stdout, done.stdout + done.stderr


BESIDE = """
import sys

import pytest

import compare


def test_theirs():
    assert compare.x == 1
    assert "keras_parity_pytest" in sys.modules
    assert not {"numpy", "scratch", "reference", "keras", "tensorflow"} & set(sys.modules)


def test_ours_in_its_way_is_named(parity):
    with pytest.raises(pytest.UsageError, match="compare.__init__.py, which is in its way"):
        parity(None, None)
"""
