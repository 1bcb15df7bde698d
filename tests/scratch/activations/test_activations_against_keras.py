"""Activations and activation layers against Keras: kinks, sweeps, configs, and who keeps logits."""

import contextlib
import json

import numpy as np
import pytest

import scratch
from scratch import activations
from tests.scratch.support.activation_oracles import KINKS
from tests.scratch.support.checks import DTYPES, assert_close, assert_exact, real, whole

every_dtype = pytest.mark.parametrize("dtype", DTYPES)
STRAIGHT = ["relu", "relu6", "leaky_relu", "hard_sigmoid", "hard_tanh", "hard_shrink",
            "soft_shrink", "sparse_sigmoid", "linear"]


def keras_pass(function, x, dy, variables=()):
    """(y, dx, gradients of the variables) by TensorFlow's tape."""
    import tensorflow as tf

    source = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        y = function(source)
    dx, *gradients = tape.gradient(y, [source, *variables], output_gradients=tf.constant(dy))
    return y.numpy(), dx.numpy(), [g.numpy() for g in gradients]


def scratch_pass(activation, x, dy):
    y = activation.function(x)
    return y, activation.gradient(dy, x, y)


@every_dtype
def test_the_gradients_at_kinks_are_tensorflows(keras, dtype):
    for (name, at), expected in KINKS.items():
        x = np.full(3, at, dtype)
        _, dx, _ = keras_pass(keras.activations.get(name), x, np.ones_like(x))
        assert_close(dx, np.full(3, expected, dtype), 2 * np.finfo(dtype).eps, f"{name} at {at}")


@every_dtype
@pytest.mark.parametrize("name", STRAIGHT)
def test_straight_ones_agree_to_the_last_bit(keras, name, dtype):
    x = np.concatenate([np.arange(-20, 21) / 2, 7 * real(1, 200)]).astype(dtype)
    dy = real(2, x.shape).astype(dtype)
    y, dx, _ = keras_pass(keras.activations.get(name), x, dy)
    ours = scratch_pass(activations.get(name), x, dy)
    assert_exact(ours[0], y)
    assert_exact(ours[1], dx)


@every_dtype
@pytest.mark.parametrize("name", [*activations.ACTIVATIONS, "swish", "hard_swish"])
def test_every_activation_agrees_within_rounding(keras, name, dtype):
    """Number by number; how far rounding may take each is the oracle's business."""
    x = np.concatenate([np.linspace(-30, 30, 301), 3 * real(1, 659)]).astype(dtype).reshape(-1, 5)
    dy = real(2, x.shape).astype(dtype)
    y, dx, _ = keras_pass(keras.activations.get(name), x, dy)
    ours = scratch_pass(activations.get(name), x, dy)
    units = 40 * np.finfo(dtype).eps
    assert_close(ours[0], y, units * (1 + np.abs(y)), "y")
    size = np.abs(dy).sum(-1, keepdims=True) if "softmax" in name else np.abs(dy)
    assert_close(ours[1], dx, units * (size * (1 + np.abs(x)) + np.abs(dx)), "dx")


@every_dtype
def test_the_approximate_gelu_is_keras_own(keras, dtype):
    x, dy = (3 * real(seed, (200,)).astype(dtype) for seed in (1, 2))
    y, dx, _ = keras_pass(lambda x: keras.activations.gelu(x, approximate=True), x, dy)
    ours = scratch_pass(activations.approximate_gelu, x, dy)
    units = 40 * np.finfo(dtype).eps
    assert_close(ours[0], y, units * (1 + np.abs(y)), "y")
    assert_close(ours[1], dx, units * np.abs(dy) * (1 + np.abs(x)), "dx")


