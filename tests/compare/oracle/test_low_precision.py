"""Bounds in float16 and bfloat16: sums in any order, added up in that precision or in float32."""

import numpy as np
import pytest

from compare.oracle.expected import results
from compare.oracle.low_precision import cast
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding, bilinear
from scratch.precision import rounded

LOW = ["float16", "bfloat16"]
FLOAT32 = Rounding.of("float32")


def added_up(terms, name, order):
    """Every partial sum rounded to the precision, one after the other."""
    total = np.float32(0)
    for term in terms[order]:
        total = rounded(np.float32(total + rounded(np.float32(term), name)), name)
    return float(total)


@pytest.mark.parametrize("name", LOW)
@pytest.mark.parametrize("positive", [True, False])
def test_sums_in_the_low_precision_lie_within_the_bound_in_any_order(name, positive):
    rng = np.random.default_rng([len(name), positive])
    a, b = (rounded(rng.standard_normal((1, 700)).astype(np.float32), name) for _ in range(2))
    a, b = (np.abs(a), np.abs(b)) if positive else (a, b)
    rounding = Rounding.of(name)
    made = bilinear(lambda a, b: a @ b.T, Bounded(a, rounding), Bounded(b, rounding))
    products = (a.astype(np.float64) * b)[0]
    for order in (np.arange(700), np.arange(700)[::-1], np.argsort(products),
                  rng.permutation(700)):
        off = abs(added_up(products, name, order) - made.value[0, 0])
        assert off <= made.bound[0, 0]
    assert np.isfinite(made.bound).all()


@pytest.mark.parametrize("name", LOW)
def test_a_wide_product_is_bounded_by_three_roundings_and_no_more(name):
    rng = np.random.default_rng(3)
    x, kernel = (rounded(np.abs(rng.standard_normal(shape)).astype(np.float32), name)
                 for shape in ((5, 400), (400, 3)))
    bias = rounded(rng.standard_normal(3).astype(np.float32), name)
    rounding = Rounding.of(name)
    made = bilinear(np.matmul, *(Bounded(a, rounding) for a in (x, kernel, bias)), wide=True)
    unit = rounding.unit
    assert (made.bound < 3.2 * unit * (np.abs(made.value) + np.abs(bias))).all()
    # rounded once, rounded before the bias is added, and cut off as TensorFlow's kernel does
    exact = x.astype(np.float64) @ kernel
    once = rounded((exact + bias).astype(np.float32), name)
    apart = rounded(rounded(exact.astype(np.float32), name) + bias, name)
    mantissa, exponent = np.frexp(exact)
    bits = {"float16": 11, "bfloat16": 8}[name]
    cut = np.ldexp(np.trunc(np.ldexp(mantissa, bits)), exponent - bits)
    cut = rounded((cut + bias).astype(np.float32), name)
    for y in (once, apart, cut):
        assert (np.abs(y - made.value) <= made.bound).all()
    assert not (np.abs(made.value * (1 + 8 * unit) - made.value) <= made.bound).all()


@pytest.mark.parametrize("name", LOW)
def test_a_cast_is_exact_where_the_number_is_and_covers_both_neighbours_where_it_is_not(name):
    x = np.random.default_rng(4).standard_normal(50)
    known = cast(Bounded(x, FLOAT32), name, FLOAT32)
    np.testing.assert_array_equal(known.value, rounded(x.astype(np.float32), name))
    assert known.error is None
    vague = cast(Bounded(x, FLOAT32, np.full(50, 1e-3)), name, FLOAT32)
    for moved in (x - 1e-3, x, x + 1e-3):
        off = np.abs(rounded(moved.astype(np.float32), name) - vague.value)
        assert (off <= vague.bound).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16"])
def test_batch_normalization_computes_in_float32_and_rounds_its_output_once(policy):
    rng = np.random.default_rng(5)
    config = {"name": "bn", "axis": -1, "epsilon": 1e-3, "momentum": 0.9, "center": True,
              "scale": True, "dtype": policy}
    x = rng.standard_normal((7, 5, 3)).astype(np.float32)
    weights = {"gamma": np.float32([1, 2, 3]), "beta": np.float32([0.5, 0, 1]),
               "moving_mean": np.zeros(3, np.float32), "moving_variance": np.ones(3, np.float32)}
    oracle = oracle_for("BatchNormalization", config)
    found = results(oracle, x, weights, rng.standard_normal(x.shape), FLOAT32)
    unit = Rounding.of(policy.removeprefix("mixed_")).unit
    assert (found["output"].bound <= 2.1 * unit * np.abs(found["output"].value) + 1e-5).all()
    low = rounded(x, policy.removeprefix("mixed_")).astype(np.float64)
    normal = (low - low.mean(axis=(0, 1))) / np.sqrt(low.var(axis=(0, 1)) + 1e-3)
    np.testing.assert_allclose(found["output"].value, normal * [1, 2, 3] + [0.5, 0, 1], atol=1e-6)
    moved = oracle.updated["moving_mean"]
    np.testing.assert_allclose(moved.value, 0.1 * low.mean(axis=(0, 1)), atol=1e-9)
    assert (moved.bound < (1e-6 if policy.startswith("mixed") else 3 * unit)).all()


def test_denormals_of_float16_are_kept_and_cost_one_smallest_number():
    rounding = Rounding.of("float16")
    assert rounding.tiny == float(np.finfo(np.float16).smallest_subnormal)
    assert rounding.largest == float(np.finfo(np.float16).max)
    product = Bounded(np.array([1e-4]), rounding) * Bounded(np.array([0.01]), rounding)
    off = abs(float(np.float16(1e-4 * 0.01)) - product.value[0])
    assert off <= product.bound[0] < 1e-7
