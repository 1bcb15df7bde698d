"""Penalties on weights and outputs: right by definition, and bounds that hold in any order."""

import numpy as np
import pytest

import compare
from compare.oracle import regularization
from compare.oracle.running_error import Bounded, Rounding
from scratch import regularizers
from tests.compare.support import graphs

CASES = [("l1", 0.01, 0.0), ("l2", 0.0, 0.01), ("l1_l2", 0.01, 0.01),
         ({"class_name": "L1", "config": {"l1": 0.3}}, 0.3, 0.0),
         ({"class_name": "L2", "config": {"l2": 0.07}}, 0.0, 0.07),
         ({"class_name": "L1L2", "config": {"l1": 0.2, "l2": 3.0}}, 0.2, 3.0),
         ({"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.0}}, 0.0, 0.0)]


@pytest.mark.parametrize("regularizer, l1, l2", CASES)
def test_factors_are_float32s(regularizer, l1, l2):
    assert regularization.factors(regularizer) == (float(np.float32(l1)), float(np.float32(l2)))


@pytest.mark.parametrize("name", ["orthogonal", None, {"class_name": "Mine", "config": {}}])
def test_other_regularizers_are_refused(name):
    with pytest.raises(ValueError, match="Expected a regularizer l1, l2 or l1_l2. Received: "):
        regularization.factors(name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("regularizer, l1, l2", CASES)
def test_values_by_loops_and_bounds_for_sums_in_any_order(regularizer, l1, l2, dtype):
    rng = np.random.default_rng(0)
    rounding = Rounding.of(dtype)
    l1, l2 = np.float32(l1), np.float32(l2)
    own = regularizers.get(regularizer)
    for _ in range(50):
        x = (rng.standard_normal((3, 7)) * 10 ** rng.uniform(-3, 3)).astype(dtype)
        x.flat[4] = 0
        value, gradient = (f(regularizer, Bounded(x, rounding))
                           for f in (regularization.penalty, regularization.gradient))
        by_loop = sum(float(l1) * abs(float(n)) + float(l2) * float(n)**2 for n in x.flat)
        assert value.value == pytest.approx(by_loop, rel=1e-12, abs=1e-30)
        total = np.dtype(dtype).type(0)
        for n in rng.permutation(x.ravel()):  # in any order, product by product
            total = total + (l1.astype(dtype) * abs(n) + l2.astype(dtype) * (n * n))
        for computed in (total, own.penalty(x)):
            assert abs(float(computed) - value.value) <= value.bound
        by_loop = [float(l1) * np.sign(float(n)) + 2 * float(l2) * float(n) for n in x.flat]
        np.testing.assert_allclose(gradient.value.ravel(), by_loop, rtol=1e-12)
        assert (np.abs(own.gradient(x) - gradient.value) <= gradient.bound).all()
        assert (gradient.bound <= 10 * rounding.unit * np.abs(gradient.value) + 1e-30).all()


def test_the_sign_of_what_rounding_leaves_open_is_open():
    x = Bounded(np.array([1e-9, 1.0]), Rounding.of("float32"), np.array([1e-8, 1e-8]))
    gradient = regularization.gradient({"class_name": "L1", "config": {"l1": 0.5}}, x)
    assert gradient.bound[0] >= 1.0 and gradient.bound[1] < 1e-6


@pytest.mark.parametrize("config, weight, found", [
    ({"kernel_regularizer": "l2"}, "kernel", "l2"), ({"kernel_regularizer": "l2"}, "bias", None),
    ({"depthwise_regularizer": "l1"}, "kernel", "l1"),
    ({"depthwise_regularizer": "l1", "pointwise_regularizer": "l2"}, "pointwise_kernel", "l2"),
    ({"gamma_regularizer": "l1"}, "gamma", "l1"),
    ({"kernel_regularizer": "l2", "trainable": False}, "kernel", None)])
def test_which_weight_has_a_penalty(config, weight, found):
    assert regularization.regularizer_of(config, weight) == found


def test_the_penalties_of_a_network_are_those_of_its_own_training():
    model, (x, y) = graphs.residual(), graphs.images()
    trace = compare.record(model, x, y)
    rounding = Rounding.of("float32")
    weights = [{name: Bounded(w, rounding) for name, w in part.weights.items()}
               for part in trace.parts]
    outputs = [Bounded(part.output, rounding) for part in trace.parts]
    found = regularization.of_weights(trace, weights)
    assert len(found) == 3, "two kernels and a gamma"
    held = {layer.name: layer.params for layer in model.layers}
    expected = [0.01 * np.square(held["first"]["kernel"].astype("float64")).sum(),
                0.02 * np.abs(held["other_norm"]["gamma"]).sum(),
                0.01 * np.abs(held["last"]["kernel"]).sum()
                + 0.02 * np.square(held["last"]["kernel"]).sum()]
    assert [term.value for term in found] == pytest.approx(expected, rel=1e-6)
    activity, = regularization.of_outputs(trace, outputs)
    third = next(part for part in trace.parts if part.name == "third/elu")
    assert activity.value == pytest.approx(0.05 * np.square(third.output).sum() / 5, rel=1e-6)
