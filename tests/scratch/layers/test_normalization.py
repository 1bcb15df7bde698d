"""Batch and layer normalization against loops over complex numbers, and against Keras."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from tests.scratch.support import normalizing
from tests.scratch.support.cases import dtypes, seeds
from tests.scratch.support.checks import DTYPES, EXAMPLES, LAYOUTS, assert_norm_close, real

ROUNDINGS = 100  # of a result's largest entry; a wrong formula is off by millions
layouts = st.tuples(*[st.sampled_from(sorted(LAYOUTS))] * 2)
shapes = st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple)


def draw_weights(layer, seed):
    """Weights that are nobody's defaults; variances stay positive."""
    for i, (name, weight) in enumerate(layer.params.items()):
        values = real(seed + i, weight.shape)
        weight[...] = np.abs(values) + 0.1 if name == "moving_variance" else values


def run(layer, x, dy, training=True, layouts=("C", "C")):
    """(y, dx, grads) with x and dy in these layouts; checks dtypes and that inputs stay."""
    x, dy = (LAYOUTS[name](array.astype(layer.dtype)) for name, array in zip(layouts, (x, dy)))
    before = x.copy(), dy.copy()
    y = layer.forward(x, training)
    dx = layer.backward(dy)
    np.testing.assert_array_equal(x, before[0], "the input was written to")
    np.testing.assert_array_equal(dy, before[1], "the upstream gradient was written to")
    assert all(array.dtype == layer.dtype for array in (y, dx, *layer.grads.values()))
    assert {name: g.shape for name, g in layer.grads.items()} == {
        name: w.shape for name, w in layer.params.items() if name not in layer.non_trainable}
    return y, dx, layer.grads


def spread_out(weight, axes, shape):
    """A weight, whose axes are those of an input of `shape`, repeated to that shape."""
    return np.broadcast_to(weight.reshape([n if i in axes else 1 for i, n in enumerate(shape)]),
                           shape)


def check_against_loops(layer, x, dy, made, weights, axes, weight_axes, given=None):
    """Output and gradients are the loops', for moments over `axes`."""
    gamma = weights.get("gamma", np.ones([x.shape[i] for i in weight_axes]))
    beta = weights.get("beta", np.zeros([x.shape[i] for i in weight_axes]))
    y, dx, dgamma, dbeta = normalizing.normalize(
        x, dy, spread_out(gamma, weight_axes, x.shape), spread_out(beta, weight_axes, x.shape),
        axes, layer.epsilon, given)
    summed = tuple(i for i in range(x.ndim) if i not in weight_axes)
    scale = np.abs(dy).max() * 30  # gradients may cancel to nothing: 1 / sqrt(0.001) is about 30
    assert_norm_close(made[0], y, ROUNDINGS, "output")
    assert np.abs(made[1] - dx).max() <= ROUNDINGS * np.finfo(layer.dtype).eps * scale
    for name, expected in (("gamma", dgamma), ("beta", dbeta)):
        if name in weights:
            difference = np.abs(made[2][name] - expected.sum(axis=summed))
            assert difference.max() <= ROUNDINGS * np.finfo(layer.dtype).eps * scale, name


@given(shape=shapes, axis=st.integers(1, 3), from_behind=st.booleans(), center=st.booleans(),
       scale=st.booleans(), dtype=dtypes, layouts=layouts, seed=seeds)
@EXAMPLES
def test_batch_normalization_in_training(shape, axis, from_behind, center, scale, dtype, layouts,
                                         seed):
    axis = (axis - 1) % (len(shape) - 1) + 1
    layer = scratch.BatchNormalization(axis - len(shape) if from_behind else axis, momentum=0.7,
                                       center=center, scale=scale, dtype=dtype)
    layer.build((None, *shape[1:]))
    draw_weights(layer, seed)
    before = {name: weight.astype(float) for name, weight in layer.params.items()}
    x, dy = 2 * real(seed, shape) + 1, real(seed + 1, shape)
    made = run(layer, x, dy, True, layouts)
    others = [i for i in range(len(shape)) if i != axis]
    check_against_loops(layer, x, dy, made, before, others, [axis])
    for channel, indices in enumerate(normalizing.groups(shape, others)):
        mean, variance = normalizing.moments([x[i] for i in indices])
        for name, batch in (("moving_mean", mean), ("moving_variance", variance)):
            expected = 0.7 * before[name][channel] + 0.3 * batch
            assert layer.params[name][channel] == pytest.approx(
                expected, rel=1e-5 if dtype == "float32" else 1e-13, abs=1e-6)
    for name in before.keys() & {"gamma", "beta"}:
        np.testing.assert_array_equal(layer.params[name], before[name], "a trained weight changed")


