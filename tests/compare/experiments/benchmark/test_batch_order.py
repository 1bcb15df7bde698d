"""Batches: every image once per epoch, in the order drawn from the seed, and provably the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare.experiments.benchmark.batch_order import (
    IMAGES_PER_CALL,
    STEPS_PER_CALL,
    checksum,
    chunks,
    orders,
)


@given(st.integers(1, 3000), st.integers(1, 400))
def test_chunks_are_the_order_cut_into_batches(samples, batch_size):
    order = np.random.default_rng(samples).permutation(samples)
    groups = list(chunks(order, batch_size))
    batches = [batch for group in groups for batch in group]
    assert np.array_equal(np.concatenate(batches), order)
    assert [len(b) for b in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert len(batches) == -(-samples // batch_size)
    for group in groups:
        assert len(group) == 1 or (len(group) <= STEPS_PER_CALL and group.size <= IMAGES_PER_CALL)


def test_orders_are_the_generators_permutations():
    rng = np.random.default_rng(5)
    expected = [rng.permutation(31) for _ in range(3)]
    assert np.array_equal(list(orders(5, 31, 3)), expected)
    assert not np.array_equal(expected[0], expected[1])


@pytest.mark.parametrize("change", ["pixel", "label", "order", "dtype", "shape"])
def test_checksum_notices(change):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 3, 4)).astype(np.float32), rng.integers(0, 9, (2, 3))
    other_x, other_y = x.copy(), y.copy()
    if change == "pixel":
        other_x[1, 2, 3] = np.nextafter(other_x[1, 2, 3], np.float32(9))
    elif change == "label":
        other_y[0, 1] += 1
    elif change == "order":
        other_x, other_y = x[::-1], y[::-1]
    elif change == "dtype":
        other_x = x.astype(np.float64)
    else:
        other_x, other_y = x.reshape(3, 2, 4), y.reshape(3, 2)
    assert checksum(0, x, y) == checksum(0, x.copy(), y.copy())
    assert checksum(0, x, y) != checksum(0, other_x, other_y)


def test_checksum_depends_on_what_came_before():
    x, y = np.ones((1, 2, 3), np.float32), np.zeros((1, 2), np.int64)
    assert checksum(checksum(0, x, y), x, y) != checksum(0, x, y)
