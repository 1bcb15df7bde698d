"""Weights that stay in their own precision are the same numbers as those that do not."""

import numpy as np
import pytest

from compare.oracle.held import Held
from compare.oracle.running_error import Bounded, Rounding, bilinear

ROUNDING = Rounding.of("float32")


def weight(order="C"):
    rng = np.random.default_rng(0)
    made = rng.standard_normal((3, 5)).astype("float32")
    made[1, 2] = np.finfo("float32").tiny / 4  # may be read as zero
    return np.asarray(made, order=order)


def assert_same(a, b):
    assert a.shape == b.shape and a.value.dtype == np.float64
    np.testing.assert_array_equal(a.value, b.value)
    np.testing.assert_array_equal(a.bound, b.bound)
    assert a.value.strides == b.value.strides, "sums go along memory"


@pytest.mark.parametrize("order", ["C", "F"])
def test_whatever_is_made_of_it_is_the_same(order):
    kept, rng = weight(order), np.random.default_rng(1)
    held, plain = Held(kept, ROUNDING), Bounded(kept, ROUNDING)
    x = Bounded(rng.standard_normal((2, 3)), ROUNDING, 1e-6 * rng.random((2, 3)))
    for made in (lambda w: w, lambda w: w.flushed(), lambda w: w * w, lambda w: w - 2.0,
                 lambda w: w.sum(axis=0), lambda w: w.reshape(5, 3), lambda w: w.reshape(-1),
                 lambda w: w.rearranged(np.transpose), lambda w: bilinear(np.matmul, x, w)):
        assert_same(made(held), made(plain))


def test_it_takes_no_memory_of_its_own():
    kept = weight()
    held = Held(kept, ROUNDING)
    for one in (held, held.reshape(5, 3), held.rearranged(np.transpose)):
        assert isinstance(one, Held) and np.shares_memory(one.kept, kept)
    held.flushed()
    assert not any(isinstance(each, np.ndarray) and each.dtype == np.float64
                   for each in vars(held).values())
