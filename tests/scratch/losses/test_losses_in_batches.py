"""All losses against plain loops: every reduction, with weights, in batches and their blocks."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scratch
from scratch import losses, parallel
from scratch.losses import SparseCategoricalCrossentropy as Sparse
from tests.draws import draws
from tests.scratch.support.cases import seeds
from tests.scratch.support.checks import EXAMPLES, LAYOUTS, assert_close, real
from tests.scratch.support.loss_cases import CASES, REDUCTIONS, outputs, targets, weights
from tests.scratch.support.loss_oracles import batch_loss


@settings(EXAMPLES, max_examples=draws(200))
@given(case=st.sampled_from(CASES), reduction=st.sampled_from(REDUCTIONS),
       weighted=st.sampled_from(["none", "samples", "column"]),
       shape=st.sampled_from([(4, 3), (3, 2), (2, 3, 4), (3, 1, 2)]),
       layout=st.sampled_from(sorted(LAYOUTS)), seed=seeds)
def test_every_loss_is_the_loops_loss(case, reduction, weighted, shape, layout, seed):
    """In float64, from outputs in any order in memory; whole batches and what their halves add."""
    name, arguments, true, pred = case
    rng = np.random.default_rng(seed)
    y_true, y_pred = targets(true, shape, rng), outputs(pred, shape, rng, "float64")
    weight_shape = {"none": None, "samples": shape[:1] if len(shape) == 2 else shape[:2],
                    "column": (shape[0], 1)}[weighted]
    weight = weights(weight_shape, rng)
    loss = losses.CLASSES[name](reduction=reduction, **arguments)
    laid = LAYOUTS[layout](y_pred)
    value = loss.forward(y_true, laid, sample_weight=weight)
    gradient = loss.backward()
    held = weight[:, 0] if weighted == "column" and len(shape) == 2 else weight
    expected, slopes = batch_loss(name, arguments, reduction, y_true, y_pred, held)
    what = f"{case}, {reduction}, {weight_shape}, {shape}, {seed}"
    assert_close(value, expected, 1e-11 * max(1, abs(expected)), what)
    assert_close(gradient, slopes, 1e-11 * max(1, np.abs(slopes).max()), what)
    np.testing.assert_array_equal(laid, y_pred, what)
    batch = loss.weigh(loss.checked(y_true, shape, "float64"), weight, "float64")
    if loss.over_batch:
        return
    parts, total = [], 0.0
    for rows in (slice(0, 1), np.arange(1, shape[0])):
        total += loss.forward(batch[rows], laid[rows])
        parts.append(loss.backward())
        assert len(batch[rows]) == len(parts[-1])
    assert_close(total, value, 1e-13 * max(1, abs(value)), f"{what}, in blocks")
    assert_close(np.concatenate(parts), gradient, 1e-13 * max(1, np.abs(slopes).max()), what)


SMOOTH = [case for case in CASES if case[3] == "logits" or case[0] in (
    "MeanSquaredError", "LogCosh", "SquaredHinge", "Huber")]


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_gradients_are_the_slopes_of_the_loss(case):
    """Central differences, where the loss has a slope everywhere; the targets' rows sum to 1."""
    name, arguments, true, pred = case
    rng = np.random.default_rng(7)
    y_true, y_pred = targets(true, (4, 3), rng), real(8, (4, 3))
    weight = rng.random(4)
    if true == "distributions":
        y_true = y_true / y_true.sum(axis=-1, keepdims=True, dtype=float)
    loss = losses.CLASSES[name](reduction="mean_with_sample_weight", **arguments)
    loss.forward(y_true, y_pred, sample_weight=weight)
    gradient, step = loss.backward(), 1e-5
    for at in np.ndindex(y_pred.shape):
        moved = [y_pred.copy(), y_pred.copy()]
        moved[0][at] += step
        moved[1][at] -= step
        up, down = (loss(y_true, array, sample_weight=weight) for array in moved)
        assert gradient[at] == pytest.approx((up - down) / (2 * step), abs=1e-8), at


def test_what_is_ignored_may_be_anything():
    p = np.array([[0.5, 0.5], [math.nan, math.inf], [0.25, 0.75]])
    loss = Sparse(ignore_class=-1)
    assert loss([0, -1, 1], p) == pytest.approx(-(math.log(0.5) + math.log(0.75)) / 2, abs=1e-15)
    assert_close(loss.backward(), [[-0.5, 0.5], [0, 0], [0.5, -1 / 6]], 1e-15)
    with pytest.raises(ValueError, match="from 0 to 1, or -1. Received: -2 .label number 2 of 3"):
        loss([0, -1, -2], p)


def test_weights_and_labels_are_checked_once_and_known_by_their_type():
    loss = Sparse()
    checked = loss.checked([0, 1, 1], (3, 2), "float32")
    assert isinstance(checked[1:], losses.Targets) and loss.checked(checked, (), "") is checked
    batch = loss.weigh(checked, None, "float32")
    assert batch[[0, 2]].targets.tolist() == [0, 1] and batch[:1].factors.dtype == np.float32
    assert len(batch) == 3 and batch.ndim == 1


@pytest.mark.parametrize("kind, y_true", [
    (Sparse, [0, 1, 0]), (Sparse, [[0, 1], [0, 1], [1, 1]]), (losses.MeanSquaredError, np.eye(3))])
