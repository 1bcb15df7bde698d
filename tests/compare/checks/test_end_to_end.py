"""The gate that runs the candidate as it trains.

It sees wiring, and mistakes no rounding for a mistake.
"""

import numpy as np
import pytest

import compare
import scratch
from compare.oracle.layers.activations import ReLU
from compare.oracle.layers.pooling import MaxPooling2D
from compare.oracle.network import along_the_graph
from compare.oracle.running_error import Bounded, Rounding


def network(cls=scratch.Sequential, dtype="float32", fused=True):
    scratch.set_random_seed(1)
    model = cls([
        scratch.Input((8, 7, 2)), scratch.Conv2D(3, (3, 2), padding="same", name="first"),
        scratch.ReLU(), scratch.MaxPooling2D((2, 3), strides=(1, 2), padding="same"),
        scratch.Conv2D(4, (2, 3), strides=(2, 1), activation="relu", name="second"),
        scratch.Flatten(), scratch.Dense(5, activation="softmax" if fused else None, name="last"),
    ], dtype=dtype)
    loss = scratch.SparseCategoricalCrossentropy(from_logits=not fused)
    model.compile(scratch.SGD(0.1), loss)
    return model


def batch(seed=2):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((4, 8, 7, 2)), rng.integers(0, 5, 4)


class SkipsItsRectifier(scratch.Sequential):
    """Every layer is right, but the model's own way forward leaves one out."""

    def forward(self, x, training=False):
        x = self.as_input(x)
        for layer in self.layers:
            y = layer.forward(x, training)
            x = x if isinstance(layer, scratch.ReLU) else y
        return x


class SkipsTheWayBack(scratch.Sequential):
    """The gradient is handed on twice as large as it comes."""

    def backward(self, gradient, from_logits=False, wants_input_gradient=True):
        return super().backward(2 * gradient, from_logits, wants_input_gradient)


@pytest.mark.parametrize("cls, tensor", [(SkipsItsRectifier, "output"),
                                         (SkipsTheWayBack, "kernel_gradient")])
def test_wrong_wiring_between_right_layers_is_seen_here(cls, tensor):
    good = network()
    bad = network(cls)
    bad.set_weights(good.get_weights())
    report = compare.check(bad, good, *batch())
    failed = [row for row in report.rows if not row.passed]
    assert {row.gate for row in failed} == {"whole network"}, report
    assert tensor in {row.tensor for row in failed}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("fused", [True, False])
def test_the_same_network_passes(dtype, fused):
    good, same = network(dtype=dtype, fused=fused), network(dtype=dtype, fused=fused)
    report = compare.check(same, good, *batch())
    assert report, report
    assert any(row.gate == "whole network" for row in report.rows)


def test_the_bound_of_the_chain_holds_for_a_float32_network_against_float64():
    """The exact network, run in float64, lies within the bound around the float32 trace's chain."""
    model, exact = network(), network(dtype="float64")
    exact.set_weights(model.get_weights())
    for seed in range(20):
        x, y = batch(seed)
        x = x.astype("float32")
        trace = compare.record(model, x, y)
        bounds = along_the_graph(trace)
        reference = compare.record(exact, x, y)
        output = bounds["network", "output"]
        assert (np.abs(reference.parts[-1].output - output.value) <= output.bound).all()
        assert (np.abs(trace.parts[-1].output - output.value) <= output.bound).all()
        for ours, theirs in zip(trace.parts, reference.parts):
            for name, gradient in ours.weight_gradients.items():
                bound = bounds[ours.layer, f"{name}_gradient"]
                for side in (gradient, theirs.weight_gradients[name]):
                    assert (np.abs(side - bound.value) <= bound.bound).all(), (seed, ours.name)


def test_an_open_sign_lets_the_gradient_go_either_way():
    rounding = Rounding.of("float32")
    relu = ReLU({})
    x = Bounded(np.array([[1e-9, -1e-9, 1.0, -1.0]]), rounding, np.full((1, 4), 1e-8))
    relu.forward(x, {})
    dx, _ = relu.backward(Bounded(np.array([[3.0, 3.0, 3.0, 3.0]]), rounding))
    for possible in ([0, 0, 3, 0], [3, 3, 3, 0]):
        assert (np.abs(np.array([possible]) - dx.value) <= dx.bound).all()
    assert (dx.bound[0, 2:] < 1e-30).all()


def test_an_open_maximum_lets_the_gradient_go_to_either():
    rounding = Rounding.of("float32")
    pool = MaxPooling2D({"pool_size": (1, 3), "strides": (1, 3), "padding": "valid"})
    x = np.array([1.0, 1.0 + 1e-9, 0.5]).reshape(1, 1, 3, 1)
    pool.forward(Bounded(x, rounding, np.full(x.shape, 1e-8)), {})
    dx, _ = pool.backward(Bounded(np.array([2.0]).reshape(1, 1, 1, 1), rounding))
    for possible in ([2.0, 0, 0], [0, 2.0, 0]):
        assert (np.abs(np.array(possible) - dx.value.ravel()) <= dx.bound.ravel()).all()
    assert dx.bound.ravel()[2] == 0