@given(shape=shapes, axis=st.integers(1, 3), frozen=st.booleans(), dtype=dtypes, layouts=layouts,
       seed=seeds)
@EXAMPLES
def test_batch_normalization_by_moving_averages(shape, axis, frozen, dtype, layouts, seed):
    """At inference; and in training too, if the layer is not trainable."""
    axis = (axis - 1) % (len(shape) - 1) + 1
    layer = scratch.BatchNormalization(axis, trainable=not frozen, dtype=dtype)
    layer.build((None, *shape[1:]))
    draw_weights(layer, seed)
    before = {name: weight.astype(float) for name, weight in layer.params.items()}
    x, dy = real(seed, shape), real(seed + 1, shape)
    made = run(layer, x, dy, frozen, layouts)
    others = [i for i in range(len(shape)) if i != axis]
    check_against_loops(layer, x, dy, made, before, others, [axis], given=lambda index: tuple(
        before[name][index[axis]] for name in ("moving_mean", "moving_variance")))
    for name, value in before.items():
        np.testing.assert_array_equal(layer.params[name], value, f"{name} was written to")


@given(shape=shapes, axes=st.sets(st.integers(1, 3), min_size=1), center=st.booleans(),
       scale=st.booleans(), dtype=dtypes, layouts=layouts, seed=seeds, alone=st.booleans())
@EXAMPLES
def test_layer_normalization(shape, axes, center, scale, dtype, layouts, seed, alone):
    axes = sorted({(axis - 1) % (len(shape) - 1) + 1 for axis in axes})
    layer = scratch.LayerNormalization(axes[0] if alone and len(axes) == 1 else axes[::-1],
                                       epsilon=0.01, center=center, scale=scale, dtype=dtype)
    layer.build((None, *shape[1:]))
    draw_weights(layer, seed)
    before = {name: weight.astype(float) for name, weight in layer.params.items()}
    x, dy = real(seed, shape), real(seed + 1, shape)
    made = run(layer, x, dy, bool(seed % 2), layouts)
    check_against_loops(layer, x, dy, made, before, axes, axes)


def keras_layer(keras, layer):
    """Keras's layer of the same config and weights."""
    twin = getattr(keras.layers, type(layer).__name__).from_config(
        {**layer.get_config(), "name": "twin"})
    twin.build(layer.input_shape)
    twin.set_weights(list(layer.params.values()))
    assert [w.name for w in twin.weights] == list(layer.params)
    return twin


def keras_run(twin, x, dy, **arguments):
    """(y, dx, gradients by name) of Keras's layer."""
    import tensorflow as tf

    source = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        y = twin(source, **arguments)
    dx, *grads = tape.gradient(y, [source, *twin.trainable_weights],
                               output_gradients=tf.constant(dy))
    return y.numpy(), dx.numpy(), {w.name: g.numpy() for w, g in zip(twin.trainable_weights, grads)}


def check_against_keras(made, expected):
    scale = max(np.abs(expected[1]).max(), 1)
    assert_norm_close(made[0], expected[0], ROUNDINGS, "output")
    assert np.abs(made[1] - expected[1]).max() <= ROUNDINGS * np.finfo(made[1].dtype).eps * scale
    assert made[2].keys() >= expected[2].keys()
    for name, gradient in expected[2].items():
        assert_norm_close(made[2][name], gradient, ROUNDINGS, name)


