"""A layer on every step against a loop over the steps, against Keras, and what is refused."""

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError
from scratch.layer_config import layer_from_config
from tests.scratch.support.checks import DTYPES, LAYOUTS

# what stands inside, and the shape of the whole input
INSIDE = {
    "dense": (lambda K: K.layers.Dense(3, activation="tanh"), (4, 5, 2)),
    "conv": (lambda K: K.layers.Conv2D(3, (2, 3), strides=(2, 1), activation="relu"),
             (3, 4, 6, 5, 2)),
    "norm": (lambda K: K.layers.LayerNormalization(axis=1), (2, 5, 3, 4)),
    "pool": (lambda K: K.layers.MaxPooling1D(2), (2, 3, 7, 4)),
    "steps of steps": (lambda K: K.layers.TimeDistributed(K.layers.Dense(2)), (2, 3, 4, 5)),
}
each = pytest.mark.parametrize("make, shape", INSIDE.values(), ids=INSIDE)


def filled(layer):
    for i, weight in enumerate(layer.params.values()):
        weight[...] = np.random.default_rng(i).standard_normal(weight.shape)


def built(make, shape, dtype="float32"):
    layer = scratch.TimeDistributed(make(scratch), dtype=dtype)
    layer.build((None, *shape[1:]))
    filled(layer)
    return layer


def example(layer, shape):
    rng = np.random.default_rng(7)
    return (rng.standard_normal(shape).astype(layer.dtype),
            rng.standard_normal((shape[0], *layer.output_shape[1:])).astype(layer.dtype))


def close(a, b, dtype):
    np.testing.assert_allclose(a, b, rtol=0, atol=(1e-5 if dtype == "float32" else 1e-12))


@pytest.mark.parametrize("dtype", DTYPES)
@each
def test_a_loop_over_the_steps(make, shape, dtype):
    layer = built(make, shape, dtype)
    x, dy = example(layer, shape)
    kept = x.copy(), dy.copy()
    y, dx = layer.forward(x), layer.backward(dy)
    totals = {name: 0 for name in layer.params}
    for t in range(shape[1]):
        single = make(scratch)
        single.dtype = layer.dtype
        single.build((None, *shape[2:]))
        filled(single)
        close(y[:, t], single.forward(x[:, t]), dtype)
        close(dx[:, t], single.backward(dy[:, t]), dtype)
        totals = {name: totals[name] + g for name, g in single.grads.items()}
    assert layer.grads.keys() == totals.keys()
    for name, total in totals.items():
        close(layer.grads[name], total, dtype)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(dy, kept[1])


@each
def test_memory_layouts_make_no_difference(make, shape):
    layer = built(make, shape)
    x, dy = example(layer, shape)
    y, dx, grads = layer.forward(x), layer.backward(dy), dict(layer.grads)
    for layout in LAYOUTS.values():
        close(layer.forward(layout(x)), y, "float32")
        close(layer.backward(layout(dy)), dx, "float32")
        for name, g in grads.items():
            close(layer.grads[name], g, "float32")


@pytest.mark.parametrize("dtype", DTYPES)
@each
def test_keras(keras, make, shape, dtype):
    import tensorflow as tf

    from reference.quiet import precision

    layer = built(make, shape, dtype)
    x, dy = example(layer, shape)
    x_ = tf.constant(x)
    with precision(dtype), tf.GradientTape() as tape:
        twin = keras.layers.TimeDistributed(make(keras))
        twin.build(shape)
        twin.set_weights(list(layer.params.values()))
        tape.watch(x_)
        y = twin(x_)
    dx, *grads = tape.gradient(y, [x_, *twin.trainable_weights], output_gradients=tf.constant(dy))
    close(layer.forward(x), y, dtype)
    close(layer.backward(dy), dx, dtype)
    for own, their in zip(layer.grads.values(), grads, strict=True):
        close(own, their, dtype)


@pytest.mark.parametrize("inside, said", [
    (lambda: scratch.RandomFlip(), "layer=RandomFlip"),
    (lambda: scratch.SpectralNormalization(scratch.Dense(2)), "layer=SpectralNormalization"),
    (lambda: scratch.Add(), "layer=Add"),
    (lambda: scratch.Dense(2, activity_regularizer="l2"), "activity_regularizer"),
    (lambda: scratch.Dense(2, trainable=False), "trainable=True around a layer")])
