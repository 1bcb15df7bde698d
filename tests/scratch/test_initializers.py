"""Initial weights: Keras's distributions, by their formulas and by their moments."""

import math

import numpy as np
import pytest

import scratch
from scratch import initializers

KERNEL = (5, 4, 6, 8)  # fan in 5 4 6 = 120, fan out 5 4 8 = 160, mean 140
LARGE = (20, 20, 30, 40)  # 480,000 numbers; fan in 12000, fan out 16000
FANS = {"fan_in": 12000, "fan_out": 16000, "fan_avg": 14000}
NAMED = {
    "glorot_uniform": (1, "fan_avg", "uniform"), "glorot_normal": (1, "fan_avg", "normal"),
    "he_uniform": (2, "fan_in", "uniform"), "he_normal": (2, "fan_in", "normal"),
    "lecun_uniform": (1, "fan_in", "uniform"), "lecun_normal": (1, "fan_in", "normal"),
}


@pytest.fixture(autouse=True)
def seeded():
    scratch.set_random_seed(7)


def check_moments(values, mean, stddev, fourth):
    """Mean and variance within 5 standard errors; `fourth` is E (v - mean)^4 / stddev^4."""
    values, n = values.astype(np.float64).reshape(-1), values.size
    assert abs(values.mean() - mean) < 5 * stddev / math.sqrt(n)
    assert abs(values.var() / stddev**2 - 1) < 5 * math.sqrt((fourth - 1) / n)


@pytest.mark.parametrize("name", NAMED)
def test_the_variance_is_scale_over_fan_in_out_or_mean(name):
    scale, mode, distribution = NAMED[name]
    values = initializers.get(name)(LARGE)
    stddev = math.sqrt(scale / FANS[mode])
    if distribution == "uniform":
        limit = math.sqrt(3) * stddev
        assert np.abs(values).max() <= np.float32(limit)
        assert np.abs(values).max() > 0.999 * limit
        check_moments(values, 0, stddev, 9 / 5)
    else:  # cut at two standard deviations of the normal before the cut
        limit = 2 * stddev / 0.87962566103423978
        assert 0.99 * limit < np.abs(values).max() <= np.float32(limit)
        check_moments(values, 0, stddev, 2.37)


def test_glorots_limit_for_a_kernel_and_a_dense_matrix():
    for shape, limit in ((KERNEL, math.sqrt(6 / (5 * 4 * (6 + 8)))), ((30, 50), math.sqrt(6 / 80)),
                         ((100,), math.sqrt(6 / 200))):
        largest = max(np.abs(initializers.GlorotUniform()(shape)).max() for _ in range(50))
        assert 0.95 * limit < largest <= np.float32(limit)


@pytest.mark.parametrize("mode", FANS)
def test_variance_scaling_untruncated(mode):
    values = initializers.VarianceScaling(3.0, mode, "untruncated_normal")(LARGE)
    stddev = math.sqrt(3 / FANS[mode])
    assert np.abs(values).max() > 3.5 * stddev
    check_moments(values, 0, stddev, 3)


def test_plain_distributions():
    values = initializers.RandomNormal(0.5, 0.25)(LARGE)
    assert np.abs(values - 0.5).max() > 3.5 * 0.25
    check_moments(values, 0.5, 0.25, 3)
    values = initializers.TruncatedNormal(mean=0.5, stddev=0.25)(LARGE)
    assert 0.49 < np.abs(values - 0.5).max() <= 0.5
    check_moments(values, 0.5, 0.25 * 0.87962566103423978, 2.37)
    values = initializers.RandomUniform(-1, 3)(LARGE)
    assert -1 <= values.min() < -0.999 and 2.999 < values.max() <= 3
    check_moments(values, 1, 4 / math.sqrt(12), 9 / 5)
    assert (initializers.Zeros()(KERNEL) == 0).all()
    assert (initializers.Ones()(KERNEL) == 1).all()
    assert (initializers.Constant(2.5)(KERNEL) == 2.5).all()


@pytest.mark.parametrize("name", sorted(initializers.ALIASES))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shape_and_dtype_are_as_asked(name, dtype):
    values = initializers.get(name)((3, 2, 4, 5), dtype)
    assert values.shape == (3, 2, 4, 5) and values.dtype == dtype


RANDOM = sorted(set(initializers.ALIASES) - {"zeros", "ones", "constant"})


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_repeats_itself_and_none_does_not(name):
    kind = type(initializers.get(name))
    seeded, free = kind(seed=5), kind()
    assert np.array_equal(seeded(KERNEL), seeded(KERNEL))
    assert np.array_equal(seeded(KERNEL), kind(seed=5)(KERNEL))
    assert not np.array_equal(seeded(KERNEL), kind(seed=6)(KERNEL))
    assert not np.array_equal(free(KERNEL), free(KERNEL))
    scratch.set_random_seed(3)
    first = free(KERNEL)
    scratch.set_random_seed(3)
    assert np.array_equal(free(KERNEL), first)


def test_the_random_seed_repeats_a_model():
    def weights(seed):
        scratch.set_random_seed(seed)
        return scratch.Sequential([scratch.Input((4, 4, 1)), scratch.Conv2D(2, 2),
                                   scratch.Flatten(), scratch.Dense(3)]).get_weights()

    for a, b in zip(weights(1), weights(1)):
        assert np.array_equal(a, b)
    assert not np.array_equal(weights(1)[0], weights(2)[0])


def test_layers_use_their_initializers():
    layer = scratch.Dense(3, kernel_initializer=initializers.Constant(2),
                          bias_initializer="ones")
    layer.build((None, 4))
    assert (layer.kernel == 2).all() and (layer.bias == 1).all()
    layer = scratch.Conv2D(3, 2)
    layer.build((None, 4, 4, 5))
    assert (layer.bias == 0).all()
    assert 0 < np.abs(layer.kernel).max() <= np.float32(math.sqrt(6 / (2 * 2 * (5 + 3))))


@pytest.mark.parametrize("name", sorted(initializers.ALIASES))
def test_a_config_makes_the_same_initializer_again(name):
    original = initializers.get(name)
    again = initializers.get(initializers.serialize(original))
    assert type(again) is type(original) and again.get_config() == original.get_config()


@pytest.mark.parametrize("arguments", [dict(scale=0), dict(scale=-1.0), dict(mode="fan"),
                                       dict(distribution="normal")])
def test_a_variance_scaling_out_of_range_is_refused(arguments):
    with pytest.raises(ValueError, match="VarianceScaling: expected a positive scale.*Received"):
        initializers.VarianceScaling(**arguments)


@pytest.mark.parametrize("make, named", [
    (lambda: initializers.get("orthogonal"), "orthogonal"),
    (lambda: initializers.get({"class_name": "Identity", "config": {}}), "Identity"),
    (lambda: initializers.get(None), "None"),
    (lambda: initializers.GlorotUniform(gain=2), "GlorotUniform does not support: gain"),
    (lambda: initializers.HeNormal(input_axes=(0,)), "HeNormal supports only input_axes=None"),
])
def test_what_is_not_supported_is_refused_by_name(make, named):
    with pytest.raises(scratch.UnsupportedError, match=named):
        make()


def test_too_many_arguments_are_refused():
    with pytest.raises(TypeError, match="Constant: expected at most 1 arguments"):
        initializers.Constant(1, 2)
