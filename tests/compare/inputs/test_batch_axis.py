"""Custom layers that ask for shapes by the size of the batch, as published transformers do."""

import keras
import numpy as np
import pytest

import compare
import reference
from compare.inputs.twins import twins
from reference.batch_axis import kept_by_reshapes

ops, L = keras.ops, keras.layers


class Patches(L.Layer):
    """Patches in a row, all sizes given."""

    def call(self, images):
        batch, height, width, channels = ops.shape(images)
        patches = ops.image.extract_patches(images, size=(2, 3))
        return ops.reshape(patches, (batch, (height // 2) * (width // 3), 6 * channels))


class OpenPatches(L.Layer):
    """Patches in a row, how many is left to the operation."""

    def call(self, images):
        patches = ops.image.extract_patches(images, size=(2, 3))
        return ops.reshape(patches, [ops.shape(images)[0], -1, patches.shape[-1]])


class Heads(L.Layer):
    """Attention in two heads, written out."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.query, self.key, self.out = L.Dense(6), L.Dense(6), L.Dense(5)

    def apart(self, x):
        return ops.transpose(ops.reshape(x, (ops.shape(x)[0], -1, 2, 3)), (0, 2, 1, 3))

    def call(self, x):
        query, key = self.apart(self.query(x)), self.apart(self.key(x))
        scores = ops.softmax(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))), axis=-1)
        joined = ops.transpose(ops.matmul(scores, key), (0, 2, 1, 3))
        return self.out(ops.reshape(joined, (ops.shape(x)[0], ops.shape(x)[1], 6)))


def built(layer, shape):
    keras.utils.set_random_seed(0)
    source = keras.Input(shape)
    vectors = L.GlobalAveragePooling1D()(L.Dense(3)(layer(source)))
    model = keras.Model(source, L.Dense(2, activation="softmax")(vectors))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.sampled(2)
@pytest.mark.parametrize("layer, shape", [
    (Patches, (6, 9, 2)), (OpenPatches, (6, 9, 2)), (Heads, (5, 4))])
def test_they_are_opened_and_checked_in_full(layer, shape):
    model = built(layer(name="own"), shape)
    candidate, twin = twins(model)
    assert "own" not in {each.name for each in candidate.layers}
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((3, *shape)).astype("float32"), np.array([0, 1, 1])
    np.testing.assert_allclose(candidate.predict(x, verbose=0), model.predict(x, verbose=0),
                               rtol=0, atol=1e-6)
    for theirs in (twin, model):
        report = compare.check(candidate, theirs, x, y, steps=1)
        assert report, report


def test_the_operation_is_as_it_was_afterwards():
    model = built(Patches(name="own"), (6, 9, 2))
    own = ops.reshape
    assert reference.opened(model) is not model
    assert keras.ops.reshape is own


def test_none_means_the_batch_and_the_rest_is_worked_out():
    x, either = keras.Input((6, 4)), keras.Input((None, 4))
    numbers = np.arange(24.0).reshape(1, 6, 4)
    with kept_by_reshapes():
        assert ops.reshape(x, (None, 24)).shape == (None, 24)
        assert ops.reshape(x, (None, 3, -1, 2)).shape == (None, 3, 4, 2)
        assert ops.reshape(x, (-1, 8, 3)).shape == (None, 8, 3)
        made = ops.reshape(x, (None, 3, -1))
        np.testing.assert_array_equal(np.array(ops.reshape(numbers, (2, -1))),
                                      numbers.reshape(2, 12))
        for shape, asked in ((x, (None, -1, 7)), (either, (None, -1, 2)), (x, (None, None, 4))):
            with pytest.raises((ValueError, TypeError)):
                keras.Model(shape, ops.reshape(shape, asked))(np.ones((2, 6, 4), "float32"))
    model = keras.Model(x, made)
    two = np.arange(48.0, dtype="float32").reshape(2, 6, 4)
    np.testing.assert_array_equal(np.array(model(two)), two.reshape(2, 3, 8))
