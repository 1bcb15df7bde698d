"""Images moved, turned, zoomed and sheared: pixel by pixel, and as Keras with its own draws."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from scratch.affine_transform import inverse, nearest, within
from tests.scratch.support.cases import seeds
from tests.scratch.support.checks import DTYPES, EXAMPLES, LAYOUTS
from tests.scratch.support.image_places import (
    AFFINE,
    FILL,
    KINDS,
    MODES,
    SHAPE,
    by_pixel,
    distance,
    draws,
    matrix,
)

EACH = [(name, arguments) for name, each in AFFINE.items() for arguments in each]
FEW = 5e-5  # what is allowed for places of float32, of numbers of size 1


def made(name, arguments, kind="bilinear", mode="reflect", dtype="float32", shape=SHAPE,
         data_format="channels_last", noise=None):
    layer = getattr(scratch, name)(**arguments, interpolation=kind, fill_mode=mode,
                                   fill_value=FILL, dtype=dtype, data_format=data_format)
    _, height, width, channels = shape
    layer.build((None, *((height, width, channels) if data_format == "channels_last"
                         else (channels, height, width))))
    layer.give_noise(noise)
    return layer


@given(case=st.sampled_from(EACH), kind=st.sampled_from(KINDS), mode=st.sampled_from(MODES),
       dtype=st.sampled_from(DTYPES), seed=seeds, layout=st.sampled_from(sorted(LAYOUTS)),
       first=st.booleans(), size=st.sampled_from([(5, 7), (1, 4), (6, 1), (2, 3)]))
@EXAMPLES
def test_pixel_by_pixel(case, kind, mode, dtype, seed, layout, first, size):
    name, arguments = case
    rng = np.random.default_rng(seed)
    shape = (3, *size, 2)
    x, dy = (rng.random(shape).astype(dtype) for _ in range(2))
    noise = draws(name, rng, 3, size).astype("float32").astype(dtype)
    moves = [matrix(name, noise[n, 0, 0].astype(float), *size) for n in range(3)]
    right = (by_pixel(x.astype(float), moves, kind, mode, FILL),
             by_pixel(dy.astype(float), moves, kind, mode, 0.0, inverted=True))
    if first:
        x, dy = (np.moveaxis(a, -1, 1) for a in (x, dy))
        right = tuple(np.moveaxis(a, -1, 2) for a in right)
    layer = made(name, arguments, kind, mode, dtype, shape,
                 "channels_first" if first else "channels_last", noise)
    x, dy = LAYOUTS[layout](x), LAYOUTS[layout](dy)
    before = x.copy(), dy.copy()
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(dy, before[1])
    assert y.dtype == dx.dtype == dtype
    assert distance(y, right[0]) < FEW and distance(dx, right[1]) < 5 * FEW


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name, arguments", EACH, ids=str)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_keras_with_its_own_draws(keras, name, arguments, data_format):
    import tensorflow as tf

    from reference import noise as noises

    rng = np.random.default_rng(1)
    for dtype, mode, kind in itertools.product(DTYPES, MODES, KINDS):
        given_both = {**arguments, "interpolation": kind, "fill_mode": mode, "fill_value": FILL,
                      "dtype": dtype, "data_format": data_format}
        theirs = getattr(keras.layers, name)(**given_both, seed=3)
        x, dy = (rng.standard_normal(SHAPE).astype(dtype) for _ in range(2))
        if data_format == "channels_first":
            x, dy = (np.ascontiguousarray(np.moveaxis(a, -1, 1)) for a in (x, dy))
        source = tf.constant(x)
        noise = noises.drawn(theirs, source)
        assert noise.shape == (4, 1, 1, 1 if name == "RandomRotation" else 2)
        assert len(np.unique(noise[..., 0])) == 4
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(source)
            y = theirs(source, training=True)  # which draws the same, as looking changes nothing
            applied = noises.apply(theirs, source, noise)
        layer = made(name, arguments, kind, mode, dtype, data_format=data_format, noise=noise)
        for of_keras in (y, applied):
            dx = tape.gradient(of_keras, source, output_gradients=tf.constant(dy))
            np.testing.assert_allclose(layer.forward(x, training=True), of_keras, atol=FEW, rtol=0)
            np.testing.assert_allclose(layer.backward(dy), dx, atol=5 * FEW, rtol=0)
        np.testing.assert_array_equal(theirs(source, training=False), x)
        np.testing.assert_array_equal(layer.forward(x), x)


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_where_places_come_back_into_the_image_as_in_tensorflow(keras, size, mode, kind):
    """At whole places and halves, of which some are ends and ties."""
    import tensorflow as tf

    x = np.arange(1.0, size + 1, dtype="float32").reshape(1, 1, size, 1)
    for move in np.arange(-3 * size - 1, 3 * size + 1.5, 0.5):
        y = keras.ops.image.affine_transform(
            tf.constant(x), tf.constant([1.0, 0, move, 0, 1, 0, 0, 0]), kind, mode, FILL)
        layer = made("RandomTranslation", AFFINE["RandomTranslation"][0], kind, mode,
                     shape=x.shape, noise=np.array([-move, 0.0]).reshape(1, 1, 1, 2))
        np.testing.assert_array_equal(layer.forward(x, training=True), y, err_msg=str(move))


def test_halves_are_rounded_away_from_zero_and_no_more():
    at = np.array([-1.5, -0.5, 0.5, 1.5, 2.5, np.nextafter(np.float32(0.5), np.float32(0))],
                  "float32")
    assert nearest(at).tolist() == [-2, -1, 1, 2, 3, 0]
    assert within(np.float32([-0.6, 3.6]), 4, "reflect").tolist() == [0, 3]


@pytest.mark.parametrize("kind", KINDS)
def test_moving_by_whole_pixels_is_exact_there_and_back(kind):
    x = np.random.default_rng(0).random((2, 5, 6, 3)).astype("float32")
    layer = made("RandomTranslation", AFFINE["RandomTranslation"][0], kind, "constant",
                 shape=x.shape, noise=np.array([[2.0, -1.0], [-3.0, 0.0]]).reshape(2, 1, 1, 2))
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y[0, :4, 2:], x[0, 1:, :4])
    np.testing.assert_array_equal(y[1, :, :3], x[1, :, 3:])
    assert (y[0, 4] == FILL).all() and (y[0, :, :2] == FILL).all() and (y[1, :, 3:] == FILL).all()
    dx = layer.backward(x)
    np.testing.assert_array_equal(dx[0, 1:, :4], x[0, :4, 2:])
    assert (dx[0, 0] == 0).all() and (dx[1, :, :3] == 0).all()


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_quarter_turns_are_counterclockwise(turns):
    x = np.random.default_rng(0).random((2, 4, 4, 3))
    layer = made("RandomRotation", {"factor": 1.0}, "nearest", shape=x.shape,
                 noise=np.full((1, 1, 1, 1), 90.0 * turns))
    np.testing.assert_array_equal(layer.forward(x, training=True), np.rot90(x, turns, (1, 2)))
    np.testing.assert_array_equal(layer.backward(x), np.rot90(x, -turns, (1, 2)))


def test_one_image_is_a_batch_of_one():
    x = np.random.default_rng(0).random((3, 5, 6, 2))
    noise = draws("RandomZoom", np.random.default_rng(1), 3)
    arguments = AFFINE["RandomZoom"][0]
    together = made("RandomZoom", arguments, shape=x.shape, noise=noise).forward(x, training=True)
    for n in range(3):
        alone = made("RandomZoom", arguments, shape=x.shape, noise=noise[n:n + 1])
        np.testing.assert_array_equal(alone.forward(x[n:n + 1], training=True)[0], together[n])


@pytest.mark.parametrize("layer, ranges", [
    (scratch.RandomTranslation(0.5, (-0.1, 0.3), seed=1), [(-0.6, 1.8), (-2, 2)]),
    (scratch.RandomTranslation(0.5, 0.1, seed=1, data_format="channels_first"),
     [(-0.1, 0.1), (-3, 3)]),  # whose height is 6 and width 1
    (scratch.RandomRotation((-0.25, 0.5), seed=1), [(-90, 180)]),
    (scratch.RandomZoom((-0.5, 0.1), 0.2, seed=1), [(0.5, 1.1), (0.8, 1.2)]),
    (scratch.RandomZoom(0.3, seed=1), [(0.7, 1.3)] * 2),
    (scratch.RandomShear(0.4, 0.2, seed=1), [(-0.4, 0.4), (-0.2, 0.2)])], ids=str)
def test_what_is_drawn(layer, ranges):
    layer(np.zeros((4000, 4, 6, 1)), training=True)
    assert layer.noise.shape == (4000, 1, 1, len(ranges))
    for drawn, (low, high) in zip(np.moveaxis(layer.noise, -1, 0), ranges, strict=True):
        assert low <= drawn.min() and drawn.max() <= high
        assert abs(drawn.mean() - (low + high) / 2) < 0.04 * (high - low)
        assert abs(drawn.std() - (high - low) / 12**0.5) < 0.04 * (high - low)


def test_one_draw_zooms_both_axes_and_one_sign_turns_both_shears():
    zoom, shear = scratch.RandomZoom(0.3, seed=1), scratch.RandomShear((0.1, 0.4), (0.2, 0.3))
    for layer in (zoom, shear):
        layer(np.zeros((500, 4, 6, 1)), training=True)
    assert (zoom.noise[..., 0] == zoom.noise[..., 1]).all()
    assert (np.sign(shear.noise[..., 0]) == np.sign(shear.noise[..., 1])).all()
    assert 200 < (shear.noise[..., 0] > 0).sum() < 300


@pytest.mark.parametrize("make, said", [
    (lambda: scratch.RandomZoom(-1), "height_factor to be a number from -0.99.* or two"),
    (lambda: scratch.RandomZoom((0.1, 1.5)), "expected height_factor to be a number"),
    (lambda: scratch.RandomTranslation(0.1, (0.1, 0.2, 0.3)), "width_factor to be a number"),
    (lambda: scratch.RandomRotation(0.1, fill_value="white"), "fill_value to be a number"),
    (lambda: scratch.RandomRotation(0.1, seed=0.5), "seed to be an integer"),
    (lambda: run(scratch.RandomZoom(0.1), (1, 1, 1, 1)), r"shape \(2, 1, 1, 2\). Received: .*1\)"),
    (lambda: run(scratch.RandomZoom(0.1), (3, 1, 1, 2)), r"shape \(2, 1, 1, 2\)"),
    (lambda: run(scratch.RandomShear(0.1), (1, 1, 1, 2), 1.0).backward(np.ones((2, 3, 4, 1))),
     "RandomShear.*transformations that have an inverse, .*1.0, 1.0, 0.0, 1.0, 1.0, 0.0")])
def test_what_is_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def run(layer, shape, value=0.5):
    layer.give_noise(np.full(shape, value))
    layer(np.ones((2, 3, 4, 1)), training=True)
    return layer


def test_the_inverse_undoes_the_matrix():
    rng = np.random.default_rng(0)
    matrices = rng.standard_normal((50, 2, 3)).astype("float32")
    back = inverse(matrices)
    assert back.dtype == "float32"
    for matrix_, other in zip(matrices.astype(float), back):
        np.testing.assert_allclose(other[:, :2] @ matrix_[:, :2], np.eye(2), atol=2e-4)
        np.testing.assert_allclose(other[:, :2] @ matrix_[:, 2] + other[:, 2], 0, atol=2e-4)
