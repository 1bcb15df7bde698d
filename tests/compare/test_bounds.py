"""compare.bounds: what a layer should give, and how far anybody's rounding may lead away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import compare
import scratch
from tests.draws import draws


def by_loops(x, kernel, bias, stride):
    """A 'valid' convolution, one product after the other, each sum rounded to float32."""
    kh, kw, channels, filters = kernel.shape
    h, w = (x.shape[1] - kh) // stride[0] + 1, (x.shape[2] - kw) // stride[1] + 1
    y = np.zeros((len(x), h, w, filters), "float32")
    for n, i, j, f in np.ndindex(y.shape):
        total = np.float32(0)
        for a, b, c in np.ndindex(kh, kw, channels):
            total += x[n, i * stride[0] + a, j * stride[1] + b, c] * kernel[a, b, c, f]
        y[n, i, j, f] = total + bias[f]
    return y


def inside(made, right):
    return bool((np.abs(made.astype(np.float64) - right.expected) <= right.bound).all())


CONV = {"class_name": "Conv2D", "config": {"filters": 3, "kernel_size": (2, 3), "strides": (2, 1)}}


@given(st.integers(0, 1000), st.sampled_from([1e-3, 1.0, 1e3]))
@settings(max_examples=draws(15))
def test_a_naive_convolution_lies_within_them(seed, size):
    rng = np.random.default_rng(seed)
    x = (size * rng.normal(size=(2, 5, 4, 2))).astype("float32")
    weights = {"kernel": rng.normal(size=(2, 3, 2, 3)).astype("float32"),
               "bias": rng.normal(size=3).astype("float32")}
    right = compare.bounds(CONV, x, weights)
    made = by_loops(x, **weights, stride=(2, 1))
    assert inside(made, right) and right.bound.shape == right.expected.shape == made.shape
    assert not inside(made * np.float32(1 + 1e-4), right)
    assert compare.bounds(CONV, x, list(weights.values())).bound.tolist() == right.bound.tolist()
    wide = compare.bounds(CONV, x.astype("float64"), weights)
    assert (wide.bound < 1e-6 * right.bound).all()


def test_layers_of_keras_and_scratch_with_their_own_weights(keras):
    x = np.random.default_rng(0).normal(size=(3, 6, 5, 4)).astype("float32")
    layers = keras.layers
    for layer in (layers.Conv2D(3, 2, activation="relu"), layers.BatchNormalization(),
                  layers.DepthwiseConv2D(2, strides=2), layers.MaxPooling2D(2),
                  layers.Dropout(0.5), layers.Softmax(), layers.Flatten(),
                  layers.Activation("tanh")):
        made = np.asarray(layer(x, training=False))
        assert inside(made, compare.bounds(layer, x)), layer
    own = scratch.Dense(3, activation="sigmoid")
    own.build((None, 4))
    rows = x.reshape(-1, 4)
    assert inside(own.forward(rows, training=False), compare.bounds(own, rows))
    added = compare.bounds(layers.Add(), [x, 2 * x])
    assert inside(x + 2 * x, added)


def test_what_does_not_fit_is_refused():
    x = np.zeros((2, 5, 4, 2), "float32")
    kernel, bias = np.zeros((2, 3, 2, 3)), np.zeros(3)
    for weights, said in (({"kernel": kernel}, "weights kernel, bias"), ([kernel], "2 weights"),
                          ([bias, kernel], "kernel in shape"), (None, "2 weights: kernel, bias"),
                          ({"kernel": kernel, "bias": bias, "alpha": bias}, "alpha")):
        with pytest.raises(ValueError, match=said):
            compare.bounds(CONV, x, weights)
    with pytest.raises(TypeError, match="like to be a Keras layer"):
        compare.bounds("conv", x)
    with pytest.raises(TypeError, match="real numbers"):
        compare.bounds(CONV, "x", [kernel, bias])