def test_what_is_refused_by_name(inside, said):
    with pytest.raises(UnsupportedError, match=f"TimeDistributed does not support.*{said}"):
        scratch.TimeDistributed(inside())


def test_what_is_no_layer_to_be():
    with pytest.raises(ValueError, match="expected layer to be a layer. Received: 'Dense'"):
        scratch.TimeDistributed("Dense")
    with pytest.raises(ValueError, match="three axes"):
        scratch.TimeDistributed(scratch.Dense(2)).build((None, 4))
    layer = scratch.Dense(2)
    layer.build((None, 3))
    with pytest.raises(ValueError, match="not built yet"):
        scratch.TimeDistributed(layer)


def test_the_layer_inside_is_frozen_with_it():
    layer = scratch.TimeDistributed(scratch.Dense(2))
    layer.trainable = False
    layer.build((None, 3, 4))
    assert not layer.layer.trainable and not layer.trainable_params
    assert layer.get_config()["layer"]["config"]["trainable"] is False


def test_calls_share_weights_but_not_what_they_remember():
    source = scratch.Input((3, 4))
    layer = scratch.TimeDistributed(scratch.Dense(4))
    model = scratch.Model(source, layer(layer(source)))
    first, second = model.layers
    assert second.tied_to == first.name and second.params is first.params
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")
    y = model.predict(x, verbose=0)
    weights = first.params["kernel"], first.params["bias"]
    once = x @ weights[0] + weights[1]
    close(y, once @ weights[0] + weights[1], "float32")
    assert first.layer is not second.layer


@pytest.mark.parametrize("changed, said", [
    ({"class_name": "system", "module": "os"}, "system"),
    ({"module": "hostile"}, "from 'hostile'"),
    ({"registered_name": "mine>Dense"}, "custom class, 'mine>Dense'"),
    ({"class_name": "Lambda"}, "is a Lambda")])
def test_the_layer_inside_is_read_as_carefully_as_any(changed, said):
    inside = {"module": "keras.layers", "class_name": "Dense", "registered_name": None,
              "config": {"name": "inside", "units": 2}}
    with pytest.raises(UnsupportedError, match=said):
        layer_from_config({"module": "keras.layers", "class_name": "TimeDistributed",
                           "registered_name": None,
                           "config": {"name": "steps", "layer": {**inside, **changed}}})


@pytest.mark.parametrize("axis", [-1, 1])
def test_batch_normalization_takes_each_step_for_a_batch(keras, axis):
    import tensorflow as tf

    rng = np.random.default_rng(3)
    x, dy = (rng.standard_normal((4, 3, 5, 2)).astype("float32") for _ in range(2))
    layer = scratch.TimeDistributed(scratch.BatchNormalization(axis, momentum=0.6))
    layer.build((None, 3, 5, 2))
    first = [np.array(w) for w in layer.params.values()]
    twin = keras.layers.TimeDistributed(keras.layers.BatchNormalization(axis, momentum=0.6))
    twin.build((None, 3, 5, 2))
    x_ = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x_)
        theirs = twin(x_, training=True)
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    found = tape.gradient(theirs, [x_, *twin.trainable_weights], output_gradients=tf.constant(dy))
    for own, their in zip([y, dx, *layer.grads.values()], [theirs, *found], strict=True):
        close(own, np.array(their), "float32")
    # and by definition
    over = tuple(i for i in range(3) if i != axis % 3)
    mean, expected = first[2].astype(float), []
    for t in range(3):
        step = x[:, t].astype(float)
        own = step.mean(over, keepdims=True)
        expected.append((step - own) / np.sqrt(step.var(over, keepdims=True) + 1e-3))
        mean = 0.6 * mean + 0.4 * own.ravel()
    close(y, np.stack(expected, 1), "float32")
    close(layer.params["moving_mean"], mean, "float32")
    for own, their in zip(layer.params.values(), twin.weights, strict=True):
        close(own, np.array(their), "float32")
    close(layer.forward(x), np.array(twin(x_, training=False)), "float32")
    layer.forward(x, training=True)
    kept = layer.params["moving_mean"].copy()
    layer.forward(x, training=True)
    layer.take_back_statistics()
    np.testing.assert_array_equal(layer.params["moving_mean"], kept)
