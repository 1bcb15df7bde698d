"""Recurrent layers: how the bias begins, which sizes there are, files of Keras, what is refused.
What they compute is held against loops and Keras in test_definitions.py."""

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError
from tests.scratch.support.keras_files import assert_goes_round

KINDS = ("SimpleRNN", "LSTM", "GRU")
each = pytest.mark.parametrize("kind", KINDS)


def test_a_penalty_that_keras_forgets(keras):
    assert keras.layers.SimpleRNN(3, activity_regularizer="l2").activity_regularizer is None
    with pytest.raises(UnsupportedError, match="activity_regularizer='l2', which Keras"):
        scratch.SimpleRNN(3, activity_regularizer="l2")


@each
def test_inputs_have_steps(kind):
    with pytest.raises(ValueError, match=r"\(batch, steps, features\). Received: .*\(None, 4\)"):
        getattr(scratch, kind)(3).build((None, 4))
    with pytest.raises(ValueError, match="positive integer"):
        getattr(scratch, kind)(0)


@pytest.mark.parametrize("ones", [True, False])
def test_the_forget_gate_begins_open(keras, ones):
    for package in (scratch, keras):
        layer = package.layers.LSTM(3, unit_forget_bias=ones, bias_initializer="zeros")
        layer.build((None, 4, 2))
        bias = np.array(layer.params["bias"] if package is scratch else layer.weights[2])
        np.testing.assert_array_equal(bias, [0] * 3 + [int(ones)] * 3 + [0] * 6)


@each
def test_a_recurrent_kernel_begins_orthogonal(kind):
    scratch.set_random_seed(0)
    layer = getattr(scratch, kind)(4)
    layer.build((None, 5, 2))
    kernel = layer.params["recurrent_kernel"]
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(4), atol=1e-6)


@each
def test_a_batch_leaves_nothing_to_the_next_one(kind):
    layer = getattr(scratch, kind)(3, return_sequences=True)
    x = np.random.default_rng(0).standard_normal((2, 5, 4)).astype("float32")
    first = layer(x).copy()
    layer(x[:1] * 2)
    np.testing.assert_array_equal(layer(x), first)


@each
def test_any_number_of_steps(kind):
    model = scratch.Sequential([scratch.Input((None, 4)), getattr(scratch, kind)(3)])
    rng = np.random.default_rng(0)
    assert [model.predict(rng.standard_normal((2, steps, 4)), verbose=0).shape
            for steps in (3, 7)] == [(2, 3)] * 2


@pytest.mark.sampled(3)
@each
def test_a_file_of_keras(keras, tmp_path, kind):
    """Both ways, with the optimizer's state; predictions and training steps agree."""
    keras.utils.set_random_seed(0)
    twin = keras.Sequential([
        keras.Input((6, 3)), getattr(keras.layers, kind)(
            4, return_sequences=True, recurrent_regularizer="l2", recurrent_constraint="max_norm"),
        getattr(keras.layers, kind)(2, go_backwards=True), keras.layers.Dense(3)])
    twin.compile("adam", "mse")
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((5, 6, 3)), rng.standard_normal((5, 3))
    twin.train_on_batch(x, y)
    assert_goes_round(keras, twin, x, y, tmp_path, steps=3)
