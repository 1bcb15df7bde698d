"""Metrics by hand: what each counts, over several batches, with weights, ties and edges."""

import math

import numpy as np
import pytest

import scratch
from scratch import losses, metrics


def after(metric, *batches):
    for batch in batches:
        metric.update_state(*batch)
    return metric.result()


def test_a_mean_is_over_samples_and_not_over_batches():
    accuracy = metrics.SparseCategoricalAccuracy()
    eye = np.eye(3)
    assert after(accuracy, ([0, 1, 2], eye), ([0], eye[1:2])) == 3 / 4
    accuracy.reset_state()
    assert accuracy.result() == 0
    assert after(accuracy, ([1], eye[1:2])) == 1


def test_weights_of_samples_weigh():
    eye = np.eye(3)
    assert after(metrics.SparseCategoricalAccuracy(),
                 ([0, 0, 0], eye, [2, 1, 5]), ([2], eye[2:], [2])) == 4 / 10
    assert after(metrics.MeanSquaredError(), ([[1.0, 3.0], [0, 0]], np.zeros((2, 2)), [3, 1])) \
        == 3 * 5 / 4
    assert after(metrics.MeanSquaredError(), (np.ones((2, 1)), np.zeros((2, 1)), [0, 0])) == 0


def test_precision_is_that_of_all_batches_together():
    """Two of three, and none of one: 2 / 4, not the mean of 2 / 3 and 0."""
    first = ([[1], [1], [0], [1]], np.array([[0.9], [0.6], [0.7], [0.1]]))
    second = ([[0], [1]], np.array([[0.8], [0.5]]))  # at the threshold is not above it
    assert after(metrics.Precision(), first, second) == 2 / 4
    assert after(metrics.Recall(), first, second) == 2 / 4
    assert metrics.Precision().result() == 0 == metrics.Recall().result()


def test_several_thresholds_give_several_figures():
    precision = metrics.Precision(thresholds=[0.2, 0.55, 0.7])
    found = after(precision, ([0, 1, 1, 0], np.array([0.1, 0.3, 0.6, 0.65])))
    np.testing.assert_allclose(found, [2 / 3, 1 / 2, 0], atol=1e-15)


def test_f1_is_the_harmonic_mean_of_precision_and_recall_of_each_class():
    y_true, y_pred = np.eye(3)[[0, 0, 1, 2]], np.eye(3)[[0, 1, 1, 0]]
    expected = [1 / 2, 2 / 3, 0]
    for average, value in ((None, expected), ("macro", sum(expected) / 3), ("micro", 1 / 2),
                           ("weighted", (2 * expected[0] + expected[1]) / 4)):
        batches = [(y_true[:3], y_pred[:3]), (y_true[3:], y_pred[3:])]
        found = after(metrics.F1Score(average=average), *batches)
        np.testing.assert_allclose(found, value, atol=3e-7, err_msg=str(average))


def test_a_row_of_equals_is_a_yes_for_each_in_f1_and_zeros_are_none():
    f1 = metrics.F1Score()
    found = after(f1, (np.array([[1.0, 0], [0, 1]]), np.array([[0.5, 0.5], [0, 0]])))
    np.testing.assert_allclose(found, [1, 0], atol=3e-7)


@pytest.mark.parametrize("k, hits", [(1, [1, 0, 0]), (2, [1, 1, 0]), (3, [1, 1, 0]),
                                     (9, [1, 1, 0])])
def test_ties_are_all_among_the_k_largest(k, hits):
    y_pred = np.array([[3.0, 3, 3, 3], [0, 3, 2, 2], [1, math.nan, 0, 0]])
    assert metrics.in_top_k(np.array([3, 3, 0]), y_pred, k).tolist() == [bool(h) for h in hits]
    assert not metrics.in_top_k(np.array([-1, 4, 7]), y_pred, k).any()


def test_the_first_of_equals_is_the_largest():
    y_pred = np.array([[2.0, 2.0, 1.0]])
    assert metrics.sparse_categorical_accuracy([0], y_pred).tolist() == [True]
    assert metrics.sparse_categorical_accuracy([1], y_pred).tolist() == [False]
    assert metrics.categorical_accuracy([[1, 1, 0]], y_pred).tolist() == [True]


