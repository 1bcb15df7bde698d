"""A layer with a normalized kernel against loops, singular values, Keras, and what is refused."""

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError
from tests.scratch.support.checks import DTYPES, LAYOUTS

# what stands inside, and the shape of the whole input
INSIDE = {
    "dense": (lambda K: K.layers.Dense(3, activation="tanh"), (4, 5)),
    "dense on maps": (lambda K: K.layers.Dense(3, use_bias=False), (4, 5, 6, 2)),
    "conv": (lambda K: K.layers.Conv2D(3, (2, 3), strides=(2, 1), activation="relu"),
             (3, 6, 5, 2)),
    "transposed": (lambda K: K.layers.Conv2DTranspose(3, (2, 3), strides=2), (3, 4, 3, 2)),
    "depthwise": (lambda K: K.layers.DepthwiseConv2D((3, 2), depth_multiplier=2), (3, 6, 5, 2)),
    "steps": (lambda K: K.layers.Conv1D(4, 2, padding="causal"), (3, 6, 2)),
    "einsum": (lambda K: K.layers.EinsumDense("abc,cd->abd", (4, 3), bias_axes="d"), (3, 4, 2)),
}
each = pytest.mark.parametrize("make, shape", INSIDE.values(), ids=INSIDE)


def built(make, shape, dtype="float32", iterations=2):
    layer = scratch.SpectralNormalization(make(scratch), power_iterations=iterations, dtype=dtype)
    layer.build((None, *shape[1:]))
    for i, weight in enumerate(layer.params.values()):
        weight[...] = np.random.default_rng(i).standard_normal(weight.shape)
    return layer


def example(layer, shape):
    rng = np.random.default_rng(7)
    return (rng.standard_normal(shape).astype(layer.dtype),
            rng.standard_normal((shape[0], *layer.output_shape[1:])).astype(layer.dtype))


def close(a, b, dtype):
    np.testing.assert_allclose(a, b, rtol=0, atol=(2e-5 if dtype == "float32" else 1e-12))


def by_loops(kernel, u, iterations):
    """(kernel over its estimated singular value, u) in float64, number by number."""
    columns = kernel.shape[-1]
    rows = [[float(a) for a in row] for row in kernel.reshape(-1, columns)]
    u = [float(a) for a in u[0]]
    for _ in range(iterations):
        v = [sum(a * b for a, b in zip(row, u)) for row in rows]
        length = sum(a * a for a in v) ** 0.5
        v = [a / length for a in v]
        u = [sum(v[i] * row[j] for i, row in enumerate(rows)) for j in range(columns)]
        sigma = sum(a * a for a in u) ** 0.5
        u = [a / sigma for a in u]
    return kernel.astype(np.float64) / sigma, np.array([u])


@pytest.mark.parametrize("dtype", DTYPES)
@each
def test_the_kernel_and_the_vector_by_loops(make, shape, dtype):
    layer = built(make, shape, dtype, iterations=3)
    x, dy = example(layer, shape)
    kept = x.copy(), dy.copy()
    kernel, u = by_loops(layer.params["kernel"], layer.params["vector_u"], 3)
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    close(layer.params["kernel"], kernel, dtype)
    close(layer.params["vector_u"], u, dtype)
    plain = make(scratch)  # the layer inside by itself, with that kernel
    plain.dtype = layer.dtype
    plain.build((None, *shape[1:]))
    for name in plain.params:
        plain.params[name][...] = layer.params[name]
    close(y, plain.forward(x), dtype)
    close(dx, plain.backward(dy), dtype)
    assert list(layer.grads) == list(plain.grads)
    for name, gradient in plain.grads.items():
        close(layer.grads[name], gradient, dtype)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(dy, kept[1])


@each
def test_many_passes_find_the_largest_singular_value(make, shape):
    layer = built(make, shape, "float64")
    x, _ = example(layer, shape)
    first = layer.params["kernel"].copy()
    for _ in range(200):
        layer.forward(x, training=True)
    kernel = layer.params["kernel"]
    values = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)
    assert values[0] == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(first * (kernel.ravel()[0] / first.ravel()[0]), kernel, rtol=1e-9)


@each
def test_nothing_moves_at_inference(make, shape):
    layer = built(make, shape)
    x, _ = example(layer, shape)
    before = {name: weight.copy() for name, weight in layer.params.items()}
    layer.forward(x)
    for name, weight in before.items():
        np.testing.assert_array_equal(layer.params[name], weight)


def test_a_kernel_of_zeros_stays_and_so_does_the_vector():
    layer = built(*INSIDE["dense"])
    layer.params["kernel"][...] = 0
    u = layer.params["vector_u"].copy()
    y = layer.forward(np.ones((4, 5), np.float32), training=True)
    assert np.isfinite(y).all() and not layer.params["kernel"].any()
    np.testing.assert_array_equal(layer.params["vector_u"], u)


def test_what_a_refused_step_has_moved_is_taken_back():
    layer = built(*INSIDE["conv"])
    before = {name: weight.copy() for name, weight in layer.params.items()}
    layer.forward(example(layer, INSIDE["conv"][1])[0], training=True)
    assert not np.array_equal(layer.params["kernel"], before["kernel"])
    layer.take_back_statistics()
    for name, weight in before.items():
        np.testing.assert_array_equal(layer.params[name], weight)


