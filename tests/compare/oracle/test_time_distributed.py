"""The oracle of a layer on every step: the oracle of that layer on each step, summed up."""

import numpy as np
import pytest

from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding

FLOAT32 = Rounding.of("float32")
DENSE = {"class_name": "Dense", "config": {"units": 3, "activation": "tanh", "use_bias": True}}


def test_steps_by_themselves():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((4, 5, 2)), rng.standard_normal((4, 5, 3))
    weights = {"kernel": rng.standard_normal((2, 3)), "bias": rng.standard_normal(3)}
    held = {name: Bounded(w, FLOAT32) for name, w in weights.items()}
    oracle = oracle_for("TimeDistributed", {"layer": DENSE})
    y = oracle.forward(Bounded(x, FLOAT32), held)
    dx, gradients = oracle.backward(Bounded(dy, FLOAT32))
    totals = {name: 0.0 for name in weights}
    for t in range(5):
        z = np.tanh(x[:, t] @ weights["kernel"] + weights["bias"])
        dz = dy[:, t] * (1 - z**2)
        np.testing.assert_allclose(y.value[:, t], z, atol=1e-12)
        np.testing.assert_allclose(dx.value[:, t], dz @ weights["kernel"].T, atol=1e-12)
        totals["kernel"] += x[:, t].T @ dz
        totals["bias"] += dz.sum(axis=0)
    for name, total in totals.items():
        np.testing.assert_allclose(gradients[name].value, total, atol=1e-12)
        assert (gradients[name].bound > 0).all() and gradients[name].bound.max() < 1e-4
    assert oracle.reductions((4, 5, 2), (4, 5, 3))["kernel_gradient"] == 20


@pytest.mark.parametrize("inner, exact", [(DENSE, True), (
    {"class_name": "LayerNormalization", "config": {"axis": -1}}, False)])
def test_it_is_exact_where_the_layer_inside_is(inner, exact):
    assert oracle_for("TimeDistributed", {"layer": inner}).exact == (
        oracle_for(inner["class_name"], inner["config"], "whole").exact)
    assert oracle_for("TimeDistributed", {"layer": {**inner, "config": {
        **inner["config"], "activation": "linear"}}}).exact == exact


def test_batch_normalization_takes_each_step_for_a_batch():
    """In training, the moving averages step after step; outside of it by the averages."""
    rng = np.random.default_rng(1)
    x, dy = rng.standard_normal((2, 4, 3, 5)), rng.standard_normal((2, 4, 3, 5))
    weights = {"gamma": rng.standard_normal(5), "beta": rng.standard_normal(5),
               "moving_mean": rng.standard_normal(5), "moving_variance": rng.random(5) + 0.5}
    held = {name: Bounded(w, FLOAT32) for name, w in weights.items()}
    config = {"axis": -1, "momentum": 0.6, "epsilon": 1e-3}
    oracle = oracle_for("TimeDistributed", {"layer": {"class_name": "BatchNormalization",
                                                      "config": config}})
    y = oracle.forward(Bounded(x, FLOAT32), held)
    _, gradients = oracle.backward(Bounded(dy, FLOAT32))
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    gamma = 0.0
    for t in range(4):
        own, spread = x[:, t].mean((0, 1)), x[:, t].var((0, 1))
        normal = (x[:, t] - own) / np.sqrt(spread + 1e-3)
        np.testing.assert_allclose(y.value[:, t], normal * weights["gamma"] + weights["beta"],
                                   atol=1e-12)
        mean, variance = 0.6 * mean + 0.4 * own, 0.6 * variance + 0.4 * spread
        gamma = gamma + (dy[:, t] * normal).sum((0, 1))
    np.testing.assert_allclose(oracle.updated["moving_mean"].value, mean, atol=1e-12)
    np.testing.assert_allclose(oracle.updated["moving_variance"].value, variance, atol=1e-12)
    np.testing.assert_allclose(gradients["gamma"].value, gamma, atol=1e-12)
    assert y.bound.max() < 1e-4
    oracle.training = False
    made = oracle.forward(Bounded(x, FLOAT32), held).value
    np.testing.assert_allclose(made, (x - weights["moving_mean"]) / np.sqrt(
        weights["moving_variance"] + 1e-3) * weights["gamma"] + weights["beta"], atol=1e-12)


def test_several_inputs_on_every_step():
    rng = np.random.default_rng(2)
    a, b, dy = (rng.standard_normal((3, 2, 4)) for _ in range(3))
    oracle = oracle_for("TimeDistributed", {"layer": {"class_name": "Multiply", "config": {}}})
    assert oracle.merges
    y = oracle.forward([Bounded(a, FLOAT32), Bounded(b, FLOAT32)], {})
    (da, db), gradients = oracle.backward(Bounded(dy, FLOAT32))
    for made, right in ((y, a * b), (da, dy * b), (db, dy * a)):
        np.testing.assert_allclose(made.value, right, atol=1e-12)
    assert not gradients
