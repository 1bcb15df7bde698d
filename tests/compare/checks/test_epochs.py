"""fit and evaluate in several batches: right ones hold under every loss, wrong ones are named."""

import numpy as np
import pytest

import compare
import scratch
from compare.checks import epochs
from compare.inputs import twins
from compare.oracle.network import outside_of_training

N = 7
RNG = np.random.default_rng(11)
X = RNG.standard_normal((N, 4, 3)).astype("float32")
LABELS = np.array([0, 2, 1, 2, 0, 1, 1])
VALUES = RNG.uniform(0.05, 0.95, (N, 3)).astype("float32")
WEIGHT = np.array([1, 2, 0.5, 0, 3, 1, 1], "float32")
FALLING = {"module": "keras.optimizers.schedules", "class_name": "ExponentialDecay",
           "registered_name": None, "config": {"initial_learning_rate": 0.05, "decay_steps": 2,
                                               "decay_rate": 0.5}}


def network(kind=scratch.Sequential, optimizer="sgd", loss="sparse_categorical_crossentropy",
            **options):
    scratch.set_random_seed(1)
    model = kind([scratch.Input((4, 3)), scratch.Flatten(),
                  scratch.Dense(5, activation="tanh", **options), scratch.BatchNormalization(),
                  scratch.Dense(3, activation="softmax")])
    model.compile(optimizer, loss)
    return model


def failed(model, y=LABELS, **options):
    model, twin = twins.twins(model)
    return compare.check(model, twin, X, y, **options)


def rows_of(report):
    return {row.tensor: row for row in report.rows if row.tensor in (epochs.FIT, epochs.EVALUATE)}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("loss, y", [
    ("sparse_categorical_crossentropy", LABELS), ("mean_squared_error", VALUES),
    ("huber", VALUES), ("kl_divergence", VALUES)])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_right_networks_hold(loss, y, optimizer):
    report = failed(network(optimizer=optimizer, loss=loss, kernel_regularizer="l2"), y,
                    sample_weight=WEIGHT)
    assert report, str(report)
    rows = rows_of(report)
    assert set(rows) == {epochs.FIT, epochs.EVALUATE}
    assert rows[epochs.FIT].kind == "exact"
    evaluated = rows[epochs.EVALUATE]
    assert evaluated.allowed < 1e-4 * evaluated.expected, "some hundred roundings of float32"


def test_a_loss_that_is_no_mean_over_samples_is_not_held_against_one():
    loss = scratch.losses.get({"class_name": "MeanSquaredError", "config": {"reduction": "sum"}})
    assert set(rows_of(failed(network(loss=loss), VALUES))) == {epochs.FIT}
    assert set(rows_of(failed(network(loss="dice"), VALUES))) == {epochs.FIT}
    ignoring = {"class_name": "SparseCategoricalCrossentropy", "config": {"ignore_class": 1}}
    assert set(rows_of(failed(network(loss=scratch.losses.get(ignoring))))) == {epochs.FIT}
    report = failed(network(activity_regularizer="l1"))
    assert report and set(rows_of(report)) == {epochs.FIT}


def test_networks_that_draw_numbers_and_small_batches_make_no_epoch():
    noisy = scratch.Sequential([scratch.Input((4, 3)), scratch.Flatten(), scratch.Dropout(0.5),
                                scratch.Dense(3)])
    noisy.compile("sgd", "mse")
    assert not rows_of(failed(noisy, VALUES))
    model, twin = twins.twins(network())
    assert not rows_of(compare.check(model, twin, X[:2], LABELS[:2]))


def test_neither_model_nor_batch_is_changed():
    model, twin = twins.twins(network(optimizer="adam"))
    before = [w.copy() for w in model.get_weights()]
    x, y = X.copy(), LABELS.copy()
    trace = compare.record(model, x, y)
    epochs.rows(model, trace, outside_of_training(trace)[
        "network", "evaluate loss"])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert np.array_equal(x, X) and np.array_equal(y, LABELS)
    assert model.optimizer.iterations == 0


class Dropping(scratch.Sequential):
    """Leaves the last, shorter batch out."""

    def fit(self, x, y, batch_size=32, **more):
        whole = len(x) // batch_size * batch_size
        return super().fit(x[:whole], y[:whole], batch_size=batch_size, **more)


