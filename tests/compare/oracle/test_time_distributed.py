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
