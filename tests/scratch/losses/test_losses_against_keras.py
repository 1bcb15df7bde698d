"""Every loss against Keras's own: values and gradients, reductions, weights, masks, edges."""

import itertools

import numpy as np
import pytest

from scratch import losses
from tests.scratch.support.checks import assert_close
from tests.scratch.support.loss_cases import (
    CASES,
    REDUCTIONS,
    SHAPES,
    keras_says,
    outputs,
    suits,
    targets,
    weights,
)


def assert_same(loss, twin, y_true, y_pred, sample_weight=None, units=400):
    """Within so many roundings of the largest value or slope."""
    expected, slopes = keras_says(twin, y_true, y_pred, sample_weight)
    before = y_pred.copy()
    value = loss.forward(y_true, y_pred, sample_weight=sample_weight)
    gradient = loss.backward()
    np.testing.assert_array_equal(y_pred, before, "the outputs were written to")
    u = np.finfo(y_pred.dtype).eps / 2
    what = (f"y_true={np.asarray(y_true).tolist()}, y_pred={y_pred.tolist()}, "
            f"sample_weight={sample_weight}")
    assert value.dtype == gradient.dtype == y_pred.dtype
    assert_close(value, expected, units * u * max(1, abs(expected)), f"loss: {what}")
    assert_close(gradient, slopes, units * u * max(1, np.abs(slopes).max()), f"gradient: {what}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, settings, true, pred", CASES, ids=str)
def test_every_loss_with_every_reduction_and_weights_of_every_shape(keras, name, settings, true,
                                                                    pred, dtype):
    for seed, (reduction, (shape, weight_shapes)) in enumerate(
            itertools.product(REDUCTIONS, SHAPES.items())):
        if not suits(name, shape) or dtype == "float32" and seed % 4:
            continue
        rng = np.random.default_rng(seed)
        loss = getattr(losses, name)(reduction=reduction, **settings)
        twin = getattr(keras.losses, name)(reduction=reduction, dtype=dtype, **settings)
        y_true = targets(true, shape, rng)
        y_pred = outputs(pred, shape, rng, dtype)
        for weight_shape in weight_shapes:
            assert_same(loss, twin, y_true, y_pred, weights(weight_shape, rng))


@pytest.mark.parametrize("name", ["MeanSquaredError", "Huber", "BinaryCrossentropy",
                                  "KLDivergence", "Hinge"])
@pytest.mark.parametrize("true, pred", [((4,), (4, 1)), ((4, 1, 1), (4, 1)), ((4, 3, 1), (4, 3)),
                                        ((4, 3), (4, 3, 1)), ((4, 3, 2, 1), (4, 3, 2))])
def test_targets_that_lack_an_axis_or_have_one_more(keras, name, true, pred):
    rng = np.random.default_rng(1)
    y_true, y_pred = rng.integers(0, 2, true), rng.uniform(0.1, 0.9, pred)
    for weight in (None, rng.random(4)):
        if weight is not None and len(pred) == 3 and true[:2] == pred[:2] and true != (4, 3):
            continue  # the losses are (4, 3), which weights (4,) do not stretch to
        assert_same(getattr(losses, name)(), getattr(keras.losses, name)(dtype="float64"), y_true,
                    y_pred, weight)


@pytest.mark.parametrize("name", ["MeanSquaredError", "MeanAbsoluteError", "Poisson"])
def test_targets_with_axes_of_length_one_are_stretched(keras, name):
    y_true, y_pred = np.array([[[2.0]], [[1.0]]]), np.random.default_rng(2).random((2, 3, 4))
    assert_same(getattr(losses, name)(), getattr(keras.losses, name)(dtype="float64"), y_true,
                y_pred)


@pytest.mark.parametrize("ignore_class", [0, 2, -1, 255])
def test_a_batch_of_nothing_but_the_ignored_class(keras, ignore_class):
    y_true, y_pred = np.full(3, ignore_class), np.full((3, 4), 0.25)
    for reduction in REDUCTIONS:
        loss = losses.SparseCategoricalCrossentropy(ignore_class=ignore_class, reduction=reduction)
        twin = keras.losses.SparseCategoricalCrossentropy(
            ignore_class=ignore_class, reduction=reduction, dtype="float64")
        for weight in (None, np.array([1.0, 2.0, 0.5]), np.array([[1.0], [2.0], [0.5]])):
            assert_same(loss, twin, y_true, y_pred, weight)
            assert loss.forward(y_true, y_pred, sample_weight=weight) == 0


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weights_that_are_all_zero(keras, reduction):
    y_true, y_pred = np.array([[1.0], [2.0]]), np.array([[0.5], [3.0]])
    assert_same(losses.MeanSquaredError(reduction=reduction),
                keras.losses.MeanSquaredError(reduction=reduction, dtype="float64"), y_true, y_pred,
                np.zeros(2))


