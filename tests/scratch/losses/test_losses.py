"""Both categorical cross-entropies against their definitions, with bounds entry by entry."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from scratch import losses
from tests.scratch.support import oracles
from tests.scratch.support.cases import dtypes, seeds
from tests.scratch.support.checks import DTYPES, EXAMPLES, LAYOUTS, assert_close, real

Sparse, Dense = scratch.SparseCategoricalCrossentropy, scratch.CategoricalCrossentropy
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=2).flatmap(
    lambda rows: st.integers(2, 5).map(lambda classes: (*rows, classes)))


def case(shape, seed):
    """Labels (...,) and the same as one-hot rows (..., classes)."""
    labels = np.random.default_rng(seed).integers(0, shape[-1], shape[:-1])
    return labels, np.eye(shape[-1])[labels]


def both(shape, seed):
    labels, one_hot = case(shape, seed)
    return [(Sparse, labels, one_hot), (Dense, one_hot, one_hot)]


def check(loss, y_true, y_pred, from_logits, value, gradient, value_bound, gradient_bound):
    before = y_pred.copy()
    computed = loss.forward(y_true, y_pred, from_logits=from_logits)
    slope = loss.backward()
    assert computed.dtype == slope.dtype == y_pred.dtype
    assert_close(computed, value, value_bound, "loss")
    assert_close(slope, gradient, gradient_bound, "gradient")
    np.testing.assert_array_equal(y_pred, before, "the outputs were written to")


@EXAMPLES
@given(shapes, dtypes, st.sampled_from(sorted(LAYOUTS)), seeds)
def test_from_logits(shape, dtype, layout, seed):
    """(softmax(z) - y) / N, and rounding's part: exp and log are good to 4 u each."""
    z, u, samples = 4 * real(seed, shape), np.finfo(dtype).eps / 2, math.prod(shape[:-1])
    rows, classes = z.reshape(-1, shape[-1]), shape[-1]
    spread = np.ptp(rows, axis=1).max()
    for kind, y_true, one_hot in both(shape, seed):
        targets = one_hot.reshape(-1, classes)
        value = math.fsum(oracles.cross_entropy_row(*map(list, pair))
                          for pair in zip(rows, targets)) / samples
        p = np.array([oracles.softmax_row(list(row)) for row in rows])
        check(kind(), y_true, LAYOUTS[layout](z.astype(dtype)), True,
              value, ((p - targets) / samples).reshape(shape),
              u * ((samples + 5) * (spread + math.log(classes)) + classes + 8),
              ((p + targets) / samples).reshape(shape) * u * (2 * spread + classes + 12))


def probabilities(shape, seed):
    """Rows that need not sum to 1; each a number that float32 holds, some exactly 0."""
    p = np.random.default_rng(seed).uniform(0.05, 2, shape)
    p[np.random.default_rng(seed + 1).random(shape) < 0.2] = 0
    p[..., 0] = 0.25  # never a row of zeros
    return p.astype(np.float32).astype(np.float64)


def sparse_from_probabilities(row, target):
    """(loss, gradient) by Keras's rule: clip, and then divide by the sum."""
    label = list(target).index(1)
    clipped = [min(max(p, 1e-7), 1 - 1e-7) for p in row]
    total = math.fsum(clipped)
    slope = [(1 / total - (i == label) / c) * (1e-7 <= p <= 1 - 1e-7)
             for i, (p, c) in enumerate(zip(row, clipped))]
    return -math.log(clipped[label] / total), slope


def dense_from_probabilities(row, target):
    """(loss, gradient) by Keras's rule: divide by the sum, and then clip."""
    total = math.fsum(row)
    q = [p / total for p in row]
    clipped = [min(max(p, 1e-7), 1 - 1e-7) for p in q]
    loss = -math.fsum(t * math.log(c) for t, c in zip(target, clipped))
    dq = [-t / c * (1e-7 <= p <= 1 - 1e-7) for t, c, p in zip(target, clipped, q)]
    slope = [math.fsum(dq[j] * ((i == j) - q[j]) for j in range(len(q))) / total
             for i in range(len(q))]
    return loss, slope


@EXAMPLES
@given(shapes, dtypes, st.sampled_from(sorted(LAYOUTS)), seeds)
def test_from_probabilities(shape, dtype, layout, seed):
    """No logarithm is beyond 17 here; a gradient's terms are at most 1 / p, and 1e7 where p = 0."""
    p, u, samples = probabilities(shape, seed), np.finfo(dtype).eps / 2, math.prod(shape[:-1])
    for (kind, y_true, one_hot), rule in zip(both(shape, seed),
                                             (sparse_from_probabilities, dense_from_probabilities)):
        rows, targets = p.reshape(-1, shape[-1]), one_hot.reshape(-1, shape[-1])
        values, slopes = zip(*(rule(list(row), list(target)) for row, target in zip(rows, targets)))
        slopes = np.array(slopes).reshape(shape) / samples
        size = 1 / p[p > 0].min() + 1 / 0.25
        check(kind(), y_true, LAYOUTS[layout](p.astype(dtype)), False,
              math.fsum(values) / samples, slopes, u * ((samples + shape[-1] + 5) * 17 + 30),
              u * (2 * 17 + 3 * shape[-1] + 12) * size / samples * (slopes != 0))


@pytest.mark.parametrize("kind, y_true", [(Sparse, [1]), (Dense, [[0, 1, 0]])])
@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_logits(kind, y_true, dtype):
    loss = kind(from_logits=True)
    assert loss.forward(y_true, np.array([[100, 0, 0]], dtype)) == 100
    assert_close(loss.backward(), [[1, -1, 0]], 1e-40)
    for z in ([[1e30, 0, 0]], [[-1e30, 0, -1e30]]):
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            value = loss.forward(y_true, np.array(z, dtype))
        assert value == -np.array(z, dtype)[0, 1] + max(0, np.array(z, dtype).max())


