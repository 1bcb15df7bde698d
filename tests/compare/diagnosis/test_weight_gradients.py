"""PReLU and group normalization by hand: right ones hold, wrong gradients are named."""

import keras
import numpy as np
import pytest

import compare
from compare.diagnosis.catalogue import CATALOGUE


def finding(layer, like, shape, **how):
    """The first finding on the layer beside Keras's, None if it holds."""
    model = keras.Sequential([keras.Input(shape), like])
    rng = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(rng.normal(0.5, 0.4, weight.shape))
    x = np.random.default_rng(0).normal(size=(6, *shape)).astype("float32")
    report = compare.check([compare.wrap(layer, **how)], model, x)
    return None if report else (report.cause.tensor, report.cause.identifier,
                                report.cause.causes[0].detail if report.cause.causes else "")


class PReLU:
    """A slope for each channel; what counts for its gradient is `below`."""

    def __init__(self, shape=(3,)):
        self.a = np.zeros(shape, "float32")
        self.axes = tuple(range(4 - len(shape)))

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.a * x)

    def backward(self, dy):
        self.da = (dy * self.below(self.x)).sum(axis=self.axes)
        return dy * np.where(self.x > 0, 1, np.where(self.x < 0, self.a, 0))

    @staticmethod
    def below(x):
        return np.minimum(x, 0)


SLOPE = {"weights": {"alpha": "a"}, "gradients": {"alpha": "da"}}


@pytest.mark.parametrize("shape, shared", [((3,), [1, 2]), ((5, 3), [1]), ((4, 5, 3), None)])
def test_a_right_prelu_holds_however_its_slopes_are_shared(shape, shared):
    assert finding(PReLU(shape), keras.layers.PReLU(shared_axes=shared), (4, 5, 3), **SLOPE) is None


@pytest.mark.sampled(4)
@pytest.mark.parametrize("below, named", [
    (lambda x: x, ("mask-missing", "inputs above 0 count, too")),
    (lambda x: np.maximum(x, 0), ("mask-inverted", "inputs above 0 count in place")),
    (lambda x: (x < 0) * 1.0, ("gradient-wrong-input", "without the input")),
    (lambda x: (x <= 0) * 1.0, ("gradient-wrong-input", "without the input")),
    (lambda x: -np.minimum(x, 0), ("sign", "all of it"))])
@pytest.mark.parametrize("shape, shared", [((3,), [1, 2]), ((5, 3), [1])])
def test_a_gradient_of_its_slope_at_other_numbers_is_named(below, named, shape, shared):
    layer = PReLU(shape)
    layer.below = below
    tensor, identifier, detail = finding(
        layer, keras.layers.PReLU(shared_axes=shared), (4, 5, 3), **SLOPE)
    assert (tensor, identifier) == ("alpha_gradient", named[0])
    assert named[1] in detail


def test_a_slope_of_the_other_sign_is_named():
    class Turned(PReLU):
        def forward(self, x):
            self.x = x
            return np.where(x > 0, x, -self.a * x)

    assert finding(Turned(), keras.layers.PReLU(shared_axes=[1, 2]), (4, 5, 3), **SLOPE) == (
        "output", "sign", "of alpha")


class GroupNorm:
    """Two groups of two channels."""

    def __init__(self):
        self.w, self.b = np.ones(4, "float32"), np.zeros(4, "float32")

    def forward(self, x):
        n, rows, columns, channels = self.shape = x.shape
        self.x, groups = x, x.reshape(n, rows, columns, 2, channels // 2)
        mean = groups.mean(axis=(1, 2, 4), keepdims=True)
        self.root = np.sqrt(groups.var(axis=(1, 2, 4), keepdims=True) + np.float32(1e-3))
        self.h = (groups - mean) / self.root
        self.y = self.h.reshape(x.shape) * self.w + self.b
        return self.y

    def backward(self, dy):
        self.dw = (dy * self.h.reshape(dy.shape)).sum(axis=(0, 1, 2))
        self.db = dy.sum(axis=(0, 1, 2))
        d = (dy * self.w).reshape(self.h.shape)
        d = d - d.mean(axis=(1, 2, 4), keepdims=True) \
            - self.h * (d * self.h).mean(axis=(1, 2, 4), keepdims=True)
        return (d / self.root).reshape(self.shape)


def swapped(layer, dy, dx):
    layer.dw, layer.db = layer.db, layer.dw
    return dx


def at(numbers):
    def wrong(layer, dy, dx):
        layer.dw = (dy * numbers(layer)).sum(axis=(0, 1, 2))
        return dx

    return wrong


HELD = {"weights": {"gamma": "w", "beta": "b"}}
TOLD = {**HELD, "gradients": {"gamma": "dw", "beta": "db"}}


def test_a_right_group_normalization_holds():
    assert finding(GroupNorm(), keras.layers.GroupNormalization(2), (5, 4, 4), **TOLD) is None


@pytest.mark.parametrize("wrong, named", [
    (swapped, ("gamma_gradient", "gamma-beta-swapped", "their gradients are")),
    (at(lambda layer: layer.y), ("gamma_gradient", "gradient-wrong-input",
                                 "the layer's own output")),
    (at(lambda layer: layer.x), ("gamma_gradient", "gradient-wrong-input",
                                 "the input before it is normalized")),
    (lambda layer, dy, dx: dy, ("input_gradient", "gradient-passed-on", ""))])
def test_its_wrong_gradients_are_named(wrong, named):
    class Wrong(GroupNorm):
        def backward(self, dy):
            return wrong(self, dy, super().backward(dy))

    assert finding(Wrong(), keras.layers.GroupNormalization(2), (5, 4, 4), **TOLD) == named


def test_where_a_gradient_is_kept_has_to_be_told_and_the_remedy_says_how():
    tensor, identifier, detail = finding(
        GroupNorm(), keras.layers.GroupNormalization(2), (5, 4, 4), **HELD)
    assert (tensor, identifier) == ("gamma_gradient", "weight-gradient-missing")
    assert "nothing came where (4,)" in detail
    assert "gradients={" in CATALOGUE[identifier].remedy


def test_a_dense_gradient_that_is_transposed_and_put_into_shape_by_a_reshape_is_named():
    class Dense:
        def __init__(self):
            self.w, self.b = np.zeros((6, 4)), np.zeros(4)

        def forward(self, x):
            self.x = x
            return x @ self.w + self.b

        def backward(self, dy):
            self.dw, self.db = self.x.T @ dy, dy.sum(axis=0)
            return (self.w @ dy.T).reshape(self.x.shape)

    assert finding(Dense(), keras.layers.Dense(4), (6,), kernel="w", bias="b",
                   gradients={"kernel": "dw", "bias": "db"}) == (
        "input_gradient", "axes-permuted", "samples and features exchanged, then reshaped")
