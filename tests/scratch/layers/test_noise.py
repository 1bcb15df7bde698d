"""Layers that are random in training: distributions, shared noise, and Keras with the same noise.
"""

import functools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from tests.scratch.support.cases import seeds
from tests.scratch.support.checks import DTYPES, EXAMPLES, LAYOUTS, real
from tests.scratch.support.definition_cases import keras_layer

MAKE = {
    "Dropout": (lambda K, seed: K.Dropout(0.3, seed=seed), (4, 3, 5)),
    "Dropout with a shape": (lambda K, seed: K.Dropout(0.7, noise_shape=(None, 1, 5), seed=seed),
                             (4, 3, 5)),
    "Dropout with a shorter shape": (lambda K, seed: K.Dropout(0.4, noise_shape=[3, 5], seed=seed),
                                     (4, 3, 5)),
    "SpatialDropout1D": (lambda K, seed: K.SpatialDropout1D(0.5, seed=seed), (4, 3, 5)),
    "SpatialDropout2D": (lambda K, seed: K.SpatialDropout2D(0.5, seed=seed), (4, 3, 2, 5)),
    "SpatialDropout2D, channels first": (
        lambda K, seed: K.SpatialDropout2D(0.5, "channels_first", seed), (4, 3, 2, 5)),
    "SpatialDropout3D": (lambda K, seed: K.SpatialDropout3D(0.5, seed=seed), (4, 3, 2, 3, 5)),
    "SpatialDropout3D, channels first": (
        lambda K, seed: K.SpatialDropout3D(0.5, "channels_first", seed), (4, 3, 2, 3, 5)),
    "StochasticDepth": (
        lambda K, seed: scratch.layers.StochasticDepth(0.3, seed=seed),
        (4, 3, 5)),
    "GaussianNoise": (lambda K, seed: K.GaussianNoise(0.3, seed=seed), (4, 3, 5)),
    "GaussianDropout": (lambda K, seed: K.GaussianDropout(0.3, seed=seed), (4, 3, 5)),
    "AlphaDropout": (lambda K, seed: K.AlphaDropout(0.3, seed=seed), (4, 3, 5)),
    "AlphaDropout with a shape": (
        lambda K, seed: K.AlphaDropout(0.7, noise_shape=(None, 1, 5), seed=seed), (4, 3, 5)),
}
ALPHA = [name for name in MAKE if name.startswith("Alpha")]


def made(name, library=scratch, seed=7, dtype="float32"):
    """(built layer, a shape of a batch)."""
    make, shape = MAKE[name]
    layer = make(library, seed)
    if library is scratch:
        layer.dtype = np.dtype(dtype)
        layer.build((None, *shape[1:]))
    return layer, shape


@pytest.mark.parametrize("name", MAKE)
def test_at_inference_the_input_goes_through(name):
    layer, shape = made(name)
    x = real(1, shape).astype("float32")
    layer.forward(x, training=True)
    assert layer.noise is not None
    assert layer.forward(x, training=False) is x and layer.noise is None
    assert layer.backward(x) is x


@pytest.mark.parametrize("make", [lambda: scratch.Dropout(0), lambda: scratch.Dropout(0.0, [1, 5]),
                                  lambda: scratch.GaussianNoise(0),
                                  lambda: scratch.GaussianDropout(0),
                                  lambda: scratch.AlphaDropout(0),
                                  lambda: scratch.SpatialDropout2D(0)])
def test_without_any_noise_training_changes_nothing(make):
    layer = make()
    layer.build((None, 3, 2, 5))
    layer.give_noise(np.zeros((4, 3, 2, 5)))
    x = real(1, (4, 3, 2, 5)).astype("float32")
    assert layer.forward(x, training=True) is x and layer.backward(x) is x and layer.noise is None


@given(rate=st.sampled_from([0.1, 0.3, 0.5, 0.9]), dtype=st.sampled_from(DTYPES),
       layout=st.sampled_from(sorted(LAYOUTS)), seed=seeds)