def test_the_two_losses_treat_probabilities_that_do_not_sum_to_one_differently():
    p = np.array([[2.0, 1.0, 1.0]])
    assert Sparse()([0], p) == pytest.approx(math.log(3), abs=2e-7)  # clipped first
    assert Dense()([[1, 0, 0]], p) == pytest.approx(math.log(2), abs=1e-15)  # divided first


def test_where_the_clip_bites_no_gradient_passes():
    p = np.array([[1.0, 0.0, 0.0]])
    for loss, y_true in ((Sparse(), [1]), (Dense(), [[0, 1, 0]])):
        assert loss(y_true, p) == pytest.approx(-math.log(1e-7), abs=1e-6)
        assert loss.backward().tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_at_the_clip_itself_the_gradient_passes(dtype):
    """As TensorFlow's clip_by_value has it: only what lies beyond the edge is held back."""
    low, high = np.array([1e-7, 1 - 1e-7], dtype)
    for edge, beyond in ((low, np.nextafter(low, low - 1)), (high, np.nextafter(high, high + 1))):
        for p, passes in ((edge, True), (beyond, False)):
            loss = Sparse()
            loss([0], np.array([[p, 0.5]], dtype))
            assert (loss.backward()[0, 0] != 0) == passes, f"p = {p!r}"


def test_the_mean_is_over_all_positions():
    """Two sequences of three positions: six losses of log 2."""
    z = np.zeros((2, 3, 2))
    loss = Sparse(from_logits=True)
    assert loss(np.zeros((2, 3), int), z) == pytest.approx(math.log(2), abs=1e-15)
    assert_close(loss.backward(), np.broadcast_to([-1 / 12, 1 / 12], z.shape), 1e-17)
    assert loss(np.zeros((2, 3, 1), int), z) == pytest.approx(math.log(2), abs=1e-15)


def test_soft_targets_are_weighted_means():
    loss = Dense(from_logits=True)
    assert loss([[0.25, 0.75]], np.array([[0.0, math.log(3)]])) == pytest.approx(
        0.25 * math.log(4) + 0.75 * math.log(4 / 3), abs=1e-15)


def test_outputs_that_are_whole_numbers_are_taken_as_float32():
    value = Sparse()([0, 0], [[2, 1, 1], [2, 1, 1]])
    assert value.dtype == np.float32 and value == pytest.approx(math.log(3), rel=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "bool"])
def test_labels_may_be_of_any_number_type(dtype):
    assert Sparse(from_logits=True)(np.array([1, 0], dtype), np.eye(2)) == pytest.approx(
        math.log(1 + math.e))


@pytest.mark.parametrize("labels, named", [
    ([0, -1], "-1 (label number 1 of 2)"), ([3, 0], "3 (label number 0 of 2)"),
    ([0, 0.5], "0.5 (label number 1 of 2)"), ([0, math.nan], "nan (label number 1 of 2)"),
    ([0, math.inf], "inf (label number 1 of 2)"), ([0, 1, 2], "(3,)"), ([[0, 1]], "(1, 2)"),
    (0, "()"),
])
def test_labels_that_are_no_classes_are_refused(labels, named):
    with pytest.raises(ValueError) as error:
        Sparse()(np.array(labels), np.full((2, 3), 1 / 3))
    assert "xpected labels" in str(error.value) and f"Received: {named}" in str(error.value)


@pytest.mark.parametrize("targets", [[0, 1], [[1, 0]], [[1, 0], [0, 1]], [[[1, 0, 0]] * 2]])
def test_targets_of_another_shape_are_refused(targets):
    with pytest.raises(ValueError, match="one-hot targets of the outputs' shape .*Received"):
        Dense()(targets, np.full((2, 3), 1 / 3))


@pytest.mark.parametrize("kind", [Sparse, Dense])
@pytest.mark.parametrize("shape", [(0, 3), (3,), (2, 0)])
def test_outputs_without_a_single_class_or_sample_are_refused(kind, shape):
    with pytest.raises(ValueError, match=r"\(batch, ..., classes\).*Received"):
        kind()(np.zeros(shape, int), np.zeros(shape))


@pytest.mark.parametrize("kind, settings", [
    (Sparse, dict(reduction="none")), (Sparse, dict(axis=1)), (Dense, dict(axis=-2)),
    (Dense, dict(reduction=None)), (Dense, dict(weights=3)), (losses.Huber, dict(alpha=1)),
    (losses.MeanSquaredError, dict(axis=-1)), (losses.BinaryCrossentropy, dict(axis=0)),
])
def test_settings_that_change_the_loss_are_refused_by_name(kind, settings):
    (key, value), = settings.items()
    with pytest.raises(scratch.UnsupportedError, match=f"{kind.__name__}.*{key}={value!r}"):
        kind(**settings)


@pytest.mark.parametrize("identifier", ["ctc", None, {"class_name": "CTC", "config": {}}, len,
                                        {"class_name": "function", "config": "ctc"}, ["mse"]])
def test_losses_that_are_not_known_are_refused(identifier):
    with pytest.raises(scratch.UnsupportedError, match="Expected one of: sparse_categorical"):
        losses.get(identifier)


@pytest.mark.parametrize("name, way", [("ctc", "sparse_categorical_crossentropy over"),
                                       ("CTC", "checked without a loss")])
def test_what_is_left_out_names_the_nearest_way(name, way):
    for identifier in (name, {"class_name": name, "config": {}}):
        with pytest.raises(scratch.UnsupportedError, match=f"Loss '{name}' is not .*{way}"):
            scratch.losses.get(identifier)
