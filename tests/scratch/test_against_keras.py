"""scratch against Keras: the same networks, weights and data, forward and backward.

Whole numbers must agree to the last bit. Real numbers pass through many layers, for which no bound
entry by entry is at hand: there, no entry may be further off than a few hundred roundings of the
largest one, as two orders of summation are; a wrong formula is off by millions.
"""

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import DTYPES, assert_exact, assert_norm_close, real, whole

ROUNDINGS = 300


def twin_of(keras, model):
    """The Keras model of the same config and weights."""
    twin = keras.Sequential.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    return twin


def keras_loss(keras, kind, dtype, from_logits=False):
    """In the network's dtype: a cast in between would hide the logits from the loss."""
    return {"sparse": keras.losses.SparseCategoricalCrossentropy,
            "dense": keras.losses.CategoricalCrossentropy}[kind](from_logits, dtype=dtype)


scratch_losses = {"sparse": scratch.SparseCategoricalCrossentropy,
                  "dense": scratch.CategoricalCrossentropy}


def random_network(seed, dtype):
    """One or two convolutions and a pooling with random arguments, then one or two Dense."""
    rng = np.random.default_rng(seed)

    def pick(*options):
        return options[rng.integers(len(options))]

    def pair(largest):
        return tuple(int(n) for n in rng.integers(1, largest + 1, 2))

    layers = [scratch.Input((int(rng.integers(7, 10)), int(rng.integers(10, 13)), pick(1, 2, 3)))]
    for _ in range(pick(1, 2)):
        layers.append(scratch.Conv2D(pick(2, 3, 5), pair(3), strides=pair(2),
                                     padding=pick("valid", "same"), use_bias=pick(True, False),
                                     activation=pick(None, "relu")))
        layers += pick([], [scratch.ReLU()], [scratch.Activation("relu")])
        layers += pick([], [scratch.MaxPooling2D(pair(3), strides=pick(None, pair(3)),
                                                 padding="same")])
    layers += [scratch.Flatten()] + pick([], [scratch.Dense(6, activation="relu")])
    layers += pick([scratch.Dense(4, activation="softmax")],
                   [scratch.Dense(4), scratch.Softmax()],
                   [scratch.Dense(4), scratch.Activation("softmax")])
    model = scratch.Sequential(layers, dtype=dtype)
    model.set_weights([real(1000 * seed + i, w.shape) / 2
                       for i, w in enumerate(model.get_weights())])
    return model


def keras_gradients(keras, twin, loss, x, y, bare):
    """(output, loss, input gradient, weight gradients) by TensorFlow's tape.

    `bare` hides the softmax's logits, so that the loss has only the probabilities to go by.
    """
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = twin(x, training=True)
        value = loss(y, tf.identity(output) if bare else output)
    dx, *grads = tape.gradient(value, [x, *twin.trainable_variables])
    return output.numpy(), value.numpy(), dx.numpy(), [g.numpy() for g in grads]


@pytest.mark.sampled(8, of="bare")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bare", [False, True], ids=["fused", "bare probabilities"])
@pytest.mark.parametrize("seed", range(8))
def test_random_networks(keras, seed, bare, dtype):
    model = random_network(seed, dtype)
    twin = twin_of(keras, model)
    x = real(seed, (3, *model.input_shape[1:])).astype(dtype)
    labels = np.random.default_rng(seed).integers(0, 4, 3)
    kind = ("sparse", "dense")[seed % 2]
    y = labels if kind == "sparse" else np.eye(4)[labels].astype(dtype)
    loss = scratch_losses[kind]()
    model.compile("sgd", loss)
    if bare:
        output = model.forward(x)
        value = loss.forward(y, output)
        dx = model.backward(loss.backward())
    else:
        value, output, dx = model.loss_and_gradients(x, y, wants_input_gradient=True)
    grads = [gradient for layer in model.layers for gradient in layer.grads.values()]
    expected = keras_gradients(keras, twin, keras_loss(keras, kind, dtype), x, y, bare)
    what = f"seed {seed}: {[str(layer) for layer in model.layers]}"
    assert_norm_close(output, expected[0], ROUNDINGS, what)
    assert_norm_close(np.asarray(value), np.asarray(expected[1]), ROUNDINGS, what)
    assert_norm_close(dx, expected[2], ROUNDINGS, what)
    for ours, theirs in zip(grads, expected[3], strict=True):
        assert ours.dtype == theirs.dtype == dtype
        assert_norm_close(ours, theirs, ROUNDINGS, what)


