"""Callbacks against Keras's, both driven with the same made-up figures."""

import warnings

import numpy as np
import pytest

import scratch
from scratch import callbacks

EDGES = [0.5, 0.4, 0.4, 0.3999999, 0.39990003, 0.3999, 0.3998, 0.3, 0.3, 0.31, 0.3, 0.29995, 0.1,
         0.1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.0999, 0.0998]


def figures(seed):
    """Twenty figures: float32 numbers that wander, with ties, or such as lie on the edges."""
    if seed == 0:
        return [float(np.float32(value)) for value in EDGES]
    rng = np.random.default_rng(seed)
    steps = rng.choice([-0.1, -0.01, -1e-4, 0.0, 0.02, 0.1], 20)
    return [float(value) for value in np.float32(1 + np.cumsum(steps))]


class Stub:
    metrics = ()

    def __init__(self, optimizer=None):
        self.optimizer = optimizer
        self.stop_training = False
        self.epoch = None
        self.restored = None
        self.saved = []

    def get_weights(self):
        return self.epoch

    def set_weights(self, weights):
        self.restored = weights

    def save(self, path, **_):
        self.saved.append(path)

    save_weights = save


def drive(callback, model, values, name):
    """What the callback does in each epoch, until it stops the run, and at the end."""
    callback.set_model(model)
    callback.set_params({"epochs": len(values), "steps": 2, "verbose": 0})
    callback.on_train_begin(None)
    done = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for epoch, value in enumerate(values):
            model.epoch = epoch
            callback.on_epoch_begin(epoch, None)
            for batch in range(2):
                callback.on_train_batch_end(batch, logs={name: value})
            logs = {"loss": 0.5, name: value}
            callback.on_epoch_end(epoch, logs)
            rate = None if model.optimizer is None else float(model.optimizer.learning_rate)
            done.append((model.stop_training, rate, len(model.saved), logs.get("learning_rate")))
            if model.stop_training:
                break
        callback.on_train_end(None)
    return done, model.restored, model.saved


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("settings", [
    dict(), dict(patience=3), dict(patience=2, min_delta=1e-4), dict(patience=3, mode="max"),
    dict(patience=2, baseline=0.45), dict(patience=2, baseline=0.9, restore_best_weights=True),
    dict(patience=4, restore_best_weights=True, min_delta=0.01),
    dict(patience=1, start_from_epoch=5), dict(patience=30, restore_best_weights=True),
    dict(patience=2, mode="max", min_delta=-0.02)], ids=str)
def test_early_stopping(keras, settings, seed):
    ours = drive(callbacks.EarlyStopping(**settings), Stub(), figures(seed), "val_loss")
    theirs = drive(keras.callbacks.EarlyStopping(**settings), Stub(), figures(seed), "val_loss")
    assert ours == theirs


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("settings", [
    dict(patience=2), dict(patience=1, cooldown=2, factor=0.5), dict(patience=3, min_delta=0.05),
    dict(patience=1, min_lr=0.03, factor=0.3), dict(patience=0), dict(patience=2, mode="max"),
    dict(patience=1, cooldown=1, monitor="loss")], ids=str)
def test_plateaus(keras, settings, seed):
    ours = drive(callbacks.ReduceLROnPlateau(**settings), Stub(scratch.SGD(0.1)), figures(seed),
                 "val_loss")
    theirs = drive(keras.callbacks.ReduceLROnPlateau(**settings),
                   Stub(keras.optimizers.SGD(0.1)), figures(seed), "val_loss")
    assert ours == theirs


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("settings", [
    dict(), dict(save_best_only=True), dict(save_best_only=True, mode="max"),
    dict(save_best_only=True, initial_value_threshold=0.9), dict(save_freq=3),
    dict(save_freq=3, save_best_only=True, mode="min"),
    dict(save_best_only=True, monitor="other", mode="min"),
    dict(save_freq=1)], ids=str)
def test_checkpoints(keras, settings, seed, tmp_path):
    ending = str(tmp_path / "{epoch:02d}-{val_loss:.3f}.keras")
    ours = drive(callbacks.ModelCheckpoint(ending, **settings), Stub(), figures(seed), "val_loss")
    if settings.get("save_best_only") and "save_freq" in settings:
        # Keras knows no direction before the first epoch is over
        theirs = keras.callbacks.ModelCheckpoint(ending, **settings)
        theirs.set_model(Stub())
        theirs._set_monitor_op()
    else:
        theirs = keras.callbacks.ModelCheckpoint(ending, **settings)
    assert ours == drive(theirs, Stub(), figures(seed), "val_loss")


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("name", ["val_loss", "mse"])
def test_tables_are_the_same_byte_for_byte(keras, tmp_path, append, separator, name):
    contents = []
    for i, make in enumerate((callbacks.CSVLogger, keras.callbacks.CSVLogger)):
        path = tmp_path / f"{i}.csv"
        for _ in range(2):
            drive(make(str(path), separator=separator, append=append), Stub(), figures(1), name)
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize("schedule", [
    lambda epoch, rate: rate * 0.7, lambda epoch: 0.1 / (1 + epoch),
    lambda epoch, rate: np.float32(0.3)])
def test_a_rate_for_each_epoch(keras, schedule):
    ours = drive(callbacks.LearningRateScheduler(schedule), Stub(scratch.SGD(0.1)), figures(1),
                 "val_loss")
    theirs = drive(keras.callbacks.LearningRateScheduler(schedule),
                   Stub(keras.optimizers.SGD(0.1)), figures(1), "val_loss")
    assert ours == theirs


def test_a_callback_of_keras_takes_part_in_a_run(keras):
    model = scratch.Sequential([scratch.Input((2,)), scratch.Dense(1)])
    model.compile("sgd", "mse", ["mae"])
    model.optimizer.learning_rate = 0.0
    stopping = keras.callbacks.EarlyStopping(monitor="loss", patience=2)
    history = model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=9, verbose=0, callbacks=[stopping])
    assert history.epoch == [0, 1, 2]