class Filling(scratch.Sequential):
    """Fills the last batch up from the beginning."""

    def fit(self, x, y, batch_size=32, **more):
        more_rows = np.arange(len(x) + -len(x) % batch_size) % len(x)
        return super().fit(x[more_rows], y[more_rows], batch_size=batch_size, **more)


class Reversed(scratch.Sequential):
    def fit(self, x, y, **more):
        return super().fit(x[::-1], y[::-1], **more)


class Forgetting(scratch.Sequential):
    """Each epoch begins with a fresh optimizer."""

    def fit(self, x, y, epochs=1, **more):
        for _ in range(epochs):
            self.optimizer = type(self.optimizer).from_config(self.optimizer.get_config())
            super().fit(x, y, epochs=1, **more)


class CountingEpochs(scratch.Sequential):
    """The schedule counts epochs, not steps."""

    def fit(self, x, y, epochs=1, **more):
        for epoch in range(epochs):
            self.optimizer.iterations = epoch
            super().fit(x, y, epochs=1, **more)


class Once(scratch.Sequential):
    """Makes one epoch however many are asked for."""

    def fit(self, x, y, epochs=1, **more):
        return super().fit(x, y, epochs=1, **more)


class InOrder(scratch.Sequential):
    """Never shuffles."""

    def fit(self, x, y, shuffle=True, **more):
        return super().fit(x, y, shuffle=False, **more)


class Raising(scratch.Sequential):
    def fit(self, x, y, batch_size=32, **more):
        raise RuntimeError("cannot take 2 samples")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind, cause, said, optimizer", [
    (Dropping, "last-batch", "left out", "sgd"),
    (Filling, "last-batch", "filled up", "sgd"),
    (Reversed, "batch-order", "reverse", "sgd"),
    (Forgetting, "optimizer-state", "fresh optimizer", "adam"),
    (CountingEpochs, "learning-rate-schedule", "epochs, not steps",
     {"class_name": "SGD", "config": {"learning_rate": FALLING}}),
    (Once, "unknown", "", "sgd"),
    (Raising, "raised", "cannot take 2 samples", "sgd")],
    ids=lambda each: getattr(each, "__name__", None) if callable(each) else None)
def test_a_wrong_epoch_is_seen_and_named(kind, cause, said, optimizer):
    report = failed(network(kind, optimizer))
    assert [row.tensor for row in report.rows if not row.passed] == [epochs.FIT], str(report)
    first, = report.diagnosis
    assert first.identifier == cause and said in str(first), str(first)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_fit_that_does_not_shuffle_is_seen_and_named(optimizer):
    report = failed(network(InOrder, optimizer), sample_weight=WEIGHT)
    assert [row.tensor for row in report.rows if not row.passed] == [epochs.SHUFFLED], str(report)
    finding, = report.diagnosis
    assert finding.identifier == "batch-order" and "shuffle=True" in str(finding)


def test_where_the_order_makes_no_difference_nothing_is_said_of_it():
    """All samples are the same."""
    model, twin = twins.twins(network(InOrder))
    x, y = np.repeat(X[:1], N, axis=0), np.repeat(LABELS[:1], N)
    report = compare.check(model, twin, x, y)
    assert report, str(report)


def of_batches(reduce):
    def evaluate(self, x, y, batch_size=32, sample_weight=None, **more):
        """As if each batch were handed over by itself."""
        made = [scratch.Sequential.evaluate(self, x[i:i + batch_size], y[i:i + batch_size],
                                            batch_size=batch_size, **more)["loss"]
                for i in range(0, len(x), batch_size)]
        return {"loss": reduce(made)}

    return type("Mine", (scratch.Sequential,), {"evaluate": evaluate})


@pytest.mark.sampled(3)
@pytest.mark.parametrize("reduce, cause, said", [
    (np.mean, "mean-over-batches", "counts alike"),
    (lambda losses: losses[-1], "mean-over-batches", "last batch's"),
    (sum, "mean-over-batches", "added up"),
    (lambda losses: losses[0], "last-batch", "left out"),
    (lambda losses: 0.3 * losses[0] + 0.7 * losses[-1], "unknown", "")],
    ids=["mean", "last", "sum", "first", "other"])
def test_a_wrong_mean_over_batches_is_seen_and_named(reduce, cause, said):
    report = failed(network(of_batches(reduce)))
    found = [row for row in report.rows if not row.passed]
    assert [row.tensor for row in found] == [epochs.EVALUATE], str(report)
    first, = report.diagnosis
    assert first.identifier == cause and said in str(first), str(first)