@every_dtype
def test_selu_next_to_0_has_the_slope_of_its_own_side(keras, dtype):
    """TensorFlow takes the other where exp(x) rounds to 1, for it decides by the result."""
    x = np.array([-np.finfo(dtype).eps / 8], dtype)
    _, theirs, _ = keras_pass(keras.activations.selu, x, np.ones_like(x))
    _, ours = scratch_pass(activations.selu, x, np.ones_like(x))
    assert_close(theirs, [1.0507009873554805], 1e-6)
    assert_close(ours, [1.7580993408473768], 1e-6)


LAYERS = [
    ("ReLU", {}), ("ReLU", dict(max_value=6)), ("ReLU", dict(max_value=2.5)),
    ("ReLU", dict(max_value=6, negative_slope=0.5)), ("ReLU", dict(threshold=1)),
    ("ReLU", dict(max_value=10, negative_slope=1, threshold=0.5)), ("ReLU", dict(max_value=0)),
    ("ReLU", dict(max_value=6, threshold=1)), ("ReLU", dict(max_value=1, threshold=2)),
    ("ReLU", dict(negative_slope=0.3)), ("ReLU", dict(max_value=0.7, negative_slope=0.3,
                                                      threshold=0.1)),
    ("ReLU", dict(negative_slope=0.3, threshold=0.7)),
    ("LeakyReLU", {}), ("LeakyReLU", dict(negative_slope=1)), ("LeakyReLU", dict(negative_slope=2)),
    ("ELU", {}), ("ELU", dict(alpha=0.7)), ("ELU", dict(alpha=2)),
    ("Softmax", {}), ("Softmax", dict(axis=1)), ("Softmax", dict(axis=[1])),
    ("Softmax", dict(axis=[2, 1])), ("Softmax", dict(axis=[-1, -2])),
    ("PReLU", {}), ("PReLU", dict(shared_axes=[1])), ("PReLU", dict(shared_axes=[1, 2])),
    ("PReLU", dict(shared_axes=2, alpha_initializer="he_normal")),
    ("Activation", dict(activation="mish")), ("Activation", dict(activation="swish")),
]
SHAPE = (3, 4, 5)


@every_dtype
@pytest.mark.parametrize("class_name, arguments", LAYERS, ids=str)
def test_layers_agree(keras, class_name, arguments, dtype):
    """On halves, kinks included, the straight ones to the last bit where slopes are short."""
    theirs = getattr(keras.layers, class_name)(**arguments, dtype=dtype)
    ours = getattr(scratch, class_name)(**arguments, dtype=dtype)
    theirs.build(SHAPE)
    ours.build((None, *SHAPE[1:]))
    assert [w.name for w in theirs.weights] == list(ours.params)
    if ours.params:
        alpha = whole(9, ours.params["alpha"].shape).astype(dtype)
        ours.params["alpha"][...] = alpha
        theirs.set_weights([alpha])
    bitwise = class_name in ("ReLU", "LeakyReLU", "PReLU")
    edges = [arguments.get(key) or 0 for key in ("threshold", "max_value")]
    for seed in range(6):
        x = (whole(seed, SHAPE, 14) / 2).astype(dtype)
        x.flat[:4] = [*edges, *np.float32(edges)]
        dy = whole(seed + 50, SHAPE).astype(dtype)
        y, dx, gradients = keras_pass(theirs, x, dy, [v.value for v in theirs.weights])
        made, made_dx = ours.forward(x), ours.backward(dy)
        units = 0 if bitwise else 40 * np.finfo(dtype).eps
        assert_close(made, y, units * (1 + np.abs(y)), f"y, seed {seed}")
        assert_close(made_dx, dx, units * (8 + np.abs(dx)), f"dx, seed {seed}")
        for own, their in zip(ours.grads.values(), gradients, strict=True):
            assert_exact(own, their, f"dalpha, seed {seed}")


