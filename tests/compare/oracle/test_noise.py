"""The oracles of the layers that are random in training, which are told the noise."""

import numpy as np
import pytest

from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from tests.compare.support.normalizing_cases import named, shares
from tests.scratch.support.checks import real, whole


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, noise_shape", [
    ("Dropout", (4, 3, 2, 5)), ("Dropout", (4, 1, 2, 1)), ("Dropout", (2, 5)),
    ("SpatialDropout2D", (4, 1, 1, 5)), ("GaussianNoise", (4, 3, 2, 5)),
    ("GaussianDropout", (4, 3, 2, 5)), ("StochasticDepth", (4, 1, 1, 1))])
def test_noise_is_judged_as_it_was_drawn(name, noise_shape, dtype):
    rng, rounding = np.random.default_rng(1), Rounding.of(dtype)
    x, dy = (real(seed, (4, 3, 2, 5)).astype(dtype) for seed in (1, 2))
    adds = name == "GaussianNoise"
    noise = (rng.standard_normal(noise_shape) + 1 - adds if name.startswith("Gaussian")
             else rng.choice([0, 1 / 0.7], noise_shape)).astype(dtype)
    oracle = oracle_for(name, {"rate": 0.3, "drop_path_rate": 0.3})
    y = oracle.forward(Bounded(x, rounding), {"noise": Bounded(noise, rounding)})
    dx, gradients = oracle.backward(Bounded(dy, rounding))
    made = named(x + noise if adds else x * noise, dy if adds else dy * noise, {}, {})
    shares(named(y, dx, gradients, {}), made, name)
    unit = np.finfo(dtype).eps
    # a product; or a quotient by what is itself a rounded reciprocal
    assert (y.bound <= 3.01 * unit * np.abs(y.value) + 1e-37).all()
    exact = np.abs(dy.astype(float) if adds else dy.astype(float) * noise)
    np.testing.assert_allclose(np.abs(dx.value), exact, rtol=1e-15)
    if not name.startswith("Gaussian"):
        dropped = np.broadcast_to(noise == 0, x.shape)
        assert not y.value[dropped].any() and dropped.any()
    assert oracle.exact
    for training, weights in ((False, {"noise": Bounded(noise, rounding)}), (True, {})):
        oracle = oracle_for(name, {"rate": 0.3, "drop_path_rate": 0.3})
        oracle.training = training
        y, dx = oracle.forward(Bounded(x, rounding), weights), oracle.backward(
            Bounded(dy, rounding))[0]
        np.testing.assert_array_equal(y.value, x)
        np.testing.assert_array_equal(dx.value, dy)
        assert not y.bound.any() and not dx.bound.any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_alpha_dropout_by_either_arrangement_of_its_formula(rate, dtype):
    """As Keras writes it, and with what is dropped filled in afterwards."""
    rng, rounding = np.random.default_rng(1), Rounding.of(dtype)
    x, dy = (100 * real(seed, (4, 3, 5)).astype(dtype) for seed in (1, 2))
    kept = rng.choice([0, 1], (4, 1, 5)).astype(dtype)
    oracle = oracle_for("AlphaDropout", {"rate": rate})
    y = oracle.forward(Bounded(x, rounding), {"noise": Bounded(kept, rounding)})
    found = named(y, *oracle.backward(Bounded(dy, rounding)), {})
    limit = -1.7580993408473766
    a = ((1 - rate) * (1 + rate * limit**2)) ** -0.5
    one = np.dtype(dtype).type
    first = one(a) * (x * kept + one(limit) * (1 - kept)) + one(-a * limit * rate)
    second = np.where(kept == 1, x * one(a) + one(-a * limit * rate), one(a * limit * (1 - rate)))
    for made, dx in ((first, dy * one(a) * kept), (second, kept * dy * one(a))):
        shares(found, named(made, dx, {}, {}), rate)
    assert (y.bound <= 20 * np.finfo(dtype).eps * (np.abs(x) + 2) * (a + 1)).all()
    assert not oracle.exact
    right = np.where(kept == 1, x.astype(float), limit) * a - a * limit * rate
    np.testing.assert_allclose(y.value, right, rtol=1e-13, atol=1e-13)


def test_what_is_dropped_is_zero_whatever_it_was():
    oracle, rounding = oracle_for("Dropout", {"rate": 0.5}), Rounding.of("float32")
    x = Bounded(np.array([np.inf, np.nan, 3.0]), rounding)
    y = oracle.forward(x, {"noise": Bounded(np.array([0, 0, 2.0]), rounding)})
    np.testing.assert_array_equal(y.value, [0, 0, 6])
    assert (y.bound[:2] <= rounding.tiny).all()


@pytest.mark.parametrize("name", ["Dropout", "GaussianNoise"])
def test_on_whole_numbers_nothing_is_rounded(name):
    x, dy, noise = (whole(seed, (4, 3, 5)) for seed in (1, 2, 3))
    oracle, rounding = oracle_for(name, {}), Rounding.of("float32")
    y = oracle.forward(Bounded(x, rounding), {"noise": Bounded(noise, rounding)})
    dx, _ = oracle.backward(Bounded(dy, rounding))
    adds = name == "GaussianNoise"
    assert oracle.exact
    np.testing.assert_array_equal(y.value, x + noise if adds else x * noise)
    np.testing.assert_array_equal(dx.value, dy if adds else dy * noise)
