"""What `parity debug` prints and writes: numbers to read, and a test that fails as the layer does."""

import subprocess
import sys

import numpy as np
import pytest

import compare
from compare.reduction.minimize import minimize
from compare.reduction.reproducer import as_test, explain

BROKEN = '''
import numpy as np
import scratch


class DoubledBias(scratch.Dense):
    factor = {factor}

    def affine(self, x):
        return super().affine(x) + (self.factor - 1) * self.bias


def make():
    model = scratch.Sequential([scratch.Input((3,)), DoubledBias(4, name="mine")])
    model.set_weights([np.arange(12.0).reshape(3, 4), np.arange(1.0, 5.0)])
    return model
'''


@pytest.fixture
def found(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(BROKEN.format(factor=2))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    from mine import make

    import scratch

    bad = make()
    good = scratch.Sequential([scratch.Input((3,)), scratch.Dense(4, name="mine")])
    good.set_weights(bad.get_weights())
    rng = np.random.default_rng(0)
    x, upstream = rng.standard_normal((2, 3)), rng.standard_normal((2, 4))
    report = compare.check(bad, good, x, upstream=upstream)
    trace = compare.record(good, x, upstream=upstream)
    yield minimize(bad, trace, report.first_failure)
    sys.modules.pop("mine", None)


def test_the_explanation_shows_all_numbers(found):
    text = explain(found)
    assert "Dense(" in text and "units=1" in text
    for title in ("input (1, 1)", "kernel (1, 1)", "bias (1,)", "expected (1, 1)", "actual (1, 1)"):
        assert title in text, text


@pytest.mark.parametrize("factor, passes", [(2, False), (1, True)])
def test_the_written_test_fails_until_the_layer_is_mended(found, tmp_path, factor, passes):
    (tmp_path / "mine.py").write_text(BROKEN.format(factor=factor))
    (tmp_path / "test_found.py").write_text(as_test(found, "mine:make"))
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                          "test_found.py"], cwd=tmp_path, capture_output=True, text=True,
                         timeout=120)
    assert (run.returncode == 0) == passes, run.stdout + run.stderr
    assert "1 passed" in run.stdout if passes else "AssertionError: expected" in run.stdout
