"""Augmentation: pixel by pixel with given draws, as Keras with its own, and those that stay."""

import json
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from scratch.layer_config import layer_from_config, layer_to_config
from tests.scratch.support.cases import seeds
from tests.scratch.support.checks import DTYPES, EXAMPLES, LAYOUTS
from tests.scratch.support.image_places import AFFINE
from tests.scratch.support.layer_cases import LAYERS as CASES

SHAPE = (5, 4, 6, 3)  # (N, H, W, C)
UNDRAWN = sorted(name for name, cls in scratch.layers.LAYERS.items()
                 if getattr(cls, "undrawn", False))
DRAWN = {"RandomFlip": [{"mode": mode} for mode in ("horizontal", "vertical",
                                                    "horizontal_and_vertical")],
         "RandomBrightness": [{"factor": 0.4, "value_range": (0, 1)},
                              {"factor": (-0.5, 0.1), "value_range": [0.9, 0.1]}],
         "RandomContrast": [{"factor": 0.4, "value_range": (0, 1)},
                            {"factor": (0.9, 0.5), "value_range": (0.1, 0.9)}],
         "RandomSharpness": [{"factor": (0.0, 0.9), "value_range": (0.2, 0.7)}],
         "RandomGaussianBlur": [{"factor": (0.3, 0.9), "value_range": (0.1, 0.9),
                                 "kernel_size": size} for size in ((5, 3), (1, 3), (3, 3))],
         "RandomInvert": [{"factor": (0.3, 0.9), "value_range": (0, 0.9)}],
         "RandomGrayscale": [{"factor": 0.6}]}
CHOSEN = ("RandomFlip", "RandomInvert", "RandomGrayscale")
EACH = [(name, arguments) for name, each in DRAWN.items() for arguments in each]
drawn = pytest.mark.parametrize("name, arguments", EACH, ids=str)


def draws(name, rng) -> np.ndarray:
    """(N, 1, 1, 1), images that are chosen and others among them."""
    if name in CHOSEN:
        return np.array([1, 0, 1, 1, 0.0]).reshape(-1, 1, 1, 1)
    if name == "RandomSharpness":
        return rng.random((5, 1, 1, 1))
    if name == "RandomGaussianBlur":
        deviations = np.broadcast_to(rng.uniform(0.3, 1, 2), (5, 1, 1, 2))
        return np.concatenate([np.array([1, 0, 1, 1, 0.0]).reshape(-1, 1, 1, 1), deviations], 3)
    low, high = (-0.4, 0.4) if name == "RandomBrightness" else (0.1, 1.9)
    return rng.uniform(low, high, (5, 1, 1, 1))


def by_pixel(name, arguments, x, noise, dy):
    """(y, dx) in loops, for images with the channels last."""
    n, rows, columns, channels = x.shape
    y, dx = np.zeros_like(x), np.zeros_like(x)
    low, high = sorted(arguments.get("value_range", (0, 0)))
    for k, i, j, c in np.ndindex(x.shape):
        draw = noise[k, 0, 0, 0]
        if name == "RandomFlip":
            at = [i, j]
            if draw and "vertical" in arguments["mode"]:
                at[0] = rows - 1 - i
            if draw and "horizontal" in arguments["mode"]:
                at[1] = columns - 1 - j
            y[k, i, j, c] = x[k, at[0], at[1], c]
            dx[k, at[0], at[1], c] += dy[k, i, j, c]
            continue
        if name in ("RandomInvert", "RandomGrayscale"):
            shares = ({c: -1.0} if name == "RandomInvert" else {0: 0.2989, 1: 0.587, 2: 0.114})
            shares = shares if draw else {c: 1.0}
            y[k, i, j, c] = sum(share * x[k, i, j, other] for other, share in shares.items()) + (
                high if draw and name == "RandomInvert" else 0)
            for other, share in shares.items():
                dx[k, i, j, other] += share * dy[k, i, j, c]
            continue
        if name in ("RandomSharpness", "RandomGaussianBlur"):
            if name == "RandomSharpness":
                shares = {(p, q): (1 - 2 * draw) * (5 if (p, q) == (i, j) else 1) / 13
                          + 2 * draw * ((p, q) == (i, j))
                          for p in range(i - 1, i + 2) for q in range(j - 1, j + 2)}
            else:
                shares = gaussian(arguments["kernel_size"], noise[k, 0, 0, 1:], i, j)
                shares = shares if draw else {(i, j): 1.0}
            shares = {(p, q): share for (p, q), share in shares.items()
                      if 0 <= p < rows and 0 <= q < columns}
            changed = sum(share * x[(k, *at, c)] for at, share in shares.items())
            y[k, i, j, c] = min(max(changed, low), high)
            for at, share in shares.items():
                dx[(k, *at, c)] += share * dy[k, i, j, c] * (low <= changed <= high)
            continue
        if name == "RandomBrightness":
            changed = x[k, i, j, c] + draw
        else:
            middle = sum(x[k, p, q, c] for p in range(rows) for q in range(columns)) / (
                rows * columns)
            changed = (x[k, i, j, c] - middle) * draw + middle
        y[k, i, j, c] = min(max(changed, low), high)
        if not low <= changed <= high:
            continue
        if name == "RandomBrightness":
            dx[k, i, j, c] += dy[k, i, j, c]
            continue
        for p in range(rows):  # d changed / d x, by the mean also of every other pixel
            for q in range(columns):
                own = draw if (p, q) == (i, j) else 0.0
                dx[k, p, q, c] += dy[k, i, j, c] * (own + (1 - draw) / (rows * columns))
    return y, dx


