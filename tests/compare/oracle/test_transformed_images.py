"""Oracles of images that are moved, turned, zoomed and sheared: right, and with room for every way
of rounding, no more."""

import numpy as np
import pytest

import compare
import scratch
from compare.oracle.affine_images import FLOAT32, Filling, places, read
from compare.oracle.inverse_transformation import inverse
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from scratch import affine_transform
from scratch.affine_transform import within
from tests.compare.support.augmenting import assert_draws_fail, augmenting
from tests.scratch.support.image_places import FILL, KINDS, MODES, SHAPE, by_pixel, draws, matrix

LAYERS = {"RandomTranslation": {"height_factor": 0.9, "width_factor": 0.9},
          "RandomRotation": {"factor": 0.5},
          "RandomZoom": {"height_factor": 0.6, "width_factor": 0.9},
          "RandomShear": {"x_factor": (0.1, 0.9), "y_factor": (0.0, 0.6)}}


def layer_of(name, kind="bilinear", mode="reflect", dtype="float32", shape=SHAPE, noise=None,
             fill=FILL):
    layer = getattr(scratch, name)(**LAYERS[name], interpolation=kind, fill_mode=mode,
                                   fill_value=fill, dtype=dtype)
    layer.build((None, *shape[1:]))
    layer.give_noise(noise)
    return layer


def judged(layer, x, dy, noise):
    rounding = Rounding.of(x.dtype)
    oracle = oracle_for(type(layer).__name__, layer.get_config())
    y = oracle.forward(Bounded(x, rounding), {"noise": Bounded(noise, rounding)})
    dx, gradients = oracle.backward(Bounded(dy, rounding))
    assert gradients == {}
    return y, dx


@pytest.mark.sampled(4)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_the_definition_and_what_rounding_makes_of_it(name, dtype):
    """Also as TensorFlow computes it; with draws of which many lead exactly to ties and jumps."""
    import keras
    import tensorflow as tf

    from reference import noise as noises

    unit = np.finfo("float32").eps
    for seed, (kind, mode) in enumerate((kind, mode) for kind in KINDS for mode in MODES):
        rng = np.random.default_rng(seed)
        x, dy = (rng.random(SHAPE).astype(dtype) for _ in range(2))
        noise = draws(name, rng).astype("float32").astype(dtype)
        noise[::2] = np.round(noise[::2] / 45) * 45 if name == "RandomRotation" else np.round(
            noise[::2] * 4) / 4
        layer = layer_of(name, kind, mode, dtype, noise=noise)
        try:
            own = layer.forward(x, training=True), layer.backward(dy)
        except ValueError:  # shears by 1 and 1 have no inverse
            continue
        found = judged(layer, x, dy, noise)
        theirs = getattr(keras.layers, name)(**LAYERS[name], interpolation=kind, fill_mode=mode,
                                             fill_value=FILL, dtype=dtype)
        source = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(source)
            y = noises.apply(theirs, source, noise)
        keras_made = y, tape.gradient(y, source, output_gradients=tf.constant(dy))
        moves = [matrix(name, noise[n, 0, 0].astype(float), *SHAPE[1:3]) for n in range(len(x))]
        right = (by_pixel(x.astype(float), moves, kind, mode, FILL),
                 by_pixel(dy.astype(float), moves, kind, mode, 0.0, inverted=True))
        for bounded, exact, ours, of_keras in zip(found, right, own, keras_made, strict=True):
            for array in (ours, np.asarray(of_keras)):
                assert (np.abs(array - bounded.value) <= bounded.bound * (1 + 1e-9)).all()
            known = bounded.bound < 0.01  # elsewhere either side of a jump may be right
            assert known.mean() > 0.5
            assert np.abs(exact - bounded.value).min(axis=0)[known].max() < 2e-7
            if kind == "bilinear":
                assert np.median(bounded.bound) < 700 * unit
            else:
                assert (bounded.bound[known] == 0).mean() > 0.95


