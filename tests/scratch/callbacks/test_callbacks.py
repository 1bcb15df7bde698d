"""Callbacks: when they are called, with what, and what each of them does."""

import csv

import numpy as np
import pytest

import scratch
from scratch import callbacks
from tests.scratch.support.checks import real

X = real(1, (10, 4))
Y = np.random.default_rng(2).integers(0, 3, 10)


def network(metrics=("accuracy",), rate=0.125, seed=5):
    scratch.set_random_seed(seed)
    model = scratch.Sequential([scratch.Input((4,)), scratch.Dense(3, activation="softmax")])
    model.compile(scratch.SGD(rate), "sparse_categorical_crossentropy", list(metrics))
    return model


class Stub:
    """As much of a model as callbacks need."""

    def __init__(self, rate=0.5):
        self.optimizer = scratch.SGD(rate)
        self.metrics = [scratch.metrics.get("accuracy"), scratch.metrics.get("mse")]
        self.weights = [np.zeros(2)]
        self.stop_training = False
        self.saved = []

    def get_weights(self):
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights):
        self.weights = weights

    def save(self, path):
        self.saved.append(("model", path))

    def save_weights(self, path):
        self.saved.append(("weights", path))


def drive(callback, figures, name="val_loss", model=None):
    """The callback through a run with these figures, epoch by epoch, until it stops the run.

    Returns:
        (the model, the number of epochs, the learning rate in each). The weights of epoch n are n.
    """
    model = model or Stub()
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, figure in enumerate(figures):
        callback.on_epoch_begin(epoch)
        model.weights = [np.full(2, float(epoch))]
        rates.append(model.optimizer.learning_rate)
        callback.on_epoch_end(epoch, {"loss": 1.0, name: figure})
        if model.stop_training:
            break
    callback.on_train_end()
    return model, epoch + 1, rates


class Recorder(callbacks.Callback):
    """Notes every hook, its number and the names of its logs."""

    def __init__(self):
        self.calls = []


def _noting(hook):
    def note(self, *position, logs=None):
        if position and isinstance(position[-1], (dict, type(None))):
            *position, logs = position
        self.calls.append((hook, *position, sorted(logs or {})))
    return note


for _hook in [name for name in vars(callbacks.Callback) if name.startswith("on_")]:
    setattr(Recorder, _hook, _noting(_hook))


def test_hooks_are_called_in_order():
    recorder, model = Recorder(), network()
    model.fit(X, Y, batch_size=5, epochs=4, initial_epoch=2, verbose=0, callbacks=[recorder],
              validation_data=(X[:3], Y[:3]))
    both = ["accuracy", "loss"]
    epoch = [("on_train_batch_begin", 0, []), ("on_train_batch_end", 0, both),
             ("on_train_batch_begin", 1, []), ("on_train_batch_end", 1, both),
             ("on_test_begin", []), ("on_test_batch_begin", 0, []),
             ("on_test_batch_end", 0, both), ("on_test_end", both)]
    every = both + ["val_accuracy", "val_loss"]
    assert recorder.calls == [
        ("on_train_begin", []),
        ("on_epoch_begin", 2, []), *epoch, ("on_epoch_end", 2, every),
        ("on_epoch_begin", 3, []), *epoch, ("on_epoch_end", 3, every),
        ("on_train_end", every)]
    assert recorder.model is model
    assert recorder.params == {"epochs": 4, "steps": 2, "verbose": 0}
    recorder.calls.clear()
    model.evaluate(X, Y, batch_size=8, verbose=0, callbacks=recorder)
    assert [call[:-1] for call in recorder.calls] == [
        ("on_test_begin",), ("on_test_batch_begin", 0), ("on_test_batch_end", 0),
        ("on_test_batch_begin", 1), ("on_test_batch_end", 1), ("on_test_end",)]
    recorder.calls.clear()
    model.predict(X, batch_size=8, verbose=0, callbacks=[recorder])
    assert recorder.calls[:3] == [("on_predict_begin", []), ("on_predict_batch_begin", 0, []),
                                  ("on_predict_batch_end", 0, ["outputs"])]
    assert recorder.calls[-1] == ("on_predict_end", [])


