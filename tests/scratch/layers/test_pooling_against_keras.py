"""Pooling and reshaping layers against Keras: numbers, shapes, configs both ways, in both formats.

Maxima, moved and repeated numbers agree to the last bit, and so do the global poolings' gradients;
means within the roundings of two orders of summation.
"""

import json

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import DTYPES, assert_exact, assert_norm_close, real, whole

IMAGE, STEPS = (3, 7, 6, 2), (3, 8, 5)  # as channels_first images those are 7 channels of 6 x 2
VOLUME = (2, 5, 7, 6, 3)
FIRST = dict(data_format="channels_first")
WINDOWS = [dict(pool_size=2), dict(pool_size=(2, 3), strides=(1, 2)),
           dict(pool_size=(3, 2), strides=(2, 1), padding="same"),
           dict(pool_size=(7, 6), strides=(1, 2), padding="same"),
           dict(pool_size=2, strides=3, padding="same"), dict(pool_size=(1, 3), strides=(3, 4)),
           dict(pool_size=(3, 2), strides=1, padding="same", **FIRST), dict(pool_size=2, **FIRST)]
STEP_WINDOWS = [dict(pool_size=2), dict(pool_size=3, strides=1), dict(pool_size=(3,), strides=(2,)),
                dict(pool_size=3, strides=2, padding="same"), dict(pool_size=2, strides=4),
                dict(pool_size=8, strides=2, padding="same"),
                dict(pool_size=3, strides=2, padding="same", **FIRST)]
VOLUME_WINDOWS = [dict(pool_size=2), dict(pool_size=(2, 3, 1), strides=(1, 2, 3)),
                  dict(pool_size=(3, 2, 4), strides=(2, 1, 3), padding="same"),
                  dict(pool_size=(2, 3, 2), strides=1, padding="same", **FIRST)]
CASES = [
    *[(f"{kind}Pooling3D", arguments, VOLUME) for kind in ("Max", "Average")
      for arguments in VOLUME_WINDOWS],
    ("ZeroPadding3D", {}, VOLUME), ("ZeroPadding3D", dict(padding=(0, 2, 1), **FIRST), VOLUME),
    ("ZeroPadding3D", dict(padding=((1, 0), (2, 3), (0, 1))), VOLUME),
    ("Cropping3D", {}, VOLUME), ("Cropping3D", dict(cropping=(2, 0, 1)), VOLUME),
    ("Cropping3D", dict(cropping=((1, 0), (2, 3), (0, 1)), **FIRST), (2, 3, 5, 7, 6)),
    ("UpSampling3D", {}, VOLUME), ("UpSampling3D", dict(size=(3, 1, 2), **FIRST), VOLUME),
    *[(f"{kind}Pooling2D", arguments, IMAGE) for kind in ("Max", "Average")
      for arguments in WINDOWS],
    *[(f"{kind}Pooling1D", arguments, STEPS) for kind in ("Max", "Average")
      for arguments in STEP_WINDOWS],
    ("MaxPooling2D", dict(pool_size=(8, 9), strides=(1, 2), padding="same"), IMAGE),
    ("MaxPooling1D", dict(pool_size=11, strides=2, padding="same"), STEPS),
    *[(f"Global{kind}Pooling{rank}D", arguments, {1: STEPS, 2: IMAGE, 3: VOLUME}[rank])
      for kind in ("Max", "Average") for rank in (1, 2, 3)
      for arguments in ({}, dict(keepdims=True), FIRST, dict(keepdims=True, **FIRST))],
    *[("Flatten", arguments, shape) for arguments in ({}, FIRST)
      for shape in (IMAGE, STEPS, (3, 4), (5,))],
    ("Reshape", dict(target_shape=(6, 14)), IMAGE), ("Reshape", dict(target_shape=(-1, 7)), IMAGE),
    ("Reshape", dict(target_shape=[2, 7, -1, 2]), IMAGE),
    ("Reshape", dict(target_shape=(84,)), IMAGE),
    ("Permute", dict(dims=(3, 1, 2)), IMAGE), ("Permute", dict(dims=(2, 1)), STEPS),
    ("Permute", dict(dims=(1,)), (3, 4)),
    ("ZeroPadding1D", {}, STEPS), ("ZeroPadding1D", dict(padding=(0, 3)), STEPS),
    ("ZeroPadding1D", dict(padding=(2, 1), **FIRST), STEPS),
    ("ZeroPadding2D", {}, IMAGE), ("ZeroPadding2D", dict(padding=2), IMAGE),
    ("ZeroPadding2D", dict(padding=(0, 3)), IMAGE),
    ("ZeroPadding2D", dict(padding=((1, 0), (2, 3))), IMAGE),
    ("ZeroPadding2D", dict(padding=((1, 0), (2, 3)), **FIRST), IMAGE),
    ("Cropping1D", {}, STEPS), ("Cropping1D", dict(cropping=(3, 0)), STEPS),
    ("Cropping2D", {}, IMAGE), ("Cropping2D", dict(cropping=2), IMAGE),
    ("Cropping2D", dict(cropping=(3, 0)), IMAGE),
    ("Cropping2D", dict(cropping=((1, 0), (2, 3))), IMAGE),
    ("Cropping2D", dict(cropping=((5, 0), (0, 1)), **FIRST), IMAGE),
    ("UpSampling1D", {}, STEPS), ("UpSampling1D", dict(size=3), STEPS),
    ("UpSampling2D", {}, IMAGE), ("UpSampling2D", dict(size=(1, 3)), IMAGE),
    ("UpSampling2D", dict(size=(3, 2), interpolation="NEAREST", **FIRST), IMAGE),
]
every_case = pytest.mark.parametrize("name, arguments, shape", CASES, ids=str)