SMALL = (3, 7, 6, 2)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make, shape", [(make, SMALL) for make in (
    lambda: scratch.Conv2D(3, (2, 3), strides=(2, 1), padding="same", activation="relu"),
    lambda: scratch.Conv2D(3, (3, 2), strides=(1, 2)),
    lambda: scratch.Conv2D(2, (8, 9), padding="same", use_bias=False),  # larger than the image
    lambda: scratch.Conv2D(2, (1, 2), strides=(3, 3), padding="same"),
    lambda: scratch.MaxPooling2D((2, 3), strides=(1, 2)),
    lambda: scratch.MaxPooling2D((3, 2), strides=(2, 1), padding="same"),
    lambda: scratch.MaxPooling2D(2, strides=3, padding="same"),
    lambda: scratch.ReLU(), lambda: scratch.Flatten(), lambda: scratch.Dense(4),
)] + [
    (lambda: scratch.Conv2D(6, 5, padding="same"), (1, 28, 28, 1)),  # the benchmark's layers
    (lambda: scratch.Conv2D(6, 5, padding="same"), (33, 28, 28, 6)),
    (lambda: scratch.MaxPooling2D(2), (33, 28, 28, 6)),
    (lambda: scratch.Dense(10), (33, 1176)),
    (lambda: scratch.Conv2D(17, (3, 4), strides=(2, 3)), (5, 31, 26, 13)),
])
def test_whole_numbers_agree_to_the_last_bit(keras, make, shape, dtype):
    """One layer at a time, ties and kinks included: nearly every pooling window has one."""
    import tensorflow as tf

    model = scratch.Sequential([scratch.Input(shape[1:]), make()], dtype=dtype)
    model.set_weights([whole(i, w.shape) for i, w in enumerate(model.get_weights())])
    twin = twin_of(keras, model)
    x = whole(5, shape, 2).astype(dtype)
    dy = whole(6, (shape[0], *model.output_shape[1:])).astype(dtype)
    y, dx = model.forward(x), model.backward(dy)
    source = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        output = twin(source)
    expected = tape.gradient(output, [source, *twin.trainable_variables], output_gradients=dy)
    assert_exact(y, output.numpy(), "y")
    assert_exact(dx, expected[0].numpy(), "dx")
    for ours, theirs in zip(model.layers[0].grads.values(), expected[1:], strict=True):
        assert_exact(ours, theirs.numpy(), "weight gradient")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("kind", ["sparse", "dense"])
def test_losses_at_their_edges(keras, kind, from_logits, dtype):
    """Extreme logits; probabilities of 0, 1, next to the clip, and not summing to 1."""
    import tensorflow as tf

    rows = [[100, 0, 0], [0, -1000, 1000], [0, 0, 0], [1e4, 1e4, -5]] if from_logits else [
        [1, 0, 0], [2, 1, 1], [1e-7, 2e-7, 0.5], [5e-8, 1, 3], [0.2, 0.3, 0.5]]
    p = np.array([row for row in rows for _ in range(3)], dtype)
    labels = np.tile(np.arange(3), len(rows))
    y = labels if kind == "sparse" else np.eye(3)[labels].astype(dtype)
    for i in range(len(p)):  # each alone, so that none hides behind a larger one
        loss = scratch_losses[kind](from_logits=from_logits)
        value, source = loss.forward(y[i:i + 1], p[i:i + 1]), tf.constant(p[i:i + 1])
        theirs = keras_loss(keras, kind, dtype, from_logits)
        with tf.GradientTape() as tape:
            tape.watch(source)
            expected = theirs(y[i:i + 1], source)
        gradient = tape.gradient(expected, source)
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(value, expected.numpy(), rtol=20 * eps, atol=4 * eps,
                                   err_msg=f"loss of {p[i]}, {labels[i]}")
        np.testing.assert_allclose(loss.backward(), gradient.numpy(), rtol=50 * eps, atol=4 * eps,
                                   err_msg=f"gradient of {p[i]}, {labels[i]}")


@pytest.mark.parametrize("settings", [
    dict(), dict(momentum=0.9), dict(momentum=0.9, nesterov=True),
    dict(momentum=0.5, nesterov=True)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sgd_agrees_to_the_last_bit(keras, settings, dtype):
    weights = [real(1, (3, 4)).astype(dtype), real(2, (5,)).astype(dtype)]
    variables = [keras.Variable(weight, dtype=dtype) for weight in weights]
    ours, theirs = scratch.SGD(0.1, **settings), keras.optimizers.SGD(0.1, **settings)
    for step in range(6):
        gradients = [real(10 * step + i, w.shape).astype(dtype) for i, w in enumerate(weights)]
        ours.apply(gradients, weights)
        theirs.apply_gradients([(keras.ops.convert_to_tensor(g), v)
                                for g, v in zip(gradients, variables)])
        for weight, variable in zip(weights, variables):
            np.testing.assert_array_equal(weight, variable.numpy(), f"step {step + 1}")