def test_batches_have_the_means_so_far():
    seen = []
    model, twin = network(), network()
    model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs["loss"])))
    losses = [twin.train_on_batch(X[i:i + 4], Y[i:i + 4])[0] for i in (0, 4, 8)]
    expected = [losses[0], (losses[0] + losses[1]) / 2, (4 * losses[0] + 4 * losses[1]
                                                         + 2 * losses[2]) / 10]
    np.testing.assert_allclose(seen, expected, rtol=1e-6)


def test_the_older_names_of_the_batch_hooks():
    class Old(callbacks.Callback):
        seen = ()

        def on_batch_end(self, batch, logs=None):
            self.seen += (batch,)

    old = Old()
    network().fit(X, Y, batch_size=4, verbose=0, callbacks=[old])
    assert old.seen == (0, 1, 2)


@pytest.mark.parametrize("hook, epochs, batches", [("on_epoch_end", 1, 3), ("on_batch_end", 1, 1),
                                                   ("on_epoch_begin", 1, 1)])
def test_stop_training_ends_the_run_after_the_step_at_hand(hook, epochs, batches):
    model, seen = network(), []

    def stop(*_, logs=None):
        model.stop_training = True

    history = model.fit(X, Y, batch_size=4, epochs=5, verbose=0, callbacks=[
        callbacks.LambdaCallback(**{hook: stop}),
        callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))])
    assert history.epoch == list(range(epochs)) and len(seen) == batches
    assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1], "a new run starts afresh"


def test_what_a_callback_adds_to_the_logs_goes_into_the_history():
    model = network()
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[
        callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)])
    assert history.history["learning_rate"] == [0.0625, 0.03125, 0.015625]


@pytest.mark.parametrize("wrong", [3, "x", [None], lambda: 0])
def test_what_is_no_callback_is_refused(wrong):
    with pytest.raises(TypeError, match="Expected callbacks"):
        network().fit(X, Y, verbose=0, callbacks=wrong)


def test_a_hook_that_is_none_is_refused():
    with pytest.raises(TypeError, match="names of hooks.*Received: on_lunch"):
        callbacks.LambdaCallback(on_lunch=print)


STOPS = [  # settings, figures, epochs run, weights at the end (those of an epoch)
    (dict(), [3, 2, 2, 1], 3, 2),
    (dict(patience=2), [3, 2, 2, 1, 1, 1, 1], 6, 5),
    (dict(patience=2, restore_best_weights=True), [3, 1, 2, 2, 0], 4, 1),
    (dict(patience=1, min_delta=0.5), [3, 2.6, 2, 1.9, 0], 2, 1),
    (dict(mode="max", patience=1), [1, 2, 1, 1, 9], 3, 2),
    (dict(baseline=2.5, patience=2), [3, 2.9, 2.8, 0], 4, 3),
    (dict(baseline=2.5, patience=2), [3, 2.9, 2.95, 0], 3, 2),
    (dict(start_from_epoch=2, patience=1), [1, 2, 3, 4, 0], 4, 3),
    (dict(restore_best_weights=True, start_from_epoch=1), [0, 2, 3], 3, 1),
    (dict(restore_best_weights=True), [3, 2, 1], 3, 2),
    (dict(restore_best_weights=True, patience=9), [3, 1, 2], 3, 1),
]


@pytest.mark.parametrize("settings, figures, epochs, weights", STOPS)
def test_early_stopping(settings, figures, epochs, weights):
    model, run, _ = drive(callbacks.EarlyStopping(**settings), figures)
    assert run == epochs and model.weights[0][0] == weights


def test_early_stopping_in_a_real_run():
    model = network(rate=0.0)
    stopping = callbacks.EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    assert len(model.fit(X, Y, epochs=9, verbose=0, callbacks=stopping).epoch) == 3
    assert len(model.fit(X, Y, epochs=9, verbose=0, callbacks=stopping).epoch) == 3, "used again"