@pytest.mark.parametrize("name", ["accuracy", "acc", "Accuracy", "ACC"])
def test_accuracy_by_name_is_the_one_that_fits(name):
    metric = metrics.get(name)
    assert metric.name == name == metrics.serialize(metric)
    two, three = np.array([[0.2], [0.7]]), np.array([[0.2, 0.5, 0.3], [0.9, 0.1, 0]])
    for y_true, y_pred, value in [([0, 0], two, 0.5), ([[0], [0]], two, 0.5), ([1, 1], three, 0.5),
                                  ([[1], [1]], three, 0.5), ([[0, 1, 0], [0, 1, 0]], three, 0.5),
                                  ([[[1], [0]]], three[np.newaxis], 1.0)]:
        metric.reset_state()
        assert after(metric, (y_true, y_pred)) == value, (y_true, y_pred)
    assert metrics.Accuracy()([1, 2, 3], [1, 2, 4]) == 2 / 3


def test_labels_that_another_loss_has_checked_are_checked_again():
    checked = losses.SparseCategoricalCrossentropy().checked([0, 1], (2, 3), "float32")
    assert metrics.get("mse")(checked, np.array([[0.5], [1.0]])) == 0.125
    with pytest.raises(ValueError, match="expected one-hot targets"):
        metrics.get("categorical_crossentropy")(checked, np.ones((2, 3)))


@pytest.mark.parametrize("identifier", ["dice", None, 3, len, "IoU", "mean_io_u",
                                        {"class_name": "R3Score", "config": {}}])
def test_metrics_that_are_not_known_are_refused(identifier):
    with pytest.raises(scratch.UnsupportedError, match="Expected one of: acc, accuracy, "):
        metrics.get(identifier)


def test_settings_that_are_not_supported_are_refused_by_name():
    with pytest.raises(scratch.UnsupportedError, match="SparseTopK.* from_sorted_ids=True"):
        metrics.SparseTopKCategoricalAccuracy(from_sorted_ids=True)
    with pytest.raises(scratch.UnsupportedError, match="CategoricalCrossentropy .*axis=1"):
        metrics.CategoricalCrossentropy(axis=1)


@pytest.mark.parametrize("make, message", [
    (lambda: metrics.Precision(thresholds=1.5), "thresholds in \\[0, 1\\].*Received: .*1.5"),
    (lambda: metrics.Recall(thresholds=[0.5, None]), "thresholds in \\[0, 1\\]"),
    (lambda: metrics.F1Score(average="mean"), "average to be None.*Received: average='mean'"),
    (lambda: metrics.F1Score(threshold=0.0), "float in \\(0, 1\\].*Received: threshold=0.0"),
])
def test_arguments_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("metric, y_true, y_pred, weight", [
    ("sparse_categorical_accuracy", (3,), (2, 4), None),
    ("categorical_accuracy", (2,), (2, 4), None),
    ("binary_accuracy", (2, 3), (2, 4), None), ("precision", (2, 3), (2, 4), None),
    ("top_k_categorical_accuracy", (2,), (2, 4), None), ("f1_score", (2, 2, 2), (2, 2, 2), None),
    ("f1_score", (2, 4), (2, 4), (3,)), ("recall", (2, 4), (2, 4), (3,)),
    ("mse", (2, 3), (2, 4), None), ("mse", (2, 4), (2, 4), (3,)),
    ("sparse_top_k_categorical_accuracy", (2, 2), (2, 4), None),
])
def test_labels_and_weights_that_do_not_fit_are_refused(metric, y_true, y_pred, weight):
    weight = None if weight is None else np.ones(weight)
    with pytest.raises(ValueError, match="xpected .*Received"):
        metrics.get(metric).update_state(np.ones(y_true), np.ones(y_pred), weight)


