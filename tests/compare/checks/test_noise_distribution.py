"""What random layers draw is checked by itself, since both networks are given the same noise."""

import math

import numpy as np
import pytest

import compare
import scratch
from compare.checks import randomness
from compare.checks.noise_distribution import normal
from compare.oracle.registry import oracle_for

SHAPE = (6, 5, 4)


def network(layer):
    return scratch.Sequential([scratch.Input(SHAPE), layer])


def rows(own, right, seed=0):
    scratch.set_random_seed(seed)
    x = np.random.default_rng(0).standard_normal((4, *SHAPE))
    report = compare.check(network(own), network(right), x, upstream=x)
    noise = [row for row in report.rows if row.tensor == "noise"]
    assert all(row.passed for row in report.rows if row not in noise), report
    return report, noise


@pytest.mark.sampled(4)
@pytest.mark.parametrize("make", [
    lambda: scratch.Dropout(0.3), lambda: scratch.Dropout(0.999), lambda: scratch.Dropout(1.0),
    lambda: scratch.Dropout(0.4, noise_shape=(None, 1, 5, 1)),
    lambda: scratch.SpatialDropout2D(0.3), lambda: scratch.GaussianNoise(0.2),
    lambda: scratch.GaussianDropout(0.2), lambda: scratch.AlphaDropout(0.3),
    lambda: scratch.AlphaDropout(0.7, noise_shape=(None, 1, 5, 1)),
    lambda: scratch.SpatialDropout2D(0.3, data_format="channels_first")])
def test_right_layers_pass_whatever_they_draw(make):
    for seed in range(5):
        report, noise = rows(make(), make(), seed)
        assert report and len(noise) == 1 and noise[0].gate == "forward", report


def test_layers_that_draw_nothing_have_no_row():
    for layer in (scratch.Dropout(0.0), scratch.ReLU()):
        assert rows(layer, type(layer).from_config(layer.get_config()))[1] == []


class NotScaled(scratch.Dropout):
    def draw(self, rng, shape):
        return (super().draw(rng, shape) > 0).astype(self.dtype)


class OtherRate(scratch.Dropout):
    def draw(self, rng, shape):
        noise = np.where(rng.random(shape) >= 0.36, 1 / (1 - self.rate), 0)
        return noise.astype(self.dtype)


class EachPixel(scratch.SpatialDropout2D):
    def shape_of_noise(self, shape):
        return shape


class Loud(scratch.GaussianNoise):
    def draw(self, rng, shape):
        return 1.1 * super().draw(rng, shape)


class Biased(scratch.GaussianNoise):
    def draw(self, rng, shape):
        return 0.02 + super().draw(rng, shape)


class Scaled(scratch.AlphaDropout):
    def draw(self, rng, shape):
        return super().draw(rng, shape) / self.dtype.type(1 - self.rate)


class AroundZero(scratch.GaussianDropout):
    def draw(self, rng, shape):
        return super().draw(rng, shape) - 1


class RateForDeviation(scratch.GaussianDropout):
    def draw(self, rng, shape):
        return rng.normal(1.0, self.rate, shape)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("own, right, said", [
    (Scaled(0.3), scratch.AlphaDropout(0.3), "is 1.42857"),
    (AroundZero(0.2), scratch.GaussianDropout(0.2), "expected a mean of 0, received -"),
    (RateForDeviation(0.2), scratch.GaussianDropout(0.2), "expected a deviation of 0.5, received"),
    (NotScaled(0.3), scratch.Dropout(0.3), "is 1, expected 1.428"),
    (OtherRate(0.3), scratch.Dropout(0.3), "expected 30 % to be dropped, received 3"),
    (EachPixel(0.3), scratch.SpatialDropout2D(0.3), r"along the axes [1, 2], received several"),
    (Loud(0.2), scratch.GaussianNoise(0.2), "expected a deviation of 0.2, received 0.2"),
    (Biased(0.2), scratch.GaussianNoise(0.2), "expected a mean of 0, received 0.0"),
], ids=lambda value: type(value).__name__ if not isinstance(value, str) else "")
def test_wrong_draws_fail_by_name(own, right, said):
    report, noise = rows(own, right)
    assert [row.passed for row in noise] == [False] and report.first_failure is noise[0]
    assert said in report.summary(), report.summary()
    assert noise[0].off == "candidate" and noise[0].used > 1