@contextlib.contextmanager
def precision(keras, dtype):
    """Keras's default precision, for as long as the block lasts."""
    keras.config.set_dtype_policy(dtype)
    keras.config.set_floatx(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")
        keras.config.set_floatx("float32")


def plain(config):
    return json.loads(json.dumps(config))


def inner_layers(keras):
    K = keras.layers
    return [lambda: K.LeakyReLU(), lambda: K.LeakyReLU(0.125, name="mine"), lambda: K.ReLU(6.0),
            lambda: K.ELU(0.5), lambda: K.Softmax(axis=1), lambda: K.Softmax()]


def stack(keras):
    """Every layer of this family, every activation by name, and layers inside layers."""
    K = keras.layers
    names = [*activations.ACTIVATIONS, "swish", "hard_swish"]
    layers = [getattr(K, name)(**arguments) for name, arguments in LAYERS]
    layers += [K.PReLU(alpha_regularizer="l2")]
    layers += [K.Activation(name) for name in names] + [K.Dense(5, activation=n) for n in names]
    layers += [K.Activation(make()) for make in inner_layers(keras)]
    layers += [K.Dense(5, activation=make()) for make in inner_layers(keras)]
    return layers


@every_dtype
def test_configs_go_there_and_back_unchanged(keras, dtype):
    with precision(keras, dtype):
        config = plain(keras.Sequential(stack(keras)).get_config())
    ours = plain(scratch.Sequential.from_config(config).get_config())
    for theirs, mine in zip(config["layers"], ours["layers"], strict=True):
        theirs["config"].pop("quantization_config", None)
        if theirs["class_name"] in ("Activation", "Dense"):
            assert mine["config"]["activation"] == theirs["config"]["activation"]
        if theirs["class_name"] in dict(LAYERS):
            assert mine == theirs
    again = plain(keras.Sequential.from_config(ours).get_config())
    for theirs, back in zip(config["layers"], again["layers"], strict=True):
        back["config"].pop("quantization_config", None)
        assert back == theirs


@every_dtype
def test_a_layer_inside_a_layer_agrees(keras, dtype):
    for make in inner_layers(keras):
        with precision(keras, dtype):
            twin = keras.Sequential([keras.layers.Input(SHAPE[1:]),
                                     keras.layers.Dense(6, activation=make())])
        model = scratch.Sequential.from_config(twin.get_config())
        assert model.dtype == dtype
        model.set_weights(twin.get_weights())
        x, dy = real(1, SHAPE).astype(dtype), real(2, (*SHAPE[:2], 6)).astype(dtype)
        y, dx, _ = keras_pass(twin, x, dy)
        units = 100 * np.finfo(dtype).eps
        assert_close(model.forward(x), y, units * (1 + np.abs(y)), "y")
        assert_close(model.backward(dy), dx, units * np.abs(dx).max(), "dx")


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_who_keeps_logits(keras, name):
    """Keras remembers what went into a softmax or a sigmoid, and a loss may start from there."""
    x = keras.ops.convert_to_tensor(real(1, (3, 4)).astype("float32"))
    for theirs, ours in ((keras.layers.Activation(name), scratch.Activation(name)),
                         (keras.layers.Dense(2, activation=name),
                          scratch.Dense(2, activation=name))):
        kept = hasattr(theirs(x), "_keras_logits")
        assert kept == (ours.logits_kind is not None)


@pytest.mark.parametrize("axis", [-1, 1, [1], (2,), [1, 2], (-1, -2)], ids=str)
def test_which_softmax_layers_keep_logits(keras, axis):
    x = keras.ops.convert_to_tensor(real(1, SHAPE).astype("float32"))
    kept = hasattr(keras.layers.Softmax(axis)(x), "_keras_logits")
    assert kept == (scratch.Softmax(axis).logits_kind == "softmax")
    inside = keras.layers.Dense(2, activation=keras.layers.Softmax())(x)
    assert hasattr(inside, "_keras_logits")


@pytest.mark.parametrize("name", ["glu", "sparsemax", "threshold"])
def test_keras_knows_what_is_refused(keras, name):
    """So that a name is not refused for being misspelt."""
    assert callable(keras.activations.get(name))
    with pytest.raises(scratch.UnsupportedError, match=f"'{name}' is not supported"):
        scratch.Activation(name)