@EXAMPLES
def test_dropout_multiplies_by_its_noise(rate, dtype, layout, seed):
    layer = scratch.Dropout(rate, seed=seed, dtype=dtype)
    layer.build((None, 3, 4, 2))
    x, dy = (LAYOUTS[layout](real(seed + i, (5, 3, 4, 2)).astype(dtype)) for i in (0, 1))
    before = x.copy(), dy.copy()
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    scale = np.dtype(dtype).type(1 / (1 - rate))
    assert set(np.unique(layer.noise)) <= {0, scale} and layer.noise.dtype == dtype
    for index in np.ndindex(x.shape):
        kept = layer.noise[index] != 0
        assert y[index] == (x[index] * scale if kept else 0)
        assert dx[index] == (dy[index] * scale if kept else 0)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(dy, before[1])
    assert y.dtype == dx.dtype == dtype and y.shape == x.shape


def test_a_draw_of_exactly_the_rate_is_kept_as_in_keras():
    class Draws:
        def random(self, shape, dtype):
            return np.array([0.25, 0.5, np.nextafter(np.float32(0.5), np.float32(0)), 0.75], dtype)

    layer = scratch.Dropout(0.5)
    layer.build((None, 4))
    assert layer.draw(Draws(), (4,)).tolist() == [0, 2, 0, 2]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
def test_dropout_drops_its_share_and_keeps_the_mean(rate):
    layer = scratch.Dropout(rate, seed=3)
    layer.build((None, 1000))
    y = layer.forward(np.ones((400, 1000), "float32"), training=True)
    error = math.sqrt(rate * (1 - rate) / y.size)
    assert abs((y == 0).mean() - rate) < 5 * error
    assert abs(y.mean(dtype=float) - 1) < 5 * error / (1 - rate)
    rows = (y == 0).mean(axis=1)
    assert np.abs(rows - rate).max() < 6 * math.sqrt(rate * (1 - rate) / 1000)


def test_gaussian_noise_is_normal_with_its_deviation():
    layer = scratch.GaussianNoise(0.4, seed=3)
    layer.build((None, 1000))
    noise = layer.forward(np.zeros((400, 1000), "float32"), training=True).astype(float)
    n = noise.size
    assert abs(noise.mean()) < 5 * 0.4 / math.sqrt(n)
    assert abs(noise.var() / 0.16 - 1) < 5 * math.sqrt(2 / n)
    assert abs((noise**4).mean() / 0.4**4 - 3) < 5 * math.sqrt(96 / n)


@pytest.mark.parametrize("shape, noise_shape, expected", [
    ((4, 3, 5), (None, 1, None), (4, 1, 5)), ((4, 3, 5), (4, 1, 1), (4, 1, 1)),
    ((4, 3, 5), [1, None, 5], (1, 3, 5)), ((4, 3, 5), (3, 1), (3, 1)), ((4, 3, 5), (), ()),
])
def test_noise_of_a_given_shape_is_repeated(shape, noise_shape, expected):
    layer = scratch.Dropout(0.5, noise_shape=noise_shape, seed=5)
    layer.build((None, *shape[1:]))
    x = real(1, shape).astype("float32")
    y = layer.forward(x, training=True)
    assert layer.noise.shape == expected
    np.testing.assert_array_equal(y, x * np.broadcast_to(layer.noise, shape))


@pytest.mark.parametrize("name", ["SpatialDropout1D", "SpatialDropout2D",
                                  "SpatialDropout2D, channels first"])
def test_spatial_dropout_drops_whole_maps(name):
    layer, shape = made(name)
    maps = layer.forward(np.ones((40, *shape[1:]), "float32"), training=True)
    first = "first" in name
    maps = maps.reshape(40, shape[1], -1) if first else np.moveaxis(maps, -1, 1).reshape(
        40, shape[-1], -1)
    assert (maps == maps[..., :1]).all()
    assert 0.35 < (maps[..., 0] == 0).mean() < 0.65


