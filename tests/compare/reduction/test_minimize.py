"""A failing layer is shrunk to a case so small that it can be checked by hand."""

import numpy as np
import pytest

import compare
import scratch
from compare.reduction.case import Case, sizes, smaller
from compare.reduction.minimize import minimize
from compare.tracing.ops import rebuild

SHAPE = (8, 6, 2)  # divisible by the pool, which one of the mistakes below relies on


class FlippedGradient(scratch.Conv2D):
    """Its kernel gradient is flipped in both axes."""

    def affine_backward(self, dz, wants_input_gradient):
        dx = super().affine_backward(dz, wants_input_gradient)
        self.grads["kernel"] = self.grads["kernel"][::-1, ::-1]
        return dx


class LastMaximum(scratch.MaxPooling2D):
    """Sends a tie's gradient to the last maximum: it sees the image reversed."""

    def forward(self, x, training=False):
        return super().forward(x[:, ::-1, ::-1], training)[:, ::-1, ::-1]

    def backward(self, dy, wants_input_gradient=True):
        return super().backward(dy[:, ::-1, ::-1])[:, ::-1, ::-1]


class DoubledBias(scratch.Dense):
    def affine(self, x):
        return super().affine(x) + self.bias


class Raises(scratch.Flatten):
    def forward(self, x, training=False):
        if x.shape[1] != SHAPE[0] // 2 and x.shape[0] > 1:
            raise RuntimeError("only my own shape, please")
        return super().forward(x, training)


def network(conv=scratch.Conv2D, pool=scratch.MaxPooling2D, dense=scratch.Dense):
    scratch.set_random_seed(3)
    model = scratch.Sequential([
        scratch.Input(SHAPE), conv(4, (3, 2), padding="same", activation="relu", name="conv"),
        pool((2, 3), padding="valid", name="pool"), scratch.Flatten(name="flatten"),
        dense(5, activation="softmax", name="dense")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(4)
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    return model


def batch():
    rng = np.random.default_rng(5)
    return rng.standard_normal((6, *SHAPE)), rng.integers(0, 5, 6)


def first_case(bad):
    good = network()
    x, y = batch()
    report = compare.check(bad, good, x, y)
    assert not report
    trace = compare.record(good, x, y)
    return report, minimize(bad, trace, report.first_failure)


def test_a_flipped_kernel_gradient_shrinks_to_one_pixel():
    report, found = first_case(network(conv=FlippedGradient))
    assert (found.layer, found.tensor) == ("conv", "kernel_gradient")
    assert found.case.x.shape == (1, 1, 1, 1)
    assert found.case.changes == {"filters": 1}
    # 'same' with a 3x2 kernel pads one row above and none on the left: the pixel meets w[1, 0]
    expected = np.zeros((3, 2, 1, 1))
    expected[1, 0] = found.case.x.item() * found.case.dy.item()
    np.testing.assert_array_equal(found.expected, expected)
    np.testing.assert_array_equal(found.actual, expected[::-1, ::-1])


def test_a_tie_sent_to_the_wrong_maximum_shrinks_to_one_window():
    _, found = first_case(network(pool=LastMaximum))
    assert (found.layer, found.tensor) == ("pool", "input_gradient")
    assert found.case.x.shape == (1, 2, 3, 1)
    values = found.case.x.reshape(-1)
    assert (values == values.max()).sum() > 1, values
    first, last = np.flatnonzero(values == values.max())[[0, -1]]
    assert np.flatnonzero(found.expected) == [first]
    assert np.flatnonzero(found.actual) == [last]


def test_a_doubled_bias_shrinks_to_one_feature_and_one_unit():
    _, found = first_case(network(dense=DoubledBias))
    assert (found.layer, found.tensor) == ("dense", "output")
    assert found.case.weights["kernel"].shape == (1, 1)
    bias = found.case.weights["bias"].item()
    product = found.case.x.item() * found.case.weights["kernel"].item()
    assert bias != 0
    assert found.expected.item() == product + bias
    assert found.actual.item() == product + 2 * bias


def test_a_layer_that_is_right_has_no_failing_case():
    good, other = network(), network()
    other.layers[0].kernel[0, 0, 0, 0] += 1
    x, y = batch()
    report = compare.check(good, other, x, y)
    assert report.first_failure.gate == "weights"
    assert minimize(good, compare.record(other, x, y), report.first_failure) is None


def test_shrinking_leaves_the_model_alone():
    bad = network(conv=FlippedGradient)
    before = bad.get_weights()
    first_case(bad)
    for kept, weight in zip(before, bad.get_weights()):
        np.testing.assert_array_equal(kept, weight)


class Stubborn(scratch.Dense):
    """A layer whose class cannot be made from a config: its constructor wants something else."""

    def __init__(self, secret, units):
        super().__init__(units)
        self.secret = secret


def test_a_layer_without_a_usable_constructor_is_copied():
    layer = Stubborn("x", 6)
    layer.build((None, 8))
    small = rebuild(layer, {"units": 2}, (1, 3))
    assert small.kernel.shape == (3, 2)
    assert small.secret == "x"
    assert layer.kernel.shape == (8, 6)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 28, 1176])
def test_sizes_are_smaller_and_reach_one(length):
    tried = sizes(length)
    assert all(0 < size < length for size in tried)
    assert (1 in tried) == (length > 1)


def test_every_smaller_case_of_a_convolution_still_runs():
    layer = scratch.Conv2D(4, (3, 2), strides=(2, 1), padding="same", name="c")
    layer.build((None, 6, 5, 3))
    x = np.ones((2, 6, 5, 3), "float32")
    dy = np.ones((2, 3, 5, 4), "float32")
    case = Case("Conv2D", "", layer.get_config(), x, dy, dict(layer.params))
    count = 0
    for cut in smaller(case):
        small = rebuild(layer, cut.changes, cut.x.shape)
        assert small.kernel.shape == cut.weights["kernel"].shape
        assert small.output_shape[1:] == cut.dy.shape[1:], (cut.x.shape, cut.changes)
        assert cut.size < case.size
        count += 1
    assert count > 20
