"""Mistakes in the activation inside a layer that can only be run whole, by every gradient of it."""

import keras
import numpy as np
import pytest

import compare
from compare.diagnosis.standalone import diagnose_op
from compare.tracing.ops import LayerOp

K = keras.layers


class Layer:
    """Dense on the last axis, a relu in it; the slope is left to its children."""

    def __init__(self):
        self.W, self.b = np.zeros((6, 4)), np.zeros(4)

    def forward(self, x):
        self.x, self.z = x, x @ self.W + self.b
        self.y = self.activation(self.z)
        return self.y

    def activation(self, z):
        return np.maximum(z, 0)

    def slope(self, dy):
        return dy * (self.z > 0)

    def backward(self, dy):
        dz = self.slope(dy)
        self.dW, self.db = self.x.T @ dz, dz.sum(axis=0)
        return dz @ self.W.T


class Pointwise(Layer):
    """A convolution of windows of one pixel."""

    def __init__(self):
        self.W, self.b = np.zeros((1, 1, 3, 4)), np.zeros(4)

    def forward(self, x):
        self.x, self.z = x, x @ self.W[0, 0] + self.b
        self.y = self.activation(self.z)
        return self.y

    def backward(self, dy):
        dz = self.slope(dy)
        self.dW = np.tensordot(self.x, dz, ([0, 1, 2], [0, 1, 2]))[None, None]
        self.db = dz.sum(axis=(0, 1, 2))
        return dz @ self.W[0, 0].T


def finding(base, tensor, slope, name="relu", activation=None):
    """What is said of one tensor of the layer with another slope."""
    members = {"slope": slope} if slope else {}
    if activation:
        members["activation"] = activation
    made = type("Mine", (base,), members)()
    shape = (6,) if base is Layer else (3, 5, 3)
    like = K.Dense(4, activation=name) if base is Layer else K.Conv2D(4, 1, activation=name)
    layer = compare.wrap(made, like=like, input_shape=shape, kernel="W", bias="b",
                         gradients={"kernel": "dW", "bias": "db"})
    rng = np.random.default_rng(5)
    for weight in layer.params.values():
        weight[...] = rng.standard_normal(weight.shape)
    x = rng.standard_normal((4, *shape)).astype("float32")
    dy = rng.standard_normal((4, *layer.output_shape[1:])).astype("float32")
    return diagnose_op(LayerOp(layer, False), like.get_config(), x, dy=dy, tensor=tensor, seconds=0)


SLOPES = {
    "mask-missing": lambda s, dy: dy,
    "mask-inverted": lambda s, dy: dy * (s.z <= 0),
    "mask-wrong-tensor": lambda s, dy: dy * (dy > 0),
    "activation-kink": lambda s, dy: dy * (s.z >= 0),
    "activation-other": lambda s, dy: dy * np.sign(s.z),
}


@pytest.mark.sampled(6, of="cause")
@pytest.mark.parametrize("base", [Layer, Pointwise])
@pytest.mark.parametrize("tensor", ["input_gradient", "kernel_gradient", "bias_gradient"])
@pytest.mark.parametrize("cause", SLOPES)
def test_the_slope_of_a_relu_inside(cause, tensor, base):
    found = finding(base, tensor, SLOPES[cause])
    assert [each.identifier for each in found.causes] == [cause], found


@pytest.mark.parametrize("tensor", ["input_gradient", "kernel_gradient", "bias_gradient"])
def test_the_slope_of_a_tanh_inside(tensor):
    def finding_of(slope):
        return finding(Layer, tensor, slope, "tanh", lambda s, z: np.tanh(z)).causes[0]

    assert finding_of(lambda s, dy: dy).identifier == "activation-missing"
    assert finding_of(lambda s, dy: dy * (1 - s.z ** 2)).identifier == "mask-wrong-tensor"
    assert finding(Layer, tensor, lambda s, dy: dy * (1 - s.y ** 2), "tanh",
                   lambda s, z: np.tanh(z)) is None


@pytest.mark.parametrize("base", [Layer, Pointwise])
def test_the_absolute_value_for_a_relu_inside(base):
    found = finding(base, "output", None, activation=lambda s, z: np.abs(z))
    assert [each.identifier for each in found.causes] == ["activation-other"]
    assert "absolute" in found.causes[0].detail


@pytest.mark.sampled(3)
@pytest.mark.parametrize("base", [Layer, Pointwise])
@pytest.mark.parametrize("tensor", ["input_gradient", "kernel_gradient", "bias_gradient"])
def test_what_is_right(base, tensor):
    assert finding(base, tensor, None) is None
    assert finding(base, "output", None) is None


def scaled_norm(backward_scale):
    """A layer that scales each channel; what its way back multiplies by is told."""
    class Norm(Layer):
        def __init__(self):
            self.gamma, self.beta = np.ones(6), np.zeros(6)
            self.first = None

        def forward(self, x):
            self.first = self.gamma.copy() if self.first is None else self.first
            mean, var = x.mean(1, keepdims=True), x.var(1, keepdims=True)
            self.s = 1 / np.sqrt(var + 1e-3)
            self.n = (x - mean) * self.s
            return self.n * self.gamma + self.beta

        def backward(self, dy):
            self.dg, self.db = (dy * self.n).sum(0), dy.sum(0)
            d = dy * backward_scale(self)
            return self.s * (d - d.mean(1, keepdims=True)
                             - self.n * (d * self.n).mean(1, keepdims=True))

    layer = compare.wrap(Norm(), like=K.LayerNormalization(epsilon=1e-3), input_shape=(6,),
                         weights={"gamma": "gamma", "beta": "beta"},
                         gradients={"gamma": "dg", "beta": "db"})
    rng = np.random.default_rng(5)
    x, dy = (rng.standard_normal((4, 6)).astype("float32") for _ in range(2))
    return diagnose_op(LayerOp(layer, False), K.LayerNormalization(epsilon=1e-3).get_config(), x,
                       dy=dy, tensor="input_gradient", seconds=0)


def test_only_weights_that_were_kept_are_called_stale():
    kept = scaled_norm(lambda s: s.first)
    assert [each.identifier for each in kept.causes] == ["stale-weights"], kept
    forgotten = scaled_norm(lambda s: np.array([1, 2, 3, 4, 5, 6.0]))
    assert "stale-weights" not in [each.identifier for each in forgotten.causes]
    assert scaled_norm(lambda s: s.gamma) is None
