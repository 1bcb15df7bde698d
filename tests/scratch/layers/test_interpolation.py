"""UpSampling2D with interpolation: against loops, against Keras, and what follows from what it is.
"""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from tests.scratch.support.cases import dtypes, layouts, seeds
from tests.scratch.support.checks import EXAMPLES, assert_exact, assert_norm_close, real, run, whole
from tests.scratch.support.interpolation import KINDS, interpolated
from tests.scratch.support.pooling import FORMATS

sizes = st.tuples(st.integers(1, 4), st.integers(1, 5))
images = st.permutations([1, 2, 3, 4, 5, 7]).map(lambda n: (2, *n[:2], 3))


def first(array, data_format):
    return array if data_format == "channels_last" else np.moveaxis(array, -1, 1)


def last(array, data_format):
    return array if data_format == "channels_last" else np.moveaxis(array, 1, -1)


def larger(shape, size):
    return (shape[0], shape[1] * size[0], shape[2] * size[1], shape[3])


@EXAMPLES
@given(images, sizes, st.sampled_from(KINDS), st.sampled_from(FORMATS), dtypes, layouts, seeds)
def test_interpolation(shape, size, kind, data_format, dtype, layouts, seed):
    x, dy = real(seed, shape), real(seed + 1, larger(shape, size))
    layer = scratch.UpSampling2D(size, data_format, kind, dtype=dtype)
    y, dx, _ = run(layer, first(x, data_format), first(dy, data_format), layouts=layouts)
    expected_y, expected_dx = interpolated(x, size, kind, dy)
    assert_norm_close(last(y, data_format), expected_y, 40, "y")
    assert_norm_close(last(dx, data_format), expected_dx, 200, "dx")


@EXAMPLES
@given(images, st.tuples(*[st.sampled_from([1, 2, 4])] * 2), dtypes, seeds)
def test_whole_numbers_are_exact_between_powers_of_two(shape, size, dtype, seed):
    x, dy = whole(seed, shape), whole(seed + 1, larger(shape, size))
    y, dx, _ = run(scratch.UpSampling2D(size, interpolation="bilinear", dtype=dtype), x, dy)
    expected_y, expected_dx = interpolated(x, size, "bilinear", dy)
    assert_exact(y, expected_y, "y")
    assert_exact(dx, expected_dx, "dx")


@pytest.mark.parametrize("kind", KINDS)
def test_an_even_image_stays_even_and_a_mirrored_one_is_mirrored(kind):
    layer = scratch.UpSampling2D((3, 2), interpolation=kind, dtype="float64")
    np.testing.assert_allclose(layer(np.full((1, 5, 4, 2), 7.0)), 7, rtol=1e-13)
    x = real(1, (1, 5, 4, 2))
    np.testing.assert_allclose(layer(x[:, ::-1, ::-1]), layer(x)[:, ::-1, ::-1], rtol=1e-12,
                               atol=1e-13)


def test_a_slope_is_kept_inside_and_ends_at_the_border():
    x = np.arange(4.0).reshape(1, 4, 1, 1)
    y = scratch.UpSampling2D((4, 1), interpolation="bilinear", dtype="float64")(x).ravel()
    assert y[2:-2].tolist() == [i / 4 + 1 / 8 for i in range(12)]
    assert y[:2].tolist() == [0, 0] and y[-2:].tolist() == [3, 3]


@pytest.mark.sampled(6, of="kind")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size, shape", [((2, 3), (2, 5, 6, 3)), ((4, 1), (3, 4, 7, 1)),
                                         ((5, 7), (1, 6, 3, 2)), ((2, 2), (2, 1, 3, 2))])
@pytest.mark.parametrize("data_format", FORMATS)
def test_keras_interpolates_alike(keras, kind, size, shape, data_format):
    """But for what float32 makes of weights that TensorFlow works out in float32."""
    import tensorflow as tf

    x = first(real(1, shape), data_format).astype("float32")
    layer = keras.layers.UpSampling2D(size, data_format, kind)
    source = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        y = layer(source)
    dy = real(2, tuple(y.shape)).astype("float32")
    dx = tape.gradient(y, source, output_gradients=tf.constant(dy))
    ours = scratch.UpSampling2D(size, data_format, kind)
    assert_norm_close(ours(x), y.numpy(), 40, "y")
    assert_norm_close(ours.backward(dy), dx.numpy(), 100, "dx")


@pytest.mark.parametrize("kind", [*KINDS, "BILINEAR"])
def test_configs_go_both_ways(keras, kind):
    config = json.loads(json.dumps(keras.layers.UpSampling2D(
        (2, 3), "channels_first", kind, name="up").get_config()))
    ours = scratch.UpSampling2D.from_config(config)
    written = json.loads(json.dumps(ours.get_config()))
    assert written == config and ours.interpolation == kind.lower()
    assert keras.layers.UpSampling2D.from_config(written).interpolation == kind.lower()
    assert ours.compute_output_shape((None, 2, 5, 4)) == (None, 2, 10, 12)


def test_no_input_gradient_is_made_where_none_is_wanted():
    layer = scratch.UpSampling2D(2, interpolation="bicubic")
    y = layer(np.ones((1, 3, 2, 1), "float32"))
    assert layer.backward(y, wants_input_gradient=False) is None
