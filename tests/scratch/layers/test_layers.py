"""What every layer promises beyond its numbers: each call stands for itself."""

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import DTYPES, real

MAKERS = {
    "Conv2D": lambda **k: scratch.Conv2D(3, (2, 3), strides=(1, 2), padding="same", **k),
    "Conv2D valid": lambda **k: scratch.Conv2D(2, (3, 2), activation="relu", **k),
    "Conv2D 1x1": lambda **k: scratch.Conv2D(2, 1, activation="softmax", **k),
    "Conv2D groups": lambda **k: scratch.Conv2D(4, (2, 3), groups=2, strides=(2, 1), **k),
    "Conv2D dilated": lambda **k: scratch.Conv2D(3, (2, 3), dilation_rate=(1, 2), padding="same",
                                                 **k),
    "Conv2D first": lambda **k: scratch.Conv2D(3, 2, data_format="channels_first", **k),
    "DepthwiseConv2D": lambda **k: scratch.DepthwiseConv2D((2, 3), (2, 1), depth_multiplier=2, **k),
    "SeparableConv2D": lambda **k: scratch.SeparableConv2D(3, (2, 3), padding="same", **k),
    "Conv2DTranspose": lambda **k: scratch.Conv2DTranspose(3, (2, 3), (2, 1), "same", **k),
    "MaxPooling2D": lambda **k: scratch.MaxPooling2D((2, 3), strides=(1, 2), padding="same", **k),
    "MaxPooling2D 2x2": lambda **k: scratch.MaxPooling2D(2, **k),
    "MaxPooling2D first": lambda **k: scratch.MaxPooling2D(2, data_format="channels_first", **k),
    "AveragePooling2D": lambda **k: scratch.AveragePooling2D((2, 3), (1, 2), "same", **k),
    "AveragePooling2D 2x2": lambda **k: scratch.AveragePooling2D(2, **k),
    "GlobalMaxPooling2D": lambda **k: scratch.GlobalMaxPooling2D(**k),
    "GlobalMaxPooling2D kept": lambda **k: scratch.GlobalMaxPooling2D(keepdims=True, **k),
    "GlobalAveragePooling2D": lambda **k: scratch.GlobalAveragePooling2D(**k),
    "Reshape": lambda **k: scratch.Reshape((4, -1), **k),
    "Permute": lambda **k: scratch.Permute((3, 1, 2), **k),
    "ZeroPadding2D": lambda **k: scratch.ZeroPadding2D(((1, 0), (2, 3)), **k),
    "Cropping2D": lambda **k: scratch.Cropping2D(((1, 0), (2, 3)), **k),
    "UpSampling2D": lambda **k: scratch.UpSampling2D((3, 1), **k),
    "Dense": lambda **k: scratch.Dense(4, activation="relu", **k),
    "Dense linear": lambda **k: scratch.Dense(4, **k),
    "Dense softmax": lambda **k: scratch.Dense(4, activation="softmax", **k),
    "Flatten": lambda **k: scratch.Flatten(**k),
    "ReLU": lambda **k: scratch.ReLU(**k),
    "Softmax": lambda **k: scratch.Softmax(**k),
    "Activation": lambda **k: scratch.Activation("softmax", **k),
}
IMAGE = (6, 8, 2)
every_layer = pytest.mark.parametrize("maker", MAKERS)


def built(maker, dtype="float32"):
    """The layer for images of shape IMAGE, with random weights."""
    layer = MAKERS[maker](dtype=dtype)
    layer.build((None, *IMAGE))
    for number, value in enumerate(layer.params.values()):
        value[...] = real(100 + number, value.shape)
    return layer


def batch(layer, size, seed):
    """(x, dy) for this layer, of its dtype."""
    return (real(seed, (size, *layer.input_shape[1:])).astype(layer.dtype),
            real(seed + 1, (size, *layer.output_shape[1:])).astype(layer.dtype))


def copies(arrays):
    return {name: array.copy() for name, array in arrays.items()}