@pytest.mark.parametrize("name, figures, epochs", [
    ("val_accuracy", [0.1, 0.2, 0.1], 3), ("val_mse", [0.2, 0.1, 0.2], 3), ("loss", [1, 1], 2)])
def test_the_direction_goes_by_the_metric(name, figures, epochs):
    assert drive(callbacks.EarlyStopping(name), figures, name)[1] == epochs


def test_a_figure_whose_direction_is_not_known_needs_a_mode():
    with pytest.raises(ValueError, match="mode='min' or mode='max', since monitor='figure'"):
        drive(callbacks.EarlyStopping("figure"), [1, 2], "figure")
    assert drive(callbacks.EarlyStopping("figure", mode="max"), [1, 2, 1], "figure")[1] == 3
    with pytest.raises(ValueError, match="mode to be 'auto', 'min' or 'max'. Received: mode='up'"):
        callbacks.EarlyStopping(mode="up")


@pytest.mark.parametrize("make", [callbacks.EarlyStopping, callbacks.ReduceLROnPlateau])
def test_a_figure_that_is_not_there_is_warned_of(make):
    with pytest.warns(UserWarning, match="watches 'val_loss', which is not available. Available: "
                                         "loss, other"):
        assert drive(make(), [1, 1], "other")[1] == 2


def test_plateaus_lower_the_rate():
    plateau = callbacks.ReduceLROnPlateau(factor=0.5, patience=2, min_lr=0.1)
    _, _, rates = drive(plateau, [1] * 9)
    lowest = float(np.float32(0.1))
    assert rates == [0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, lowest, lowest]
    plateau = callbacks.ReduceLROnPlateau(factor=0.5, patience=1, cooldown=2)
    assert drive(plateau, [1] * 7)[2] == [0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0625]
    plateau = callbacks.ReduceLROnPlateau(factor=0.5, patience=1, min_delta=0.1, mode="max")
    assert drive(plateau, [1, 1.05, 1.2, 1.25])[2] == [0.5, 0.5, 0.25, 0.25]
    with pytest.raises(ValueError, match="factor to be below 1. Received: factor=1.0"):
        callbacks.ReduceLROnPlateau(factor=1.0)


def test_a_rate_for_each_epoch():
    for schedule in (lambda epoch, rate: 0.5 ** epoch, lambda epoch: 0.5 ** epoch,
                     lambda epoch: np.float32(0.5) ** epoch):
        assert drive(callbacks.LearningRateScheduler(schedule), [1] * 3)[2] == [1, 0.5, 0.25]
    for wrong in (1, "fast", None, np.int64(3)):
        with pytest.raises(ValueError, match="schedule to return a float. Received"):
            drive(callbacks.LearningRateScheduler(lambda epoch, rate, wrong=wrong: wrong), [1])
    with pytest.raises(TypeError, match="its rate cannot be set"):
        model = Stub()
        model.optimizer = scratch.SGD(scratch.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5))
        drive(callbacks.LearningRateScheduler(lambda epoch: 0.5), [1], model=model)


def test_checkpoints(tmp_path):
    path = str(tmp_path / "new" / "{epoch:02d}-{val_loss:.1f}.keras")
    model, _, _ = drive(callbacks.ModelCheckpoint(path), [2, 3])
    assert model.saved == [("model", str(tmp_path / "new" / "01-2.0.keras")),
                           ("model", str(tmp_path / "new" / "02-3.0.keras"))]
    assert (tmp_path / "new").is_dir()
    best = callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_best_only=True,
                                     save_weights_only=True)
    model, _, _ = drive(best, [3, 4, 2, 2, 1])
    assert model.saved == [("weights", str(tmp_path / f"{epoch}.weights.h5"))
                           for epoch in (1, 3, 5)]
    best = callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras", "val_accuracy",
                                     save_best_only=True, initial_value_threshold=0.5)
    model, _, _ = drive(best, [0.4, 0.6, 0.55, 0.7], "val_accuracy")
    assert [path[-7] for _, path in model.saved] == ["2", "4"]
    with pytest.warns(UserWarning, match="saves every time: it watches 'val_loss'"):
        model, _, _ = drive(callbacks.ModelCheckpoint(tmp_path / "x.keras", save_best_only=True),
                            [1, 2], "other")
    assert len(model.saved) == 2


