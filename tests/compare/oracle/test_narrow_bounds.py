"""Bounds next to the smallest numbers and around other orderings of a formula.

Narrow enough to tell an epsilon of one unit in the last place, wide enough for every formula that
they are meant for: each is computed by NumPy in the audited precision and held against `Fraction`s,
or float64.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compare.oracle.layers.activations import HardSigmoid
from compare.oracle.layers.noise import Dropout
from compare.oracle.layers.smooth_activations import Exponential, Tanh
from compare.oracle.layers.softmax import LogSoftmax, Softmax, softmax
from compare.oracle.losses.categorical import softmax_cross_entropy
from compare.oracle.running_error import Bounded, Rounding
from tests.draws import draws

EXAMPLES = settings(max_examples=draws(80), deadline=None, derandomize=True, database=None)
FLOAT32 = Rounding.of("float32")
TINY = float(np.finfo("float32").tiny)
ordinary = st.floats(-8, 8, width=32)
small = st.floats(-4 * TINY, 4 * TINY, width=32)


def of(numbers) -> Bounded:
    return Bounded(np.asarray(numbers, np.float64), FLOAT32)


def inside(made, right: Bounded) -> bool:
    return bool((np.abs(np.asarray(made, np.float64) - right.value) <= right.bound).all())


@EXAMPLES
@given(st.lists(ordinary, min_size=1, max_size=4), st.lists(small, max_size=12), st.randoms())
def test_sums_with_terms_next_to_nothing(large, least, random):
    """In any order, denormals flushed or not."""
    values = [np.float32(v) for v in large + least]
    exact = sum(map(Fraction, map(float, values)))
    right = of(values).sum()
    for flush in (False, True):
        random.shuffle(values)
        total = np.float32(0)
        for value in values:
            total = np.float32(total + (0 if flush and abs(value) < TINY else value))
            total = np.float32(0) if flush and abs(total) < TINY else total
        assert abs(Fraction(float(total)) - exact) <= Fraction(float(right.bound) * (1 + 1e-12))


def test_terms_next_to_nothing_cost_nothing():
    assert of([1.0] + [1e-39] * 50).sum().bound < 1e-35
    assert of([1.0] + [1e-30] * 50).sum().bound > 1e-7  # which are numbers like all others


def test_exp_of_0_and_division_by_a_power_of_two():
    assert of([0.0]).exp().bound[0] <= 2 * TINY < of([1e-20]).exp().bound[0]
    third = of([1.0, 1.0]) / of([4.0, 3.0])
    assert third.bound[0] <= 3 * TINY and third.bound[1] > 1e-8
    unsure = of([1.0]) / Bounded(np.array([4.0]), FLOAT32, np.array([1e-6]))
    assert unsure.bound[0] > 1e-8


@EXAMPLES
@given(st.floats(-3000, 80), st.floats(0, 3000))
def test_exp_of_a_number_with_a_large_error(x, error):
    right = Bounded(np.array([x]), FLOAT32, np.array([error])).exp()
    for moved in (x - error, x, x + error):
        with np.errstate(over="ignore"):
            assert inside([np.exp(moved)], right) or not np.isfinite(np.exp(moved))
    if x + error < -110:
        assert right.bound[0] < 1e-37


def rows(seed, size, offset):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((30, 7)) * size + offset).astype("float32")


def log_sum(z):
    top = z.max(axis=1, keepdims=True)
    return top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("size, offset", [(1, 0), (3, 50), (1, -300), (2, 3000), (80, 0)])
def test_the_shift_may_be_added_back_to_the_logarithm(size, offset):
    z = rows(0, size, offset)
    oracle = LogSoftmax({})
    dy = rows(1, 1, 0)
    right = oracle.forward(of(z), {})
    assert inside(z - log_sum(z), right)
    assert inside(np.exp(z - log_sum(z)), softmax(of(z), -1))
    y = np.exp(z - log_sum(z))
    assert inside(dy - y * dy.sum(axis=1, keepdims=True), oracle.backward(of(dy))[0])
    other = Softmax({})
    other.forward(of(z), {})
    assert inside(y * (dy - (dy * y).sum(axis=1, keepdims=True)), other.backward(of(dy))[0])
    targets = np.eye(7, dtype="float32")[np.arange(30) % 7]
    losses, _ = softmax_cross_entropy(of(targets), of(z))
    assert inside(log_sum(z)[:, 0] - (z * targets).sum(axis=1), losses)


def test_but_not_where_it_leaves_no_digits():
    z = rows(0, 1, 1e6)
    assert not inside(z - log_sum(z), LogSoftmax({}).forward(of(z), {}))


def test_a_softmax_of_one_large_logit_is_1_or_the_number_below():
    right = softmax(of([[0.0, -300.0, -250.0]]), -1)
    assert right.bound.max() < 2**-24 * 1.001
    assert inside([[1, 0, 0]], right)
    assert inside([[1 - np.float32(2**-24), 0, 0]], right)
    assert not inside([[1 / (1 + np.float32(1e-7)), 0, 0]], right)


@pytest.mark.parametrize("spread", [1e6, 1e11, 1e20])
def test_logits_far_apart_have_a_bound(spread):
    z = np.array([[0.0, -1.0, -2.0], [-1.5, 0.5, 1.0]]) * spread
    right = softmax(of(z), -1)
    assert np.isfinite(right.bound).all() and right.bound.max() < 1e-3
    losses, gradient = softmax_cross_entropy(of(np.eye(3)[:2]), of(z))
    assert np.isfinite(losses.bound).all() and np.isfinite(gradient.bound).all()
    assert losses.bound[1] < 1e-5 * spread


X = np.linspace(-12, 12, 4001).astype("float32")


def test_exp_as_a_power_of_two():
    x = np.linspace(-80, 80, 4001).astype("float32")
    assert inside(np.exp2(x * np.float32(math.log2(math.e))), Exponential({}).forward(of(x), {}))


def test_the_slope_of_tanh_by_cosh():
    oracle = Tanh({})
    oracle.forward(of(X), {})
    right = oracle.backward(of(np.full(X.shape, 1.5)))[0]
    assert inside(np.float32(1.5) * (1 / np.square(np.cosh(X))), right)
    assert inside(np.float32(1.5) * (1 - np.square(np.tanh(X))), right)
    assert not inside(np.float32(1.5) * (1 - np.tanh(X) ** 2 + np.float32(4e-6)), right)


def test_a_hard_sigmoid_in_sixths():
    x = np.concatenate([X, np.nextafter(np.float32([-3, 3]), np.float32([0, 0]))])
    right = HardSigmoid({}).forward(of(x), {})
    half = np.float32(0.5)
    for made in (x / 6 + half, x * np.float32(1 / 6) + half, (x + 3) / 6,
                 np.minimum(np.maximum(x + 3, 0), 6) * np.float32(1 / 6)):
        assert inside(np.clip(made, 0, 1), right)
    assert not inside(np.clip(x * np.float32(0.16667) + half, 0, 1), right)


def test_a_dropout_may_divide():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(400).astype("float32")
    noise = np.where(rng.random(400) < 0.3, 0, 1 / np.float32(0.7)).astype("float32")
    right = Dropout({"rate": 0.3}).forward(of(x), {"noise": of(noise)})
    assert inside(np.where(noise > 0, x / np.float32(0.7), 0), right) and inside(x * noise, right)
    assert not inside(x * noise * np.float32(1 + 1e-6), right)
