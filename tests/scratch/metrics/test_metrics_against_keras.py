"""Metrics against Keras's own, over several batches, with weights of every shape, and configs."""

import inspect

import numpy as np
import pytest

from scratch import metrics
from scratch.metrics.registry import ALIASES
from scratch.naming import snake_case

# metric, settings, what labels it takes
CASES = [
    ("Accuracy", {}, "equal"), ("BinaryAccuracy", {}, "binary"),
    ("BinaryAccuracy", {"threshold": 0.25}, "binary"), ("CategoricalAccuracy", {}, "one-hot"),
    ("SparseCategoricalAccuracy", {}, "labels"), ("TopKCategoricalAccuracy", {"k": 2}, "one-hot"),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, "labels"), ("Precision", {}, "binary"),
    ("Precision", {"thresholds": [0.1, 0.5, 0.75]}, "binary"),
    ("Precision", {"top_k": 2}, "binary"), ("Precision", {"class_id": 1}, "binary"),
    ("Precision", {"top_k": 1, "class_id": 0, "thresholds": 0.25}, "binary"),
    ("Recall", {}, "binary"), ("Recall", {"thresholds": [0.0, 0.5, 1.0]}, "binary"),
    ("Recall", {"top_k": 2, "thresholds": [0.1, 0.9]}, "binary"),
    ("Recall", {"class_id": 2}, "binary"),
    ("AUC", {}, "binary"), ("AUC", {"num_thresholds": 9, "curve": "PR"}, "binary"),
    ("AUC", {"num_thresholds": 7, "summation_method": "minoring"}, "binary"),
    ("AUC", {"summation_method": "majoring", "curve": "PR", "thresholds": [0.1, 0.3, 0.8]},
     "binary"), ("AUC", {"from_logits": True, "thresholds": [0.5, 0.6, 0.7]}, "binary"),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, "classes"),
    ("MeanIoU", {"num_classes": 4, "ignore_class": 1, "dtype": "float32"}, "classes"),
    ("BinaryIoU", {}, "binary"), ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.25},
                                  "binary"),
    ("OneHotIoU", {"num_classes": 5, "target_class_ids": [1, 3]}, "one-hot"),
    ("OneHotMeanIoU", {"num_classes": 5}, "one-hot"),
    ("FBetaScore", {"beta": 2.0}, "one-hot"),
    ("FBetaScore", {"beta": 0.5, "average": "macro", "threshold": 0.5}, "binary"),
    ("TruePositives", {}, "binary"), ("FalsePositives", {"thresholds": [0.1, 0.5]}, "binary"),
    ("TrueNegatives", {"thresholds": 0.25}, "binary"),
    ("FalseNegatives", {"thresholds": [0.0, 0.5, 1.0]}, "binary"),
    ("SensitivityAtSpecificity", {"specificity": 0.4}, "binary"),
    ("SensitivityAtSpecificity", {"specificity": 0.9, "num_thresholds": 1}, "binary"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.3, "num_thresholds": 9}, "binary"),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5, "num_thresholds": 2}, "binary"),
    ("PrecisionAtRecall", {"recall": 0.6, "num_thresholds": 17, "class_id": 1}, "binary"),
    ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 5}, "binary"),
    ("RecallAtPrecision", {"precision": 1.0}, "binary"),
    ("PearsonCorrelation", {}, "real"), ("PearsonCorrelation", {"axis": 1}, "real"),
    ("ConcordanceCorrelation", {}, "real"), ("ConcordanceCorrelation", {"axis": (1,)}, "real"),
    ("R2Score", {}, "real"), ("R2Score", {"class_aggregation": None}, "real"),
    ("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 3}, "real"),
    ("CategoricalHinge", {}, "one-hot"), ("CosineSimilarity", {}, "binary"),
    ("F1Score", {}, "one-hot"), ("F1Score", {"average": "macro"}, "one-hot"),
    ("F1Score", {"average": "micro", "threshold": 0.5}, "binary"),
    ("F1Score", {"average": "weighted"}, "binary"),
    *[(name, {}, "binary") for name in (
        "MeanSquaredError", "RootMeanSquaredError", "MeanAbsoluteError",
        "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "LogCoshError", "Poisson",
        "KLDivergence", "Hinge", "SquaredHinge", "BinaryCrossentropy", "CategoricalCrossentropy")],
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "binary"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "one-hot"),
    ("SparseCategoricalCrossentropy", {}, "labels"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "labels"),
]


COUNTING = {"Precision", "Recall", "F1Score", "FBetaScore", "AUC", "TruePositives", "R2Score",
            "FalsePositives", "TrueNegatives", "FalseNegatives", "SensitivityAtSpecificity",
            "SpecificityAtSensitivity", "PrecisionAtRecall", "RecallAtPrecision"}


def batch(kind, shape, rng):
    """(labels, outputs): multiples of 1/8, so that some lie at thresholds and some are equal."""
    y_pred = (rng.integers(0, 9, shape) / 8).astype(np.float32)
    labels = rng.integers(0, shape[-1], shape[:-1])
    if kind == "labels":
        return labels, y_pred
    if kind == "one-hot":
        return np.eye(shape[-1], dtype=np.float32)[labels], y_pred
    if kind == "classes":  # some of them out of range
        return rng.integers(-1, 6, shape), rng.integers(-1, 6, shape)
    if kind == "real":
        return rng.standard_normal(shape).astype(np.float32), y_pred + rng.random(
            shape, np.float32)
    if kind == "equal":
        return np.where(rng.random(shape) < 0.5, y_pred, 0).astype(np.float32), y_pred
    return rng.integers(0, 2, shape).astype(np.float32), y_pred


