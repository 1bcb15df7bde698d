"""The oracles of normalization: right values, and bounds that hold and say something.

Values are held against loops that differentiate themselves (`tests.scratch.support.normalizing`).
Bounds are held against Keras and scratch on hundreds of random layers, with means a million times
the deviation, variances from 1e-44 up, and batches of a single value; and against both formulas for
each result, written out here in float32 with sums in random order.
"""

import numpy as np
import pytest

from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from tests.compare.support.normalizing_cases import Case, shares
from tests.scratch.support import normalizing

FLOAT32 = Rounding.of("float32")
KINDS = ["BatchNormalization", "LayerNormalization"]


@pytest.fixture(autouse=True)
def quiet_numpy():
    """Bounds may be infinite here; `compare.check` is as silent about that."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        yield


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_the_definitions(kind):
    for seed in range(40):
        case = Case(kind, seed, "float64", mean=seed % 3, deviation=1)
        if np.prod([case.shape[i] for i in case.axes]) > 40:
            continue
        right, found = case.by_loops(), case.by_oracle(FLOAT32)
        for tensor, array in right.items():
            scale = np.abs(found[tensor].value).max() + np.abs(case.dy).max() * 30
            np.testing.assert_allclose(found[tensor].value, array, rtol=0, atol=1e-12 * scale,
                                       err_msg=f"{case}: {tensor}")
        if case.kind == "BatchNormalization" and case.training:
            keep = case.config["momentum"]
            for c, indices in enumerate(normalizing.groups(case.shape, case.axes)):
                for name, batch in zip(("moving_mean", "moving_variance"), normalizing.moments(
                        [float(case.x[i]) for i in indices])):
                    assert found[f"updated {name}"].value[c] == pytest.approx(
                        keep * case.weights[name][c] + (1 - keep) * batch, rel=1e-12, abs=1e-12)
        else:
            assert not any(tensor.startswith("updated") for tensor in found)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_bounds_hold_for_keras_and_scratch_and_are_no_wider_than_need_be(keras, kind, dtype):
    """On 100 random layers, of float64 40; in some, a good part of the bound is really used."""
    used = {}
    for seed in range(100 if dtype == "float32" else 40):
        case = Case(kind, 1000 + seed, dtype)
        found = case.by_oracle()
        for made in (case.by_keras(keras), case.by_scratch()):
            for tensor, share in shares(found, made, case).items():
                used.setdefault(tensor, []).append(share)
    assert len(used) == (6 if kind == "BatchNormalization" else 4)
    if dtype == "float32":  # in float64 the bound must cover the oracle's own rounding as well
        for tensor, worst in used.items():
            assert max(worst) > 0.05, f"{tensor}: at most {max(worst):.3g} of the bound is used"


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_are_a_few_roundings_where_few_numbers_meet(kind):
    """With deviation 1 and mean 0 nothing cancels: some dozen units of what is added up."""
    for seed in range(60):
        case = Case(kind, seed, "float32", mean=0, deviation=1)
        case.config["epsilon"] = 0.1
        count = np.prod([case.shape[i] for i in case.axes])
        terms = count + case.shape[0] + 30
        found = case.by_oracle()
        scale = 4 * (np.abs(case.x).max() + 1) * max(1, np.abs(case.weights.get("gamma", 1)).max())
        allowed = (2 * terms * FLOAT32.unit * scale
                   + 1e-6 * np.abs(case.weights.get("beta", 0)).max())
        if case.training:
            assert found["output"].bound.max() < allowed, case
            steep = scale * 4 * np.abs(case.dy).max() / 0.1
            assert found["input_gradient"].bound.max() < 4 * terms * FLOAT32.unit * steep, case


def shuffled_sum(array, axes, rng):
    """A float32 sum along `axes` (kept), one term at a time, in random order."""
    rest = [i for i in range(array.ndim) if i not in axes]
    flat = array.transpose(*axes, *rest).reshape(-1, *[array.shape[i] for i in rest])
    total = np.zeros(flat.shape[1:], array.dtype)
    for i in rng.permutation(len(flat)):
        total = total + flat[i]
    return total.reshape([1 if i in axes else n for i, n in enumerate(array.shape)])


def formulas(case, rng):
    """Output, input gradient and gamma's gradient in float32, by either of two formulas each."""
    axes, x, dy = case.axes, case.x, case.dy
    others = [i for i in range(x.ndim) if i not in case.weight_axes]
    count = np.float32(np.prod([x.shape[i] for i in axes]))
    broadcast = [n if i in case.weight_axes else 1 for i, n in enumerate(x.shape)]
    gamma = case.weights.get("gamma", np.ones(broadcast, "float32")).reshape(broadcast)
    beta = case.weights.get("beta", np.zeros(broadcast, "float32")).reshape(broadcast)
    mean = shuffled_sum(x, axes, rng) * (1 / count) if rng.random() < 0.5 \
        else shuffled_sum(x / count, axes, rng)
    variance = shuffled_sum(np.square(x - mean), axes, rng) / count
    inverse = 1 / np.sqrt(variance + np.float32(case.config["epsilon"]))
    factor, h = inverse * gamma, dy * gamma
    plain = shuffled_sum(h, axes, rng)
    if rng.random() < 0.5:  # from the difference
        normal = (x - mean) * inverse
        y = normal * gamma + beta
        dgamma = shuffled_sum(dy * normal, others, rng)
        dx = inverse * (h - plain / count - normal * (shuffled_sum(h * normal, axes, rng) / count))
    else:  # as TensorFlow
        y = x * factor + (beta - mean * factor)
        dgamma = shuffled_sum((dy * x - dy * mean) * inverse, others, rng)
        spread = shuffled_sum(h * x, axes, rng) - mean * plain
        dvariance = np.float32(-0.5) * inverse * inverse * (inverse * spread)
        dx = dy * factor + 2 * (x - mean) * (dvariance / count) - plain * inverse / count
    made = {"output": y, "input_gradient": dx}
    if "gamma" in case.weights:
        made["gamma_gradient"] = dgamma.reshape(case.weights["gamma"].shape)
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_hold_for_either_formula_and_any_order(kind):
    for seed in range(80):
        case = Case(kind, 5000 + seed, "float32")
        case.training = True
        found = case.by_oracle()
        for repeat in range(4):
            made = formulas(case, np.random.default_rng([seed, repeat]))
            shares({tensor: found[tensor] for tensor in made}, made, case)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_formula_is_seen(kind):
    """The unbiased variance, and an epsilon left out: far outside the bound."""
    seen = {"unbiased": 0, "no epsilon": 0, "no mean in the gradient": 0}
    for seed in range(30):
        case = Case(kind, seed, "float32", mean=1, deviation=1)
        case.training, axes = True, tuple(case.axes)
        count = np.prod([case.shape[i] for i in axes])
        if count < 2:
            continue
        found = case.by_oracle()
        broadcast = [n if i in case.weight_axes else 1 for i, n in enumerate(case.shape)]
        gamma = case.weights.get("gamma", np.ones(broadcast)).reshape(broadcast).astype(float)
        beta = case.weights.get("beta", np.zeros(broadcast)).reshape(broadcast)
        x = case.x.astype(float)
        centred, variance = x - x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
        epsilon = case.config["epsilon"]
        wrong = {
            "unbiased": centred / np.sqrt(variance * count / (count - 1) + epsilon) * gamma + beta,
            "no epsilon": centred / np.sqrt(variance) * gamma + beta,
        }
        for name, y in wrong.items():
            seen[name] += (np.abs(y - found["output"].value) > found["output"].bound).any()
        dx = case.dy * gamma / np.sqrt(variance + epsilon)
        off = np.abs(dx - found["input_gradient"].value)
        seen["no mean in the gradient"] += (off > found["input_gradient"].bound).any()
    assert seen["unbiased"] >= 18 and seen["no mean in the gradient"] >= 18, seen
    assert seen["no epsilon"] >= 10, seen  # not where it is 1e-7