def test_whole_numbers_are_exact():
    rng = np.random.default_rng(0)
    x, dy = (rng.integers(-8, 8, SHAPE).astype("float32") for _ in range(2))
    for name, mode, kind in ((name, mode, kind) for name in LAYERS
                             for mode in MODES for kind in KINDS):
        oracle = oracle_for(name, layer_of(name, kind, mode, fill=2.0).get_config())
        if name == "RandomRotation" or name == "RandomZoom" and kind == "bilinear":
            assert not oracle.exact
            continue
        assert oracle.exact
        noise = oracle.admitted_noise(rng.integers(-8, 8, (4, 1, 1, 2)).astype("float32"))
        layer = layer_of(name, kind, mode, fill=2.0, noise=noise)
        own = layer.forward(x, training=True), layer.backward(dy)
        for bounded, array in zip(judged(layer, x, dy, noise), own, strict=True):
            assert not bounded.bound.any()
            np.testing.assert_array_equal(array, bounded.value)
    assert not oracle_for("RandomTranslation", layer_of(
        "RandomTranslation", mode="constant", fill=0.5).get_config()).exact


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ["RandomTranslation", "RandomZoom", "RandomShear"])
def test_halves_that_are_rounded_to_even_are_found(keras, monkeypatch, name):
    """Places halfway between two pixels: what is drawn for a batch hardly ever leads to one."""
    rng = np.random.default_rng(0)
    x, y = rng.random((4, 6, 5, 3)), np.arange(4) % 3
    model = augmenting(getattr(scratch, name)(**LAYERS[name], interpolation="nearest"))
    twin = compare.twin(model)
    assert compare.check(model, twin, x, y)
    monkeypatch.setattr(affine_transform, "nearest", np.rint)
    failure = compare.check(model, twin, x, y).first_failure
    assert (failure.gate.name, failure.layer) == ("WHOLE_NUMBERS", model.layers[0].name)


def one_row(values):
    return Bounded(np.array(values, float).reshape(1, 1, -1, 1), FLOAT32)


def at(column, error):
    """(columns, rows) of one place in one row, known up to an error."""
    return (Bounded(np.full((1, 1, 1), column), FLOAT32, np.full((1, 1, 1), error)),
            Bounded(np.zeros((1, 1, 1)), FLOAT32))


@pytest.mark.parametrize("column, error, value, bound", [
    (1.5, 0.0, 30, 0), (1.5, 1e-5, 30, 20), (1.4999, 1e-3, 10, 20), (1.4, 1e-3, 10, 0),
    (2.5, 1e-5, 0, 30), (0.5, 1e-5, 10, 9), (1.0, 0.3, 10, 30)])
def test_next_to_a_tie_either_pixel_may_have_been_read(column, error, value, bound):
    made = read(one_row([1, 10, 30, 0]), *at(column, error), Filling("nearest", "nearest", 0.0))
    assert made.value.item() == value and made.bound.item() == bound


@pytest.mark.parametrize("column, error, value, bound", [
    (3.0, 0.0, 7, 0), (3.0, 1e-5, 7, 6), (2.9, 1e-3, 9.3, 0.023), (0.0, 1e-5, 1, 6),
    (-0.2, 1e-3, 7, 0)])
def test_next_to_where_an_image_is_wrapped_either_end_may_have_been_read(column, error, value,
                                                                         bound):
    made = read(one_row([1, 10, 30, 7]), *at(column, error), Filling("bilinear", "wrap", 0.0))
    assert made.value.item() == pytest.approx(value)
    reach = 1.2 * bound + 100 * error  # as far as neighbouring pixels differ, and roundings
    assert bound * 0.99 <= made.bound.item() <= reach + 1e-5


def test_a_mixture_is_off_by_the_steepest_difference_around_times_the_place_s_error():
    """Just so far is what is read at the ends of what is known of the place."""
    image, error = one_row([1, 10, 30, 0]), 1e-4
    for column in np.linspace(-1, 4, 101):
        for mode in ("reflect", "constant", "nearest"):
            filling = Filling("bilinear", mode, 5.0)
            made = read(image, *at(column, error), filling)
            ends = [read(image, *at(column + way * error, 0.0), filling).value for way in (-1, 1)]
            off = max(np.abs(end - made.value).item() for end in ends)
            assert off <= made.bound.item() <= 30 * error + 1e-4


def test_bringing_back_a_place_that_is_known_rounds_it():
    """-1.3 + 100 is a sum whose digits float32 does not hold; where pixels are steep that shows."""
    size, image = 100, one_row([0, 1] * 50)
    farthest = 0.0
    for place in np.float32([-1.3, -0.7, -2.1, -40.6, 130.7]):
        in_float32 = float(within(np.array([place]), size, "wrap")[0])
        low = int(in_float32)
        computed = (low % 2) + (1 - 2 * (low % 2)) * (in_float32 - low)
        made = read(image, *at(float(place), 0.0), Filling("bilinear", "wrap", 0.0))
        off = abs(computed - made.value.item())
        farthest = max(farthest, off)
        assert off <= made.bound.item()
    assert farthest > 1e-6


