"""Layers of somebody's own that draw at random: judged with the mask that they drew."""

import random

import keras
import numpy as np
import pytest

import compare
from scratch.errors import UnsupportedError

K = keras.layers
GENERATOR = np.random.default_rng(4)
RNG = np.random.default_rng(0)
X, Y = (RNG.normal(size=(5, n)).astype("float32") for n in (6, 4))
HOW = {"forward_takes": ("x", "training"), "mask": "mask"}


class Drop:
    """Draws from NumPy's common generator; its mask is of 0 and 1."""

    def __init__(self, rate=0.3):
        self.rate = rate

    def kept(self, shape):
        return np.random.rand(*shape) >= self.rate

    def forward(self, x, training):
        self.mask = self.kept(x.shape) if training else None
        return x if self.mask is None else x * self.mask / (1 - self.rate)

    def backward(self, dy):
        return dy if self.mask is None else dy * self.mask / (1 - self.rate)


class OwnGenerator(Drop):
    """Inverted: its mask holds the factors."""

    def __init__(self, rate=0.3):
        super().__init__(rate)
        self.rng = np.random.default_rng(3)

    def forward(self, x, training):
        self.mask = (self.rng.random(x.shape) >= self.rate) / (1 - self.rate) if training else 1
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class OfTheModule(Drop):
    def kept(self, shape):
        return GENERATOR.random(shape) >= self.rate


class OfPython(Drop):
    def kept(self, shape):
        return np.array([random.random() >= self.rate for _ in range(int(np.prod(shape)))]
                        ).reshape(shape)


class Unscaled(Drop):
    def forward(self, x, training):
        super().forward(x, training)
        return x if self.mask is None else x * self.mask


class NoMask(Drop):
    def backward(self, dy):
        return dy / (1 - self.rate)


class AnotherMask(Drop):
    def backward(self, dy):
        return dy * self.kept(dy.shape) / (1 - self.rate)


class KeepsRate(Drop):
    def kept(self, shape):
        return np.random.rand(*shape) < self.rate


class Always(Drop):
    def forward(self, x, training):
        return super().forward(x, True)


class OneForAll(Drop):
    """One mask for the whole batch."""

    def kept(self, shape):
        return np.broadcast_to(super().kept((1, *shape[1:])), shape)


def checked(made, like=None, **how):
    like = K.Dropout(0.3, name="drop") if like is None else like
    twin = keras.Sequential([keras.Input((6,)), K.Dense(7, activation="relu"), like, K.Dense(4)])
    rng = np.random.default_rng(2)
    twin.set_weights([rng.normal(0, 0.4, w.shape) for w in twin.get_weights()])
    twin.compile(keras.optimizers.SGD(0.1), "mean_squared_error")
    return compare.check([None, compare.wrap(made, **{**HOW, **how}), None], twin, X, Y)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("made", [Drop, OwnGenerator, OfTheModule, OfPython])
def test_right_ones_are_silent_wherever_they_draw_from(made):
    before = np.random.get_state()[1].copy()
    report = checked(made())
    assert report, report
    assert np.array_equal(before, np.random.get_state()[1])
    assert {("backward", "input_gradient"), ("inference", "output"), ("forward", "noise")} <= {
        (row.gate, row.tensor) for row in report.rows if row.layer == "drop" and row.judged}
    assert "lockstep" in {row.gate for row in report.rows}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("made, tensor, identifier", [
    (Unscaled, "output", "scale"), (NoMask, "input_gradient", "mask-missing + scale"),
    (AnotherMask, "input_gradient", None), (KeepsRate, "noise", "noise-distribution"),
    (Always, "output", "training-flag"), (OneForAll, "noise", "noise-not-independent")])
def test_mistakes_are_found_in_their_tensor(made, tensor, identifier):
    report = checked(made())
    assert not report and report.first_failure.layer == "drop"
    assert report.first_failure.tensor == tensor, report
    if identifier is not None:
        assert report.cause.identifier == identifier, report.cause


def test_normal_noise_and_whole_maps():
    class Noise(Drop):
        def forward(self, x, training):
            self.mask = np.random.normal(0, 0.2, x.shape) if training else np.zeros(1)
            return x + self.mask

        def backward(self, dy):
            return dy

    assert checked(Noise(), K.GaussianNoise(0.2, name="drop"))

    class Maps(Drop):
        def kept(self, shape):
            return np.random.rand(shape[0], shape[1], 1, 1) >= self.rate

    twin = keras.Sequential([keras.Input((4, 3, 5)), K.SpatialDropout2D(0.3), K.Flatten()])
    x = RNG.normal(size=(4, 4, 3, 5)).astype("float32")
    layer = compare.wrap(Maps(), data_format="channels_first", **HOW)
    report = compare.check([layer, None], twin, x)
    assert report, report


def test_what_has_to_be_told_is_asked_for():
    with pytest.raises(UnsupportedError, match="mask='mask'"):
        checked(Drop(), mask=None)
    with pytest.raises(ValueError, match="mask with batches only"):
        compare.wrap(Drop(), mask="mask", batched=False)
    report = checked(Drop(), mask="kept_ones")
    assert "expected 'kept_ones' in Drop. It has: rate, mask" in report.first_failure.note
    assert checked(Drop(), mask=lambda o: 1.0 * o.mask)
    trace = compare.record(keras.Sequential([keras.Input((6,)), K.Dropout(0.3, name="drop")]), X,
                           upstream=X)
    report = compare.check([compare.wrap(Drop(), **HOW)], trace)
    assert "can be read, but not be set" in report.first_failure.note
