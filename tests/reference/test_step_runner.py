"""Many steps in one call are the same training as one step at a time."""

import numpy as np
import pytest

STEPS, BATCH = 4, 3


def compiled(keras, momentum=0.5):
    import reference

    keras.utils.set_random_seed(7)
    model = keras.Sequential([
        keras.Input((6, 5, 1)), keras.layers.Conv2D(2, (2, 3), activation="relu"),
        keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.125, momentum=momentum),
                  keras.losses.SparseCategoricalCrossentropy())
    return model, reference.StepRunner(model)


@pytest.fixture
def batches():
    rng = np.random.default_rng(8)
    return (rng.standard_normal((STEPS, BATCH, 6, 5, 1)).astype("float32"),
            rng.integers(0, 4, (STEPS, BATCH)))


def close(ours, theirs, roundings=64):
    for a, b in zip(ours, theirs, strict=True):
        assert np.abs(a - b).max() <= roundings * np.finfo("float32").eps * np.abs(b).max()


def test_the_weights_are_those_of_train_on_batch(keras, batches):
    x, y = batches
    model, runner = compiled(keras)
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    other.compile(keras.optimizers.SGD(0.125, momentum=0.5),
                  keras.losses.SparseCategoricalCrossentropy())
    losses, correct = runner.run(x, y)
    theirs = []
    for batch_x, batch_y in zip(x, y):
        theirs.append(float(other.train_on_batch(batch_x, batch_y)))
    close(model.get_weights(), other.get_weights())
    close([losses], [np.array(theirs)])
    assert correct.shape == (STEPS,) and ((correct >= 0) & (correct <= BATCH)).all()


def test_several_calls_go_on_where_the_last_one_stopped(keras, batches):
    x, y = batches
    once, runner = compiled(keras)
    start = once.get_weights()
    losses, _ = runner.run(x, y)
    twice, other = compiled(keras)
    twice.set_weights(start)
    first, _ = other.run(x[:1], y[:1])
    rest, _ = other.run(x[1:], y[1:])
    np.testing.assert_array_equal(losses, np.concatenate([first, rest]))
    for a, b in zip(once.get_weights(), twice.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_hits_are_counted_before_each_update(keras, batches):
    x, y = batches
    model, runner = compiled(keras)
    predicted = model.predict_on_batch(x[0]).argmax(axis=1)
    _, correct = runner.run(x[:1], y[:1])
    assert correct[0] == (predicted == y[0]).sum()


def test_a_trajectory_starts_afresh_every_time(keras, batches):
    x, y = batches
    model, runner = compiled(keras)
    start = model.get_weights()
    first, losses = runner.trajectory(start, x[0], y[0], 3)
    again, same = runner.trajectory(start, x[0], y[0], 3)
    assert losses == same and len(first) == 3
    for a, b in zip(first[-1], again[-1]):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(first[0], first[1]))


def test_xla_computes_the_same_training(keras, batches):
    import reference

    x, y = batches
    model, runner = compiled(keras)
    other = reference.clone(model)
    runner.run(x, y)
    reference.StepRunner(other, jit_compile=True).run(x, y)
    close(other.get_weights(), model.get_weights())