def weight_shapes(name, shape):
    yield None
    if name in ("IoU", "MeanIoU", "BinaryIoU"):  # one weight for each label
        yield shape
        return
    yield (shape[0],)
    if name not in COUNTING and "IoU" not in name:
        yield (shape[0], 1)
        if len(shape) == 3:
            yield shape[:2]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name, settings, kind", CASES, ids=str)
def test_every_metric_over_three_batches(keras, name, settings, kind):
    """Keras adds up in float32; a figure of either may be off by that much."""
    for shape in [(6, 4)] if name in ("F1Score", "FBetaScore", "R2Score") else [(6, 4), (4, 3, 5)]:
        for n, weight_shape in enumerate(weight_shapes(name, shape)):
            one_each = len(shape) == 3 and weight_shape == shape[:1]
            if one_each and (name not in MEANS_OF_ROWS or "ignore_class" in settings):
                continue  # Keras, too, cannot stretch one weight for each sample to these
            if settings.get("axis") in (1, (1,)) and weight_shape == shape[:2] != shape:
                continue  # that axis is gone
            rng = np.random.default_rng(n)
            ours = getattr(metrics, name)(**settings)
            theirs = getattr(keras.metrics, name)(**settings)
            for size in (shape[0], 1, shape[0]):
                y_true, y_pred = batch(kind, (size, *shape[1:]), rng)
                weight = None
                if weight_shape is not None:
                    weight = rng.choice([0, 0.5, 1, 2], (size, *weight_shape[1:]))
                ours.update_state(y_true, y_pred, weight)
                theirs.update_state(y_true, y_pred, weight)
                np.testing.assert_allclose(
                    ours.result(), keras.ops.convert_to_numpy(theirs.result()), rtol=3e-6,
                    atol=3e-7, err_msg=f"shape {shape}, weights {weight_shape}")
            ours.reset_state()
            theirs.reset_state()
            assert np.all(ours.result() == 0)


# Keras takes the mean of a sample's values, and weighs that; precision wants a weight for each row.
MEANS_OF_ROWS = {name for name, _, _ in CASES if "IoU" not in name} - COUNTING


def test_in_top_k_is_tensorflows(keras):
    import tensorflow as tf

    rng = np.random.default_rng(5)
    for k in (1, 2, 3, 5, 9):
        y_pred = rng.integers(0, 4, (200, 5)).astype(np.float32)
        y_pred[rng.random(y_pred.shape) < 0.03] = rng.choice([np.nan, np.inf, -np.inf])
        labels = rng.integers(-1, 6, 200)
        np.testing.assert_array_equal(metrics.in_top_k(labels, y_pred, k),
                                      tf.math.in_top_k(labels, y_pred, k).numpy())


def test_accuracy_by_name_is_what_keras_chooses(keras):
    from keras.src.trainers.compile_utils import get_metric

    rng = np.random.default_rng(6)
    for y_shape, shape in [((6,), (6, 1)), ((6, 1), (6, 1)), ((6,), (6, 4)), ((6, 1), (6, 4)),
                           ((6, 4), (6, 4)), ((3, 2), (3, 2, 4)), ((3, 2, 1), (3, 2, 4)),
                           ((3, 2, 4), (3, 2, 4)), ((3, 2), (3, 2, 1))]:
        y_true = rng.integers(0, 2, y_shape).astype(np.float32)
        y_pred = (rng.integers(0, 5, shape) / 4).astype(np.float32)
        for name in ("accuracy", "acc"):
            theirs, ours = get_metric(name, y_true, y_pred), metrics.get(name)
            assert ours.name == theirs.name
            assert ours(y_true, y_pred) == pytest.approx(float(theirs(y_true, y_pred)), abs=1e-6)


def test_configs_are_keras_own_and_are_read_back(keras):
    for name, settings, _ in CASES:
        theirs = getattr(keras.metrics, name)(name="mine", **settings)
        ours = metrics.get(keras.metrics.serialize(theirs))
        assert type(ours).__name__ == name and ours.name == "mine"
        again = keras.metrics.deserialize(metrics.serialize(ours))
        assert type(again) is type(theirs) and again.get_config() == theirs.get_config()
        for key, value in theirs.get_config().items():
            if key != "axis":
                assert ours.get_config()[key] == value, (name, key)


def test_every_name_is_keras_name_for_the_same_metric(keras):
    for alias, name in ALIASES.items():
        theirs = keras.metrics.get(alias)
        assert type(theirs).__name__ == name == type(metrics.CLASSES[name]()).__name__
        if alias != "accuracy":
            assert type(metrics.get(alias)).__name__ == name and metrics.get(alias).name == alias
    for name, cls in metrics.CLASSES.items():
        given = inspect.signature(getattr(keras.metrics, name)).parameters["name"].default
        assert cls.default_name == (given or snake_case(cls.__name__))


def test_means_and_sums_of_values(keras):
    rng = np.random.default_rng(8)
    for name in ("Mean", "Sum"):
        for shape, weight_shape in [((), None), ((5,), None), ((5,), (5,)), ((4, 3), None),
                                    ((4, 3), (4,)), ((4, 3), (4, 3)), ((4, 3), (4, 1)),
                                    ((2, 3, 4), (2, 3))]:
            ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
            for _ in range(3):
                values = rng.standard_normal(shape).astype(np.float32)
                weight = None if weight_shape is None else rng.choice([0, 0.5, 2], weight_shape)
                assert ours(values, weight) == pytest.approx(
                    float(theirs(values, weight)), rel=1e-5, abs=1e-6), (name, shape, weight_shape)
            ours.reset_state()
            assert ours.result() == 0
            assert metrics.get(keras.metrics.serialize(theirs)).name == name.lower()
