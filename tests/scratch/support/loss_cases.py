"""Losses with settings, targets and outputs to try them on, among which are all kinks and edges."""

import numpy as np

REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight"]
# loss, settings, what its targets are, what its outputs are
CASES = [
    ("SparseCategoricalCrossentropy", {}, "labels", "probabilities"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "labels", "logits"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "labels", "probabilities"),
    ("SparseCategoricalCrossentropy", {"ignore_class": -1, "from_logits": True}, "with -1",
     "logits"),
    ("CategoricalCrossentropy", {}, "one-hot", "probabilities"),
    ("CategoricalCrossentropy", {"from_logits": True}, "distributions", "logits"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "one-hot", "probabilities"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.3, "from_logits": True}, "one-hot",
     "logits"),
    ("BinaryCrossentropy", {}, "binary", "probabilities"),
    ("BinaryCrossentropy", {"from_logits": True}, "distributions", "logits"),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, "binary", "probabilities"),
    ("BinaryCrossentropy", {"label_smoothing": 0.2, "from_logits": True}, "binary", "logits"),
    ("MeanSquaredError", {}, "whole", "near"),
    ("MeanAbsoluteError", {}, "whole", "near"),
    ("MeanAbsolutePercentageError", {}, "whole", "near"),
    ("MeanSquaredLogarithmicError", {}, "whole", "near"),
    ("Huber", {}, "whole", "near"),
    ("Huber", {"delta": 0.5}, "whole", "near"),
    ("LogCosh", {}, "whole", "near"),
    ("KLDivergence", {}, "distributions", "probabilities"),
    ("KLDivergence", {}, "one-hot", "probabilities"),
    ("Poisson", {}, "distributions", "probabilities"),
    ("Hinge", {}, "binary", "near"),
    ("Hinge", {}, "whole", "near"),
    ("SquaredHinge", {}, "binary", "near"),
    ("CategoricalHinge", {}, "one-hot", "near"),
    ("CategoricalHinge", {}, "distributions", "near"),
    ("CosineSimilarity", {}, "whole", "near"),
    ("BinaryFocalCrossentropy", {}, "binary", "proper"),
    ("BinaryFocalCrossentropy", {"gamma": 1.5, "label_smoothing": 0.2,
                                 "apply_class_balancing": True}, "binary", "proper"),
    ("BinaryFocalCrossentropy", {"from_logits": True, "alpha": 0.4, "gamma": 3.0,
                                 "apply_class_balancing": True}, "distributions", "logits"),
    ("CategoricalFocalCrossentropy", {}, "one-hot", "probabilities"),
    ("CategoricalFocalCrossentropy", {"alpha": 0.5, "gamma": 1.5, "label_smoothing": 0.1},
     "one-hot", "probabilities"),
    ("CategoricalFocalCrossentropy", {"from_logits": True}, "one-hot", "logits"),
    ("CategoricalGeneralizedCrossEntropy", {}, "labels", "proper"),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.8}, "labels", "proper"),
    ("Dice", {}, "binary", "proper"),
    ("Dice", {"axis": -1}, "binary", "proper"),
    ("Tversky", {"alpha": 0.3, "beta": 0.7}, "distributions", "proper"),
    ("Tversky", {"axis": -1}, "binary", "proper"),
]
# shapes of outputs, and of weights that suit them
SHAPES = {(6, 3): [None, (6,), (6, 1)], (4, 3, 2): [None, (4, 1), (4, 3), (4, 3, 1)],
          (5, 1): [None, (5,)]}


def suits(name, shape) -> bool:
    """Whether the loss is for outputs of that shape: classes are two or more."""
    return shape[-1] > 1 or "Categorical" not in name


def targets(kind, shape, rng):
    labels = rng.integers(0, shape[-1], shape[:-1])
    if kind == "with -1":
        return np.where(rng.random(labels.shape) < 0.4, -1, labels)
    if kind == "one-hot":
        return np.eye(shape[-1])[labels]
    if kind == "distributions":
        raw = rng.random(shape) * (rng.random(shape) < 0.8) + 1e-9
        return (raw / raw.sum(axis=-1, keepdims=True)).astype(np.float32)
    return {"labels": labels, "binary": rng.integers(0, 2, shape),
            "whole": rng.integers(-2, 3, shape)}[kind]


def outputs(kind, shape, rng, dtype):
    """Numbers among which some lie where the formulas have their kinks and edges."""
    if kind == "logits":
        z = np.where(rng.random(shape) < 0.2, 0.0, 5 * rng.standard_normal(shape))
        return np.where(rng.random(shape) < 0.1, 20 * z, z).astype(dtype)
    if kind == "near":
        steps = rng.choice([-2, -1.5, -1, -0.5, 0, 0.5, 1, 2], shape)
        return np.where(rng.random(shape) < 0.5, steps, rng.standard_normal(shape)).astype(dtype)
    if kind == "proper":  # inside of (0, 1)
        edges = rng.choice(np.array([1e-6, 0.5, 0.999999], dtype), shape)
        return np.where(rng.random(shape) < 0.25, edges,
                        rng.uniform(0.01, 0.99, shape).astype(dtype)).astype(dtype)
    edges = rng.choice(np.array([0, 1e-9, 1e-7, 1 - 1e-7, 1, 1.5, 0.9999999999], dtype), shape)
    p = np.where(rng.random(shape) < 0.25, edges, rng.uniform(0.01, 1, shape).astype(dtype))
    p[..., 0] = np.maximum(p[..., 0], 0.01)
    return p.astype(dtype)  # never a row of zeros


def weights(shape, rng):
    return None if shape is None else rng.choice([0, 0.5, 1, 3, 0.3], shape)


def keras_says(loss, y_true, y_pred, sample_weight=None):
    """(loss, gradient) of Keras's own loss object."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        source = tf.constant(y_pred)
        tape.watch(source)
        value = loss(y_true, source, sample_weight=sample_weight)
    return value.numpy(), tape.gradient(value, source).numpy()
