"""Oracles of the augmentations: right, and with room for every way of rounding, no more."""

import numpy as np
import pytest

import compare
import scratch
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from tests.compare.support.augmenting import assert_draws_fail, augmenting
from tests.scratch.layers.test_augmentation import EACH, UNDRAWN, by_pixel, example, made

LAYER_ARGUMENTS = {"data_format": "channels_last"}


def judged(name, arguments, x, dy, noise, dtype):
    rounding = Rounding.of(dtype)
    config = {**LAYER_ARGUMENTS, **made(name, arguments, dtype, noise).get_config()}
    oracle = oracle_for(name, config)
    y = oracle.forward(Bounded(x, rounding), {"noise": Bounded(noise, rounding)})
    dx, gradients = oracle.backward(Bounded(dy, rounding))
    assert gradients == {}
    return y, dx


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, arguments", EACH, ids=str)
def test_the_definition_and_what_rounding_makes_of_it(name, arguments, dtype):
    for seed in range(5):
        x, dy, noise = example(seed, dtype, name)
        x = x * 3 - 1  # some of it beyond the range
        found = judged(name, arguments, x, dy, noise, dtype)
        right = by_pixel(name, arguments, *(a.astype(float) for a in (x, noise, dy)))
        layer = made(name, arguments, dtype, noise)
        own = layer.forward(x, training=True), layer.backward(dy)
        unit = np.finfo(dtype).eps
        for bounded, exact, ours in zip(found, right, own, strict=True):
            np.testing.assert_allclose(bounded.value, exact, rtol=0, atol=1e-6 * unit / 1e-7)
            assert (np.abs(ours - bounded.value) <= bounded.bound + 4e-15 * np.abs(exact)).all()
            if name == "RandomFlip":
                assert not bounded.bound.any()
            elif dtype == "float32":  # of numbers of size 3 and sums of 24 of them
                assert np.quantile(bounded.bound, 0.9) < 60 * unit


def test_near_an_end_of_the_range_either_gradient_may_be_right():
    """Here 0.1 + 0.2 in float32 may lie on either side of what 0.3 is there."""
    x, noise = np.full((1, 1, 1, 1), 0.1, "float32"), np.full((1, 1, 1, 1), 0.2, "float32")
    dy = np.ones_like(x)
    arguments = {"factor": 0.5, "value_range": (0.0, float((x + noise).item()))}
    _, dx = judged("RandomBrightness", arguments, x, dy, noise, "float32")
    assert dx.value in (0, 1) and dx.bound >= 1


@pytest.mark.parametrize("name", UNDRAWN)
def test_undrawn_images_stay(name):
    x = Bounded(np.random.default_rng(1).random((2, 3, 4, 3)), Rounding.of("float32"))
    oracle = oracle_for(name, {})
    assert oracle.forward(x, {}) is x and oracle.backward(x)[0] is x


def test_parity_in_training_with_shared_draws_and_without(keras):
    rng = np.random.default_rng(0)
    x, y = rng.random((6, 6, 5, 3)), np.arange(6) % 3
    model = augmenting(scratch.RandomFlip(), scratch.RandomContrast(0.4, (0, 1)),
                       scratch.RandomGrayscale(), scratch.RandomInvert(value_range=(0, 1)),
                       scratch.RandomSharpness(0.8, (0, 1)),
                       scratch.RandomGaussianBlur(kernel_size=(5, 3), value_range=(0, 1)),
                       scratch.RandomHue(0.2, name="coloured"), scratch.RandomBrightness(0.3))
    report = compare.check(model, compare.twin(model), x, y)
    assert report, report
    assert report.not_checked == ["training of RandomHue 'coloured'"]
    assert "Not checked: training of RandomHue 'coloured'." in report.summary()
    noise = [row.layer for row in report.rows if row.tensor == "noise"]
    assert len(noise) == 7
    assert {row.gate.name for row in report.rows} >= {"LOCKSTEP", "WHOLE_NUMBERS"}


class Wider(scratch.RandomContrast):
    def draw(self, rng, shape):
        return 1 + 1.1 * (super().draw(rng, shape) - 1)


class OneForAll(scratch.RandomBrightness):
    def draw(self, rng, shape):
        return np.broadcast_to(super().draw(rng, shape)[:1], (shape[0], 1, 1, 1))


class EveryPixel(scratch.RandomBrightness):
    def draw(self, rng, shape):
        return rng.uniform(*self.factor, shape) * 255


class Seldom(scratch.RandomFlip):
    def draw(self, rng, shape):
        return (rng.random((shape[0], 1, 1, 1)) < 0.4).astype(self.dtype)


class Rarely(scratch.RandomInvert):
    def draw(self, rng, shape):
        return (rng.random((shape[0], 1, 1, 1)) < self.factor[0]).astype(self.dtype)


class Doubled(scratch.RandomSharpness):
    def draw(self, rng, shape):
        return 2 * super().draw(rng, shape)


class TwoKernels(scratch.RandomGaussianBlur):
    def draw(self, rng, shape):
        return np.where(np.arange(shape[0]).reshape(-1, 1, 1, 1) % 2, super().draw(rng, shape),
                        super().draw(rng, shape))


class Wide(scratch.RandomGaussianBlur):
    def draw(self, rng, shape):
        return super().draw(rng, shape) * [1, 1, 2]


class Normal(scratch.RandomBrightness):
    def draw(self, rng, shape):
        return np.clip(rng.normal(0, 20, (shape[0], 1, 1, 1)), -51, 51)


@pytest.mark.parametrize("own, right, said", [
    (Wider(0.4), scratch.RandomContrast(0.4), "expected numbers from 1 to 1.4, received"),
    (OneForAll(0.2), scratch.RandomBrightness(0.2), "go together"),
    (EveryPixel(0.2), scratch.RandomBrightness(0.2), "expected one draw for each image"),
    (Normal(0.2), scratch.RandomBrightness(0.2), "not spread evenly from -51 to 51"),
    (Rarely((0.2, 0.8)), scratch.RandomInvert((0.2, 0.8)),
     "expected 50 % to stay as it is, received"),
    (Doubled(0.3), scratch.RandomSharpness(0.3), "expected numbers from 0 to 0.3, received"),
    (TwoKernels(), scratch.RandomGaussianBlur(), "one kernel for a batch, received several"),
    (Wide(sigma=(0.2, 0.5)), scratch.RandomGaussianBlur(sigma=(0.2, 0.5)),
     "expected numbers from 0.2 to 0.5, received"),
    (Seldom(), scratch.RandomFlip(), "expected 50 % to stay as it is, received")],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "")
def test_wrong_draws_fail_by_name(own, right, said):
    scratch.set_random_seed(0)
    assert_draws_fail(own, right, said)