def test_checkpoints_every_so_many_steps(tmp_path):
    model, saved = network(), []
    model.save = saved.append
    checkpoint = callbacks.ModelCheckpoint(tmp_path / "{epoch}-{batch}.keras", save_freq=2)
    model.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[checkpoint])  # 3 steps each
    assert [path[len(str(tmp_path)) + 1:-6] for path in saved] == ["1-2", "2-1", "2-3", "3-2"]


@pytest.mark.parametrize("settings, error, said", [
    (dict(filepath="a.h5"), ValueError, "filepath to end in '.keras'"),
    (dict(filepath="a.keras", save_weights_only=True), ValueError, "end in '.weights.h5'"),
    (dict(filepath="a.keras", save_freq=0), ValueError, "save_freq to be 'epoch' or a number"),
    (dict(filepath="a.keras", save_freq="batch"), ValueError, "Received: save_freq='batch'"),
])
def test_checkpoints_that_cannot_be_are_refused(settings, error, said):
    with pytest.raises(error, match=said):
        callbacks.ModelCheckpoint(**settings)


def test_a_checkpoints_name_has_figures_that_there_are(tmp_path):
    with pytest.raises(KeyError, match="to name figures out of .*epoch.*loss.*val_f1"):
        drive(callbacks.ModelCheckpoint(tmp_path / "{val_f1}.keras"), [1])


def rows(path, separator=","):
    with open(path, newline="") as file:
        return list(csv.reader(file, delimiter=separator))


def test_a_table_of_the_run(tmp_path):
    path = tmp_path / "run.csv"
    lines = []

    class Reads(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            lines.append(len(rows(path)))

    history = network().fit(X, Y, epochs=2, verbose=0, validation_data=(X, Y),
                            callbacks=[callbacks.CSVLogger(path), Reads()])
    header, *body = rows(path)
    assert lines == [2, 3], "each epoch is on disk as soon as it is over"
    assert header == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    for epoch, row in enumerate(body):
        assert row == [str(epoch)] + [str(history.history[key][epoch]) for key in header[1:]]
    more = callbacks.CSVLogger(path, append=True)
    network().fit(X, Y, epochs=1, verbose=0, callbacks=more, validation_data=(X, Y))
    assert len(rows(path)) == 4 and rows(path)[0] == header
    network().fit(X, Y, epochs=1, verbose=0, callbacks=callbacks.CSVLogger(path, separator=";"))
    header, row = rows(path, ";")
    assert header == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"]
    assert row[3:] == ["NA", "NA"]


def test_a_table_that_cannot_be_written_is_found_out_before_training(tmp_path):
    model = network()
    before = model.get_weights()
    with pytest.raises(OSError):
        model.fit(X, Y, verbose=0, callbacks=callbacks.CSVLogger(tmp_path / "no" / "run.csv"))
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_what_callbacks_say_goes_to_standard_error(tmp_path, capsys):
    for callback, said in [
            (callbacks.EarlyStopping(verbose=1, restore_best_weights=True), "early stopping"),
            (callbacks.ReduceLROnPlateau(patience=1, verbose=1), "lowered to 0.05"),
            (callbacks.LearningRateScheduler(lambda e: 0.25, verbose=1), "set to 0.25"),
            (callbacks.ModelCheckpoint(tmp_path / "a.keras", verbose=1), "a.keras")]:
        drive(callback, [1, 1, 1])
        out, err = capsys.readouterr()
        assert out == "" and said in err
        callback.verbose = 0
        drive(callback, [1, 1, 1])
        assert capsys.readouterr() == ("", "")
