"""Embeddings against a loop, against Keras, in files, and on classes that there are not."""

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError
from tests.scratch.support.checks import DTYPES
from tests.scratch.support.keras_files import assert_goes_round

CLASSES, SIZE = 7, 3
SHAPES = [(4, 5), (3, 2, 6), (5,)]


def built(shape, dtype="float32", **more):
    layer = scratch.Embedding(CLASSES, SIZE, dtype=dtype, **more)
    layer.build((None, *shape[1:]))
    layer.params["embeddings"][...] = np.random.default_rng(1).standard_normal((CLASSES, SIZE))
    return layer


def example(shape, dtype="float32"):
    """(class numbers, some of them several times, and whole upstream gradients)."""
    rng = np.random.default_rng(2)
    return (rng.integers(0, CLASSES, shape).astype(dtype),
            rng.integers(-9, 10, (*shape, SIZE)).astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_loop(shape, dtype):
    layer = built(shape, dtype)
    x, dy = example(shape, dtype)
    kept = x.copy(), dy.copy(), layer.params["embeddings"].copy()
    y = layer.forward(x)
    assert layer.backward(dy) is None, "a class number has no gradient"
    right, total = np.zeros_like(dy), np.zeros((CLASSES, SIZE))
    for place in np.ndindex(*shape):
        right[place] = kept[2][int(x[place])]
        total[int(x[place])] += dy[place]
    np.testing.assert_array_equal(y, right)
    np.testing.assert_array_equal(layer.grads["embeddings"], total)
    assert {y.dtype, layer.grads["embeddings"].dtype} == {np.dtype(dtype)}
    for now, before in zip((x, dy, layer.params["embeddings"]), kept, strict=True):
        np.testing.assert_array_equal(now, before)


def test_memory_layouts_make_no_difference():
    layer = built((4, 5))
    x, dy = example((4, 5))
    y = layer.forward(np.repeat(x, 2, axis=1)[:, ::2])
    layer.backward(np.asfortranarray(dy))
    turned = layer.grads["embeddings"].copy()
    np.testing.assert_array_equal(y, layer.forward(x))
    layer.backward(dy)
    np.testing.assert_array_equal(turned, layer.grads["embeddings"])


@pytest.mark.parametrize("dtype", DTYPES)
def test_keras(keras, dtype):
    import tensorflow as tf

    layer = built((4, 5), dtype)
    x, dy = example((4, 5), dtype)
    x = x + np.random.default_rng(3).uniform(0, 0.9, x.shape).astype(dtype)  # cut off by Keras
    x[0, :3] = -1, -2, -0.5
    twin = keras.layers.Embedding(CLASSES, SIZE, dtype=dtype)
    twin.build((None, 5))
    twin.set_weights(list(layer.params.values()))
    with tf.GradientTape() as tape:
        y = twin(tf.constant(x))
    gradient = tape.gradient(y, twin.trainable_weights, output_gradients=tf.constant(dy))[0]
    np.testing.assert_array_equal(layer.forward(x), y)
    layer.backward(dy)
    np.testing.assert_array_equal(layer.grads["embeddings"], tf.convert_to_tensor(gradient))


@pytest.mark.parametrize("strange", [CLASSES, -CLASSES - 1, np.nan, np.inf])
def test_a_class_that_there_is_not(strange):
    layer = built((2, 2))
    with pytest.raises(ValueError, match=r"class numbers from 0 to 6 \(input_dim=7\). Received"):
        layer.forward(np.array([[0, 1], [strange, 2]], "float32"))


@pytest.mark.parametrize("setting", [{"lora_rank": 2}, {"quantization_config": {}}])
def test_what_is_refused_by_name(setting):
    with pytest.raises(UnsupportedError, match=f"Embedding does not support {next(iter(setting))}"):
        scratch.Embedding(CLASSES, SIZE, **setting)


@pytest.mark.parametrize("sizes", [(0, 3), (3, 2.5)])
def test_sizes_are_positive_integers(sizes):
    with pytest.raises(ValueError, match="positive integer"):
        scratch.Embedding(*sizes)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", ["int32", "int64", "float32"])
def test_a_file_of_keras(keras, tmp_path, kind):
    """Inputs of whole numbers are kept as such; predictions and a training step agree."""
    keras.utils.set_random_seed(0)
    twin = keras.Sequential([keras.Input((6,), dtype=kind), keras.layers.Embedding(9, 4),
                             keras.layers.Conv1D(3, 2, activation="relu"), keras.layers.Flatten(),
                             keras.layers.Dense(3, activation="softmax")])
    twin.compile(keras.optimizers.SGD(0.5, momentum=0.9), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(4)
    x, y = rng.integers(0, 9, (8, 6)), rng.integers(0, 3, 8)
    again = assert_goes_round(keras, twin, x, y, tmp_path, steps=3)
    assert again.inputs[0].dtype == kind