def gaussian(size, deviations, i, j) -> dict:
    """{pixel: its weight} around pixel (i, j): the products, row by row, as Keras reads them."""
    along = []
    for length, deviation in zip(size, deviations):
        weights = [np.exp(-((place - length // 2) / deviation) ** 2 / 2) for place in range(length)]
        along.append([weight / sum(weights) for weight in weights])
    flat = [down * across for down in along[1] for across in along[0]]
    return {(i + place // size[1] - size[0] // 2, j + place % size[1] - size[1] // 2): weight
            for place, weight in enumerate(flat)}


def example(seed, dtype, name):
    rng = np.random.default_rng(seed)
    x, dy = rng.random(SHAPE).astype(dtype), rng.standard_normal(SHAPE).astype(dtype)
    return x, dy, draws(name, rng).astype(dtype)


def made(name, arguments, dtype, noise, data_format="channels_last"):
    layer = getattr(scratch, name)(**arguments, dtype=dtype, data_format=data_format)
    layer.build((None, *(SHAPE[1:] if data_format == "channels_last" else (3, 4, 6))))
    layer.give_noise(noise)
    return layer


@given(case=st.sampled_from(EACH), dtype=st.sampled_from(DTYPES), seed=seeds,
       layout=st.sampled_from(sorted(LAYOUTS)), first=st.booleans())
@EXAMPLES
def test_pixel_by_pixel(case, dtype, seed, layout, first):
    name, arguments = case
    x, dy, noise = example(seed, dtype, name)
    right = by_pixel(name, arguments, x.astype(float), noise.astype(float), dy.astype(float))
    if first:
        x, dy, *right = (np.moveaxis(a, -1, 1) for a in (x, dy, *right))
    layer = made(name, arguments, dtype, noise, "channels_first" if first else "channels_last")
    x, dy = LAYOUTS[layout](x), LAYOUTS[layout](dy)
    before = x.copy(), dy.copy()
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(dy, before[1])
    assert y.dtype == dx.dtype == dtype
    for own, expected in zip((y, dx), right, strict=True):
        few = 0 if name == "RandomFlip" else 60 * np.finfo(dtype).eps
        np.testing.assert_allclose(own, expected, rtol=0, atol=few)


@pytest.mark.sampled(4, of="name")
@drawn
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_keras_with_its_own_draws(keras, name, arguments, dtype, data_format):
    import tensorflow as tf

    from reference import noise as noises

    theirs = getattr(keras.layers, name)(**arguments, seed=3, dtype=dtype, data_format=data_format)
    x, dy, _ = example(1, dtype, name)
    if data_format == "channels_first":
        x, dy = (np.ascontiguousarray(np.moveaxis(a, -1, 1)) for a in (x, dy))
    source = tf.constant(x)
    noise = noises.drawn(theirs, source)
    assert noise.shape == (5, 1, 1, 3 if name == "RandomGaussianBlur" else 1)
    assert len(np.unique(noise)) > 1
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(source)
        y = theirs(source, training=True)  # which draws the same, as looking changes nothing
        applied = noises.apply(theirs, source, noise)
    layer = made(name, arguments, dtype, noise, data_format)
    few = 30 * np.finfo(dtype).eps
    for of_keras in (y, applied):
        dx = tape.gradient(of_keras, source, output_gradients=tf.constant(dy))
        np.testing.assert_allclose(layer.forward(x, training=True), of_keras, rtol=0, atol=few)
        np.testing.assert_allclose(layer.backward(dy), dx, rtol=0, atol=few)
    np.testing.assert_array_equal(theirs(source, training=False), x)


@pytest.mark.parametrize("ends", [(0, 1), (-1, 0.5)])
def test_at_an_end_of_the_range_the_gradient_passes_as_in_keras(keras, ends):
    import tensorflow as tf

    low, high = ends
    x = np.array([low - 1, low, (low + high) / 2, high, high + 1], "float32").reshape(1, 5, 1, 1)
    layer = scratch.RandomBrightness(0.0, ends)
    layer.build((None, 5, 1, 1))
    layer.forward(x, training=True)
    source = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        y = keras.layers.RandomBrightness(0.0, ends)(source, training=True)
    dx = layer.backward(np.ones_like(x))
    assert dx.ravel().tolist() == [0, 1, 1, 1, 0]
    np.testing.assert_array_equal(dx, tape.gradient(y, source))


@pytest.mark.parametrize("name", [*DRAWN, *AFFINE, *UNDRAWN])
def test_at_inference_images_stay_in_both(keras, name):
    _, make = CASES[name]
    x = np.random.default_rng(0).random((4, 8, 6, 3)).astype("float32")
    np.testing.assert_array_equal(make(scratch)(x), x)
    np.testing.assert_array_equal(make(keras.layers)(x, training=False), x)


@pytest.mark.parametrize("name", [*DRAWN, *AFFINE, *UNDRAWN])
def test_configs_go_to_keras_and_back(keras, name):
    shape, make = CASES[name]
    theirs, ours = make(keras.layers), make(scratch)
    for layer in (theirs, ours):
        layer.name = "layer"
        layer.build((None, *shape))
    config = json.loads(json.dumps(keras.layers.serialize(theirs)))
    assert json.loads(json.dumps(layer_to_config(ours, "float32"))) == config
    assert json.loads(json.dumps(layer_from_config(config).get_config())) == config["config"]


def test_a_flip_is_drawn_for_each_image_with_probability_one_half():
    layer = scratch.RandomFlip(seed=1)
    layer(np.zeros((4000, 2, 3, 1)), training=True)
    assert layer.noise.shape == (4000, 1, 1, 1)
    assert abs(layer.noise.mean() - 0.5) < 0.04 and set(np.unique(layer.noise)) == {0, 1}


@pytest.mark.parametrize("layer, share", [
    (scratch.RandomInvert(seed=1), 0.5), (scratch.RandomInvert((0.1, 0.3), seed=1), 0.2),
    (scratch.RandomGrayscale(0.8, seed=1), 0.8)])
def test_images_are_chosen_with_the_factor_s_probability(layer, share):
    layer(np.zeros((4000, 2, 3, 1)), training=True)
    assert layer.noise.shape == (4000, 1, 1, 1) and set(np.unique(layer.noise)) == {0, 1}
    assert abs(layer.noise.mean() - share) < 0.04


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_grey_images_of_one_channel_stay_in_both(keras, data_format):
    x = np.random.default_rng(0).random((2, 3, 4, 1) if data_format == "channels_last"
                                        else (2, 1, 3, 4)).astype("float32")
    for K in (scratch, keras.layers):
        layer = K.RandomGrayscale(1.0, data_format=data_format)
        np.testing.assert_array_equal(layer(x, training=True), x)


@pytest.mark.parametrize("layer, low, high", [
    (scratch.RandomSharpness(0.4, seed=1), 0, 0.4),
    (scratch.RandomBrightness(0.2, (0, 10), seed=1), -2, 2),
    (scratch.RandomBrightness((0.5, 0.1), (-1, 1), seed=1), 0.2, 1),
    (scratch.RandomContrast(0.3, seed=1), 1, 1.3),
    (scratch.RandomContrast((0.1, 0.3), seed=1), 0.9, 1.3)])
def test_numbers_are_spread_evenly_over_the_factor(layer, low, high):
    layer(np.zeros((4000, 2, 3, 1)), training=True)
    assert low <= layer.noise.min() and layer.noise.max() <= high
    assert abs(layer.noise.mean() - (low + high) / 2) < 0.04 * (high - low)
    assert abs(layer.noise.std() - (high - low) / 12**0.5) < 0.04 * (high - low)


def test_fit_names_the_layers_whose_draws_are_not_computed():
    def fitted(*layers):
        model = scratch.Sequential([scratch.Input((4, 5, 3)), *layers, scratch.Flatten(),
                                    scratch.Dense(2)])
        model.compile("sgd", "mse")
        model.fit(np.ones((3, 4, 5, 3)), np.ones((3, 2)), verbose=0)

    with pytest.warns(UserWarning, match="through RandomPerspective 'seen', RandomHue 'hue': what"):
        fitted(scratch.RandomPerspective(0.2, name="seen"), scratch.RandomFlip(),
               scratch.RandomHue(0.2, name="hue"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(scratch.RandomFlip(), scratch.RandomContrast(0.2), scratch.RandomZoom(0.2))


@pytest.mark.parametrize("make, said", [
    (lambda: scratch.RandomFlip("sideways"), "mode to be one of 'horizontal', 'vertical'"),
    (lambda: scratch.RandomBrightness(1.5), "factor to be a number from -1 to 1, or two. Received"),
    (lambda: scratch.RandomContrast([0.1, 0.2, 0.3]), r"factor=\[0.1, 0.2, 0.3\]"),
    (lambda: scratch.RandomContrast(0.1, value_range=3), "value_range to be two numbers. Received"),
    (lambda: scratch.RandomRotation(0.1, fill_mode="black"), "fill_mode to be one of 'reflect'"),
    (lambda: scratch.RandomPosterization(0), "factor to be a number from 1 to 8"),
    (lambda: scratch.RandomZoom(0.2, bounding_box_format="xyxy"), "bounding_box_format='xyxy'"),
    (lambda: scratch.RandomGrayscale((0.1, 0.2)), "factor to be a number from 0 to 1. Received"),
    (lambda: scratch.RandomGrayscale(1.0)(np.ones((2, 3, 4, 2)), training=True),
     "images of 1 or 3 channels in training. Received: 2 channels"),
    (lambda: scratch.RandomFlip()(np.ones((3, 4))), r"inputs of shape \(batch, height, width")])
def test_what_is_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