def ours(name, arguments, shape, dtype="float32"):
    return scratch.Sequential([scratch.Input(shape[1:]),
                               getattr(scratch, name)(**arguments, name="layer")], dtype=dtype)


def theirs(keras, name, arguments, shape, dtype="float32"):
    return keras.Sequential([keras.Input(shape[1:], dtype=dtype),
                             getattr(keras.layers, name)(**arguments, name="layer", dtype=dtype)])


def keras_results(twin, x, dy):
    """(output, input gradient) by TensorFlow's tape."""
    import tensorflow as tf

    source = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        output = twin(source)
    return output.numpy(), tape.gradient(output, source, output_gradients=dy).numpy()


@pytest.mark.sampled(6, of="name")
@pytest.mark.parametrize("dtype", DTYPES)
@every_case
def test_numbers(keras, name, arguments, shape, dtype):
    """Inputs of few whole numbers tie; upstream gradients are whole where sums of them are exact.
    """
    if dtype == "float64" and name in ("MaxPooling3D", "AveragePooling3D"):
        pytest.skip("TensorFlow has no such kernel")
    model = ours(name, arguments, shape, dtype)
    x = whole(5, shape, 2).astype(dtype)
    draw = real if name.startswith("Global") else whole
    dy = draw(6, (shape[0], *model.output_shape[1:])).astype(dtype)
    y, dx = model.forward(x), model.backward(dy)
    expected_y, expected_dx = keras_results(theirs(keras, name, arguments, shape, dtype), x, dy)
    if name.startswith("AveragePooling"):
        assert_norm_close(y, expected_y, 20, "y")
        assert_norm_close(dx, expected_dx, 20, "dx")
    else:
        assert_exact(y, expected_y, "y")
        assert_exact(dx, expected_dx, "dx")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape, pool, strides", [
    ((7, 6), (8, 6), (1, 2)), ((7, 6), (3, 9), (2, 1)), ((5, 4), (7, 2), (1, 3))])
def test_where_tensorflow_s_average_has_another_gradient(keras, onednn, shape, pool, strides,
                                                         dtype):
    """On purpose not as Keras: a pool larger than the image, with padding 'same'.

    TensorFlow's own CPU kernel for the gradient then takes a window that begins in the padding for
    one that ends where the image ends, and divides by too many pixels; that of oneDNN does not. The
    forward pass is right, and since it is linear, images with a single one in them show what the
    gradient has to be.
    """
    arguments = dict(pool_size=pool, strides=strides, padding="same")
    model = ours("AveragePooling2D", arguments, (1, *shape, 1), dtype)
    twin = theirs(keras, "AveragePooling2D", arguments, (1, *shape, 1), dtype)
    pixels = int(np.prod(shape))
    ones = np.eye(pixels, dtype=dtype).reshape(pixels, *shape, 1)
    dy = real(1, (1, *model.output_shape[1:])).astype(dtype)
    right = (twin(ones).numpy() * dy).sum(axis=(1, 2, 3)).reshape(1, *shape, 1)
    x = real(2, (1, *shape, 1)).astype(dtype)
    y, dx = model.forward(x), model.backward(dy)
    expected_y, expected_dx = keras_results(twin, x, dy)
    assert_norm_close(y, expected_y, 20, "y")
    assert_norm_close(dx, right, 50, "dx")
    if onednn(dtype):
        assert_norm_close(expected_dx, right, 50, "dx of oneDNN")
    else:
        assert np.abs(expected_dx - right).max() > 0.01, "TensorFlow's gradient is right by now"


def plain(config):
    """As JSON writes it: tuples are lists."""
    return json.loads(json.dumps(config))


@pytest.mark.sampled(6, of="name")
@every_case
def test_configs_both_ways(keras, name, arguments, shape):
    config = plain(theirs(keras, name, arguments, shape).get_config())
    model = scratch.Sequential.from_config(config)
    assert model.output_shape[1:] == ours(name, arguments, shape).output_shape[1:]
    again = plain(model.get_config())
    assert plain(keras.Sequential.from_config(again).get_config()) == config
    for layer in config["layers"]:
        layer["config"].pop("quantization_config", None)
    assert again == config
    written = plain(ours(name, arguments, shape).get_config()["layers"][1])
    assert written == config["layers"][1]


