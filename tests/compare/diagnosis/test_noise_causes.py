"""Why a layer's noise is not what it should be: another distribution, or draws that go together."""

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins

RATE = 0.3


def mask(rng, shape, rate=RATE):
    return (rng.random(shape) >= rate) / (1 - RATE)


def rows_alike(rng, shape):
    return np.broadcast_to(mask(rng, (1, *shape[1:])), shape)


def alternating(rng, shape):
    return np.indices(shape).sum(axis=0) % 3 / (1 - RATE) * 0.5


def checked(keras, layer, draw):
    class Drawn(type(layer)):
        def draw(self, rng, shape):
            return np.asarray(draw(rng, shape), self.dtype)

    model = scratch.Sequential([scratch.Input((5, 4)), layer, scratch.Flatten(),
                                scratch.Dense(3)])
    _, twin = twins.twins(model)
    layer.__class__ = Drawn
    x = np.random.default_rng(0).standard_normal((6, 5, 4)).astype("float32")
    upstream = np.random.default_rng(1).standard_normal((6, 3)).astype("float32")
    report = compare.check(model, twin, x, upstream=upstream, steps=0)
    (finding,) = report.diagnosis
    return finding


@pytest.mark.sampled(3)
@pytest.mark.parametrize("draw, cause", [
    (rows_alike, "noise-not-independent"),
    (alternating, "noise-not-independent"),
    (lambda rng, shape: mask(np.random.default_rng(5), shape), "noise-not-independent"),
    (lambda rng, shape: mask(rng, shape, 0.45), "noise-distribution"),
    (lambda rng, shape: mask(rng, shape, 0.7), "noise-distribution"),
    (lambda rng, shape: mask(rng, shape) * 0.9, "noise-distribution"),
], ids=["samples-alike", "pattern", "same-each-call", "rate", "rate-swapped", "scale"])
def test_dropout(keras, draw, cause):
    finding = checked(keras, scratch.Dropout(RATE), draw)
    assert finding.tensor == "noise" and finding.identifier == cause, str(finding)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("draw, cause", [
    (lambda rng, shape: rng.logistic(0, 0.5 * np.sqrt(3) / np.pi, shape), "noise-distribution"),
    (lambda rng, shape: rng.normal(0.05, 0.5, shape), "noise-distribution"),
    (lambda rng, shape: rng.normal(0, 0.6, shape), "noise-distribution"),
    (lambda rng, shape: np.repeat(rng.normal(0, 0.5, (*shape[:-1], 2)), 2, axis=-1),
     "noise-not-independent"),
    (lambda rng, shape: rng.normal(0, 0.5, (1, *shape[1:])) * rng.choice([-1, 1], shape),
     "noise-not-independent")], ids=["logistic", "mean", "deviation", "channels", "sizes"])
def test_gaussian_noise(keras, draw, cause):
    finding = checked(keras, scratch.GaussianNoise(0.5), draw)
    assert finding.tensor == "noise" and finding.identifier == cause, str(finding)
