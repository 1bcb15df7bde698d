"""Bounded numbers: whatever order and precision a result was computed in, it lies in its bound.

The exact results are rational numbers (`Fraction`), or decimals of 60 digits for exp and log. The
rounded ones are computed by NumPy in the audited precision: first to last, last to first, pairwise,
by BLAS, and with denormal numbers flushed to zero, as TensorFlow's kernels do.
"""

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compare.oracle.running_error import LIBRARY_ULPS, Bounded, Rounding, bilinear, largest
from tests.draws import draws

EXAMPLES = settings(max_examples=draws(60), deadline=None, derandomize=True, database=None)
DTYPES = ["float32", "float64"]
LARGEST = 1e12  # beyond, products of several would overflow float32


def numbers(dtype):
    """Finite numbers of that precision: of any size up to a limit, zero and denormals included."""
    width = np.dtype(dtype).itemsize * 8
    tiny = float(np.finfo(dtype).tiny)
    limit = float(np.dtype(dtype).type(LARGEST))
    return st.one_of(
        st.floats(-limit, limit, width=width),
        st.integers(-8, 8).map(float),
        st.floats(0.5, 2, width=width),
        st.floats(-4 * tiny, 4 * tiny, width=width),
        st.integers(-3, 3).map(lambda n: n * float(np.finfo(dtype).smallest_subnormal)))