@every_layer
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_way_back_is_that_of_the_last_forward(maker, dtype):
    """Batches of other sizes before it leave no trace."""
    layer = built(maker, dtype)
    x, dy = batch(layer, 3, 1)
    y = layer.forward(x).copy()
    dx, grads = layer.backward(dy).copy(), copies(layer.grads)
    for size, seed in ((4, 5), (1, 7)):
        other_x, other_dy = batch(layer, size, seed)
        layer.forward(other_x)
        layer.backward(other_dy)
    layer.forward(batch(layer, 2, 9)[0])
    np.testing.assert_array_equal(layer.forward(x), y)
    for _ in range(2):  # and backward can be asked again
        np.testing.assert_array_equal(layer.backward(dy), dx)
        for name, gradient in grads.items():
            np.testing.assert_array_equal(layer.grads[name], gradient, name)


@every_layer
def test_what_was_returned_stays_as_it_is(maker):
    layer = built(maker)
    x, dy = batch(layer, 3, 1)
    y, dx = layer.forward(x), layer.backward(dy)
    before = y.copy(), dx.copy()
    other_x, other_dy = batch(layer, 3, 5)
    layer.forward(other_x)
    layer.backward(other_dy)
    np.testing.assert_array_equal(y, before[0])
    np.testing.assert_array_equal(dx, before[1])


@every_layer
def test_a_batch_is_its_samples_one_by_one(maker):
    """Whatever samples stand beside it, a sample's output and input gradient are its own."""
    layer = built(maker, "float64")
    x, dy = batch(layer, 3, 1)
    y, dx, grads = layer.forward(x).copy(), layer.backward(dy).copy(), copies(layer.grads)
    sums = {name: np.zeros_like(gradient) for name, gradient in grads.items()}
    for i in range(3):
        np.testing.assert_allclose(layer.forward(x[i:i + 1])[0], y[i], rtol=0, atol=1e-13)
        np.testing.assert_allclose(layer.backward(dy[i:i + 1])[0], dx[i], rtol=0, atol=1e-13)
        for name in sums:
            sums[name] += layer.grads[name]
    for name, gradient in grads.items():
        np.testing.assert_allclose(sums[name], gradient, rtol=0, atol=1e-11)


@every_layer
def test_an_input_gradient_that_is_not_wanted_changes_no_weight_gradient(maker):
    layer = built(maker)
    x, dy = batch(layer, 3, 1)
    layer.forward(x)
    layer.backward(dy)
    grads = copies(layer.grads)
    layer.forward(x)
    layer.backward(dy, wants_input_gradient=False)
    assert list(layer.grads) == list(grads)
    for name, gradient in grads.items():
        np.testing.assert_array_equal(layer.grads[name], gradient, name)


@pytest.mark.parametrize("maker", ["Dense softmax", "Softmax", "Activation", "Conv2D 1x1"])
def test_a_softmax_can_start_its_way_back_at_its_logits(maker):
    layer = built(maker, "float64")
    x, dy = batch(layer, 3, 1)
    y = layer.forward(x)
    exponentials = np.exp(layer.logits)
    np.testing.assert_allclose(exponentials / exponentials.sum(-1, keepdims=True), y, rtol=1e-12)
    dx = layer.backward(dy).copy()
    grads = copies(layer.grads)
    dz = y * (dy - (dy * y).sum(-1, keepdims=True))
    np.testing.assert_allclose(layer.backward_from_logits(dz), dx, rtol=0, atol=1e-13)
    for name, gradient in grads.items():
        np.testing.assert_allclose(layer.grads[name], gradient, rtol=0, atol=1e-12)


@pytest.mark.parametrize("maker", ["Dense", "Flatten", "ReLU", "Conv2D", "MaxPooling2D"])
def test_a_layer_that_is_no_softmax_has_no_logits(maker):
    layer = built(maker)
    layer.forward(batch(layer, 2, 1)[0])
    assert layer.logits is None


@every_layer
@pytest.mark.parametrize("setting, value", [("regularizer", "l2"), ("dtype", "float8"),
                                            ("dtype", "mixed_float8"), ("dtype", "int32")])
def test_settings_that_are_not_supported_are_refused_by_name(maker, setting, value):
    with pytest.raises(scratch.UnsupportedError) as error:
        MAKERS[maker](name="edges", **{setting: value})
    assert "'edges'" in str(error.value) and f"{setting}={value!r}" in str(error.value)
