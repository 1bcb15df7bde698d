"""The batches of lockstep training: each another one, all of the user's own samples."""

import numpy as np
import pytest

from compare.checks.training_batches import drawn


def batch(samples, seed=0):
    """Inputs, labels and weights that tell which sample they belong to."""
    number = np.arange(samples)
    x = np.random.default_rng(seed).standard_normal((samples, 4, 3))
    x[:, 0, 0] = number
    return x, number * 10, number * 0.5


@pytest.mark.parametrize("samples", [1, 2, 3, 8, 50])
def test_samples_keep_their_labels_and_weights(samples):
    x, y, weight = batch(samples)
    batches = drawn(x, y, weight, 5, seed=1)
    assert len(batches) == 5
    for given, array in zip(batches[0], (x, y, weight)):
        np.testing.assert_array_equal(given, array)
    for step in batches[1:]:
        np.testing.assert_array_equal(step.sample_weight * 20, step.y)
        if samples > 1:
            number = step.x[:, 0, 0].astype(int)
            np.testing.assert_array_equal(step.y, number * 10)
            np.testing.assert_array_equal(step.x, x[number])


@pytest.mark.parametrize("samples", [2, 3, 8, 50])
@pytest.mark.parametrize("seed", range(20))
def test_no_batch_is_the_first_one_in_another_order(samples, seed):
    x, y, _ = batch(samples)
    batches = drawn(x, y, None, 5, seed)
    assert all(step.sample_weight is None for step in batches)
    for step in batches[1:]:
        assert sorted(step.y) != sorted(y)


@pytest.mark.parametrize("samples, sizes", [
    (1, [1] * 5), (2, [2, 2, 2, 2, 1]), (3, [3, 3, 3, 3, 2]), (4, [4, 4, 4, 4, 3]),
    (100, [100, 4, 4, 4, 3])])
def test_the_last_one_is_shorter(samples, sizes):
    x, y, _ = batch(samples)
    assert [len(step.x) for step in drawn(x, y, None, 5, 0)] == sizes


def test_a_single_samples_input_changes_at_each_step():
    x, y, _ = batch(1)
    batches = drawn(x, y, None, 4, 0)
    for i, step in enumerate(batches):
        assert sorted(step.x.ravel()) == sorted(x.ravel())
        assert not any(np.array_equal(step.x, other.x) for other in batches[:i])


def test_the_same_batches_each_time_and_the_users_untouched():
    x, y, weight = batch(6)
    kept = x.copy(), y.copy(), weight.copy()
    first, again = (drawn(x, y, weight, 5, 3) for _ in range(2))
    for a, b in zip(first, again):
        assert all(np.array_equal(left, right) for left, right in zip(a, b))
    assert not np.array_equal(first[1].y, drawn(x, y, weight, 5, 4)[1].y)
    assert all(np.array_equal(now, before) for now, before in zip((x, y, weight), kept))
    assert len(drawn(x, y, weight, 1, 0)) == 1