@st.composite
def lists(draw, dtype, largest=12):
    """Numbers among which some nearly cancel others."""
    values = draw(st.lists(numbers(dtype), min_size=1, max_size=largest // 2))
    for value in list(values):
        if draw(st.booleans()):
            values.append(-float(np.nextafter(np.dtype(dtype).type(value),
                                              np.dtype(dtype).type(draw(st.sampled_from([0, 9]))))))
    return draw(st.permutations(values))


def flushed(value):
    """A number as a kernel has it that knows no denormals."""
    return value * 0 if abs(value) < np.finfo(value.dtype).tiny else value


def keep(value):
    return value


# how a processor treats what it reads and what it has computed
MACHINES = {"IEEE 754": keep, "flush to zero": flushed}


def assert_inside(bounded: Bounded, index, number, what) -> None:
    """|number - value| <= error, compared as rationals."""
    value, error = float(bounded.value[index]), float(bounded.bound[index])
    if math.isinf(error):
        return
    distance = abs(Fraction(number) - Fraction(value))
    assert distance <= Fraction(error), (
        f"{what}: {float(number)!r} is {float(distance):.3g} from {value!r}, bound {error:.3g}")


def exact_numbers(values):
    return [Fraction(float(v)) for v in values]


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@EXAMPLES
def test_a_sum_lies_in_its_bound_in_any_order(dtype, data):
    values = np.array(data.draw(lists(dtype)), dtype)
    total = Bounded(values, Rounding.of(dtype)).sum(axis=0)
    assert_inside(total, (), sum(exact_numbers(values)), "exact")
    assert_inside(total, (), float(values.sum()), "numpy")
    for name, machine in MACHINES.items():
        read = [machine(v) for v in values]
        for order, terms in (("forward", read), ("backward", read[::-1]),
                             ("sorted", sorted(read, key=abs))):
            assert_inside(total, (), float(reduce(lambda a, b: machine(a + b), terms)),
                          f"{name}, {order}")


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@EXAMPLES
def test_a_dot_product_lies_in_its_bound_in_any_order_and_the_bound_is_highams(dtype, data):
    a = np.array(data.draw(lists(dtype)), dtype)
    b = np.array(data.draw(st.lists(numbers(dtype), min_size=len(a), max_size=len(a))), dtype)
    rounding = Rounding.of(dtype)
    dot = bilinear(np.matmul, Bounded(a, rounding), Bounded(b, rounding))
    products = [x * y for x, y in zip(exact_numbers(a), exact_numbers(b))]
    assert_inside(dot, (), sum(products), "exact")
    with np.errstate(under="ignore"):
        assert_inside(dot, (), float(a @ b), "BLAS")
        for name, machine in MACHINES.items():
            terms = [machine(machine(x) * machine(y)) for x, y in zip(a, b)]
            for order, some in (("forward", terms), ("backward", terms[::-1])):
                assert_inside(dot, (), float(reduce(lambda s, t: machine(s + t), some)),
                              f"{name}, {order}")
    n, u = len(a), rounding.unit
    flush = 2 * n * rounding.tiny + float(sum(
        abs(p) for p, x, y in zip(products, a, b)
        if min(abs(float(x)), abs(float(y))) < rounding.tiny))
    highams = n * u / (1 - n * u) * float(sum(map(abs, products)))
    assert float(dot.bound) <= (highams + flush) * (1 + 1e-6)


@st.composite
def expressions(draw, leaves, depth=3):
    """A nested tuple (operation, left, right) over the numbers of the leaves, by their index."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.integers(0, leaves - 1))
    return (draw(st.sampled_from("+-*/")), draw(expressions(leaves, depth - 1)),
            draw(expressions(leaves, depth - 1)))


def evaluate(expression, leaves, machine=keep, reciprocal=False):
    """The value of an expression in whatever numbers the leaves are."""
    if isinstance(expression, int):
        return leaves[expression]
    sign, left, right = expression
    a = machine(evaluate(left, leaves, machine, reciprocal))
    b = machine(evaluate(right, leaves, machine, reciprocal))
    if sign == "+":
        return machine(a + b)
    if sign == "-":
        return machine(a - b)
    if sign == "*":
        return machine(a * b)
    return machine(a * machine(1 / b)) if reciprocal else machine(a / b)


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@settings(EXAMPLES, max_examples=draws(150))
def test_any_formula_lies_in_its_bound(dtype, data):
    leaves = np.array(data.draw(st.lists(numbers(dtype), min_size=3, max_size=3)), dtype)
    expression = data.draw(expressions(3))
    rounding = Rounding.of(dtype)
    with np.errstate(all="ignore"):
        result = evaluate(expression, [Bounded(v, rounding) for v in leaves])
        runs = {f"{name}, reciprocal {reciprocal}": evaluate(expression, list(leaves), machine,
                                                             reciprocal)
                for name, machine in MACHINES.items() for reciprocal in (False, True)}
    if not np.isfinite(result.value):
        return
    try:
        assert_inside(result, (), evaluate(expression, exact_numbers(leaves)), "exact")
    except ZeroDivisionError:
        return
    for name, run in runs.items():
        # what overflows, or is divided by a flushed zero, is told by not being finite
        if np.isfinite(run):
            assert_inside(result, (), float(run), f"{expression} of {leaves}, {name}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sign", "+-*/")
@given(data=st.data())
@EXAMPLES
def test_one_operation_costs_one_rounding_a_division_two(dtype, sign, data):
    normal = numbers(dtype).filter(lambda v: abs(v) > 1e-10)
    a, b = (np.array(data.draw(normal), dtype) for _ in range(2))
    rounding = Rounding.of(dtype)
    result = evaluate((sign, 0, 1), [Bounded(a, rounding), Bounded(b, rounding)])
    roundings = 2 if sign == "/" else 1
    assert float(result.bound) <= roundings * rounding.unit * abs(result.value) * 1.001 \
        + rounding.tiny


def decimal_exp(value: Fraction) -> Fraction:
    with localcontext() as context:
        context.prec = 60
        return Fraction((Decimal(value.numerator) / Decimal(value.denominator)).exp())


def decimal_log(value: Fraction) -> Fraction:
    with localcontext() as context:
        context.prec = 60
        return Fraction((Decimal(value.numerator) / Decimal(value.denominator)).ln())


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@EXAMPLES
def test_exp_lies_in_its_bound_and_takes_the_error_of_its_argument_along(dtype, data):
    """Any argument inside the given error may have been the one that was really computed with."""
    width = np.dtype(dtype).itemsize * 8
    x = np.array(data.draw(st.floats(-80, 80, width=width)), dtype)
    error = data.draw(st.sampled_from([0.0, 1e-7, 1e-3, 0.5]))
    share = data.draw(st.sampled_from([-1, -0.5, 0, 0.25, 1]))
    rounding = Rounding.of(dtype)
    result = Bounded(x, rounding, error).exp()
    moved = Fraction(float(x)) + Fraction(share) * Fraction(error)
    assert_inside(result, (), decimal_exp(moved), "exact")
    assert_inside(result, (), float(np.exp(x)), "numpy")
    assert float(result.bound) <= float(np.exp(float(x))) * (
        math.expm1(error) + 3 * LIBRARY_ULPS * rounding.unit * math.exp(error)) + rounding.tiny


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@EXAMPLES
def test_log_lies_in_its_bound_and_takes_the_error_of_its_argument_along(dtype, data):
    width = np.dtype(dtype).itemsize * 8
    limit = float(np.dtype(dtype).type(1e30))
    x = np.array(data.draw(st.one_of(st.floats(float(np.finfo(dtype).tiny), limit, width=width),
                                     st.floats(0.5, 2, width=width))), dtype)
    relative = data.draw(st.sampled_from([0.0, 1e-7, 1e-3, 0.5]))
    share = data.draw(st.sampled_from([-1, -0.5, 0, 0.25, 1]))
    rounding = Rounding.of(dtype)
    result = Bounded(x, rounding, relative * float(x)).log()
    moved = Fraction(float(x)) * (1 + Fraction(share) * Fraction(relative))
    assert_inside(result, (), decimal_log(moved), "exact")
    assert_inside(result, (), float(np.log(x)), "numpy")


def test_the_log_of_what_may_be_zero_is_promised_nothing():
    rounding = Rounding.of("float32")
    assert np.isinf(Bounded(1.0, rounding, 1.0).log().bound)
    assert np.isinf((Bounded(1.0, rounding) / Bounded(1.0, rounding, 1.0)).bound)


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@EXAMPLES
def test_the_error_of_the_factors_is_passed_on(dtype, data):
    """A product sum of numbers that are themselves off by up to their errors."""
    n = data.draw(st.integers(1, 6))
    kind = np.dtype(dtype).type
    a, b = (np.array(data.draw(st.lists(numbers(dtype), min_size=n, max_size=n)), dtype)
            for _ in range(2))
    wrong = [1 + data.draw(st.sampled_from([-0.5, -1e-3, 0, 1e-6, 0.25])) for _ in range(n)]
    off = np.array([kind(v * w) for v, w in zip(a, wrong)], dtype)
    rounding = Rounding.of(dtype)
    known = Bounded(a, rounding, np.abs(off.astype(float) - a.astype(float)))
    dot = bilinear(np.matmul, known, Bounded(b, rounding))
    with np.errstate(under="ignore"):
        assert_inside(dot, (), float(off @ b), "off")
        assert_inside((known * Bounded(b, rounding)).sum(axis=0), (), float((off * b).sum()), "sum")
    exact = sum(x * y for x, y in zip(exact_numbers(off), exact_numbers(b)))
    assert_inside(dot, (), exact, "exact")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", ["*", "/", "+", "-"])
def test_errors_as_large_as_the_numbers_are_passed_on_whole(dtype, operation):
    """Where both sides are far off, what their errors make together counts, too."""
    rounding = Rounding.of(dtype)
    functions = {"*": lambda x, y: x * y, "/": lambda x, y: x / y, "+": lambda x, y: x + y,
                 "-": lambda x, y: x - y}
    a, b, wide, narrow = 2.0, -3.0, 1.5, 2.5
    made = functions[operation](Bounded(np.array(a), rounding, np.array(wide)),
                                Bounded(np.array(b), rounding, np.array(narrow)))
    for x in (a - wide, a, a + wide):
        for y in (b - narrow, b, b + narrow):
            exact = functions[operation](Fraction(x), Fraction(y))
            assert abs(exact - Fraction(float(made.value))) <= Fraction(float(made.bound))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("off", [(1.5, 0.0), (0.0, 1.5), (1.5, 1.5)])
def test_a_dot_product_takes_the_errors_of_both_factors_along(dtype, off):
    rounding = Rounding.of(dtype)
    a, b = np.array([2.0, -1.0]), np.array([3.0, 5.0])
    made = bilinear(np.matmul, Bounded(a, rounding, np.full(2, off[0])),
                    Bounded(b, rounding, np.full(2, off[1])))
    farthest = np.sum((np.abs(a) + off[0]) * (np.abs(b) + off[1]) - np.abs(a * b))
    assert made.value == 1.0 and farthest <= made.bound <= farthest * (1 + 1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_bound_of_a_dot_product_is_reached_to_a_fair_part(dtype):
    """Adding 1 to ulps below it loses one half of an ulp each time: the worst case is no theory."""
    unit = np.finfo(dtype).eps / 2
    n = 1000
    values = np.full(n, unit * 0.999, dtype)
    values[0] = 1
    ones = np.ones(n, dtype)
    rounding = Rounding.of(dtype)
    dot = bilinear(np.matmul, Bounded(values, rounding), Bounded(ones, rounding))
    one_by_one = reduce(lambda s, t: s + t, values)
    assert one_by_one == 1
    lost = float(sum(exact_numbers(values)) - 1)
    assert 0.4 * float(dot.bound) < lost <= float(dot.bound)


def test_one_element_that_is_infinite_leaves_the_others_their_bounds():
    rounding = Rounding.of("float32")
    a = np.array([[1.0, 2.0], [np.inf, 1.0], [np.nan, 1.0]])
    with np.errstate(invalid="ignore"):
        product = bilinear(np.matmul, Bounded(a, rounding), Bounded(np.eye(2), rounding))
    assert 0 < product.bound[0].max() < 1e-6


@pytest.mark.parametrize("dtype", DTYPES)
def test_units_are_those_of_ieee_754(dtype):
    rounding = Rounding.of(dtype)
    assert rounding.unit == np.finfo(dtype).eps / 2 + 2.0**-53
    assert rounding.tiny == {"float32": 2.0**-126, "float64": 2.0**-1022}[dtype]
    assert rounding.gamma(1) == pytest.approx(rounding.unit, rel=1e-6)
    n = 1000
    assert rounding.gamma(n) == n * rounding.unit / (1 - n * rounding.unit)


def test_exact_numbers_stay_exact_where_nothing_is_computed():
    rounding = Rounding.of("float32")
    x = Bounded(np.array([[1.0, -2.0, 3.0]]), rounding)
    for same in (-x, x.reshape(3), x.clip(-1, 1), x.sum(axis=0), x.where(np.array([True]))):
        assert not same.bound.any()
    np.testing.assert_array_equal((-x).value, [[-1, 2, -3]])
    np.testing.assert_array_equal(x.where(np.array([[True, False, True]])).value, [[1, 0, 3]])
    np.testing.assert_array_equal(x.clip(-1, 1).value, [[1, -1, 1]])


@pytest.mark.parametrize("dtype", DTYPES)
def test_denormals_may_be_read_as_zero(dtype):
    tiny = np.finfo(dtype).tiny
    rounding = Rounding.of(dtype)
    x = Bounded(np.array([tiny, tiny / 2, -tiny / 4, 0.0]), rounding).flushed()
    np.testing.assert_array_equal(x.bound, [0, tiny / 2, tiny / 4, 0])
    # a normal number that rounding may have made a denormal
    near = Bounded(np.array([1.5 * tiny]), rounding, tiny).flushed()
    np.testing.assert_array_equal(near.bound, [1.5 * tiny])


def test_arrays_may_stand_on_either_side():
    rounding = Rounding.of("float32")
    x = Bounded(np.array([1.0, 2.0]), rounding)
    np.testing.assert_array_equal((x * np.array([3.0, 4.0])).value, [3, 8])
    np.testing.assert_array_equal((x - 1).value, [0, 1])
    assert x.shape == (2,)


# more terms than 1 / u, which float16 reaches with 2,048

HALF = Rounding(2.0**-11, 2.0**-14, 65504.0)


def added_up(terms, how):
    """The sum in float16: one after the other, in pairs, or in blocks."""
    terms = np.asarray(terms, np.float16)
    if how == "in order":
        return reduce(lambda a, b: np.float16(a + b), terms)
    if how == "in pairs":
        while len(terms) > 1:
            terms = np.append(terms, np.zeros(len(terms) % 2, np.float16))
            terms = terms[::2] + terms[1::2]
        return terms[0]
    blocks = [reduce(lambda a, b: np.float16(a + b), terms[i:i + 64])
              for i in range(0, len(terms), 64)]
    return reduce(lambda a, b: np.float16(a + b), blocks)


@pytest.mark.parametrize("how", ["in order", "in pairs", "in blocks"])
@pytest.mark.parametrize("count", [1500, 2048, 5000])
@pytest.mark.parametrize("kind", ["ones", "drawn", "cancelling"])
def test_sums_of_more_terms_than_gamma_can_bound(how, count, kind):
    rng = np.random.default_rng(count)
    terms = {"ones": np.ones(count), "drawn": rng.uniform(0.1, 1, count),
             "cancelling": rng.standard_normal(count)}[kind].astype(np.float16)
    exact = sum(map(Fraction, terms.tolist()))
    found = Bounded(terms.astype(np.float64), HALF).sum()
    assert np.isfinite(found.bound)
    assert abs(Fraction(float(added_up(terms, how))) - exact) <= Fraction(float(found.bound))


def test_the_bound_for_many_roundings_is_that_of_its_definition():
    for n in (2048, 3000, 20_000):
        u = Fraction(1, 2048)
        exact = 1 / (1 - u) ** n - 1
        assert float(HALF.gamma(n)) == pytest.approx(float(exact), rel=1e-9)
    np.testing.assert_array_equal(HALF.gamma(np.array([10.0, 4096.0])),
                                  [HALF.gamma(10), HALF.gamma(4096)])
    assert HALF.gamma(2047.0) == 2047 / 2048 / (1 - 2047 / 2048)


def test_a_mean_of_17_million_numbers_has_a_bound():
    """float32's own: added up one after the other, ones stay at 2^24."""
    n = 17_000_000
    bound = Rounding.of("float32").gamma(n + 2)
    mean = float(np.float32(2**24) / np.float32(n))
    assert abs(mean - 1) <= bound < 2


def test_what_overflows_is_noted():
    for dtype in DTYPES:
        rounding = Rounding.of(dtype)
        big = Bounded(np.array([float(np.finfo(dtype).max) / 4]), rounding)
        big + big
        assert not rounding.overflows
        Bounded(np.full(8, big.value[0]), rounding).sum()
        assert rounding.overflows or dtype == "float64"  # of which infinity comes out


@EXAMPLES
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=6), st.data())
def test_the_largest_of_denormal_numbers(numbers_, data):
    """Compared as zeros, any of them may be taken for the largest where no normal one is."""
    tiny = float(np.finfo(np.float32).tiny)
    values = np.array(numbers_) * tiny / 2  # whole numbers beyond 1 are normal
    values[np.abs(values) >= tiny] *= 4
    errors = Bounded(values, Rounding.of("float32")).flushed().bound
    value, error = largest(values, errors, tiny, 0)
    seen = np.where(np.abs(values) < tiny, 0.0, values)
    for taken in values[seen == seen.max()]:
        assert abs(taken - value) <= error
    assert value == values.max()


