"""Worst cases put together by hand: each part of a bound is needed, which rational numbers show.

Numbers drawn at random use a small part of their bounds, so that half of a bound would hold for
them, too. These here lose nearly all that a rounding can lose, each time.
"""

from fractions import Fraction
from functools import reduce

import numpy as np
import pytest

from compare.oracle.adaptive_optimizers import OPTIMIZERS
from compare.oracle.losses.base import LossOracle
from compare.oracle.moments import moments
from compare.oracle.running_error import Bounded, Rounding, bilinear

BITS = {"float16": 11, "float32": 24, "float64": 53}  # of a significand


def assert_inside(bounded, number) -> None:
    distance = abs(Fraction(number) - Fraction(float(bounded.value)))
    assert distance <= Fraction(float(bounded.bound)), (
        f"{float(distance):.4g} away, bound {float(bounded.bound):.4g}")


@pytest.mark.parametrize("dtype", BITS)
def test_a_bias_is_one_more_term_of_the_sum(dtype):
    """The product lies in the middle between two numbers, and the bias is half a unit of the sum:
    both roundings are of half a unit, and to the same side."""
    kind, bits = np.dtype(dtype).type, BITS[dtype]
    x, w = kind(1 + 2.0**-(bits // 2)), kind(1 + 2.0**-(bits - bits // 2))
    bias = kind(2.0**-bits)
    made = bilinear(np.matmul, Bounded(np.array([x]), Rounding.of(dtype)),
                    Bounded(np.array([w]), Rounding.of(dtype)),
                    Bounded(np.array(bias), Rounding.of(dtype)))
    exact = Fraction(float(x)) * Fraction(float(w)) + Fraction(float(bias))
    computed = float(kind(x * w) + bias)
    assert exact - Fraction(computed) == Fraction(2, 2**bits), "both roundings lose the most"
    assert_inside(made, exact)
    assert_inside(made, computed)


# (operation, two factors as multiples of powers of the smallest normal number)
UNDERFLOW = {"*": (lambda a, b: a * b, lambda tiny: (1.5 * tiny, 0.25)),
             "/": (lambda a, b: a / b, lambda tiny: (3.0 * tiny, 16.0)),
             "+": (lambda a, b: a + b, lambda tiny: (1.75 * tiny, -1.25 * tiny)),
             "-": (lambda a, b: a - b, lambda tiny: (1.75 * tiny, 1.25 * tiny))}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("operation", UNDERFLOW)
def test_a_result_below_the_smallest_normal_number_may_come_out_as_zero(dtype, operation):
    function, numbers = UNDERFLOW[operation]
    tiny = float(np.finfo(dtype).tiny)
    pair = numbers(tiny)
    made = function(*(Bounded(np.array(number), Rounding.of(dtype)) for number in pair))
    exact = function(*map(Fraction, pair))
    assert 0 < exact < Fraction(tiny), "it is denormal"
    for computed in (0, exact):  # with denormals flushed, and without
        assert_inside(made, computed)


@pytest.mark.parametrize("operation", UNDERFLOW)
def test_float16_keeps_its_denormals(operation):
    """Which are normal numbers of the float32 that it is computed in."""
    function, numbers = UNDERFLOW[operation]
    pair = numbers(float(np.finfo("float16").tiny))
    made = function(*(Bounded(np.array(number), Rounding.of("float16")) for number in pair))
    assert_inside(made, function(*map(Fraction, pair)))
    with pytest.raises(AssertionError, match="away, bound"):
        assert_inside(made, 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_exponential_below_the_smallest_normal_number_may_come_out_as_zero(dtype):
    tiny = float(np.finfo(dtype).tiny)
    made = Bounded(np.array(np.log(tiny) - 0.5), Rounding.of(dtype)).exp()
    assert 0 < made.value < tiny
    assert_inside(made, 0)


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("root, lower", [(1, 0), (5, 0), (5, 1), (5, 3), (12, 5)])
def test_a_root_falls_the_more_the_nearer_to_zero_its_operand_may_be(dtype, root, lower):
    """sqrt(root^2 - e), with e = root^2 - lower^2, is `lower`, and no slope at root^2 says so."""
    error = root**2 - lower**2
    made = Bounded(np.array(float(root**2)), Rounding.of(dtype), float(error)).sqrt()
    assert_inside(made, lower)
    # the root of what may be zero or less is 0 at the lowest
    below = Bounded(np.array(float(root**2)), Rounding.of(dtype), 4.0 * root**2).sqrt()
    assert_inside(below, 0)


def squares_that_vanish(dtype, pairs):
    """(x, exact variance, rounded variance): the mean is 0 and rounds nothing; squares just below
    half a unit of the sum of the first two are added to it and lost, one after the other."""
    kind = np.dtype(dtype).type
    small = kind(np.sqrt(0.9) * 2.0 ** ((1 - BITS[dtype]) / 2))
    x = np.array([1, -1, *[small, -small] * pairs], dtype)
    squares = [kind(value * value) for value in x]
    total = reduce(lambda a, b: kind(a + b), squares)
    assert total == 2, "all of them are lost"
    exact = sum(Fraction(float(value)) ** 2 for value in x) / len(x)
    return x, exact, float(kind(total / kind(len(x))))


@pytest.mark.parametrize("pairs", [3, 7, 31, 127])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_variance_may_lose_one_rounding_for_each_of_its_numbers(dtype, pairs):
    """2 + 2 pairs numbers are a power of two, so that dividing rounds nothing more."""
    x, exact, computed = squares_that_vanish(dtype, pairs)
    found = moments(Bounded(x, Rounding.of(dtype)), (0,)).variance
    variance = Bounded(found.value[0], found.rounding, found.bound[0])
    assert_inside(variance, exact)
    assert_inside(variance, computed)
    # and the bound is not far beyond it: n - 2 of n + 4 roundings are really lost
    assert abs(exact - Fraction(computed)) > Fraction(float(variance.bound)) * Fraction(
        4 * pairs, 5 * (2 * pairs + 6))


@pytest.mark.parametrize("count", [3, 5, 7, 100])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_the_mean_s_own_rounding_enters_the_variance_squared(dtype, count):
    """Of equal numbers the variance is 0, but their rounded mean is another number than they."""
    kind = np.dtype(dtype).type
    seen = 0
    for value in (np.random.default_rng(count).random(200) * 100 + 1).astype(dtype):
        total = reduce(lambda a, b: kind(a + b), [value] * count)
        away = kind(value - kind(total / kind(count)))
        squares = reduce(lambda a, b: kind(a + b), [kind(away * away)] * count)
        found = moments(Bounded(np.full(count, value), Rounding.of(dtype)), (0,)).variance
        variance = Bounded(found.value[0], found.rounding, found.bound[0])
        assert variance.value <= 1e-25, "float64 has the mean"
        assert_inside(variance, 0)
        assert_inside(variance, float(kind(squares / kind(count))))
        seen += away != 0
    assert seen >= 5, "the mean is rounded"


@pytest.mark.parametrize("n", [3, 5, 7, 11, 15])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_a_mean_may_be_made_by_a_rounded_share(dtype, n):
    """Of one number and zeros: the sum is exact, 1 / n is rounded, and so is their product, by most
    where it is just above a power of two."""
    kind, unit = np.dtype(dtype).type, 2.0**-BITS[dtype]
    oracle, most = LossOracle({}, dtype), Fraction(0)
    for step in range(60):
        value = kind(n / 2 ** (n.bit_length() - 1) + 2 * unit * step)
        made = oracle.mean(Bounded(np.array([[value] + [0.0] * (n - 1)]), Rounding.of(dtype)))
        exact = Fraction(float(value)) / n
        for computed in (kind(value * kind(1 / n)), kind(value / kind(n))):
            assert_inside(Bounded(made.value[0], made.rounding, made.bound[0]), float(computed))
            most = max(most, abs(Fraction(float(computed)) / exact - 1))
    assert most > unit, "both roundings are seen together"


@pytest.mark.parametrize("gradient", [0.5, 0.4999, -0.5])
def test_a_threshold_that_an_error_may_pass_moves_the_weight_or_not(gradient):
    """Ftrl's first step from weight 0: z is the gradient, and the weight stays 0 up to |z| = l1."""
    l1, rate, start, error = 0.5, 0.25, 0.25, 1e-3
    oracle = OPTIMIZERS["ftrl"]({"learning_rate": rate, "learning_rate_power": -0.5,
                                 "initial_accumulator_value": start, "beta": 0.0,
                                 "l1_regularization_strength": l1,
                                 "l2_regularization_strength": 0.0,
                                 "l2_shrinkage_regularization_strength": 0.0},
                                np.dtype("float32"))
    rounding = Rounding.of("float32")
    (made,) = oracle.step([Bounded(np.array(0.0), rounding)],
                          [Bounded(np.array(gradient), rounding, np.array(error))])
    for share in (-1, -0.5, 0, 0.5, 1):
        z = gradient + share * error
        weight = (min(max(z, -l1), l1) - z) * rate / (start + z * z) ** 0.5
        assert_inside(made, weight)
    assert made.bound > 0


@pytest.mark.parametrize("gradient, error, signs", [
    (0.0, 1e-3, (-1, 0, 1)), (5e-4, 1e-3, (-1, 0, 1)), (-1e-3, 1e-3, (-1, 0)), (0.5, 1e-3, (1,)),
    (-0.5, 1e-3, (-1,)), (0.0, None, (0,))])
def test_a_sign_that_an_error_leaves_open_leaves_the_step_open(gradient, error, signs):
    """Lion's step is the rate times a sign, whatever the size of the gradient."""
    oracle = OPTIMIZERS["lion"]({"learning_rate": 0.25, "beta_1": 0.9, "beta_2": 0.99},
                                np.dtype("float32"))
    rounding = Rounding.of("float32")
    (made,) = oracle.step([Bounded(np.array(1.0), rounding)],
                          [Bounded(np.array(gradient), rounding, error)])
    for sign in signs:
        assert_inside(made, 1 - 0.25 * sign)
    if len(signs) == 1:
        assert made.bound < 4 * rounding.unit