FUSIONS = [(loss, settings, kind) for kind in ("softmax", "sigmoid") for loss, settings in [
    ("SparseCategoricalCrossentropy", {}), ("SparseCategoricalCrossentropy", {"ignore_class": 1}),
    ("CategoricalCrossentropy", {}), ("CategoricalCrossentropy", {"label_smoothing": 0.1}),
    ("BinaryCrossentropy", {}), ("KLDivergence", {}), ("MeanSquaredError", {})]]


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")
@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("name, settings, kind", FUSIONS, ids=str)
def test_which_losses_are_computed_from_the_activations_input(keras, name, settings, kind, graph):
    """With logits so large that the clip of bare probabilities shows; in tf.functions too."""
    import tensorflow as tf

    cases = [((3, 4), None), ((2, 3, 1), (2, 3))] if name in (
        "BinaryCrossentropy", "KLDivergence", "MeanSquaredError") else [((3, 4), None)]
    for shape, target_shape in cases:
        rng = np.random.default_rng(len(shape))
        z = 40 * rng.standard_normal(shape)
        loss = getattr(losses, name)(**settings)
        twin = getattr(keras.losses, name)(dtype="float64", **settings)
        if name.startswith("Sparse"):
            y_true = rng.integers(0, shape[-1], shape[:-1])
        else:
            y_true = rng.integers(0, 2, target_shape or shape).astype(float)
        activation = getattr(keras.activations, kind)

        run = from_logits(activation, twin, y_true)
        value, slopes, output = (tf.function(run) if graph else run)(tf.constant(z))
        fused = loss.fuses(kind, loss.checked(y_true, shape, "float64"), shape)
        assert fused == loss.fuses(kind, y_true, shape)
        found = loss.forward(y_true, z if fused else output.numpy(), from_logits=fused)
        assert_close(found, value.numpy(), 1e-12 * max(1, abs(found)), f"loss, fused: {fused}")
        if fused:
            assert_close(loss.backward(), slopes.numpy(), 1e-14, "gradient")


def from_logits(activation, loss, y_true):
    """A function of the logits: (Keras's loss, its gradient, the activation's output)."""
    import tensorflow as tf

    def run(logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            output = activation(logits)
            value = loss(y_true, output)
        return value, tape.gradient(value, logits), output

    return run


def test_configs_are_keras_own_and_are_read_back(keras):
    for name, settings, _, _ in CASES:
        for reduction in REDUCTIONS:
            twin = getattr(keras.losses, name)(reduction=reduction, name="mine", **settings)
            config = keras.losses.serialize(twin)
            loss = losses.get(config)
            assert type(loss).__name__ == name and loss.reduction == reduction
            loss = getattr(losses, name)(reduction=reduction, name="mine", **settings)
            own = loss.get_config()
            delta = own.pop("delta", None)  # Keras forgets Huber's
            assert own == twin.get_config() and delta == (
                settings.get("delta", 1.0) if name == "Huber" else None)
            if name == "CategoricalGeneralizedCrossEntropy":
                continue  # Keras does not find it by its name
            again = keras.losses.deserialize(losses.serialize(loss))
            assert type(again) is type(twin) and again.get_config() == twin.get_config()
        assert getattr(losses, name)().name == getattr(keras.losses, name)().name


def test_every_name_is_keras_name_for_the_same_loss(keras):
    from scratch.losses.registry import ALIASES

    rng = np.random.default_rng(0)
    y_pred = rng.uniform(0.1, 0.9, (4, 3))
    for alias, name in ALIASES.items():
        labels = [1, 0, 0, 1] if name == "Circle" else [1, 0, 2, 0]  # nobody alone in a class
        y_true = (np.array(labels) if name in ("SparseCategoricalCrossentropy", "Circle")
                  else np.eye(3)[labels])
        function = keras.losses.get(alias)
        expected = keras.ops.convert_to_numpy(keras.ops.mean(function(y_true, y_pred)))
        assert_close(losses.get(alias)(y_true, y_pred), expected, 1e-6 * abs(expected), alias)
        as_written = keras.saving.serialize_keras_object(function)
        assert type(losses.get(as_written)).__name__ == name