def test_counts_by_hand():
    truth, said = [[1], [1], [0], [0], [1]], np.array([[0.9], [0.5], [0.7], [0.1], [0.2]])
    for name, counts in (("TruePositives", [1, 3]), ("FalsePositives", [1, 2]),
                         ("FalseNegatives", [2, 0]), ("TrueNegatives", [1, 0])):
        assert list(getattr(metrics, name)([0.5, 0.05])(truth, said)) == counts
        assert getattr(metrics, name)()(truth, said) == counts[0]
    assert after(metrics.FalsePositives(), (truth, said, [1, 1, 3, 1, 1]), (truth, said)) == 4


def test_trade_offs_by_hand():
    """Thresholds 0, 1/4, 1/2, 3/4, 1: a yes is above, and 0 counts as above the first one."""
    truth = [[1], [1], [1], [0], [0]]
    said = np.array([[0.9], [0.6], [0.3], [0.7], [0.1]])
    # recalls 1, 1, 2/3, 1/3, 0; precisions 3/5, 3/4, 2/3, 1, 0; specificities 0, 1/2, 1/2, 1, 1
    assert metrics.PrecisionAtRecall(0.9, 5)(truth, said) == 3 / 4
    assert metrics.PrecisionAtRecall(0.3, 5)(truth, said) == 1
    assert metrics.RecallAtPrecision(0.7, 5)(truth, said) == 1
    assert metrics.RecallAtPrecision(0.8, 5)(truth, said) == pytest.approx(1 / 3)
    assert metrics.SensitivityAtSpecificity(0.5, 5)(truth, said) == 1
    assert metrics.SensitivityAtSpecificity(0.9, 5)(truth, said) == pytest.approx(1 / 3)
    assert metrics.SpecificityAtSensitivity(0.5, 5)(truth, said) == 0.5
    assert metrics.SpecificityAtSensitivity(0.1, 1)(truth, said) == 0.5
    assert metrics.RecallAtPrecision(1.0, 3)([[1], [0]], [[0.2], [0.4]]) == 0, "there is none"


@pytest.mark.parametrize("name, key", [
    ("PrecisionAtRecall", "recall"), ("RecallAtPrecision", "precision"),
    ("SensitivityAtSpecificity", "specificity"), ("SpecificityAtSensitivity", "sensitivity")])
def test_trade_offs_out_of_range_are_refused(name, key):
    with pytest.raises(ValueError, match=rf"{name}: expected {key} in \[0, 1\].*{key}=1.5"):
        getattr(metrics, name)(1.5)
    with pytest.raises(ValueError, match="num_thresholds above 0. Received: num_thresholds=0"):
        getattr(metrics, name)(0.5, 0)


def test_r2_score_and_correlations_by_hand():
    truth, said = np.array([[1.0], [2.0], [6.0]]), np.array([[2.0], [2.0], [5.0]])
    assert metrics.R2Score()(truth, said) == pytest.approx(1 - 2 / 14)
    assert metrics.R2Score(num_regressors=1)(truth, said) == pytest.approx(1 - 2 / 14 * 2)
    assert metrics.R2Score(num_regressors=5)(truth, said) == pytest.approx(1 - 2 / 14)
    assert metrics.R2Score()(np.ones((3, 1)), said) == 0, "targets that do not vary"
    both = np.hstack([truth, 10 * truth]), np.hstack([said, 10 * truth])
    assert metrics.R2Score()(*both) == pytest.approx(1 - 1 / 14)
    assert metrics.R2Score("variance_weighted_average")(*both) == pytest.approx(1 - 2 / 1414)
    # deviations (-2, -1, 3) and (-1, -1, 2): covariance 3, variances 14/3 and 2, means alike
    assert metrics.PearsonCorrelation()(truth.T, said.T) == pytest.approx(3 / math.sqrt(28 / 3))
    assert metrics.ConcordanceCorrelation()(truth.T, said.T) == pytest.approx(
        2 * 3 / (14 / 3 + 2 + 1e-7))
    with pytest.raises(ValueError, match="class_aggregation to be one of.*'mean'"):
        metrics.R2Score("mean")
    with pytest.raises(ValueError, match="num_regressors not below 0. Received: num_regressors=-1"):
        metrics.R2Score(num_regressors=-1)
    with pytest.raises(ValueError, match="R2Score: expected targets"):
        metrics.R2Score()(np.ones((2, 3, 1)), np.ones((2, 3, 1)))