BATCH = [
    (dict(), (5, 3)), (dict(axis=1), (4, 3, 5, 2)), (dict(axis=-1), (3, 5, 4, 2)),
    (dict(axis=2, momentum=0.6, epsilon=0.1), (3, 5, 4, 2)), (dict(axis=-2), (6, 5, 4)),
    (dict(center=False), (2, 7, 3)), (dict(scale=False), (2, 7, 3)),
    (dict(scale=False, center=False, axis=1), (2, 3, 4)),
]
LAYER = [
    (dict(), (5, 3)), (dict(axis=1), (4, 3, 5)), (dict(axis=[1, 2, 3]), (3, 5, 4, 2)),
    (dict(axis=[-1, 1]), (3, 5, 4, 2)),  # whose weights Keras does not transpose
    (dict(axis=(2, 1), epsilon=0.1), (3, 5, 4, 2)), (dict(axis=-2), (6, 5, 4)),
    (dict(center=False), (2, 7, 3)), (dict(scale=False, axis=[-2]), (2, 7, 3)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("arguments, shape", BATCH, ids=str)
def test_keras_batch_normalization_over_several_steps(keras, arguments, shape, dtype):
    layer = scratch.BatchNormalization(**arguments, dtype=dtype)
    layer.build((None, *shape[1:]))
    draw_weights(layer, 3)
    twin = keras_layer(keras, layer)
    for step, training in enumerate([True, True, False, True, True, True, False]):
        x = (3 * real(step, shape) + 2).astype(dtype)
        dy = real(step + 10, shape).astype(dtype)
        check_against_keras(run(layer, x, dy, training), keras_run(twin, x, dy, training=training))
        for weight in twin.weights:
            assert_norm_close(layer.params[weight.name], weight.numpy(), ROUNDINGS, weight.name)
    assert np.abs(twin.moving_mean.numpy()).max() > 0.1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("arguments, shape", LAYER, ids=str)
def test_keras_layer_normalization(keras, arguments, shape, dtype):
    layer = scratch.LayerNormalization(**arguments, dtype=dtype)
    layer.build((None, *shape[1:]))
    draw_weights(layer, 3)
    twin = keras_layer(keras, layer)
    x, dy = real(1, shape).astype(dtype), real(2, shape).astype(dtype)
    check_against_keras(run(layer, x, dy), keras_run(twin, x, dy))


def test_a_frozen_batch_normalization_is_keras_own(keras):
    layer = scratch.BatchNormalization(trainable=False)
    layer.build((None, 4, 3))
    draw_weights(layer, 3)
    twin = keras_layer(keras, layer)
    x, dy = (real(i, (5, 4, 3)).astype("float32") for i in (1, 2))
    before = [weight.copy() for weight in layer.params.values()]
    check_against_keras(run(layer, x, dy, True), keras_run(twin, x, dy, training=True))
    for weight, array in zip(layer.params.values(), before):
        np.testing.assert_array_equal(weight, array)
    assert layer.trainable_params == {} and twin.trainable_weights == []
    layer.trainable = twin.trainable = True
    check_against_keras(run(layer, x, dy, True), keras_run(twin, x, dy, training=True))
    assert list(layer.trainable_params) == ["gamma", "beta"]


@pytest.mark.parametrize("shape, axis", [((1, 3), -1), ((1, 1, 1, 3), -1), ((1, 3, 1, 1), 1)])
def test_a_single_value_has_no_variance(keras, shape, axis):
    layer = scratch.BatchNormalization(axis, momentum=0.5)
    layer.build((None, *shape[1:]))
    draw_weights(layer, 3)
    beta = layer.params["beta"].copy()
    twin = keras_layer(keras, layer)
    x, dy = (real(i, shape).astype("float32") for i in (1, 2))
    y, dx, _ = run(layer, x, dy)
    np.testing.assert_array_equal(y.ravel(), beta)
    assert not dx.any()
    theirs = keras_run(twin, x, dy, training=True)
    np.testing.assert_allclose(theirs[0].ravel(), beta, atol=1e-5)
    np.testing.assert_array_equal(layer.params["moving_variance"], twin.moving_variance.numpy())


@pytest.mark.parametrize("name, arguments, shape",
                         [("BatchNormalization", *case) for case in BATCH]
                         + [("LayerNormalization", *case) for case in LAYER], ids=str)
def test_configs_go_to_keras_and_back(keras, name, arguments, shape):
    extras = {"gamma_regularizer": "l2", "beta_initializer": "random_normal", "trainable": False}
    theirs = getattr(keras.layers, name)(**arguments, **extras, name="same")
    ours = getattr(scratch, name)(**arguments, **extras, name="same")
    for built in (False, True):
        if built:
            theirs.build((None, *shape[1:]))
            ours.build((None, *shape[1:]))
        assert ours.get_config() == theirs.get_config()
    again = type(ours).from_config(theirs.get_config())
    assert again.get_config() == ours.get_config()
    assert set(ours.regularizers) == {"gamma"}
    assert type(theirs).from_config(ours.get_config()).get_config() == theirs.get_config()


def test_in_a_model_they_are_built_and_read_back():
    model = scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(3, 2), scratch.BatchNormalization(),
        scratch.ReLU(), scratch.LayerNormalization(axis=[1, 2, 3]), scratch.Flatten(),
        scratch.Dense(2)], dtype="float64")
    assert [w.shape for w in model.get_weights()][2:8] == [(3,)] * 4 + [(5, 4, 3)] * 2
    again = scratch.Sequential.from_config(model.get_config())
    again.set_weights(model.get_weights())
    x = real(1, (3, 6, 5, 2))
    np.testing.assert_array_equal(again.forward(x, True), model.forward(x, True))
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("make, named", [
    (lambda: scratch.BatchNormalization(renorm=True), "renorm=True"),
    (lambda: scratch.BatchNormalization(synchronized=True), "synchronized=True"),
    (lambda: scratch.BatchNormalization(gamma_constraint="mine"), "gamma_constraint"),
    (lambda: scratch.LayerNormalization(rms_scaling=True), "rms_scaling=True"),
    (lambda: scratch.LayerNormalization(beta_constraint="mine"), "beta_constraint"),
    (lambda: scratch.BatchNormalization(beta_regularizer="mine"), "mine"),
])
def test_what_is_not_supported_is_refused_by_name(make, named):
    with pytest.raises(scratch.UnsupportedError, match=named):
        make()