@pytest.mark.parametrize("weight", [(4,), (2, 1), (3, 4), (1, 3, 1), (3, 3, 2)])
def test_weights_that_do_not_fit_are_refused(kind, y_true, weight):
    shape = (*np.shape(y_true), 3) if kind is Sparse else (3, 3)
    with pytest.raises(ValueError, match="Expected sample weights that stretch to .*Received"):
        kind()(y_true, np.full(shape, 0.5), sample_weight=np.ones(weight))


@pytest.mark.parametrize("kind", [losses.MeanSquaredError, losses.BinaryCrossentropy,
                                  losses.KLDivergence])
@pytest.mark.parametrize("true", [(2,), (3, 2), (2, 2), (2, 3, 3), (2, 3, 1, 1), ()])
def test_targets_of_no_fitting_shape_are_refused(kind, true):
    with pytest.raises(ValueError, match=f"{kind.__name__}: expected targets of the outputs' "
                                         "shape .*Received"):
        kind()(np.ones(true), np.full((2, 3), 0.5))


def test_slopes_at_kinks_are_tensorflows():
    for name, y, p, slope in [("MeanAbsoluteError", 2, 2, 0), ("Hinge", 1, 1, -1),
                              ("Hinge", -1, -1, 1), ("SquaredHinge", 1, 1, 0), ("Huber", 0, 1, 1),
                              ("Huber", 0, -1.5, -1), ("MeanAbsolutePercentageError", 4, 4, 0)]:
        loss = losses.CLASSES[name]()
        loss([[y]], np.array([[float(p)]]))
        assert loss.backward()[0, 0] == slope, (name, y, p)


def test_a_binary_batch_of_hinge_is_one_in_whole_batches_only():
    """Targets 0 and 1 stand for -1 and 1 where a batch has no others; its blocks follow it."""
    loss, p = losses.Hinge(reduction="sum"), np.zeros((2, 1))
    batch = loss.weigh(loss.checked([[0], [-1]], (2, 1), "float64"), None, "float64")
    loss.forward(batch[:1], p[:1])
    assert loss.backward()[0, 0] == 0
    batch = loss.weigh(loss.checked([[0], [1]], (2, 1), "float64"), None, "float64")
    loss.forward(batch[:1], p[:1])
    assert loss.backward()[0, 0] == 1


@pytest.mark.parametrize("kind", [losses.Dice, losses.Tversky])
@pytest.mark.parametrize("axis, shape", [(None, ()), ((1, 2, 3), (5,)), ([-2, -1], (5, 3)),
                                         (-1, (5, 3, 2)), (3, (5, 3, 2))])
def test_an_overlap_has_one_loss_for_all_along_its_axes(kind, axis, shape):
    rng = np.random.default_rng(4)
    y_true, y_pred = rng.integers(0, 2, (5, 3, 2, 4)), rng.uniform(0.05, 0.95, (5, 3, 2, 4))
    loss, weight = kind(axis=axis), rng.random(5).reshape(5, *[1] * (len(shape) - 1))
    batch = loss.weigh(loss.checked(y_true, y_pred.shape, "float64"), None, "float64")
    assert batch.losses == math.prod(shape) and loss.over_batch is (axis is None)
    for weights_ in (None, weight):
        expected, slopes = batch_loss(kind.__name__, {"axis": axis}, loss.reduction, y_true, y_pred,
                                      weights_)
        assert loss(y_true, y_pred, weights_) == pytest.approx(expected, abs=1e-14)
        assert_close(loss.backward(), slopes, 1e-14, f"axis {axis}")


@pytest.mark.parametrize("axis", [0, (1, 3), (2,), (0, 1), (-1, 0), ()])
def test_an_overlap_along_other_axes_is_refused(axis):
    with pytest.raises(scratch.UnsupportedError, match="Dice does not support axis="):
        losses.Dice(axis=axis)(np.ones((2, 3, 4, 5)), np.full((2, 3, 4, 5), 0.5))


def test_a_loss_of_the_whole_batch_is_trained_in_one_block():
    """However many threads there are: split, each block would have a loss of its own."""
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((64, 30)), rng.integers(0, 2, (64, 20))
    made = []
    for threads in (1, 2):
        scratch.set_random_seed(1)
        model = scratch.Sequential([scratch.Input((30,)), *(scratch.Dense(
            400, activation="tanh") for _ in range(12)), scratch.Dense(20, activation="sigmoid")],
            dtype="float64")
        model.compile("sgd", "dice")
        parallel.set_num_threads(threads)
        try:
            value, output = model.train_step(x, y)
            assert value == pytest.approx(float(losses.Dice()(y, output)), abs=1e-12)
            made.append((value, model.test_step(x, y)[0]))
        finally:
            parallel.set_num_threads(None)
    assert made[0] == pytest.approx(made[1], abs=1e-12)


def test_a_focal_loss_after_a_softmax_is_refused():
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2, activation="softmax")])
    model.compile("sgd", "binary_focal_crossentropy")
    with pytest.raises(scratch.UnsupportedError, match="after a softmax is not supported"):
        model.train_step(np.ones((2, 3)), np.eye(2))