@each
def test_memory_layouts_make_no_difference(make, shape):
    x, dy = example(built(make, shape), shape)
    made = []
    for layout in LAYOUTS.values():
        layer = built(make, shape)
        made.append((layer.forward(layout(x), training=True), layer.backward(layout(dy))))
    for y, dx in made:
        close(y, made[0][0], "float32")
        close(dx, made[0][1], "float32")


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
@each
def test_keras(keras, make, shape, dtype, trainable):
    import tensorflow as tf

    from reference.quiet import precision

    layer = built(make, shape, dtype)
    layer.trainable = trainable
    x, dy = example(layer, shape)
    x_ = tf.constant(x)
    with precision(dtype), tf.GradientTape() as tape:
        twin = keras.layers.SpectralNormalization(make(keras), power_iterations=2)
        twin.build(shape)
        twin.set_weights(list(layer.params.values()))
        twin.trainable = trainable
        watched = [v.value for v in twin.layer.weights]
        tape.watch([x_, *watched])
        y = twin(x_, training=True)
    dx, *grads = tape.gradient(y, [x_, *watched], output_gradients=tf.constant(dy))
    close(layer.forward(x, training=True), y, dtype)
    close(layer.backward(dy), dx, dtype)
    for own, their in zip(layer.grads.values(), grads, strict=True):
        close(own, their, dtype)
    for own, their in zip(layer.params.values(), twin.get_weights(), strict=True):
        close(own, their, dtype)
    close(layer.forward(x), twin(x_, training=False), dtype)


def discriminator(package):
    L = package.layers
    model = package.Sequential([
        package.Input((8, 7, 2)),
        L.SpectralNormalization(L.Conv2D(4, (3, 2), strides=2), power_iterations=2, name="first"),
        L.LeakyReLU(), L.Flatten(), L.SpectralNormalization(L.Dense(1), name="last")])
    model.compile(optimizer=package.optimizers.Adam(0.01),
                  loss=package.losses.BinaryCrossentropy(from_logits=True))
    return model


def batches():
    rng = np.random.default_rng(3)
    return rng.standard_normal((12, 8, 7, 2)).astype("float32"), rng.integers(0, 2, (12, 1))


def test_files_both_ways_and_steps_of_training(keras, tmp_path):
    ours = discriminator(scratch)
    ours.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    x, y = batches()
    for model in (ours, theirs):
        model.fit(x, y, batch_size=5, epochs=2, shuffle=False, verbose=0)
    for own, their in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(own, their, rtol=0, atol=2e-5)
    theirs.save(tmp_path / "theirs.keras")
    back = scratch.load_model(tmp_path / "theirs.keras")
    for own, their in zip(back.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(own, their)
    np.testing.assert_allclose(back.predict(x), theirs.predict(x, verbose=0), atol=1e-5)
    ours.save_weights(tmp_path / "w.weights.h5")
    theirs.load_weights(tmp_path / "w.weights.h5")
    for own, their in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(own, their)


def test_in_a_model_inside_a_model(keras):
    def gan(package):
        part = discriminator(package)
        part.trainable = False
        L, z = package.layers, package.Input((5,))
        made = L.Reshape((8, 7, 2))(L.Dense(112, name="make")(z))
        return package.Model(z, part(made))

    twin = gan(keras)
    twin.compile(keras.optimizers.SGD(0.1), keras.losses.BinaryCrossentropy(from_logits=True))
    ours = scratch.Model.from_config(twin.get_config())
    ours.set_weights(twin.get_weights())
    ours.compile(scratch.optimizers.SGD(0.1), scratch.losses.BinaryCrossentropy(from_logits=True))
    z = np.random.default_rng(1).standard_normal((6, 5)).astype("float32")
    before = [weight.copy() for weight in ours.get_weights()]
    for model in (ours, twin):
        model.fit(z, np.ones((6, 1)), batch_size=3, epochs=2, shuffle=False, verbose=0)
    moved = []
    for own, their, old in zip(ours.get_weights(), twin.get_weights(), before, strict=True):
        np.testing.assert_allclose(own, their, rtol=0, atol=1e-5)
        moved.append(not np.array_equal(own, old))
    assert sum(moved) == 6, "the dense layer's two, and kernels and vectors of the frozen part"


@pytest.mark.parametrize("inside, said", [
    (lambda: scratch.BatchNormalization(), "layer=BatchNormalization"),
    (lambda: scratch.ReLU(), "layer=ReLU"),
    (lambda: scratch.Embedding(3, 2), "layer=Embedding"),
    (lambda: scratch.SeparableConv2D(3, 2), "layer=SeparableConv2D"),
    (lambda: scratch.Dense(2, activation="softmax"), "activation='softmax'"),
    (lambda: scratch.Dense(2, kernel_regularizer="l2"), "kernel_regularizer")])
def test_what_is_refused_by_name(inside, said):
    with pytest.raises(UnsupportedError, match=f"SpectralNormalization does not support.*{said}"):
        scratch.SpectralNormalization(inside())


def test_an_optimizer_with_weights_of_its_own_is_refused():
    model = scratch.Sequential([scratch.Input((3,)), scratch.SpectralNormalization(
        scratch.Dense(2), name="mine")])
    with pytest.raises(UnsupportedError, match="'mine' does not support ScheduleFreeAdamW"):
        model.compile(scratch.optimizers.ScheduleFreeAdamW(), "mse")
    model.layers[0].trainable = False
    model.compile(scratch.optimizers.ScheduleFreeAdamW(), "mse")


def test_bad_arguments_and_a_further_call():
    with pytest.raises(ValueError, match="power_iterations to be a positive integer"):
        scratch.SpectralNormalization(scratch.Dense(2), power_iterations=0)
    layer, x = scratch.SpectralNormalization(scratch.Dense(3)), scratch.Input((3,))
    with pytest.raises(UnsupportedError, match="does not support a further call"):
        scratch.Model(x, layer(layer(x)))