def test_the_inverse_of_float32_by_two_libraries(keras):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    rows = rng.standard_normal((400, 2, 3)).astype("float32")
    rows[:, :, 2] *= 30
    rows[:100, 1, 0] = -rows[:100, 0, 0]  # of which neither is the larger one
    rows[100:150, 1, :2] = rows[100:150, 0, :2] + rng.uniform(-1e-4, 1e-4, (50, 2))
    last = np.broadcast_to(np.float32([0, 0, 1]), (400, 1, 3))
    whole = np.concatenate([rows, last], axis=1)
    made = inverse(Bounded(rows, FLOAT32))
    for found in (np.linalg.inv(whole), tf.linalg.inv(tf.constant(whole)).numpy()):
        off = np.abs(found[:, :2] - made.value)
        assert (off <= made.bound).all()
    assert np.median(made.bound / np.abs(made.value)) < 1e-5
    exact = inverse(Bounded(np.float64([[[1, 0, -7], [0, 1, 3]]]), FLOAT32))
    assert not exact.bound.any() and exact.value.tolist() == [[[1, 0, 7], [0, 1, -3]]]
    with pytest.raises(ValueError, match=r"have an inverse. Received: determinants \[0.0\]"):
        inverse(Bounded(np.ones((1, 2, 3)), FLOAT32))


def test_places_are_exact_where_sums_are_and_else_off_by_roundings():
    columns, rows = places(Bounded(np.array([[[1, 0, -0.3], [0, 0.5, 2]]]), FLOAT32), 3, 4)
    assert columns.value[0, 0].tolist() == [-0.3, 0.7, 1.7, 2.7]
    assert not rows.bound.any() and rows.value[0, :, 0].tolist() == [2, 2.5, 3]
    assert (columns.bound[..., 1:] > 0).all() and columns.bound.max() < 3.4 * FLOAT32.unit


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind, mode", [("bilinear", "reflect"), ("nearest", "wrap")])
def test_parity_in_training_with_shared_draws(keras, kind, mode):
    rng = np.random.default_rng(0)
    x, y = rng.random((6, 6, 5, 3)), np.arange(6) % 3
    settings = {"interpolation": kind, "fill_mode": mode}
    model = augmenting(scratch.RandomTranslation(0.4, (-0.2, 0.6), **settings),
                       scratch.Conv2D(3, 2, padding="same"),
                       scratch.RandomRotation(0.3, **settings), scratch.RandomZoom(0.4, **settings),
                       scratch.RandomShear((0.1, 0.4), (0.1, 0.2), **settings))
    report = compare.check(model, compare.twin(model), x, y)
    assert report, report
    assert report.not_checked == []
    assert len([row for row in report.rows if row.tensor == "noise"]) == 4
    assert {row.gate.name for row in report.rows} >= {"LOCKSTEP", "WHOLE_NUMBERS", "FEW_TERMS"}


class OneSided(scratch.RandomTranslation):
    def draw(self, rng, shape):
        return np.abs(super().draw(rng, shape))


class TwoDraws(scratch.RandomZoom):
    def draw(self, rng, shape):
        return 1 + rng.uniform(-0.2, 0.2, (shape[0], 1, 1, 2))


class OneNumber(scratch.RandomTranslation):
    def draw(self, rng, shape):
        made = super().draw(rng, shape)
        made[..., 1] = made[..., 0] * shape[1] / shape[2]
        return made


class Straight(scratch.RandomShear):
    def draw(self, rng, shape):
        return np.abs(super().draw(rng, shape))


class Apart(scratch.RandomShear):
    def draw(self, rng, shape):
        made = super().draw(rng, shape)
        return np.abs(made) * rng.choice([-1, 1], made.shape)


class WholeTurns(scratch.RandomRotation):
    def draw(self, rng, shape):
        return super().draw(rng, shape) * 2


@pytest.mark.parametrize("own, right, said", [
    (OneSided(0.2, 0.2), scratch.RandomTranslation(0.2, 0.2), "not spread evenly from -1 to 1"),
    (OneNumber(0.2, 0.2), scratch.RandomTranslation(0.2, 0.2), "numbers of an image"),
    (TwoDraws(0.2), scratch.RandomZoom(0.2), "one draw for both axes, received two"),
    (Straight((0.1, 0.2)), scratch.RandomShear((0.1, 0.2)),
     "not spread evenly from 0.1 to 0.2, or of the other sign"),
    (Apart((0.1, 0.2), (0.1, 0.3)), scratch.RandomShear((0.1, 0.2), (0.1, 0.3)), "of one sign"),
    (WholeTurns(0.1), scratch.RandomRotation(0.1), "expected numbers from -36 to 36, received")],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "")
def test_wrong_draws_fail_by_name(keras, own, right, said):
    assert_draws_fail(own, right, said)
