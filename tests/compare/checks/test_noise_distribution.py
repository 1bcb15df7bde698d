"""What random layers draw is judged by itself, since both networks are given the same noise."""

import numpy as np
import pytest

import compare
import scratch
from compare.checks.noise_distribution import shared_axes

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


@pytest.mark.parametrize("make", [
    lambda: scratch.Dropout(0.3), lambda: scratch.Dropout(0.999), lambda: scratch.Dropout(1.0),
    lambda: scratch.Dropout(0.4, noise_shape=(None, 1, 5, 1)),
    lambda: scratch.SpatialDropout2D(0.3), lambda: scratch.GaussianNoise(0.2),
    lambda: scratch.SpatialDropout2D(0.3, data_format="channels_first")])
def test_right_layers_pass_whatever_they_draw(make):
    for seed in range(20):
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


@pytest.mark.parametrize("own, right, said", [
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


@pytest.mark.parametrize("class_name, config, rank, axes", [
    ("Dropout", {}, 4, set()), ("Dropout", {"noise_shape": [None, 1, 5, 1]}, 4, {1, 3}),
    ("Dropout", {"noise_shape": [1, 4]}, 3, {1}), ("SpatialDropout1D", {}, 3, {1}),
    ("SpatialDropout2D", {"data_format": "channels_last"}, 4, {1, 2}),
    ("SpatialDropout2D", {"data_format": "channels_first"}, 4, {2, 3})])
def test_axes_along_which_one_number_counts_for_all(class_name, config, rank, axes):
    assert shared_axes(class_name, config, rank) == axes
