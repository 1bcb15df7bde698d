"""The rules of others on arrays made by hand, where their documentation says what they have to say.
"""

import numpy as np
import pytest

import scratch
from compare.evaluation.faults import baseline_rules, gradient_check
from compare.evaluation.faults.baseline_rules import Pair
from tests.compare.support import examples

BY_NAME = {rule.name: rule.alarm for rule in baseline_rules.TENSORS}


def pair(a, b, exact=None, dtype=np.float32):
    return Pair(np.asarray(a, dtype), np.asarray(b, dtype),
                None if exact is None else np.asarray(exact, np.float64))


def said(name, *arrays, **more):
    return BY_NAME[name](pair(*arrays, **more))


def test_the_mean_difference_lets_errors_cancel():
    fine = {"dtype": np.float64}
    assert not said("mean difference 1e-7", [1.0, -1.0], [2.0, -2.0]), "+1 and -1"
    assert said("mean difference 1e-7", [1 + 3e-7, 0], [1.0, 0], **fine)
    assert not said("mean difference 1e-7", [1 + 1e-7, 0], [1.0, 0], **fine)
    assert said("mean absolute difference 1e-6", [1.0, -1.0], [2.0, -2.0])
    assert said("mean absolute difference 1e-6", [1 + 3e-6, 0], [1.0, 0], **fine)
    assert not said("mean absolute difference 1e-6", [1 + 1e-6, 0], [1.0, 0], **fine)


@pytest.mark.parametrize("a, b, alarm", [
    ([100.0], [100.0005], False),  # relatively 5e-6
    ([1e-7], [9e-6], False),  # absolutely 9e-6
    ([1.0], [1.0001], True), ([0.0], [0.0], False), ([1.0, 2.0], [1.0, 2.1], True),
    ([2e-5], [0.0], True), ([np.nan], [1.0], True), ([np.inf], [1.0], True)])
def test_absolute_or_relative(a, b, alarm):
    assert said("absolute or relative 1e-5", a, b) is alarm


def test_allclose_is_numpys():
    rng = np.random.default_rng(0)
    for _ in range(300):
        b = rng.standard_normal(4) * 10 ** rng.uniform(-9, 3)
        a = b + rng.standard_normal(4) * 10 ** rng.uniform(-12, -1)
        made = Pair(a, b)
        for name in ("numpy.allclose", "torch.allclose"):
            assert BY_NAME[name](made) == (not np.allclose(a, b)), (a, b)
    assert said("numpy.allclose", [np.nan], [np.nan]), "by default NaN equals nothing"


def test_assert_close_depends_on_the_precision():
    name = "torch.testing.assert_close"
    assert not said(name, [1.00001], [1.0]) and said(name, [1.00002], [1.0])
    assert said(name, [1.00001], [1.0], dtype=np.float64)
    assert not said(name, [1 + 1e-7], [1.0], dtype=np.float64)
    assert not said(name, [100.0001], [100.0]), "1e-5 + 1.3e-6 * 100"
    assert said(name, [100.0002], [100.0])


def test_cosine_sees_no_factor():
    name = "cosine below 0.99"
    assert not said(name, [1.0, 2.0], [100.0, 200.0])
    assert said(name, [1.0, 2.0], [-1.0, -2.0])
    assert said(name, [1.0, 0.15], [1.0, 0.0]) and not said(name, [1.0, 0.14], [1.0, 0.0])
    assert said(name, [0.0, 0.0], [1.0, 0.0]) and not said(name, [0.0, 0.0], [0.0, 0.0])
    assert said(name, [np.nan, 0.0], [1.0, 0.0])


@pytest.mark.parametrize("size, factor", [(10, 3), (999, 3), (1000, 2), (5000, 2)])
def test_rmse_allows_a_multiple_of_the_references_own(size, factor):
    exact = np.zeros(size)
    strict, lenient = BY_NAME["RMSE 2-3x of float64"], BY_NAME["RMSE 2-3x, tolerance 1e-4"]
    b = np.full(size, 1e-2, np.float32)
    for share, alarm in ((factor * 0.999, False), (factor * 1.001, True)):
        made = Pair(b * np.float32(share), b, exact)
        assert strict(made) is alarm
    equal = Pair(np.full(size, 9e-6, np.float32), np.zeros(size, np.float32), exact)
    assert strict(equal) and not lenient(equal), "a tenth of 1e-4 is let through"
    assert lenient(Pair(np.full(size, 2e-5, np.float32), np.zeros(size, np.float32), exact))
    assert not strict(Pair(b, b)), "without float64 there is nothing to say"


def test_a_layer_that_diverges_behind_clean_ones():
    right = pair([0.0, 0.0], [0.0, 0.0])
    small, large = pair([0.1, 0], [0.0, 0]), pair([0.2, 0], [0.0, 0])
    chain = [(-1,), (0,), (1,)]
    assert not baseline_rules.diverged([right, small, right], chain), "0.1 is not enough"
    assert baseline_rules.diverged([right, large, large], chain)
    assert not baseline_rules.diverged([small, large, large], chain), \
        "the one before is not clean either"
    assert baseline_rules.diverged([right, right, large], [(-1,), (-1,), (0, 1)])
    assert baseline_rules.diverged([pair([np.nan], [0.0])], [(-1,)])


def test_every_rule_is_asked_about_every_tensor():
    right, wrong = pair([1.0, 2.0], [1.0, 2.0], [1.0, 2.0]), pair([1.0, 9.0], [1.0, 2.0], [1, 2])
    silent = baseline_rules.alarms({"a": right, "b": right}, [right], [(-1,)])
    loud = baseline_rules.alarms({"a": right, "b": wrong}, [wrong], [(-1,)])
    assert not any(silent.values()) and all(loud.values())
    assert {*silent} | {*baseline_rules.DIFFERENCES} == {*baseline_rules.NAMES}


@pytest.mark.parametrize("a, n, error", [(1.0, 1.0, 0.0), (1.0, 2.0, 0.5), (0.0, 3.0, 1.0),
                                         (-1.0, 1.0, 2.0), (0.0, 0.0, 0.0)])
def test_the_relative_error_of_the_textbook(a, n, error):
    assert gradient_check.relative_error(a, n) == error


def test_the_gradient_check_accepts_right_gradients_and_finds_wrong_ones():
    class Halved(scratch.Dense):
        def affine_backward(self, dz, wants_input_gradient):
            dx = super().affine_backward(dz, wants_input_gradient)
            self.grads["bias"] = self.grads["bias"] / 2
            return dx

    class Doubled(scratch.Dense):
        """Wrong forward, and back in the same way: no difference of its own loss shows it."""

        def affine(self, x):
            return 2 * super().affine(x)

        def affine_backward(self, dz, wants_input_gradient):
            return super().affine_backward(2 * dz, wants_input_gradient)

    x, y = examples.batch()
    worst = {}
    for name, cls in (("right", scratch.Dense), ("halved", Halved), ("doubled", Doubled)):
        model = examples.network(dtype="float64", dense=cls)
        weights = model.get_weights()
        worst[name] = gradient_check.worst_error(model, x, y, None, None, {})
        assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights()))
    assert worst["right"] < 1e-4 and worst["doubled"] < 1e-4
    assert abs(worst["halved"] - 0.5) < 1e-3


def test_the_gradient_check_without_a_loss():
    model = examples.network(dtype="float64", loss=None)
    x, _ = examples.batch()
    assert gradient_check.worst_error(model, x, None, examples.upstream(), None, {}) < 1e-4
