"""The circle loss's oracle: the loops' values, Keras's and scratch's within the bounds, and how
many losses are counted where the flush to zero leaves it open."""

import numpy as np
import pytest

from compare.oracle.losses import exact_loss
from compare.oracle.losses.circle import divisors
from compare.oracle.running_error import Bounded, Rounding
from scratch.losses import Circle
from tests.compare.support.oracle_checks import assert_inside
from tests.scratch.losses.test_circle import SETTINGS, drawn
from tests.scratch.support.circle_oracle import circle
from tests.scratch.support.loss_cases import REDUCTIONS, keras_says, weights

# all samples of another class are at a distance of 1, at which they count least; those of the first
# two classes have one partner at 0, so their losses are 4 exp(-2 gamma m^2), flushed or not; those
# of the last are at a distance of 2
MADE = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1]], "float32")
LABELS = np.array([0, 0, 1, 1, 2, 2])
FLUSHED = (np.log(4) - np.log(np.finfo("float32").tiny)) / (2 * 0.4**2)  # the gamma where they are


def judged(labels, made, weight=None, error=None, **config):
    with np.errstate(all="ignore"):
        return exact_loss({"class_name": "Circle", "config": config}, labels,
                          Bounded(made, Rounding.of(made.dtype), error), False, made.dtype, weight)


def cases(dtype):
    for seed in range(24):
        rng = np.random.default_rng(seed)
        labels, made = drawn(rng, dtype, unit=seed % 3 > 0)
        weight = weights([None, labels.shape, (len(labels), 1)][seed % 3], rng)
        yield f"seed {seed}", labels, made, weight, REDUCTIONS[seed // 3 % 4]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("arguments", SETTINGS, ids=str)
def test_values_are_the_loops_and_keras_and_scratch_are_within_the_bounds(keras, arguments, dtype):
    arguments = {key: float(np.dtype(dtype).type(value)) if isinstance(value, float) else value
                 for key, value in {"margin": 0.4, **arguments}.items()}
    for what, labels, made, weight, reduction in cases(dtype):
        value, gradient = judged(labels, made, weight, reduction=reduction, **arguments)
        held = None if weight is None else weight.astype(dtype).astype(float).reshape(-1)
        expected, slopes = circle(labels, made, reduction, held, **arguments)
        assert value.value == pytest.approx(expected, rel=1e-10, abs=1e-12), what
        assert_inside(gradient, np.asarray(slopes), what)
        loss = Circle(reduction=reduction, **arguments)
        twin = keras.losses.Circle(reduction=reduction, dtype=dtype, **arguments)
        for side, (a, b) in {
                "Keras": keras_says(twin, labels, made, weight),
                "scratch": (loss.forward(labels, made, sample_weight=weight), loss.backward()),
        }.items():
            assert_inside(value, a, f"{side}'s loss, {what}")
            assert_inside(gradient, b, f"{side}'s gradient, {what}")


def test_bounds_are_narrow_where_nothing_is_open():
    rng = np.random.default_rng(2)
    made = rng.standard_normal((8, 5))
    made = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype("float32")
    value, gradient = judged(rng.integers(0, 3, 8), made)
    assert 0 < value.bound < 1e-5 * value.value
    assert 0 < gradient.bound.max() < 2e-3 * np.abs(gradient.value).max()
    fewer, _ = judged(rng.integers(0, 3, 8), made, reduction="sum")
    assert fewer.bound < 1e-5 * fewer.value


@pytest.mark.parametrize("size", [1e-7, 1e-4])
def test_errors_of_the_outputs_are_carried_into_the_loss(size):
    for what, labels, made, weight, reduction in cases("float64"):
        rng = np.random.default_rng(3)
        error = size * rng.random(made.shape)
        value, gradient = judged(labels, made, weight, error + 1e-15, reduction=reduction)
        for _ in range(3):
            moved = made + error * rng.choice([-1, -0.3, 0, 1], made.shape)
            value2, gradient2 = judged(labels, moved, weight, reduction=reduction)
            assert_inside(value, value2.value, what)
            assert_inside(gradient, gradient2.value, what)


def counted(labels, made, gamma, counts):
    """The loss in float64, divided by so many."""
    value, slopes = circle(labels, made, "sum", gamma=gamma)
    return value / counts, np.asarray(slopes) / counts


def test_either_number_is_right_where_the_flush_leaves_it_open():
    value, gradient = judged(LABELS, MADE, gamma=FLUSHED)
    for counts in (2, 4, 6):  # the two alone that are surely above 0, or others too
        expected, slopes = counted(LABELS, MADE, FLUSHED, counts)
        assert_inside(value, expected, f"{counts} of 6")
        assert_inside(gradient, slopes, f"{counts} of 6")
    for counts in (1, 7):
        wrong, _ = counted(LABELS, MADE, FLUSHED, counts)
        assert abs(wrong - value.value) > value.bound, counts


@pytest.mark.parametrize("gamma, right", [(80.0, 6), (FLUSHED * 0.98, 6), (FLUSHED * 1.3, 2)])
def test_one_number_alone_is_right_where_it_is_not_open(gamma, right):
    """Also next to where it is open; beyond it four losses are below all numbers of float32."""
    value, _ = judged(LABELS, MADE, gamma=gamma)
    for counts in (2, 3, 4, 5, 6, 7):
        off = abs(counted(LABELS, MADE, gamma, counts)[0] - value.value)
        assert (off <= value.bound) == (counts == right), counts


def test_samples_without_a_partner_are_never_counted():
    """A sixth one, alone in its class: its loss is 0 without any rounding."""
    labels = np.array([0, 0, 1, 1, 2])
    made = np.concatenate([MADE[:4, :2], [[0.6, 0.8]]]).astype("float32")
    value, _ = judged(labels, made)
    for counts in (3, 4, 5):
        off = abs(counted(labels, made, 80.0, counts)[0] - value.value)
        assert (off <= value.bound) == (counts == 4), counts
    value, gradient = judged(np.arange(5), made)
    assert value.value == 0 and value.bound < 1e-30 and np.abs(gradient.bound).max() < 1e-30


@pytest.mark.parametrize("terms, sure, open_, ends", [
    ([1, 1, 1], [1, 1, 0], [0, 0, 1], (2, 3)), ([2, 3, 4], [0, 0, 0], [1, 1, 0], (2, 5)),
    ([-2, -3], [0, 0], [1, 1], (-5, -2)), ([2, -3], [1, 0], [0, 1], (0, 2)),
    ([1, 1], [0, 0], [0, 0], (0, 0)), ([0.5, 0, 3], [1, 0, 0], [0, 1, 1], (0.5, 3.5))])
def test_what_the_divisor_can_be(terms, sure, open_, ends):
    assert divisors(np.array(terms, float), np.array(sure, bool), np.array(open_, bool)) == ends
