"""Pooling to a given size against loops over windows, against Keras and against the oracle."""

import itertools
import math

import numpy as np
import pytest

import scratch
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from tests.scratch.support.checks import DTYPES, LAYOUTS

SIZES = {1: [(7,), (3, 1, 5, 8)], 2: [(7, 5), ((2, 3), 1, (5, 2), (8, 9))],
         3: [(5, 4, 6), ((2, 3, 4), 1, (5, 1, 2))]}
CASES = [(kind, rank, size, fmt) for kind in ("Average", "Max") for rank, (_, all_) in SIZES.items()
         for size in all_ for fmt in ("channels_last", "channels_first")]
each = pytest.mark.parametrize("kind, rank, size, fmt", CASES)


def made(package, kind, rank, size, fmt, **more):
    return getattr(package, f"Adaptive{kind}Pooling{rank}D")(size, data_format=fmt, **more)


def example(rank, fmt, whole=False):
    shape = SIZES[rank][0]
    rng = np.random.default_rng(rank)
    shape = (2, *shape, 3) if fmt == "channels_last" else (2, 3, *shape)
    return (rng.integers(-2, 3, shape) if whole else rng.standard_normal(shape)), rng


def by_loops(kind, x, size):
    """(y, function of dy that gives dx) of a channels_last array, one window after the other."""
    sizes = x.shape[1:-1]
    to = (size,) * len(sizes) if isinstance(size, int) else size
    along = [[range(math.floor(i * n / m), math.ceil((i + 1) * n / m)) for i in range(m)]
             for n, m in zip(sizes, to)]
    y = np.zeros((len(x), *to, x.shape[-1]))
    winners: dict = {}
    for sample, channel in itertools.product(range(len(x)), range(x.shape[-1])):
        for where in np.ndindex(*to):
            places = list(itertools.product(*(windows[k] for windows, k in zip(along, where))))
            values = [x[(sample, *place, channel)] for place in places]
            y[(sample, *where, channel)] = np.mean(values) if kind == "Average" else max(values)
            most = [place for place, value in zip(places, values) if value == max(values)]
            if kind == "Average":
                winners[sample, where, channel] = [(p, 1 / len(places)) for p in places]
            elif len(to) == 3:
                winners[sample, where, channel] = [(p, 1.0) for p in most]
            else:  # the first column, and there the first row
                winners[sample, where, channel] = [(min(most, key=lambda p: p[::-1]), 1.0)]

    def back(dy):
        dx = np.zeros(x.shape)
        for (sample, where, channel), shares in winners.items():
            for place, share in shares:
                dx[(sample, *place, channel)] += share * dy[(sample, *where, channel)]
        return dx

    return y, back


def last(array, fmt):
    return array if fmt == "channels_last" else np.moveaxis(array, 1, -1)


@pytest.mark.parametrize("whole", [True, False], ids=["ties", "numbers"])
@pytest.mark.parametrize("dtype", DTYPES)
@each
def test_loops(kind, rank, size, fmt, dtype, whole):
    x, rng = example(rank, fmt, whole)
    layer = made(scratch, kind, rank, size, fmt, dtype=dtype)
    x = x.astype(dtype)
    y = layer(x)
    dy = rng.standard_normal(y.shape).astype(dtype)
    kept = x.copy(), dy.copy()
    dx = layer.backward(dy)
    right, back = by_loops(kind, last(x, fmt).astype(float), size)
    atol = 2e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(last(y, fmt), right, atol=atol)
    np.testing.assert_allclose(last(dx, fmt), back(last(dy, fmt).astype(float)), atol=atol)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(dy, kept[1])
    assert y.dtype == dx.dtype == dtype


@pytest.mark.parametrize("kind, rank, size, fmt", [
    case for case in CASES if case[0] == "Average" or case[2] not in (1, (5, 1, 2))])
def test_keras_and_the_bound_of_the_oracle(keras, kind, rank, size, fmt):
    """But for `adaptive_pooling_to_one`."""
    import tensorflow as tf

    x, rng = example(rank, fmt)
    x = x.astype("float32")
    twin, layer = (made(package, kind, rank, size, fmt) for package in (keras.layers, scratch))
    t = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(t)
        y = twin(t)
    dy = rng.standard_normal(y.shape).astype("float32")
    dx = tape.gradient(y, t, output_gradients=tf.constant(dy))
    rounding = Rounding.of("float32")
    oracle = oracle_for(type(layer).__name__, layer.get_config())
    right = oracle.forward(Bounded(x, rounding), {})
    back, _ = oracle.backward(Bounded(dy, rounding))
    for theirs, ours, bounded in ((y, layer(x), right), (dx, layer.backward(dy), back)):
        for one in (np.asarray(theirs), ours):
            assert (np.abs(one - bounded.value) <= bounded.bound).all()
    assert right.bound.max(initial=0) < 1e-5 and back.bound.max() < 1e-4


@each
def test_memory_layouts_make_no_difference(kind, rank, size, fmt):
    x, _ = example(rank, fmt)
    layer = made(scratch, kind, rank, size, fmt, dtype="float64")
    y = layer(x)
    dx = layer.backward(np.ones(y.shape))
    for layout in LAYOUTS.values():
        np.testing.assert_allclose(layer(layout(x)), y, atol=1e-14)
        np.testing.assert_allclose(layer.backward(layout(np.ones(y.shape))), dx, atol=1e-14)


def test_bad_sizes():
    with pytest.raises(TypeError, match="integer or 2 of them. Received: output_size=\\(1, 2, 3"):
        scratch.AdaptiveMaxPooling2D((1, 2, 3))
    with pytest.raises(ValueError, match="output_size to be a positive integer"):
        scratch.AdaptiveAveragePooling1D(0)
    with pytest.raises(ValueError, match="expected inputs of shape"):
        scratch.AdaptiveAveragePooling3D(2).build((None, 4, 5, 1))
