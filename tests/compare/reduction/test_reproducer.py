"""What `parity debug` prints and writes: numbers to read, a test that fails as the layer does."""

import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import compare
from compare.reduction.minimize import MinimalCase, minimize
from compare.reduction.reproducer import as_test, explain, pictured
from tests import patience

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


@pytest.mark.sampled(2)
@pytest.mark.parametrize("factor, passes", [(2, False), (1, True)])
def test_the_written_test_fails_until_the_layer_is_mended(found, tmp_path, factor, passes):
    (tmp_path / "mine.py").write_text(BROKEN.format(factor=factor))
    (tmp_path / "test_found.py").write_text(as_test(found, "mine:make", "it's scale: twice 'it'"))
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                          "test_found.py"], cwd=tmp_path, capture_output=True, text=True,
                         timeout=patience.SECONDS)
    assert (run.returncode == 0) == passes, run.stdout + run.stderr
    assert "1 passed" in run.stdout if passes else re.search(
        r"expected -?[\d.e+-]+, received -?[\d.e+-]+, allowed", run.stdout)
    if not passes:  # the line that pytest repeats at its end: layer, tensor, what is wrong
        summary = [line for line in run.stdout.splitlines() if line.startswith("FAILED")]
        assert f"AssertionError: {found.layer} {found.tensor}: it's sc" in summary[0]
        assert "it's scale: twice 'it'. 1 of 1 elements are further" in run.stdout


OLD = """
import numpy as np

from compare.{module} import {name}


def test_it():
    pass
"""


@pytest.mark.sampled(4)
@pytest.mark.parametrize("module, name", [("minimal", "run_small"), ("pairs", "candidate"),
                                          ("shrinking", "Case"), ("steps", "steps_of")])
def test_a_file_of_an_older_version_says_how_to_write_it_anew(tmp_path, module, name):
    (tmp_path / "test_old.py").write_text(OLD.format(module=module, name=name))
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                          "test_old.py"], cwd=tmp_path, capture_output=True, text=True,
                         timeout=patience.SECONDS)
    assert run.returncode == 2 and "parity debug MODEL --pytest FILE.py" in run.stdout, run.stdout


def test_written_tests_import_nothing_but_numpy_and_the_public_package(found):
    lines = as_test(found, "mine:make").splitlines()
    assert [line for line in lines if "import" in line] == ["import numpy as np", "import compare"]


@pytest.fixture
def mended(tmp_path, monkeypatch):
    """The layer without its mistake: y = x @ kernel + bias."""
    (tmp_path / "mine.py").write_text(BROKEN.format(factor=1))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    yield
    sys.modules.pop("mine", None)


# By hand: 2 * 3 + 5 = 11, and the gradients of one number in and one number out.
HAND = {"part": "", "class_name": "Dense", "config": {"units": 1},
        "x": np.array([[2.0]], "float32"), "dy": np.array([[7.0]], "float32"),
        "weights": {"kernel": np.array([[3.0]], "float32"), "bias": np.array([5.0], "float32")},
        "changes": {"units": 1}}


@pytest.mark.parametrize("tensor, right", [
    ("output", [[11.0]]), ("input_gradient", [[21.0]]), ("kernel_gradient", [[14.0]]),
    ("bias_gradient", [7.0])])
def test_a_case_by_hand_passes_and_another_number_does_not(mended, tensor, right):
    right = np.array(right)
    compare.assert_case("mine:make", "mine", tensor, expected=right, allowed=0.0 * right, **HAND)
    compare.assert_case("mine:make", "mine", tensor, expected=right + 0.5,
                        allowed=0.5 + 0.0 * right, **HAND)
    with pytest.raises(AssertionError, match=rf"mine {tensor}: 1 of 1 elements .* allowed"):
        compare.assert_case("mine:make", "mine", tensor, expected=right + 0.5,
                            allowed=0.25 + 0.0 * right, **HAND)
    with pytest.raises(AssertionError, match="1 of 1"):
        compare.assert_case("mine:make", "mine", tensor, expected=right * np.nan,
                            allowed=0.0 * right, **HAND)
    with pytest.raises(AssertionError, match="expected shape"):
        compare.assert_case("mine:make", "mine", tensor, expected=np.zeros((2, 2, 2)),
                            allowed=np.zeros((2, 2, 2)), **HAND)


def test_a_layer_that_is_not_there_is_named_with_those_that_are(mended):
    with pytest.raises(ValueError, match="the layer 'yours'. Received: mine:make with mine"):
        compare.assert_case("mine:make", "yours", "output", expected=np.zeros((1, 1)),
                            allowed=np.zeros((1, 1)), **HAND)


def test_the_picture_of_the_case_marks_the_element_that_is_farthest_off():
    expected = np.arange(24.0).reshape(1, 3, 4, 2)
    actual = expected.copy()
    actual[0, 2, 1, 1] += 5.0
    actual[0, 0, 3, 0] -= 2.0
    case = MinimalCase("conv", "output", None, actual, expected, np.zeros(expected.shape))
    seen = pictured(case)
    assert seen.actual.shape == seen.expected.shape == (2, 3, 4), "a panel for each channel"
    assert seen.mark == (1, 2, 1)
    assert seen.difference[seen.mark] == 5 and np.count_nonzero(seen.difference) == 2
    assert pictured(replace(case, actual=None, error="raised")) is None
    assert pictured(replace(case, actual=actual[0])) is None, "a wrong shape has no difference"