def half(rng, shape):
    return np.where(rng.random(shape) >= 0.5, 2.0, 0.0)


def exactly_half(rng, shape):
    return rng.permutation(np.repeat([2.0, 0.0], np.prod(shape) // 2)).reshape(shape)


def half_of_each_sample(rng, shape):
    return np.stack([exactly_half(rng, shape[1:]) for _ in range(shape[0])])


# what somebody's dropout of rate 0.5 draws, and what is said of it
DROPOUTS = {
    "checkerboard": (lambda rng, s: 2.0 * (np.indices(s).sum(0) % 2), "go together"),
    "same mask at every call": (lambda rng, s: half(np.random.default_rng(0), s),
                                "draws of different calls go together: correlation +1.00"),
    "one mask for all samples": (lambda rng, s: np.broadcast_to(half(rng, s[1:]), s).copy(),
                                 "draws of different samples go together: correlation +1.00"),
    "one mask for all channels": (lambda rng, s: half(rng, (*s[:3], 1)) + np.zeros(s),
                                  "draws of different places along axis 3 of the input"),
    "pairs of channels": (lambda rng, s: np.repeat(half(rng, (*s[:3], s[3] // 2)), 2, 3),
                          "draws of different places along axis 3 of the input"),
    "mirrored": (lambda rng, s: (lambda a: np.concatenate([a, a[:, ::-1]], 1))(
        half(rng, (s[0], s[1] // 2, *s[2:]))), "between numbers 1 and 6"),
    "one sample the other's opposite": (lambda rng, s: (lambda a: np.concatenate(
        [a, 2.0 - a[:s[0] - len(a)]]))(half(rng, (s[0] - s[0] // 2, *s[1:]))), "correlation -1.00"),
    "an exact half": (exactly_half, "every call has nearly the same number"),
    "an exact half of each sample": (half_of_each_sample, "every call has nearly the same number"),
    "0.51 for 0.5": (lambda rng, s: np.where(rng.random(s) >= 0.51, 2.0, 0.0),
                     "expected 50 % to be dropped, received 5"),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", DROPOUTS)
def test_a_dropout_whose_draws_are_not_independent_fails(name):
    draw, said = DROPOUTS[name]
    own = type("Mine", (scratch.Dropout,), {
        "draw": lambda self, rng, shape: draw(rng, shape).astype(self.dtype)})
    report, noise = rows(own(0.5), scratch.Dropout(0.5))
    assert [row.passed for row in noise] == [False] and said in noise[0].note, noise[0].note


NORMALS = {
    "uniform": (lambda rng, s: (rng.random(s) - 0.5) * 12 ** 0.5, "not normally distributed"),
    "Laplace": (lambda rng, s: rng.laplace(size=s) / 2 ** 0.5, "not normally distributed"),
    "only the deviation": (lambda rng, s: rng.choice([-1.0, 1.0], s), "not normally distributed"),
    "clipped at two": (lambda rng, s: np.clip(rng.standard_normal(s), -2, 2) / 0.9595,
                       "not normally distributed"),
    "one size for all samples": (lambda rng, s: np.abs(rng.standard_normal((1, *s[1:])))
                                 * rng.choice([-1.0, 1.0], s), "sizes: draws of different samples"),
    "signs that alternate": (lambda rng, s: np.abs(rng.standard_normal(s))
                             * (2 * (np.indices(s).sum(0) % 2) - 1), "signs: draws of different"),
    "the same at every call": (lambda rng, s: np.random.default_rng(3).standard_normal(s),
                               "signs: draws of different calls"),
    "half of them negative": (lambda rng, s: np.abs(rng.standard_normal(s))
                              * (exactly_half(rng, s) - 1), "signs: every call has nearly"),
}


@pytest.mark.parametrize("name", NORMALS)
def test_a_noise_that_is_not_normal_or_not_independent_fails(name):
    draw, said = NORMALS[name]
    own = type("Mine", (scratch.GaussianNoise,), {
        "draw": lambda self, rng, shape: (self.stddev * draw(rng, shape)).astype(self.dtype)})
    report, noise = rows(own(0.2), scratch.GaussianNoise(0.2))
    assert [row.passed for row in noise] == [False] and said in noise[0].note, noise[0].note


def test_large_images_and_one_sample_alone_are_enough():
    """A single sample holds more than enough draws; samples are still compared."""
    shape = (72, 70, 4)
    x = np.random.default_rng(0).standard_normal((2, *shape))
    draw = DROPOUTS["one mask for all samples"][0]
    own = type("Mine", (scratch.Dropout,), {
        "draw": lambda self, rng, s: draw(rng, s).astype(self.dtype)})
    for layer, passes in ((own(0.5), False), (scratch.Dropout(0.5), True)):
        pair = [scratch.Sequential([scratch.Input(shape), each])
                for each in (layer, scratch.Dropout(0.5))]
        report = compare.check(*pair, x, upstream=x)
        assert [row.passed for row in report.rows if row.tensor == "noise"] == [passes]


@pytest.mark.parametrize("probability", [0.5, 0.1, 0.003])
def test_independent_draws_stay_within_the_proved_limits(probability):
    """400 layers' worth of draws: none exceeds its limit, and the limits are not idle either."""
    most = 0.0
    for seed in range(400):
        heads = np.random.default_rng(seed).random((40, 5, 6, 7)) < probability
        found = randomness.independence(heads, probability, ("a", "b", "c", "d"), 1)
        used = max([randomness.frequency(heads, probability), *(each.used for each in found)])
        assert used <= 1, f"np.random.default_rng({seed})"
        most = max(most, used)
    assert most > 0.2


def test_normal_draws_stay_within_the_proved_limits():
    most = 0.0
    for seed in range(60):
        noise = 0.3 * np.random.default_rng(seed).standard_normal((40, 5, 6, 7))
        row = normal("noise", noise.astype("float32"), 0.3)
        assert row.passed, f"np.random.default_rng({seed}): {row.note}"
        most = max(most, row.used)
    assert most > 0.4


@pytest.mark.parametrize("count, probability", [(30, 0.5), (400, 0.5), (200, 0.02)])
def test_bernsteins_limit_holds_by_the_binomial_distribution(count, probability):
    """The exact tail of a sum of coins, summed term by term, is never above what is proved."""
    for confidence in (1.0, 3.0, 10.0):
        q = probability
        limit = randomness.bernstein(count * q * (1 - q), max(q, 1 - q), confidence)
        tail = sum(math.comb(count, k) * q ** k * (1 - q) ** (count - k)
                   for k in range(count + 1) if abs(k - count * q) > limit)
        assert tail <= 2 * math.exp(-confidence)


@pytest.mark.parametrize("class_name, config, rank, axes", [
    ("Dropout", {}, 4, set()), ("Dropout", {"noise_shape": [None, 1, 5, 1]}, 4, {1, 3}),
    ("Dropout", {"noise_shape": [1, 4]}, 3, {1}), ("SpatialDropout1D", {}, 3, {1}),
    ("SpatialDropout2D", {"data_format": "channels_last"}, 4, {1, 2}),
    ("SpatialDropout2D", {"data_format": "channels_first"}, 4, {2, 3}),
    ("SpatialDropout3D", {"data_format": "channels_first"}, 5, {2, 3, 4}),
    ("AlphaDropout", {"noise_shape": [1, 4]}, 3, {1})])
def test_axes_along_which_one_number_counts_for_all(class_name, config, rank, axes):
    assert oracle_for(class_name, config).shared_axes(rank) == axes
