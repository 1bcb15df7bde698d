"""Arrays of another program find their layers: by name, or by order and shape in one way only."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compare.inputs.named_outputs import fits, in_order, matched, numbers, renamed
from tests.draws import draws

LAYERS = {"a": (2, 5, 4, 3), "b": (2, 5, 4, 3), "c": (2, 60), "d": (2, 7)}


def zeros(shape):
    return np.zeros(shape, "float32")


def test_names_say_it_all():
    outputs = {"d": zeros((2, 7)), "a": zeros((9,))}  # shapes are judged elsewhere
    found, by_order = matched(outputs, LAYERS)
    assert list(found) == ["d", "a"] and not by_order
    assert all(found[name] is array for name, array in outputs.items())


@pytest.mark.parametrize("names, said", [
    (("a", "bb"), r"Received: bb \(did you mean b\?\)"), (("a", "x", "y"), "Received: x, y$")])
def test_names_beside_known_ones_are_not_dropped(names, said):
    with pytest.raises(ValueError, match=said):
        matched({name: zeros((2, 7)) for name in names}, LAYERS)


def test_other_names_and_lists_go_by_order_and_shape():
    arrays = [zeros((2, 5, 4, 3)), zeros((2, 5, 4, 3)), zeros((2, 7))]
    for outputs in (arrays, dict(zip("xyz", arrays))):
        found, by_order = matched(outputs, LAYERS)
        assert list(found) == ["a", "b", "d"] and by_order


def combinations(shapes, layers):
    """Every way in which arrays of these shapes can be outputs of the layers, in their order."""
    return [way for way in itertools.combinations(layers, len(shapes))
            if all(fits(shape, layers[name]) for shape, name in zip(shapes, way))]


SHAPES = st.sampled_from([(2, 3), (2, 4), (2, 3, 4), (2, 4, 3), (2, 3, 3)])


@given(st.lists(SHAPES, min_size=1, max_size=6), st.lists(SHAPES, min_size=1, max_size=4))
@settings(max_examples=draws(300), deadline=None, derandomize=True, database=None)
def test_arrays_are_matched_if_there_is_one_way_and_refused_otherwise(outputs, shapes):
    layers = {f"layer {i}": shape for i, shape in enumerate(outputs)}
    names, arrays = [f"n{i}" for i in range(len(shapes))], list(map(zeros, shapes))
    ways = combinations(shapes, layers)
    if len(ways) == 1:
        assert in_order(names, arrays, layers) == list(ways[0])
        return
    with pytest.raises(ValueError, match="which may be that of" if ways else "that do not fit"):
        in_order(names, arrays, layers)


@pytest.mark.parametrize("shape, output", [
    ((2, 5, 4, 3), (2, 5, 4, 3)), ((2, 3, 5, 4), (2, 5, 4, 3)), ((2, 5, 4, 3), (2, 3, 5, 4)),
    ((2, 3, 5), (2, 5, 3)), ((2, 3, 6, 5, 4), (2, 6, 5, 4, 3)), ((2, 60), (2, 60))])
def test_channels_may_be_first_or_last(shape, output):
    assert fits(shape, output)


@pytest.mark.parametrize("shape, output", [
    ((2, 4, 5, 3), (2, 5, 4, 3)), ((3, 5, 4, 2), (2, 5, 4, 3)), ((60, 2), (2, 60)),
    ((2, 60), (2, 5, 4, 3)), ((2, 3, 4, 5), (2, 5, 4, 3))])
def test_nothing_else_is_an_order_of_axes(shape, output):
    assert not fits(shape, output)


def test_arrays_are_renamed_and_no_two_of_them_the_same():
    arrays = {"x=1": zeros(1), "y": zeros(2), "b": zeros(3)}
    found = renamed(arrays, ["x=1=a", "y=c"])
    assert list(found) == ["a", "c", "b"] and [len(array) for array in found.values()] == [1, 2, 3]
    for pairs, said in ((["y=b"], "one array for 'b'"), (["y=c", "x=1=c"], "one array for 'c'"),
                        (["z=c"], "name of an array: x=1, y, b. Received: z"),
                        (["y"], "NAME=LAYER"), (["=c"], "NAME=LAYER"), (["y="], "NAME=LAYER")):
        with pytest.raises(ValueError, match=said):
            renamed(arrays, pairs)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floating_point_numbers_keep_their_precision(dtype):
    assert numbers(np.ones(3, dtype), "a").dtype == dtype


def test_whole_numbers_are_held_and_others_refused():
    found = numbers([2**40, -1], "a")
    assert found.dtype == "float64" and found.tolist() == [2.0**40, -1.0]
    for wrong in (np.ones(2, complex), ["one"], None, [object()]):
        with pytest.raises(TypeError, match="real numbers for 'a'"):
            numbers(wrong, "a")


@pytest.mark.parametrize("outputs, error, said", [
    ({}, ValueError, "at least one"), ([], ValueError, "at least one"),
    (np.zeros((2, 7)), TypeError, "Received: ndarray"), (None, TypeError, "Received: NoneType")])
def test_what_holds_no_arrays_is_refused(outputs, error, said):
    with pytest.raises(error, match=said):
        matched(outputs, LAYERS)
