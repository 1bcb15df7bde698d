"""What an oracle has to be: right, with bounds that hold, and no wider than its sums ask for."""

import math

import numpy as np

from compare.oracle.running_error import Bounded, Rounding

FLOAT32 = Rounding.of("float32")
FLOAT64 = Rounding.of("float64")
SLACK = 1e-15  # for the rounding of the sum of array and error


def bounded(array, rounding=FLOAT32):
    return Bounded(array, rounding)


def run(oracle, x, weights, dy, rounding=FLOAT32):
    """Every result by its tensor's name, as `Bounded`."""
    y = oracle.forward(bounded(x, rounding), {name: bounded(w, rounding)
                                              for name, w in weights.items()})
    dx, gradients = oracle.backward(bounded(dy, rounding))
    return {"output": y, "input_gradient": dx,
            **{f"{name}_gradient": value for name, value in gradients.items()}}


def assert_inside(result: Bounded, array, what):
    """Every element of the array within the bound around the oracle's value."""
    array = np.asarray(array, np.float64)
    assert array.shape == result.shape, f"{what}: {array.shape} for {result.shape}"
    over = np.abs(array - result.value) - result.bound
    assert (over <= 0).all(), (f"{what}: {int((over > 0).sum())} of {over.size} outside, the worst "
                               f"by {over.max():.3g}, where the bound is "
                               f"{result.bound.reshape(-1)[np.argmax(over)]:.3g}")


def assert_sums(oracle, found: dict, expected: dict, shapes, seed):
    """Values, bounds and numbers of terms, against the lists of products that `expected` holds."""
    rng = np.random.default_rng(seed)
    counts = oracle.reductions(*shapes)
    assert found.keys() == expected.keys()
    for name, sums in expected.items():
        result = found[name]
        np.testing.assert_allclose(result.value, sums.value, rtol=1e-12, atol=1e-12, err_msg=name)
        assert_inside(result, sums.value, f"{name}, exact")
        longest = max((len(terms) for terms in sums.terms.flat), default=0)
        assert counts[name] >= longest, f"{name}: a sum of {longest} terms, said {counts[name]}"
        for order in range(3):
            array = sums._each(lambda terms: added_up(terms, rng))
            assert_inside(result, array, f"{name}, float32, order {order}")
        magnitude = sums._each(lambda terms: math.fsum(map(abs, terms)))
        loosest = FLOAT32.gamma(counts[name] + 1) * magnitude * 1.01 + 1e-30
        assert (result.bound <= loosest).all(), f"{name}: the bound is loose"


def added_up(terms, rng) -> float:
    """The sum of the products, each rounded to float32, and so is every partial sum."""
    total = np.float32(0)
    for i in rng.permutation(len(terms)):
        total += np.float32(terms[i])
    return float(total)


def perturbed(array, error, rng):
    """The array with each element moved by up to its error, often by (nearly) all of it."""
    return array + (error - SLACK) * rng.choice([-1, -0.3, 0, 1], array.shape)


def assert_errors_are_carried(oracle, moved, arrays, errors, weights, rng, what):
    """Any input within its error, and any gradient, gives a result within the result's bound.

    Args:
        oracle, moved: the same oracle twice.
        arrays, errors: of the input and of the output's gradient.
        what: for the message.
    """
    x, dy = arrays
    y = oracle.forward(Bounded(x, FLOAT32, errors[0]), weights)
    dx, gradients = oracle.backward(Bounded(dy, FLOAT32, errors[1]))
    for _ in range(4):
        y2 = moved.forward(bounded(perturbed(x, errors[0], rng)), weights)
        dx2, gradients2 = moved.backward(bounded(perturbed(dy, errors[1], rng)))
        assert_inside(y, y2.value, f"output, {what}")
        assert_inside(dx, dx2.value, f"input gradient, {what}")
        for key, value in gradients2.items():
            assert_inside(gradients[key], value.value, f"{key} gradient, {what}")
