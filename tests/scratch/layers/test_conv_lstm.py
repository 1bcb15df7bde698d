"""Convolutional LSTMs: shapes, shared layers, files, what is refused. What they compute is held
against loops and Keras in test_definitions.py."""

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError

KINDS = {"ConvLSTM1D": (6, 2), "ConvLSTM2D": (5, 4, 2), "ConvLSTM3D": (3, 5, 4, 2)}
each = pytest.mark.parametrize("kind", KINDS)


def films(kind, steps=3, batch=2, seed=0):
    return np.random.default_rng(seed).standard_normal((batch, steps, *KINDS[kind])).astype("f4")


@each
@pytest.mark.parametrize("setting", [{"return_state": True}, {"stateful": True}, {"dropout": 0.1},
                                     {"recurrent_dropout": 0.1}])
def test_what_is_refused_by_name(kind, setting):
    with pytest.raises(UnsupportedError, match=f"does not support {next(iter(setting))}"):
        getattr(scratch, kind)(2, 2, **setting)


@each
def test_bad_arguments_and_inputs_are_named(kind):
    make = getattr(scratch, kind)
    with pytest.raises(ValueError, match="filters to be a positive integer|positive integer"):
        make(0, 2)
    with pytest.raises(ValueError, match="strides or dilation_rate to be 1"):
        make(2, 2, strides=2, dilation_rate=2)
    with pytest.raises(ValueError, match=r"\(batch, steps, \.\.\.\).*Received: input_shape"):
        make(2, 2).build((None, 5, 3))
    with pytest.raises(ValueError, match="size that is known"):
        make(2, 2).build((None, 3, *[None] * (len(KINDS[kind]) - 1), 2))
    with pytest.raises(ValueError, match="smaller than the kernel"):
        make(2, 9).build((None, 3, *KINDS[kind]))


def test_causal_padding_is_refused_as_by_keras(keras):
    for package in (scratch, keras.layers):
        with pytest.raises(ValueError, match="padding"):
            package.ConvLSTM1D(2, 2, padding="causal")


def test_a_mask_is_refused():
    with pytest.raises(UnsupportedError, match="ConvLSTM1D.*does not support the mask"):
        scratch.Sequential([scratch.Input((4, 6, 2)), scratch.Masking(),
                            scratch.ConvLSTM1D(2, 2)])


@each
def test_channels_first_is_channels_last_turned(kind):
    x = films(kind)
    layers = [getattr(scratch, kind)(3, 2, return_sequences=True, data_format=data_format)
              for data_format in ("channels_last", "channels_first")]
    y = layers[0](x)
    turned = np.moveaxis(x, -1, 2)
    layers[1].build((None, *turned.shape[1:]))
    for name, weight in layers[0].params.items():
        layers[1].params[name][...] = weight
    found = layers[1](turned)
    assert found.shape[1:] == layers[1].output_shape[1:]
    np.testing.assert_array_equal(np.moveaxis(found, 2, -1), y)
    dy = np.random.default_rng(1).standard_normal(y.shape).astype("f4")
    dx = layers[0].backward(dy)
    np.testing.assert_array_equal(
        np.moveaxis(layers[1].backward(np.moveaxis(dy, -1, 2)), 2, -1), dx)
    for name in layers[0].params:
        np.testing.assert_array_equal(layers[1].grads[name], layers[0].grads[name])


@each
def test_calls_of_one_layer_remember_passes_of_their_own(kind):
    first = getattr(scratch, kind)(2, 2)
    x, other = films(kind), films(kind, seed=1)
    dy = np.random.default_rng(2).standard_normal(first(x).shape).astype("f4")
    alone = first.backward(dy)
    second = first.another_call("again")
    first.forward(x)
    second.forward(other)
    np.testing.assert_array_equal(first.backward(dy), alone)


@each
def test_a_network_learns_as_in_keras(keras, kind, tmp_path):
    """Two steps of training, then the file, in both directions."""
    twin = keras.Sequential([keras.Input((3, *KINDS[kind])), getattr(keras.layers, kind)(
        2, 2, padding="same", return_sequences=True, unit_forget_bias=False),
        keras.layers.Flatten(), keras.layers.Dense(2)])
    model = scratch.Sequential.from_config(twin.get_config())
    model.set_weights(twin.get_weights())
    x, y = films(kind), np.random.default_rng(3).standard_normal((2, 2)).astype("f4")
    for each_model in (twin, model):
        each_model.compile("sgd", "mse")
        for _ in range(2):
            each_model.train_on_batch(x, y)
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-6)
    twin.save(tmp_path / "theirs.keras")
    model.save(tmp_path / "ours.keras")
    read = scratch.load_model(tmp_path / "theirs.keras")
    np.testing.assert_allclose(read.predict(x, verbose=0), twin.predict(x, verbose=0), atol=2e-6)
    back = keras.models.load_model(tmp_path / "ours.keras")
    np.testing.assert_allclose(back.predict(x, verbose=0), model.predict(x, verbose=0), atol=2e-6)
