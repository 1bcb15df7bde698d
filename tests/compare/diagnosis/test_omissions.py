"""Layers that leave something out, or do it in another place, are named; others are not."""

import numpy as np
import pytest

import scratch
from compare.evaluation.faults.injection import output
from tests.compare.support.single_layers import diagnosed

IMAGE = (6, 5, 4)


def conv():
    return scratch.Conv2D(3, (2, 3), padding="same")


def first_row(layer, y, x):
    left = np.zeros_like(y)
    left[:, 0] = y[:, 0]
    return left


def every_second(layer, y, x):
    left = np.zeros_like(y)
    left[:, :, ::2] = y[:, :, ::2]
    return left


def inner(layer, y, x):
    """A window in the middle alone: no loop ends so."""
    left = np.zeros_like(y)
    left[:, 2, 3] = y[:, 2, 3]
    return left


def first_channel(layer, y, x):
    kernel = layer.params["kernel"].copy()
    kernel[:, :, 1:] = 0
    return with_kernel(kernel)(layer, y, x)


def with_kernel(kernel):
    def change(layer, y, x):
        held = layer.params["kernel"].copy()
        layer.params["kernel"][...] = kernel
        made = layer.affine(x)
        layer.params["kernel"][...] = held
        return made

    return change


def moments(axes):
    def change(layer, y, x):
        mean, spread = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
        made = (x - mean) / np.sqrt(spread + np.float32(layer.epsilon))
        return made * layer.params["gamma"] + layer.params["beta"]

    return change


def gain_for_offset(layer, y, x):
    made = (y - layer.params["beta"]) / layer.params["gamma"]
    return made * layer.params["beta"] + layer.params["gamma"]


def variance_for_root(layer, y, x):
    centred = x - x.mean(axis=-1, keepdims=True)
    made = centred / (x.var(axis=-1, keepdims=True) + np.float32(layer.epsilon))
    return made * layer.params["gamma"] + layer.params["beta"]


def no_epsilon(layer, y, x):
    centred = x - x.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        made = centred / np.sqrt(x.var(axis=-1, keepdims=True))
    return made * layer.params["gamma"] + layer.params["beta"]


def square_root_of_negative(layer, y, x):
    with np.errstate(invalid="ignore"):
        return y + np.sqrt(y)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("make, shape, change, cause", [
    (conv, IMAGE, first_row, "windows-dropped"),
    (conv, IMAGE, every_second, "windows-dropped"),
    (conv, IMAGE, lambda layer, y, x: np.broadcast_to(y[:, :1, :1], y.shape), "windows-dropped"),
    (conv, IMAGE, inner, "unknown"),
    (conv, IMAGE, lambda layer, y, x: y + 5 * layer.params["bias"], "bias-doubled"),
    (conv, IMAGE, lambda layer, y, x: y + np.float32(3.7) * layer.params["bias"], "unknown"),
    (conv, IMAGE, lambda layer, y, x: np.maximum(y, 0), "activation-other"),
    (scratch.LayerNormalization, IMAGE, moments((1, 2, 3)), "normalization-axes"),
    (scratch.LayerNormalization, IMAGE, moments((1, 2)), "normalization-axes"),
    (scratch.LayerNormalization, IMAGE, moments((0, 3)), "normalization-axes"),
    (scratch.LayerNormalization, IMAGE, gain_for_offset, "gamma-beta-swapped"),
    (scratch.LayerNormalization, IMAGE, variance_for_root, "variance-for-deviation"),
    (scratch.LayerNormalization, IMAGE,
     lambda layer, y, x: np.cbrt(y), "unknown"),
    (lambda: scratch.Activation("selu"), (6,),
     lambda layer, y, x: np.float32(1.05) * np.where(
         x > 0, x, np.float32(1.67) * np.expm1(np.minimum(x, 0))), "activation-other"),
    (lambda: scratch.Activation("tanh"), (6,),
     lambda layer, y, x: np.float32(1.7159) * np.tanh(x * np.float32(2) / np.float32(3)),
     "activation-other"),
    (lambda: scratch.Activation("tanh"), (6,),
     lambda layer, y, x: np.tanh(x) * np.cos(x), "unknown"),
], ids=lambda each: getattr(each, "__name__", None) if callable(each) else None)
def test_what_a_wrong_output_is_called(make, shape, change, cause):
    finding = diagnosed(make(), shape, output(change), seconds=0.3)
    assert finding.identifier == cause, str(finding)


@pytest.mark.parametrize("change, cause", [
    (lambda layer, y, x: np.tanh(x @ layer.kernel) + layer.bias, "bias-after-activation"),
    (lambda layer, y, x: np.tanh(x @ layer.kernel) + np.float32(1.5) * layer.bias, "unknown"),
], ids=["behind", "another-bias"])
def test_a_bias_behind_the_activation(change, cause):
    class Written(scratch.Dense):
        def forward(self, x, training=False):
            return change(self, super().forward(x, training), x).astype(x.dtype)

    finding = diagnosed(Written(4, activation="tanh"), (6,), seconds=0.3)
    assert finding.identifier == cause, str(finding)


def test_what_gives_no_numbers_for_equal_inputs_and_wrong_ones_for_others_is_named():
    """Without its epsilon the deviation of equal numbers is 0, and 0 / 0 is no number."""
    finding = diagnosed(scratch.LayerNormalization(), (6, 5, 2), output(no_epsilon))
    assert finding.identifier == "epsilon", str(finding)


def test_what_gives_no_numbers_for_any_other_reason_is_said_to_be_no_number():
    finding = diagnosed(scratch.LayerNormalization(), IMAGE, output(square_root_of_negative))
    assert finding.identifier == "nan", str(finding)
