"""What a row keeps for pictures, against loops that look at every element."""

import itertools

import numpy as np
import pytest

from compare.checks.excerpt import PANELS, POINTS, SIDE, WORST, blocks, close_up, worst_elements


def drawn(shape, seed=0):
    """(actual, expected, allowed, used, index of the worst), float64."""
    rng = np.random.default_rng(seed)
    expected = rng.standard_normal(shape)
    actual = expected + rng.standard_normal(shape) * 1e-3
    allowed = rng.uniform(1e-4, 1e-2, shape)
    used = np.abs(actual - expected) / allowed
    return actual, expected, allowed, used, np.unravel_index(np.argmax(used), shape)


def test_images_show_the_worst_sample_with_a_panel_for_each_channel():
    actual, expected, allowed, used, index = drawn((3, 7, 6, 4))
    found = close_up("output", actual, expected, allowed, used, index)
    n, h, w, c = index
    assert found.actual.shape == (4, 7, 6) and found.panels == 4 and found.block == (1, 1)
    assert found.mark == (c, h, w)
    for channel, row, column in itertools.product(range(4), range(7), range(6)):
        place = n, row, column, channel
        assert found.actual[channel, row, column] == np.float32(actual[place])
        assert found.expected[channel, row, column] == np.float32(expected[place])
        assert found.difference[channel, row, column] == np.float32(actual[place]
                                                                    - expected[place])


def test_images_with_channels_first_are_told_by_their_shape():
    actual, expected, allowed, used, index = drawn((2, 3, 9, 8))
    found = close_up("output", actual, expected, allowed, used, index)
    assert found.actual.shape == (3, 9, 8) and found.mark == tuple(index[1:])
    assert np.array_equal(found.expected, expected[index[0]].astype(np.float32))


@pytest.mark.parametrize("shape, panels", [((3, 2, 4, 5), 20), ((4, 2, 3), 3)])
def test_kernels_show_a_panel_for_each_pair_of_channels(shape, panels):
    actual, expected, allowed, used, index = drawn(shape, 3)
    found = close_up("kernel_gradient", actual, expected, allowed, used, index)
    assert found.panels == panels and len(found.actual) == min(panels, PANELS)
    assert found.actual.shape[1:] == shape[:2]
    assert found.actual[found.mark] == np.float32(actual[index])
    assert found.mark[1:] == tuple(index[:2])


@pytest.mark.parametrize("shape", [(301, 7), (2, 113, 130, 3), (1500,), (2, 97, 5), (), (1, 1),
                                   (2, 3, 4, 5, 2)])
def test_large_tensors_are_thinned_and_the_worst_element_always_stays(shape):
    actual, expected, allowed, used, index = drawn(shape, 5)
    found = close_up("output", actual, expected, allowed, used, index)
    assert found.actual.size <= POINTS + 4 * SIDE
    assert found.actual[found.mark] == np.float32(actual[index])
    assert found.expected[found.mark] == np.float32(expected[index])


def test_a_point_shows_the_element_of_its_block_at_which_the_two_differ_most():
    actual, expected, allowed, used, index = drawn((100, 61), 7)
    found = close_up("output", actual, expected, allowed, used, index)
    down, across = blocks((1, 100, 61))
    assert found.block == (down, across) == (3, 2)
    for row, column in itertools.product(range(34), range(31)):
        block = [(i, j) for i in range(row * down, min(100, (row + 1) * down))
                 for j in range(column * across, min(61, (column + 1) * across))]
        wanted = index if tuple(index) in block else max(
            block, key=lambda place: abs(actual[place] - expected[place]))
        assert found.actual[0, row, column] == np.float32(actual[tuple(wanted)])


def test_the_worst_elements_come_in_order_with_their_own_numbers():
    actual, expected, allowed, used, _ = drawn((5, 4, 3), 11)
    found = worst_elements(actual, expected, allowed, used)
    order = sorted(np.ndindex(5, 4, 3), key=lambda place: -used[place])
    assert [each.index for each in found] == order[:WORST]
    for each in found:
        assert (each.actual, each.expected, each.allowed, each.used) == tuple(
            float(array[each.index]) for array in (actual, expected, allowed, used))


def test_numbers_that_are_not_finite_are_kept_and_shown_first():
    actual, expected, allowed, used, _ = drawn((60, 90), 13)
    actual[7, 11], used[7, 11] = np.nan, np.inf
    found = close_up("output", actual, expected, allowed, used, (7, 11))
    assert np.isnan(found.actual[found.mark]) and found.worst[0].index == (7, 11)


def test_an_empty_tensor_has_none_and_nothing_is_modified():
    empty = np.zeros((0, 3))
    assert close_up("output", empty, empty, empty, empty, ()) is None
    arrays = drawn((4, 70, 3, 2), 17)
    before = [np.array(array) for array in arrays[:4]]
    close_up("output", *arrays)
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before))
