"""Accuracies that evaluate reports: right ones hold, wrong ones are named, others are told of."""

import numpy as np
import pytest

import compare
import scratch
from compare.checks import counted_metrics
from compare.inputs import twins
from scratch import metrics

N = 7
RNG = np.random.default_rng(5)
X = RNG.standard_normal((N, 6)).astype("float32")
LABELS = np.array([0, 2, 1, 3, 0, 1, 3])
ONE_HOT = np.eye(4, dtype="float32")[LABELS]
YES = np.array([0, 1, 1, 0, 1, 0, 1], "float32")[:, None]
WEIGHT = np.array([1, 2, 0.5, 0, 3, 1, 1], "float32")
CASES = [
    ("sparse_categorical_crossentropy", 4, LABELS,
     ["accuracy", metrics.SparseTopKCategoricalAccuracy(2, name="among_two")]),
    ("categorical_crossentropy", 4, ONE_HOT,
     ["accuracy", "categorical_accuracy", metrics.TopKCategoricalAccuracy(3)]),
    ("binary_crossentropy", 1, YES, ["accuracy", metrics.BinaryAccuracy(threshold=0.3)]),
    ("binary_crossentropy", 4, ONE_HOT, ["binary_accuracy"])]


def network(kind, loss, units, found, weighted=()):
    scratch.set_random_seed(1)
    model = kind([scratch.Input((6,)), scratch.Dense(5, activation="tanh"), scratch.Dense(
        units, activation="sigmoid" if loss.startswith("binary") else "softmax")])
    model.compile("sgd", loss, metrics=found, weighted_metrics=list(weighted))
    return model


def checked(kind, loss, units, y, found, weighted=(), **options):
    model, twin = twins.twins(network(kind, loss, units, found, weighted))
    return compare.check(model, twin, X, y, **options)


def metric_rows(report):
    return {row.tensor.removeprefix(counted_metrics.EVALUATE): row for row in report.rows
            if row.tensor.startswith(counted_metrics.EVALUATE)}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("loss, units, y, found", CASES)
def test_right_figures_hold_and_are_counts(loss, units, y, found):
    report = checked(scratch.Sequential, loss, units, y, found, ["accuracy"], sample_weight=WEIGHT)
    assert report, str(report)
    rows = list(metric_rows(report).values())
    assert len(rows) == len(found) + 1
    outputs = y.size if found == ["binary_accuracy"] else N
    for row in rows[:-1]:  # the last one is weighted
        assert abs(row.actual * outputs - round(row.actual * outputs)) < 1e-5


class MeanOfBatches(scratch.Sequential):
    """evaluate averages the batches' figures, however many samples they have."""

    def evaluate(self, x, y, batch_size=None, sample_weight=None, **options):
        right = super().evaluate(x, y, batch_size=batch_size, sample_weight=sample_weight,
                                 **options)
        figures = [self.test_on_batch(x[i:i + batch_size], y[i:i + batch_size], return_dict=True)
                   for i in range(0, len(x), batch_size)]
        return {**right, "accuracy": float(np.mean([each["accuracy"] for each in figures]))}


class LastIsLargest(scratch.Sequential):
    """Counts the last of equals, or whatever else is off by one answer."""

    def evaluate(self, x, y, **options):
        found = super().evaluate(x, y, **options)
        return {**found, "accuracy": found["accuracy"] + 1 / len(x)}


@pytest.mark.parametrize("kind, cause", [(MeanOfBatches, "mean-over-batches"),
                                         (LastIsLargest, "unknown")])
def test_wrong_figures_are_found(kind, cause):
    report = checked(kind, *CASES[0][:3], ["accuracy"])
    failed = [row for row in report.rows if not row.passed]
    assert [row.tensor for row in failed] == [f"{counted_metrics.EVALUATE}accuracy"]
    assert report.cause.identifier == cause


def test_metrics_without_an_exact_value_are_told_of():
    report = checked(scratch.Sequential, *CASES[1][:3], ["accuracy", "auc", "mse"])
    assert report, str(report)
    assert set(metric_rows(report)) == {"accuracy"}
    assert "Not compared: auc, mse." in str(report)
    silent = checked(scratch.Sequential, *CASES[1][:3], ["accuracy"])
    assert "Not compared" not in str(silent)


def test_a_model_keeps_the_figures_that_it_has():
    model = network(scratch.Sequential, "sparse_categorical_crossentropy", 4, ["accuracy"])
    model.evaluate(X, LABELS, verbose=0)
    before = [metric.result() for metric in model.metrics]
    assert counted_metrics.metrics_of(model)[0][0] == "accuracy"
    assert [metric.result() for metric in model.metrics] == before
