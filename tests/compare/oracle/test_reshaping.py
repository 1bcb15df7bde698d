"""Oracles of layers that move, repeat or omit numbers: Keras's values, and errors that go along.

What such a layer does is told by where each of the numbers 1, 2, 3 ... comes out: Keras's output on
them is the judge, an array indexed by it what the errors have to be.
"""

import numpy as np
import pytest

from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded
from tests.compare.support.oracle_checks import (
    FLOAT32,
    FLOAT64,
    added_up,
    assert_inside,
    bounded,
    run,
)
from tests.scratch.support.checks import real, whole
from tests.scratch.support.pooling import FORMATS

IMAGE, STEPS, VOLUME = (2, 4, 3, 5), (2, 6, 5), (2, 4, 3, 5, 6)
CASES = [
    *[("Flatten", dict(data_format=data_format), shape) for data_format in FORMATS
      for shape in (IMAGE, STEPS, (2, 3), (4,))],
    ("Reshape", dict(target_shape=(5, -1, 2)), IMAGE), ("Reshape", dict(target_shape=(60,)), IMAGE),
    ("Permute", dict(dims=(3, 1, 2)), IMAGE), ("Permute", dict(dims=(2, 1)), STEPS),
    *[("ZeroPadding2D", dict(padding=((1, 0), (2, 3)), data_format=data_format), IMAGE)
      for data_format in FORMATS],
    *[("ZeroPadding1D", dict(padding=(0, 3), data_format=data_format), STEPS)
      for data_format in FORMATS],
    ("Cropping2D", dict(cropping=((1, 0), (0, 2))), IMAGE),
    ("Cropping2D", dict(cropping=((1, 1), (0, 2)), data_format="channels_first"), IMAGE),
    ("Cropping1D", dict(cropping=(2, 1)), STEPS),
    *[(name, {**arguments, "data_format": data_format}, VOLUME) for name, arguments in (
        ("ZeroPadding3D", dict(padding=((1, 0), (2, 3), (0, 1)))),
        ("Cropping3D", dict(cropping=((0, 1), (1, 1), (0, 2)))),
        ("UpSampling3D", dict(size=(1, 3, 2)))) for data_format in FORMATS],
    *[("UpSampling2D", dict(size=(1, 3), data_format=data_format), IMAGE)
      for data_format in FORMATS],
    ("UpSampling2D", dict(size=(3, 2)), IMAGE), ("UpSampling1D", dict(size=3), STEPS),
]
every_case = pytest.mark.parametrize("name, arguments, shape", CASES, ids=str)


def made(keras, name, arguments):
    layer = getattr(keras.layers, name)(**arguments, dtype="float64")
    return layer, oracle_for(name, layer.get_config())


def sources(layer, shape):
    """For each entry of the output the number, from 1, of the input's entry it is; 0 for none."""
    numbered = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    return layer(numbered).numpy().astype(int)


@every_case
def test_numbers_come_from_where_keras_takes_them(keras, name, arguments, shape):
    """Forward copies and their errors; backward, for each input, the sum over its copies."""
    layer, oracle = made(keras, name, arguments)
    places = sources(layer, shape)
    x, dy = real(1, shape), real(2, places.shape)
    errors = np.abs(real(3, shape)), np.abs(real(4, places.shape))
    y = oracle.forward(Bounded(x, FLOAT32, errors[0]), {})
    dx, gradients = oracle.backward(Bounded(dy, FLOAT32, errors[1]))
    assert gradients == {} and oracle.exact
    for result, array in ((y.value, x), (y.bound, errors[0])):
        np.testing.assert_array_equal(result, np.concatenate([[0.0], array.ravel()])[places])
    copies = [dy[places == i + 1] for i in range(x.size)]
    totals = np.array([c.sum() for c in copies]).reshape(shape)
    np.testing.assert_allclose(dx.value, totals, rtol=1e-12, atol=1e-12)
    passed_on = np.array([errors[1][places == i + 1].sum() for i in range(x.size)]).reshape(shape)
    assert (dx.bound >= passed_on * (1 - 1e-12)).all()
    assert (dx.bound <= passed_on * 1.001 + 1e-5).all()
    longest = max(map(len, copies))
    assert oracle.reductions(shape, places.shape) == {"output": 1, "input_gradient": longest or 1}


@every_case
def test_nothing_is_rounded_but_sums(keras, name, arguments, shape):
    layer, oracle = made(keras, name, arguments)
    places = sources(layer, shape)
    dy, rng = real(2, places.shape), np.random.default_rng(1)
    found = run(oracle, real(1, shape), {}, dy)
    assert not found["output"].bound.any()
    dx = found["input_gradient"]
    assert dx.bound.any() == name.startswith("UpSampling")
    for _ in range(3):
        totals = [added_up(dy[places == i + 1], rng) for i in range(dx.value.size)]
        assert_inside(dx, np.reshape(totals, shape), "a sum in float32")
    magnitude = np.array([np.abs(dy[places == i + 1]).sum() for i in range(dx.value.size)])
    loosest = FLOAT32.gamma(10) * magnitude.reshape(shape) + 1e-30
    assert (dx.bound <= loosest).all(), "the bound is loose"


@pytest.mark.parametrize("integers", [False, True])
@every_case
def test_keras_keeps_to_the_bounds(keras, name, arguments, shape, integers):
    import tensorflow as tf

    draw = whole if integers else real
    for dtype, rounding in (("float32", FLOAT32), ("float64", FLOAT64)):
        layer = getattr(keras.layers, name)(**arguments, dtype=dtype)
        x = tf.constant(draw(1, shape).astype(dtype))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        dy = draw(2, tuple(y.shape))
        dx = tape.gradient(y, x, output_gradients=tf.constant(dy.astype(dtype)))
        found = run(oracle_for(name, layer.get_config()), x.numpy(), {}, dy, rounding)
        assert_inside(found["output"], y.numpy(), "output")
        assert_inside(found["input_gradient"], dx.numpy(), "input gradient")
        if integers:
            np.testing.assert_array_equal(dx.numpy(), found["input_gradient"].value)


def test_the_smallest_numbers_are_moved_as_they_are():
    """A copy flushes nothing: a layer that does not compute keeps a denormal."""
    tiny = np.finfo("float32").tiny / 4
    x = np.full((1, 2, 2, 1), tiny)
    for name, config in [("Flatten", {}), ("Permute", {"dims": (2, 1, 3)}),
                         ("ZeroPadding2D", {"padding": ((1, 1), (1, 1))}),
                         ("Cropping2D", {"cropping": ((1, 0), (0, 0))})]:
        y = oracle_for(name, config).forward(bounded(x), {})
        assert set(y.value.ravel()) <= {0.0, tiny} and not y.bound.any()


@pytest.mark.parametrize("name, config", [
    ("Reshape", {"target_shape": [3, -1]}), ("Permute", {"dims": [2, 1]}),
    ("ZeroPadding1D", {"padding": [1, 2], "data_format": "channels_last"}),
    ("Cropping1D", {"cropping": [1, 2]}), ("UpSampling1D", {"size": 2})])
def test_configs_out_of_a_file_have_lists(name, config):
    """JSON knows no tuples; the result is the same."""
    tuples = {key: tuple(value) if isinstance(value, list) else value
              for key, value in config.items()}
    x = real(1, STEPS)
    first, second = (oracle_for(name, c).forward(bounded(x), {}) for c in (config, tuples))
    np.testing.assert_array_equal(first.value, second.value)
    assert first.shape != STEPS, "something happened"