def test_what_is_dropped_is_zero_whatever_it_was(keras):
    x = np.array([[np.inf, np.nan, 1.0, np.inf]], "float32")
    for rate, noise in ((0.5, [[0, 0, 2, 2]]), (1.0, [[0, 0, 0, 0]])):
        layer = scratch.Dropout(rate)
        layer.build((None, 4))
        if rate < 1:
            layer.give_noise(np.array(noise))
        expected = np.where(np.array(noise) == 0, 0, 2 * x)
        np.testing.assert_array_equal(layer.forward(x, training=True), expected)
        np.testing.assert_array_equal(layer.backward(x), expected)
    np.testing.assert_array_equal(keras.layers.Dropout(1.0)(x, training=True), np.zeros((1, 4)))


@pytest.mark.parametrize("name", MAKE)
def test_a_seed_repeats_itself_and_goes_on_drawing(name):
    def draws(seed):
        layer, shape = made(name, seed=seed)
        x = np.zeros(shape, "float32")
        noise = []
        for _ in range(3):
            layer.forward(x, training=True)
            noise.append(layer.noise)
        return noise

    first, second = draws(3), draws(3)
    for a, b in zip(first, second):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(first[0], other) for other in first[1:])
    assert any(not np.array_equal(a, b) for a, b in zip(first, draws(4)))
    scratch.set_random_seed(1)
    common = draws(None)
    scratch.set_random_seed(1)
    for a, b in zip(common, draws(None)):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", MAKE)
def test_given_noise_is_used_until_it_is_taken_back(name):
    drawing, shape = made(name, seed=1)
    taking, _ = made(name, seed=2)
    x, dy = (real(i, shape).astype("float32") for i in (1, 2))
    expected = drawing.forward(x, training=True), drawing.backward(dy)
    taking.give_noise(drawing.noise)
    for _ in range(2):
        np.testing.assert_array_equal(taking.forward(x, training=True), expected[0])
        np.testing.assert_array_equal(taking.backward(dy), expected[1])
        np.testing.assert_array_equal(taking.noise, drawing.noise)
    assert taking.forward(x) is x
    taking.give_noise(None)
    assert any(not np.array_equal(taking.forward(x, training=True), expected[0]) for _ in range(9))


@pytest.mark.parametrize("dtype", DTYPES)
def test_keras_leaves_out_the_same_samples(keras, dtype, request):
    """Its StochasticDepth has no seed of its own: it draws from the common generator, and in the
    default precision, whatever its own is."""
    import tensorflow as tf

    request.addfinalizer(functools.partial(keras.config.set_floatx, keras.config.floatx()))
    keras.config.set_floatx(dtype)
    theirs = keras_layer("StochasticDepth")(0.3, dtype=dtype)
    keras.utils.set_random_seed(5)
    noise = np.array(theirs(tf.ones((9, 4, 3), dtype), training=True))
    ours = scratch.layers.StochasticDepth(0.3, dtype=dtype)
    ours.build((None, 4, 3))
    ours.give_noise(noise[:, :1, :1])
    x, dy = (real(i, (9, 4, 3)).astype(dtype) for i in (1, 2))
    keras.utils.set_random_seed(5)
    source = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        y = theirs(source, training=True)
    assert set(noise[:, 0, 0] == 0) == {True, False}
    few = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(ours.forward(x, training=True), y, rtol=few)
    np.testing.assert_allclose(ours.backward(dy), tape.gradient(y, source, tf.constant(dy)),
                               rtol=few)
    assert "seed" not in ours.get_config()
    with pytest.raises(ValueError, match="drop_path_rate to be below 1. Received: .*=1"):
        scratch.layers.StochasticDepth(1)
    with pytest.raises(ValueError, match="between 0 and 1. Received: drop_path_rate=1.5"):
        scratch.layers.StochasticDepth(1.5)


