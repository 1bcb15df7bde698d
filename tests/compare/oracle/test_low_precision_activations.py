"""Activations in float16 and bfloat16, on every number that there is of either.

Keras's result and scratch's have to lie within the bound around what the definition gives in
float64, and so do their gradients.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from scratch import activations
from scratch.precision import rounded
from tests.scratch.support.activation_oracles import FUNCTIONS

OF_EACH = [name for name in activations.LOW_PRECISION if "softmax" not in name]
SINGLE = Rounding.of("float32")
SMALLEST = 2.0**-126  # in bfloat16 what is below may be flushed


def every_number(name: str) -> np.ndarray:
    """All finite ones, as float32; of bfloat16 without denormals."""
    bits = np.arange(2**16, dtype=np.uint16)
    if name == "float16":
        numbers = bits.view(np.float16).astype(np.float32)
        return numbers[np.isfinite(numbers)]
    numbers = (bits.astype(np.uint32) << 16).view(np.float32)
    return numbers[np.isfinite(numbers) & ((np.abs(numbers) >= SMALLEST) | (numbers == 0))]


def oracle_of(name: str, low: str):
    return oracle_for("Activation", {"activation": name, "dtype": low})


def of_keras(name: str, x: np.ndarray, dy: np.ndarray, low: str) -> tuple[np.ndarray, ...]:
    """(y, dx)."""
    read = tf.cast(x, low)
    with tf.GradientTape() as tape:
        tape.watch(read)
        y = keras.activations.get(name)(read)
    return tuple(tf.cast(made, "float32").numpy()
                 for made in (y, tape.gradient(y, read, tf.cast(dy, low))))


def of_scratch(name: str, x: np.ndarray, dy: np.ndarray, low: str) -> tuple[np.ndarray, ...]:
    activation = activations.get(name)
    y = activation.function(x)
    return rounded(y, low), rounded(activation.gradient(dy, x, y), low)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("low", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", OF_EACH)
@np.errstate(all="ignore")
def test_every_number_lies_within_the_bound(name, low):
    x = every_number(low)
    dy = rounded(np.random.default_rng(len(name)).standard_normal(x.shape).astype(np.float32), low)
    oracle, read = oracle_of(name, low), Bounded(x, SINGLE)
    right = oracle.forward(read, {}), oracle.backward(Bounded(dy, SINGLE))[0]
    for i in np.flatnonzero(np.abs(x) < 80)[::331]:
        assert right[0].value[i] == pytest.approx(float(FUNCTIONS[name](float(x[i]))), rel=1e-6)
    for made in (of_keras(name, x, dy, low), of_scratch(name, x, dy, low)):
        for one, exact in zip(made, right):
            # where Keras's own squares overflow there is no number to judge
            judged = np.isfinite(one) & (np.abs(exact.value) <= Rounding.of(low).largest)
            assert judged.mean() > 0.75  # of exp a quarter overflows
            off = np.abs(one - exact.value)[judged]
            assert (off <= exact.bound[judged] * (1 + 1e-12)).all()


@pytest.mark.parametrize("low, least", [("float16", 0.05), ("bfloat16", 0.05)])
@pytest.mark.parametrize("name", ["silu", "gelu", "hard_sigmoid", "elu", "softplus"])
def test_a_good_part_of_the_bound_is_used(name, low, least):
    """The bound is of the precision's own size: Keras comes to some percent of it at least."""
    x = rounded(np.linspace(-4, 4, 2001).astype(np.float32), low)
    oracle = oracle_of(name, low)
    exact = oracle.forward(Bounded(x, SINGLE), {})
    y = of_keras(name, x, np.ones_like(x), low)[0]
    off = np.abs(y - exact.value)
    assert least < np.max(off[off > 0] / exact.bound[off > 0]) <= 1


def test_a_sum_that_needs_rounding_in_the_low_precision_is_not_taken_for_exact():
    """2.998 + 3 is 6 in float16, where a hard sigmoid passes nothing back."""
    x = np.float32([2.998046875, 1.0])
    oracle = oracle_of("hard_sigmoid", "float16")
    oracle.forward(Bounded(x, SINGLE), {})
    dx = oracle.backward(Bounded(np.ones(2), SINGLE))[0]
    theirs = of_keras("hard_sigmoid", x, np.ones_like(x), "float16")[1]
    assert theirs[0] == 0 and (np.abs(theirs - dx.value) <= dx.bound).all()
    assert dx.bound[0] >= 1 / 6 > 100 * dx.bound[1]