@pytest.mark.parametrize("make, shape, named", [
    (lambda: scratch.BatchNormalization(axis=0), (None, 3), "axis=0"),
    (lambda: scratch.BatchNormalization(axis=3), (None, 3, 4), "axis=3"),
    (lambda: scratch.BatchNormalization(axis=1), (None, None, 4), "of known size"),
    (lambda: scratch.LayerNormalization(axis=[1, -3]), (None, 3, 4), "axis=-3"),
    (lambda: scratch.LayerNormalization(axis=[1, -2]), (None, 3, 4), "named once"),
    (lambda: scratch.LayerNormalization(axis=[]), (None, 3, 4), "one axis or more"),
])
def test_axes_that_do_not_fit_are_refused(make, shape, named):
    with pytest.raises(ValueError, match=named):
        make().build(shape)


@pytest.mark.parametrize("axis", [1.0, "last", [3], True])
def test_axes_that_are_no_integers_are_refused(axis):
    with pytest.raises(TypeError, match="expected axis to be an integer"):
        scratch.BatchNormalization(axis=axis)
    if axis != [3]:
        with pytest.raises(TypeError, match="expected axis to be an integer"):
            scratch.LayerNormalization(axis=[1, axis])


def test_the_input_gradient_is_left_out_if_not_wanted():
    for layer in (scratch.BatchNormalization(), scratch.LayerNormalization()):
        layer.build((None, 3))
        x = real(1, (4, 3)).astype("float32")
        layer.forward(x, True)
        full = layer.backward(x), {name: g.copy() for name, g in layer.grads.items()}
        assert full[0] is not None and layer.backward(x, wants_input_gradient=False) is None
        for name, gradient in full[1].items():
            np.testing.assert_array_equal(layer.grads[name], gradient)
