"""Class numbers as zeros and ones, and numbers as bins: against loops, Keras and in files."""

import itertools

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError
from tests.scratch.support.checks import DTYPES
from tests.scratch.support.keras_files import assert_goes_round

CLASSES = 5
SHAPES = [(4, 6), (3, 1), (2, 3, 4), (2, 3, 1)]
MODES = ("one_hot", "multi_hot", "count")
EDGES = [-1.0, 0.1, 0.1, 2.5]


def by_loop(classes, depth, mode):
    """Place by place, as the modes are described."""
    if mode == "int":
        return classes.astype(float)
    if mode == "one_hot":
        classes = classes[..., 0] if classes.shape[-1] == 1 else classes
        made = np.zeros((*classes.shape, depth))
        for place in np.ndindex(*classes.shape):
            made[(*place, int(classes[place]))] = 1
        return made
    made = np.zeros((classes.shape[0], *classes.shape[2:], depth))
    for place in np.ndindex(*classes.shape):
        at = (place[0], *place[2:], int(classes[place]))
        made[at] = 1 if mode == "multi_hot" else made[at] + 1
    return made


def bins_by_loop(x, edges):
    made = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        made[place] = sum(float(x[place]) >= float(np.float32(edge)) for edge in edges)
    return made


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape, mode", list(itertools.product(SHAPES, MODES)), ids=str)
def test_classes_by_a_loop_and_by_keras(keras, shape, mode, dtype):
    rng = np.random.default_rng(1)
    x = (rng.integers(0, CLASSES, shape) + rng.uniform(0, 0.9, shape)).astype(dtype)
    kept = x.copy()
    layer = scratch.CategoryEncoding(CLASSES, output_mode=mode, dtype=dtype)
    y = layer(np.repeat(x, 2, axis=1)[:, ::2])
    np.testing.assert_array_equal(y, by_loop(np.trunc(x), CLASSES, mode))
    np.testing.assert_array_equal(
        y, keras.layers.CategoryEncoding(CLASSES, output_mode=mode, dtype=dtype)(x))
    assert y.dtype == dtype and layer.output_shape == (None, *y.shape[1:])
    assert layer.backward(np.ones_like(y)) is None, "a class number has no gradient"
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape, mode", list(itertools.product(SHAPES, ("int", *MODES))), ids=str)
def test_bins_by_a_loop_and_by_keras(keras, shape, mode, dtype):
    x = np.random.default_rng(2).integers(-3, 4, shape).astype(dtype)  # some on a boundary
    x[0] = np.float32(0.1)
    kept = x.copy()
    layer = scratch.Discretization(EDGES, output_mode=mode, dtype=dtype)
    y = layer(x)
    np.testing.assert_array_equal(y, by_loop(bins_by_loop(x, EDGES), len(EDGES) + 1, mode))
    np.testing.assert_array_equal(
        y, keras.layers.Discretization(EDGES, output_mode=mode, dtype=dtype)(x))
    assert y.dtype == dtype and layer.output_shape == (None, *y.shape[1:])
    assert layer.backward(np.ones_like(y)) is None
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("count, bins, epsilon", [(300, 4, 0.01), (20, 3, 0.1), (7, 12, 0.5)])
def test_boundaries_that_are_adapted(keras, count, bins, epsilon):
    data = np.random.default_rng(3).standard_normal((count, 2))
    ours = scratch.Discretization(num_bins=bins, epsilon=epsilon)
    theirs = keras.layers.Discretization(num_bins=bins, epsilon=epsilon)
    with pytest.raises(ValueError, match="bin_boundaries, or adapt"):
        ours(data)
    for layer in (ours, theirs):
        layer.adapt(data)
    assert ours.bin_boundaries == pytest.approx(theirs.bin_boundaries, rel=1e-6)
    again = scratch.Discretization.from_config(theirs.get_config())
    np.testing.assert_array_equal(again(data.astype("float32")), theirs(data))


def test_a_file_of_keras(keras, tmp_path):
    """Bins, then a row of a table for each; and classes that are counted, then a dense layer."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(4)
    for first, x in (([keras.layers.Discretization([-0.5, 0.5]), keras.layers.Embedding(3, 2),
                       keras.layers.Flatten()], rng.standard_normal((8, 6)).astype("float32")),
                     ([keras.layers.CategoryEncoding(4, output_mode="count")],
                      rng.integers(0, 4, (8, 6)))):
        twin = keras.Sequential([keras.Input((6,)), *first, keras.layers.Dense(3)])
        twin.compile("sgd", "mse")
        assert_goes_round(keras, twin, x, rng.standard_normal((8, 3)), tmp_path, steps=3)


@pytest.mark.parametrize("strange", [CLASSES, -1, np.nan, np.inf])
def test_a_class_that_there_is_not(strange):
    with pytest.raises(ValueError, match=r"class numbers from 0 to 4 \(num_tokens=5\). Received"):
        scratch.CategoryEncoding(CLASSES)(np.array([[0, strange]]))


def test_what_is_refused_by_name():
    for make in (lambda **more: scratch.CategoryEncoding(3, **more),
                 lambda **more: scratch.Discretization([0.0], **more)):
        with pytest.raises(UnsupportedError, match="does not support sparse=True"):
            make(output_mode="count", sparse=True)
        with pytest.raises(ValueError, match="expected output_mode to be one of"):
            make(output_mode="tf_idf")
        with pytest.raises(ValueError, match="at least two axes"):
            make(output_mode="count").compute_output_shape((None,))


@pytest.mark.parametrize("given", [{}, {"bin_boundaries": [0.0], "num_bins": 2}])
def test_boundaries_or_their_number(given):
    with pytest.raises(ValueError, match="either bin_boundaries or num_bins"):
        scratch.Discretization(**given)


def test_boundaries_ascend():
    with pytest.raises(ValueError, match="in ascending order"):
        scratch.Discretization([1.0, 0.0])
    with pytest.raises(ValueError, match="without given boundaries"):
        scratch.Discretization([0.0, 1.0]).adapt([1.0])
    with pytest.raises(ValueError, match="positive integer"):
        scratch.CategoryEncoding()