@pytest.mark.parametrize("name", scratch.layers.ALIASES)
def test_other_names(keras, name):
    """The same layer under both names, and its config under the first only."""
    theirs, ours_ = getattr(keras.layers, name), getattr(scratch, name)
    assert ours_.__name__ == theirs.__name__ in scratch.layers.LAYERS
    assert getattr(scratch, ours_.__name__) is ours_


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("name, arguments", [
    ("MaxPooling2D", dict(pool_size=2)), ("MaxPooling2D", dict(pool_size=3, strides=2)),
    ("MaxPooling2D", dict(pool_size=(2, 3), strides=1, padding="same")),
    ("AveragePooling2D", dict(pool_size=2)), ("GlobalMaxPooling2D", {}),
    ("GlobalAveragePooling2D", {}), ("UpSampling2D", {})], ids=str)
def test_upstream_gradients_that_are_not_finite(keras, name, arguments, value):
    """They go where Keras sends them, and nowhere else."""
    model = ours(name, arguments, IMAGE)
    x, dy = whole(5, IMAGE, 2).astype("f"), whole(6, (3, *model.output_shape[1:])).astype("f")
    dy[1, ..., 1] = value
    model.forward(x)
    with np.errstate(invalid="ignore"):
        dx = model.backward(dy)
    _, expected = keras_results(theirs(keras, name, arguments, IMAGE), x, dy)
    np.testing.assert_array_equal(dx, expected)
    assert not np.isfinite(dx).all() and np.isfinite(dx[..., 0]).all()


@pytest.mark.parametrize("name", ["GlobalMaxPooling2D", "GlobalAveragePooling2D"])
def test_pixels_that_are_not_finite_spoil_their_channel(keras, name):
    x, dy = real(1, IMAGE).astype("f"), real(2, (3, 2)).astype("f")
    x[0, 3, 4, 1], x[2, 0, 0, 0], x[2, 6, 5, 1] = np.nan, np.inf, -np.inf
    model = ours(name, {}, IMAGE)
    y, dx = model.forward(x), model.backward(dy)
    expected_y, expected_dx = keras_results(theirs(keras, name, {}, IMAGE), x, dy)
    np.testing.assert_allclose(y, expected_y, rtol=1e-5)
    np.testing.assert_array_equal(dx, expected_dx)


REFUSED = [
    ("MaxPooling2D", dict(pool_size=0), IMAGE), ("MaxPooling2D", dict(pool_size=(2, 2, 2)), IMAGE),
    ("MaxPooling2D", dict(pool_size=2, strides=-1), IMAGE), ("MaxPooling1D", {}, IMAGE),
    ("MaxPooling2D", dict(pool_size=2, padding="half"), IMAGE),
    ("MaxPooling2D", dict(pool_size=8), IMAGE), ("AveragePooling1D", dict(pool_size=9), STEPS),
    ("AveragePooling2D", dict(pool_size=2, data_format="NHWC"), IMAGE),
    ("GlobalMaxPooling1D", {}, IMAGE), ("GlobalAveragePooling2D", {}, STEPS),
    ("Reshape", dict(target_shape=(5, -1)), IMAGE), ("Reshape", dict(target_shape=(83,)), IMAGE),
    ("Reshape", dict(target_shape=(-1, -1)), IMAGE), ("Reshape", dict(target_shape=(-2, 2)), IMAGE),
    ("Permute", dict(dims=(0, 1, 2)), IMAGE), ("Permute", dict(dims=(2, 1)), IMAGE),
    ("ZeroPadding2D", dict(padding=(1, 2, 3)), IMAGE), ("ZeroPadding2D", {}, STEPS),
    ("ZeroPadding1D", dict(padding=(1, 2, 3)), STEPS), ("ZeroPadding1D", dict(padding=-1), STEPS),
    ("Cropping2D", dict(cropping=-1), IMAGE), ("Cropping2D", dict(cropping=3), IMAGE),
    ("Cropping1D", dict(cropping=4), STEPS), ("Cropping1D", dict(cropping="a"), STEPS),
    ("UpSampling2D", dict(size=0), IMAGE), ("UpSampling2D", dict(size=(1, 2, 3)), IMAGE),
    ("MaxPooling3D", dict(pool_size=6), VOLUME), ("MaxPooling3D", dict(pool_size=(2, 2)), VOLUME),
    ("AveragePooling3D", dict(pool_size=2), IMAGE), ("GlobalMaxPooling3D", {}, IMAGE),
    ("ZeroPadding3D", dict(padding=(1, 2)), VOLUME), ("Cropping3D", dict(cropping=-1), VOLUME),
    ("Cropping3D", {}, IMAGE), ("UpSampling3D", dict(size=(1, 2)), VOLUME),
    ("UpSampling1D", dict(size=0), STEPS), ("UpSampling1D", dict(size=2.0), STEPS),
]


@pytest.mark.parametrize("name, arguments, shape", REFUSED, ids=str)
def test_what_keras_refuses_is_refused_with_the_same_error(keras, name, arguments, shape):
    with pytest.raises((ValueError, TypeError)) as error:
        theirs(keras, name, arguments, shape)
    with pytest.raises(type(error.value)):
        ours(name, arguments, shape)
