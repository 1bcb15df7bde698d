"""Arrays in a file that has no name, with the same numbers, laid out as they were."""

import tempfile

import numpy as np
import pytest

from compare.tracing import set_aside


def arrays():
    rng = np.random.default_rng(0)
    return {"kernel": rng.standard_normal((30, 400)).astype("float32"),
            "turned": np.asfortranarray(rng.standard_normal((200, 70))),
            "moved": rng.standard_normal((3, 40, 20, 5)).transpose(2, 0, 3, 1),
            "number": np.array(2.5), "none": np.zeros((0, 3), "float32")}


def assert_same(found, given):
    assert found.keys() == given.keys()
    for name, array in found.items():
        np.testing.assert_array_equal(array, given[name])
        assert array.dtype == given[name].dtype and array.strides == given[name].strides, name


@pytest.fixture
def no_size_is_small(monkeypatch):
    monkeypatch.setattr(set_aside, "LARGE", 0)
    monkeypatch.setattr(set_aside, "SMALL", 0)


def test_numbers_and_their_order_in_memory_stay(no_size_is_small):
    given, more = arrays(), arrays()
    kept, others = dict(given), dict(more)
    set_aside.set_aside([kept, others])
    assert_same(kept, given)
    assert_same(others, more)
    assert not any(np.shares_memory(kept[name], array) for name, array in given.items())
    set_aside.set_aside([kept])  # once more changes nothing
    assert_same(kept, given)


def test_what_is_not_large_stays_where_it_is():
    given = arrays()
    kept = dict(given)
    set_aside.set_aside([kept])
    assert all(kept[name] is given[name] for name in given)


def test_without_room_for_a_file_all_stays(no_size_is_small, monkeypatch):
    def full(*args, **settings):
        raise OSError("No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    given = arrays()
    kept = dict(given)
    set_aside.set_aside([kept])
    assert all(kept[name] is given[name] for name in given)