@pytest.mark.parametrize("noise", [np.zeros((4, 3)), np.zeros((2, 4, 3, 5)), np.zeros((5, 3, 5))])
def test_noise_that_does_not_fit_is_refused(noise):
    layer, shape = made("Dropout")
    layer.give_noise(noise)
    with pytest.raises(ValueError, match=r"broadcasts to the input's shape \(4, 3, 5\). Received"):
        layer.forward(np.zeros(shape, "float32"), training=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in MAKE
                                  if name not in (*ALPHA, "StochasticDepth")])
def test_keras_with_its_own_noise(keras, name, dtype):
    """Two Keras layers of one seed draw alike: the first shows the noise, the second uses it."""
    import tensorflow as tf

    def theirs():
        layer, _ = made(name, keras.layers)
        return type(layer).from_config({**layer.get_config(), "dtype": dtype})

    ours, shape = made(name, dtype=dtype)
    blank = np.zeros(shape, dtype) if name == "GaussianNoise" else np.ones(shape, dtype)
    ours.give_noise(theirs()(blank, training=True).numpy())
    x, dy = (real(i, shape).astype(dtype) for i in (1, 2))
    source, layer = tf.constant(x), theirs()
    with tf.GradientTape() as tape:
        tape.watch(source)
        y = layer(source, training=True)
    dx = tape.gradient(y, source, output_gradients=tf.constant(dy))
    np.testing.assert_array_equal(ours.forward(x, training=True), y.numpy())
    np.testing.assert_array_equal(ours.backward(dy), dx.numpy())
    assert ours.noise.any() and not (ours.noise == ours.noise.ravel()[0]).all()
    np.testing.assert_array_equal(layer(x, training=False), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ALPHA)
def test_keras_s_alpha_dropout_with_what_it_drew(keras, name, dtype):
    """Of zeros it makes one number where it keeps, another where it drops."""
    import tensorflow as tf

    from reference import noise as noises

    def theirs():
        layer, _ = made(name, keras.layers)
        return type(layer).from_config({**layer.get_config(), "dtype": dtype})

    ours, shape = made(name, dtype=dtype)
    x, dy = (real(i, shape).astype(dtype) for i in (1, 2))
    drawn = noises.drawn(theirs(), x)
    assert set(np.unique(drawn)) == {0, 1}
    ours.give_noise(drawn)
    source, layer = tf.constant(x), theirs()
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(source)
        y = layer(source, training=True)
        applied = noises.apply(layer, source, drawn)
    unit = np.finfo(dtype).eps
    for made_of in (y, applied):
        dx = tape.gradient(made_of, source, output_gradients=tf.constant(dy))
        np.testing.assert_allclose(ours.forward(x, training=True), made_of, rtol=0, atol=9 * unit)
        np.testing.assert_allclose(ours.backward(dy), dx, rtol=4 * unit, atol=0)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_alpha_dropout_keeps_mean_and_variance(rate):
    layer = scratch.AlphaDropout(rate, seed=1, dtype="float64")
    x = np.random.default_rng(0).standard_normal((500, 2000))
    y = layer(x, training=True)
    kept = layer.noise == 1
    assert abs(kept.mean() - (1 - rate)) < 0.003  # a million draws: six deviations at most
    assert abs(y.mean()) < 0.008 and abs(y.var() - 1) < 0.02
    assert len(np.unique(y[~kept])) == 1


def test_gaussian_dropout_has_the_moments_of_a_dropout():
    layer = scratch.GaussianDropout(0.3, seed=1, dtype="float64")
    layer(np.ones((500, 2000)), training=True)
    assert abs(layer.noise.mean() - 1) < 0.004
    assert abs(layer.noise.var() - 0.3 / 0.7) < 0.005


