"""The losses' oracles: the definitions' values, Keras's and scratch's within the bounds."""

import itertools

import numpy as np
import pytest

from compare.oracle.losses import LOSSES, exact_loss, loss_terms
from compare.oracle.running_error import Bounded, Rounding
from scratch import losses
from tests.compare.support.oracle_checks import SLACK, assert_inside, perturbed
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
from tests.scratch.support.loss_oracles import batch_loss

FUSED = [case for case in CASES if case[1].get("from_logits")]


@pytest.fixture(autouse=True)
def quiet_numpy():
    """Bounds may be infinite here; `compare.check` is as silent about that."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        yield


def drawn(case, dtype, every=1):
    """(config, y, output, weights, what reproduces it), over all reductions, shapes, weights."""
    yield from itertools.islice(_all_drawn(case, dtype), None, None, every)


def _all_drawn(case, dtype):
    name, settings, true, pred = case
    for seed, (reduction, (shape, weight_shapes)) in enumerate(
            itertools.product(REDUCTIONS, SHAPES.items())):
        if not suits(name, shape):
            continue
        rng = np.random.default_rng(seed)
        y, output = targets(true, shape, rng), outputs(pred, shape, rng, dtype)
        loss = {"class_name": name, "config": {**settings, "reduction": reduction}}
        for weight_shape in weight_shapes:
            yield loss, y, output, weights(weight_shape, rng), f"seed {seed}, {weight_shape}"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_are_the_definitions_and_bounds_are_narrow(case, dtype):
    def constant(number):
        return float(np.dtype(dtype).type(number))

    rounding = Rounding.of(dtype)
    for loss, y, output, weight, what in drawn(case, dtype, every=2):
        if y.dtype.kind == "f":
            y = y.astype(dtype).astype(float)
        held = None if weight is None else weight.astype(dtype).astype(float)
        if held is not None and held.ndim == output.ndim:
            held = held[..., 0]
        value, gradient = exact_loss(loss, y, Bounded(output, rounding), False, dtype, weight)
        expected, slopes = batch_loss(case[0], case[1], loss["config"]["reduction"], y, output,
                                      held, constant)
        scale = max(1, np.abs(slopes).max())
        np.testing.assert_allclose(value.value, expected, rtol=1e-11, atol=1e-12, err_msg=what)
        np.testing.assert_allclose(gradient.value, slopes, rtol=1e-8, atol=1e-12 * scale,
                                   err_msg=what)
        if dtype == "float32":
            assert_inside(value, expected, f"loss, {what}")
            assert_inside(gradient, slopes, f"gradient, {what}")
            assert value.bound <= 300 * rounding.unit * max(abs(expected), 10 * len(output)), what
            # the largest logit may be added back to the logarithm of a sum, and is rounded there
            logits = 2 * np.abs(output).max() if "from_logits" in case[1] else 0
            wide = gradient.bound > (150 + logits) * rounding.unit * scale
            # once divided by their sum, probabilities at the clip may be on either side of it;
            # classes that are all but equal may each be the largest
            assert not wide.any() or case[0] in (
                "CategoricalCrossentropy", "CategoricalFocalCrossentropy",
                "CategoricalHinge") and wide.mean() < 0.3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_keras_and_scratch_are_within_the_bounds(keras, case, dtype):
    for loss, y, output, weight, what in drawn(case, dtype, every=4):
        value, gradient = exact_loss(loss, y, Bounded(output, Rounding.of(dtype)), False, dtype,
                                     weight)
        twin = getattr(keras.losses, case[0])(**loss["config"], dtype=dtype)
        theirs = keras_says(twin, y, output, weight)
        assert_inside(value, theirs[0], f"Keras's loss, {what}")
        assert_inside(gradient, theirs[1], f"Keras's gradient, {what}")
        ours = losses.get(loss)
        assert_inside(value, ours.forward(y, output, sample_weight=weight), f"loss, {what}")
        assert_inside(gradient, ours.backward(), f"gradient, {what}")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("size", [1e-9, 1e-6, 1e-2])
def test_errors_of_the_outputs_are_carried_into_the_loss(case, size):
    """Among the outputs are some at all kinks and clips."""
    rounding = Rounding.of("float32")
    for loss, y, output, weight, what in drawn(case, "float32", every=7):
        rng = np.random.default_rng(3)
        output = output.astype(float)
        error = SLACK + size * rng.random(output.shape)
        value, gradient = exact_loss(loss, y, Bounded(output, rounding, error), False, "float32",
                                     weight)
        for _ in range(3):
            moved = perturbed(output, error, rng)
            if case[0] in ("Poisson", "CategoricalGeneralizedCrossEntropy"):
                moved = np.maximum(moved, 1e-12)  # logarithms and powers of less are undefined
            value2, gradient2 = exact_loss(loss, y, Bounded(moved, rounding), False, "float32",
                                           weight)
            assert_inside(value, value2.value, f"loss, {what}")
            assert_inside(gradient, gradient2.value, f"gradient, {what}")


@pytest.mark.parametrize("case", FUSED, ids=str)
def test_a_fused_loss_is_that_of_logits(case):
    for loss, y, output, weight, what in drawn(case, "float32"):
        plain = {**loss, "config": {**loss["config"], "from_logits": False}}
        bounded = Bounded(output, Rounding.of("float32"))
        for a, b in zip(exact_loss(loss, y, bounded, False, "float32", weight),
                        exact_loss(plain, y, bounded, True, "float32", weight)):
            np.testing.assert_array_equal(a.value, b.value, what)
            np.testing.assert_array_equal(a.bound, b.bound, what)


def test_every_loss_has_a_referee_under_every_name():
    from scratch.losses.registry import ALIASES

    assert set(LOSSES) == set(losses.CLASSES)
    output = Bounded(np.full((2, 3), 0.3), Rounding.of("float32"))
    for alias, name in ALIASES.items():
        labelled = name in ("SparseCategoricalCrossentropy", "Circle")
        y = np.array([0, 2]) if labelled else np.eye(3)[:2]
        direct = exact_loss({"class_name": name, "config": {}}, y, output, False, "float32")
        for found in (exact_loss(alias, y, output, False, "float32"), exact_loss(
                {"class_name": "function", "config": alias}, y, output, False, "float32")):
            np.testing.assert_array_equal(found[1].value, direct[1].value)
    assert loss_terms("mse", (4, 3, 2)) == (24, 1)
    assert loss_terms("dice", (4, 3, 2)) == (24, 24)
    assert loss_terms("sparse_categorical_crossentropy", (4, 3, 2)) == (24, 2)
    with pytest.raises(ValueError, match="Expected a loss whose formula is known: Sparse.*: ctc"):
        exact_loss("ctc", np.eye(2), output, False, "float32")