def perturbed(bounded, rng):
    """An array within the bound, often at its edge."""
    reach = np.maximum(bounded.bound - 1e-15 * (1 + np.abs(bounded.value)), 0)
    return bounded.value + reach * rng.choice([-1, -0.3, 0, 1], bounded.shape)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1e-9, 1e-4, 0.2])
def test_errors_of_the_inputs_are_carried_along(kind, size):
    for seed in range(25):
        case = Case(kind, seed, "float64", mean=seed % 3, deviation=1)
        rng = np.random.default_rng(seed)
        x, dy = (Bounded(a, FLOAT32, 1e-15 + size * rng.random(a.shape))
                 for a in (case.x, case.dy))
        found = case.by_oracle(FLOAT32, x, dy)
        for _ in range(4):
            moved = case.by_oracle(FLOAT32, perturbed(x, rng), perturbed(dy, rng))
            shares(found, {tensor: value.value for tensor, value in moved.items()}, case)


def test_a_frozen_layer_is_judged_by_its_moving_averages():
    case = next(c for c in (Case("BatchNormalization", seed, "float32") for seed in range(99))
                if c.training)
    trained = case.by_oracle()
    case.config = {**case.config, "trainable": False}
    frozen = case.by_oracle()
    case.config, case.training = {**case.config, "trainable": True}, False
    for tensor, value in case.by_oracle().items():
        np.testing.assert_array_equal(value.value, frozen[tensor].value)
    assert "updated moving_mean" in trained and "updated moving_mean" not in frozen


def test_counts_of_terms():
    oracle = oracle_for("BatchNormalization", {"axis": 1})
    assert oracle.reductions((5, 3, 4, 2), (5, 3, 4, 2)) == {
        "output": 40, "input_gradient": 40, "gamma_gradient": 40, "beta_gradient": 40}
    oracle.training = False
    assert oracle.reductions((5, 3, 4, 2), (5, 3, 4, 2))["output"] == 1
    oracle = oracle_for("LayerNormalization", {"axis": [-1, 1]})
    assert oracle.reductions((5, 3, 4, 2), (5, 3, 4, 2)) == {
        "output": 6, "input_gradient": 6, "gamma_gradient": 20, "beta_gradient": 20}
