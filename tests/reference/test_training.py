"""StepRunner: compiled as it is, it trains as a plain loop over Keras's own calls does."""

import numpy as np
import pytest

SHAPE, CLASSES, STEPS = (6, 5, 2), 4, 5
SETTINGS = [dict(), dict(momentum=0.9), dict(momentum=0.9, nesterov=True)]


@pytest.fixture(scope="module")
def reference(keras):
    import reference

    return reference


def network(keras, reference, dtype="float32", loss="sparse_categorical_crossentropy", **settings):
    layers = keras.layers
    model = keras.Sequential([
        keras.Input(SHAPE), layers.Conv2D(3, (2, 3), activation="relu"),
        layers.Flatten(), layers.Dense(5, trainable=False),
        layers.Dense(CLASSES, activation="softmax")])
    config = model.get_config()
    for layer in config["layers"]:
        layer["config"]["dtype"] = dtype
    twin = reference.from_config(config, {
        "optimizer": keras.optimizers.serialize(keras.optimizers.SGD(0.1, **settings)),
        "loss": loss})
    twin.set_weights([np.random.default_rng(i).standard_normal(w.shape) / 3
                      for i, w in enumerate(model.get_weights())])
    return twin


def batches(dtype="float32", size=3, one_hot=False):
    """x (steps, batch, ...), y (steps, batch)."""
    rng = np.random.default_rng(5)
    y = rng.integers(0, CLASSES, (STEPS, size))
    return (rng.standard_normal((STEPS, size, *SHAPE)).astype(dtype),
            np.eye(CLASSES, dtype=dtype)[y] if one_hot else y)


def plain_loop(model, x, y, tf):
    """Losses, hits and weights of the textbook's loop, eagerly."""
    losses, hits, weights = [], [], []
    for some_x, some_y in zip(x, y):
        with tf.GradientTape() as tape:
            output = model(some_x, training=True)
            loss = model.compute_loss(x=some_x, y=some_y, y_pred=output)
        variables = model.trainable_variables
        gradients = tape.gradient(loss, [v.value for v in variables])
        model.optimizer.apply(gradients, variables)
        labels = some_y if some_y.ndim == 1 else some_y.argmax(axis=1)
        losses.append(float(loss))
        hits.append(int((output.numpy().argmax(axis=1) == labels).sum()))
        weights.append(model.get_weights())
    return losses, hits, weights


def assert_close(ours, theirs, dtype):
    tolerance = 200 * float(np.finfo(dtype).eps)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_it_is_the_plain_loop(keras, reference, settings, dtype):
    import tensorflow as tf

    x, y = batches(dtype)
    model, plain = (network(keras, reference, dtype, **settings) for _ in range(2))
    losses, correct = reference.StepRunner(model).run(x, y)
    keras.config.set_floatx(dtype)  # or the loss would be computed in float32
    try:
        expected, hits, weights = plain_loop(plain, x, y, tf)
    finally:
        keras.config.set_floatx("float32")
    assert losses.shape == correct.shape == (STEPS,) and losses.dtype == dtype
    assert_close(losses, expected, dtype)
    assert correct.tolist() == hits
    assert_close(model.get_weights(), weights[-1], dtype)
    assert not np.array_equal(weights[0][0], weights[-1][0])
    assert_close([v.numpy() for v in model.optimizer.variables],
                 [v.numpy() for v in plain.optimizer.variables], dtype)


@pytest.mark.parametrize("settings", SETTINGS[::2], ids=str)
def test_it_is_keras_train_on_batch(keras, reference, settings):
    x, y = batches()
    model, plain = (network(keras, reference, **settings) for _ in range(2))
    losses, _ = reference.StepRunner(model).run(x, y)
    expected = []
    for some_x, some_y in zip(x, y):
        plain.reset_metrics()
        expected.append(float(plain.train_on_batch(some_x, some_y)))
    assert_close(losses, expected, "float32")
    assert_close(model.get_weights(), plain.get_weights(), "float32")


def test_a_run_can_be_continued_and_takes_other_sizes(keras, reference):
    import tensorflow as tf

    model, plain = (network(keras, reference, momentum=0.9) for _ in range(2))
    runner = reference.StepRunner(model)
    for size in (3, 1, 4):
        x, y = batches(size=size)
        losses, _ = runner.run(x, y)
        assert_close(losses, plain_loop(plain, x, y, tf)[0], "float32")
    assert_close(model.get_weights(), plain.get_weights(), "float32")


def test_one_hot_labels_count_hits_too(keras, reference):
    import tensorflow as tf

    x, y = batches(one_hot=True)
    model, plain = (network(keras, reference, loss="categorical_crossentropy") for _ in range(2))
    losses, correct = reference.StepRunner(model).run(x, y)
    expected, hits, _ = plain_loop(plain, x, y, tf)
    assert_close(losses, expected, "float32")
    assert correct.tolist() == hits


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_trajectory_starts_from_the_weights_it_is_given_and_without_a_past(keras, reference,
                                                                             settings):
    import tensorflow as tf

    model, plain = (network(keras, reference, **settings) for _ in range(2))
    runner = reference.StepRunner(model)
    x, y = batches()
    runner.run(x, y)  # a past
    start = plain.get_weights()
    trajectory, losses = runner.trajectory(start, x[0], y[0], 4)
    expected, _, weights = plain_loop(plain, [x[0]] * 4, [y[0]] * 4, tf)
    assert len(trajectory) == len(losses) == 4
    assert_close(losses, expected, "float32")
    for ours, theirs in zip(trajectory, weights):
        assert_close(ours, theirs, "float32")
    again, _ = runner.trajectory(start, x[0], y[0], 4)
    for a, b in zip(trajectory, again):
        for one, other in zip(a, b):
            np.testing.assert_array_equal(one, other)


def test_a_frozen_layer_stays(keras, reference):
    model = network(keras, reference)
    frozen = [w.copy() for w in model.layers[2].get_weights()]
    reference.StepRunner(model).run(*batches())
    for weight, kept in zip(model.layers[2].get_weights(), frozen):
        np.testing.assert_array_equal(weight, kept)