ROUNDINGS = {  # of one operation on exact numbers, by definition of `Bounded`
    "add": (lambda a, b: a + b, 1), "subtract": (lambda a, b: a - b, 1),
    "multiply": (lambda a, b: a * b, 1),
    "divide": (lambda a, b: a / b, 2),  # or by the rounded reciprocal
    "exp": (lambda a, b: a.exp(), 2 * LIBRARY_ULPS),
    "log": (lambda a, b: a.log(), 2 * LIBRARY_ULPS),
    "sqrt": (lambda a, b: a.sqrt(), 1)}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ROUNDINGS)
def test_an_operation_on_exact_numbers_has_its_own_roundings_and_no_more(dtype, name):
    rounding = Rounding.of(dtype)
    operation, roundings = ROUNDINGS[name]
    found = operation(*(Bounded(np.array([0.75, 3.0, 17.0]) * k, rounding) for k in (1.0, 1.5)))
    u = rounding.unit
    expected = roundings * u / (1 - roundings * u) * np.abs(found.value)
    np.testing.assert_allclose(found.bound, expected + rounding.tiny, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_quotient_may_be_a_product_with_the_reciprocal(dtype):
    """Which differs from the rounded quotient by up to three units in the last place."""
    rng = np.random.default_rng(8)
    a, b = rng.uniform(1, 2, (2, 2000)).astype(dtype)
    found = Bounded(a, Rounding.of(dtype)) / Bounded(b, Rounding.of(dtype))
    made = a * (np.ones((), dtype) / b)
    exact = a.astype(np.longdouble) / b
    assert (np.abs(made - exact) <= found.bound).all()
    assert (made != a / b).any(), "the two are not the same computation"