@pytest.mark.parametrize("name", ["GaussianDropout", "AlphaDropout"])
def test_a_rate_of_1_is_refused_in_training(keras, name):
    x = np.ones((2, 3), "float32")
    with pytest.raises(ZeroDivisionError):
        getattr(keras.layers, name)(1.0)(x, training=True)
    layer = getattr(scratch, name)(1.0)
    np.testing.assert_array_equal(layer(x), x)
    with pytest.raises(ValueError, match="expected a rate below 1 in training"):
        layer(x, training=True)


@pytest.mark.parametrize("name", [name for name in MAKE if name not in ALPHA])
def test_keras_with_our_noise(keras, monkeypatch, name):
    """What Keras's random functions hand out is our layer's noise."""
    from keras.src import backend

    ours, shape = made(name)
    theirs, _ = made(name, keras.layers)
    x = real(1, shape).astype("float32")
    y = ours.forward(x, training=True)

    def dropout(inputs, rate, noise_shape=None, seed=None):
        if noise_shape is not None:
            asked = [n if n is not None else shape[i] for i, n in enumerate(noise_shape)]
            assert ours.noise.shape == tuple(asked)
        return inputs * ours.noise

    monkeypatch.setattr(backend.random, "dropout", dropout)
    monkeypatch.setattr(backend.random, "normal", lambda shape, **kwargs: ours.noise)
    np.testing.assert_array_equal(theirs(x, training=True), y)


@pytest.mark.parametrize("name", MAKE)
def test_configs_go_to_keras_and_back(keras, name):
    ours, _ = made(name)
    theirs, _ = made(name, keras.layers)
    config, expected = ours.get_config(), theirs.get_config()
    assert config.keys() == expected.keys()
    for key in config.keys() - {"name", "dtype"}:
        assert config[key] == expected[key], key
    again = type(ours).from_config(expected)
    assert {**again.get_config(), "name": None} == config
    back = type(theirs).from_config({**config, "name": "back"}).get_config()
    assert {**back, "name": 0} == {**expected, "name": 0}


def test_in_a_model_only_training_is_random():
    model = scratch.Sequential([scratch.Input((4, 5)), scratch.Dropout(0.5),
                                scratch.GaussianNoise(0.5), scratch.Dense(3)], dtype="float64")
    x = real(1, (6, 4, 5))
    np.testing.assert_array_equal(model.forward(x), model.forward(x))
    assert not np.array_equal(model.forward(x, training=True), model.forward(x))
    config = model.get_config()
    assert scratch.Sequential.from_config(config).get_config() == config


@pytest.mark.parametrize("make, named", [
    (lambda: scratch.Dropout(-0.1), "rate to be a number between 0 and 1. Received: rate=-0.1"),
    (lambda: scratch.Dropout(1.5), "rate=1.5"), (lambda: scratch.Dropout("0.5"), "rate='0.5'"),
    (lambda: scratch.GaussianNoise(-1), "stddev to be a number between 0 and 1"),
    (lambda: scratch.GaussianNoise(2), "stddev=2"),
    (lambda: scratch.Dropout(0.5, noise_shape="abc"), "noise_shape='abc'"),
    (lambda: scratch.Dropout(0.5, noise_shape=3), "noise_shape=3"),
    (lambda: scratch.Dropout(0.5, noise_shape=(0, 2)), "positive integers"),
    (lambda: scratch.Dropout(0.5, noise_shape=(1.5, 2)), "positive integers"),
    (lambda: scratch.Dropout(0.5, seed="a"), "seed to be an integer"),
    (lambda: scratch.SpatialDropout2D(0.5, data_format="last"), "data_format"),
])
def test_arguments_out_of_range_are_refused(make, named):
    with pytest.raises(ValueError, match=named):
        make()


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="an input of 4 axes. Received"):
        scratch.SpatialDropout2D(0.5).build((None, 3, 4))
    with pytest.raises(ValueError, match="noise_shape of at most 2 sizes"):
        scratch.Dropout(0.5, (1, 2, 3)).build((None, 3))
    with pytest.raises(TypeError, match="noise_shape"):
        scratch.SpatialDropout1D(0.5, noise_shape=(1, 2, 3))
