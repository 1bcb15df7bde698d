"""Which cases of a sampled table the default run tries."""

from types import SimpleNamespace

import pytest

from tests.draws import left_out


def table(count, marker, test="tests/test_x.py::test_it"):
    """A parametrized test's items: kinds a, b and c in turn, and one of kind d."""
    kinds = [*("abc"[i % 3] for i in range(count - 1)), "d"]
    return [SimpleNamespace(nodeid=f"{test}[{kind}-{i}]", get_closest_marker=lambda name: marker,
                            callspec=SimpleNamespace(params={"kind": kind, "number": i}))
            for i, kind in enumerate(kinds)]


def kept(items):
    rest = {id(item) for item in left_out(items)}
    return [item for item in items if id(item) not in rest]


@pytest.mark.parametrize("of", ["kind", lambda case: case["kind"].upper()])
def test_one_in_so_many_of_each_kind_stays_and_at_least_one(of):
    items = kept(table(91, pytest.mark.sampled(4, of=of).mark))
    assert [sum(item.callspec.params["kind"] == kind for item in items) for kind in "abcd"] == [
        8, 8, 8, 1]  # of 30, 30, 30 and 1


def test_without_kinds_it_is_one_in_so_many_of_all():
    assert len(kept(table(91, pytest.mark.sampled(4).mark))) == 23


def test_a_test_without_the_mark_is_whole():
    assert len(kept(table(91, None))) == 91


def test_each_test_is_a_table_of_its_own():
    marker = pytest.mark.sampled(10).mark
    assert len(kept([*table(5, marker), *table(5, marker, "tests/test_x.py::test_more")])) == 2


def test_the_same_ones_stay_in_whatever_order_and_a_new_case_takes_the_place_of_one_at_most():
    marker = pytest.mark.sampled(4).mark
    items = table(91, marker)
    names = {item.nodeid for item in kept(items)}
    assert {item.nodeid for item in kept(items[::-1])} == names
    more = [*items, *table(2, marker)[:1]]
    more[-1].nodeid += "new"
    assert len(names - {item.nodeid for item in kept(more)}) <= 1
