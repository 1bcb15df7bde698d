"""What the networks learned: filters, maps, mistakes and classes, from figures by hand."""

import numpy as np
import pytest

from compare.experiments.benchmark import learned_features
from compare.experiments.benchmark.learners import LEARNERS
from compare.experiments.benchmark.results import Learned
from compare.inputs import benchmark_networks
from tests.compare.support import html_cases
from tests.compare.support.benchmark_cases import epoch, made


def test_filters_and_maps_are_panels_by_channel():
    result, _ = html_cases.benchmark()
    ours, theirs = (result.runs[side].learned for side in ("scratch", "keras"))
    pair = learned_features.filters(result)
    for channel in range(6):
        a, b = (side.weights[0][:, :, 0, channel] for side in (ours, theirs))
        assert np.array_equal(pair.scratch[channel], a)
        assert np.array_equal(pair.keras[channel], b)
        assert np.array_equal(pair.difference[channel], a - b)
    found = learned_features.feature_maps(result)
    assert [image for image, _ in found] == [0, 4]
    assert np.array_equal(found[1][1].keras[3], theirs.maps[1, :, :, 3])


def test_weights_are_compared_in_the_2_norm():
    result = made([epoch(1, [0] * 6)], [epoch(1, [0] * 6)])
    for run, kernel in zip(result.runs.values(), ([3.0, 4.5], [3.0, 4.0])):
        run.take(Learned(["dense/kernel"], [np.array([kernel], np.float32)], np.array([0]),
                         np.zeros((1, 2))))
    assert learned_features.weights(result).rows == [["dense/kernel", "2", "5", "0.5", "10"]]
    assert learned_features.filters(result) is None and learned_features.feature_maps(result) == []


def test_without_an_end_there_is_nothing_to_see():
    result = made([epoch(1, [0] * 6)], [epoch(1, [0] * 6)])
    assert not learned_features.finished(result) and learned_features.weights(result) is None
    assert learned_features.filters(result) is None and learned_features.feature_maps(result) == []


def test_mistakes_are_wrong_and_the_surest_come_first():
    result = made([epoch(1, [1, 1, 0, 0, 2, 2])], [])  # confidences 0.4, 0.5 ... 0.9
    assert learned_features.mistakes(result, "scratch").tolist() == [4, 2, 0]
    assert learned_features.mistakes(result, "keras").tolist() == []


def test_class_curves_are_f1_by_hand():
    result, _ = html_cases.benchmark()
    curves = learned_features.class_curves(result)
    # labels 0 1 2 0 1 2; scratch's first epoch predicts 0 1 2 0 0 2
    assert curves["ant"]["scratch"][0] == (1, pytest.approx(2 * 2 / (2 * 2 + 1 + 0)))
    assert curves["bee"]["scratch"][0] == (1, pytest.approx(2 * 1 / (2 * 1 + 0 + 1)))
    assert curves["cat"]["scratch"][0] == (1, pytest.approx(1.0))
    assert [number for number, _ in curves["cat"]["keras"]] == [1, 2]


@pytest.mark.parametrize("side", ["scratch", "keras"])
def test_either_side_tells_its_weights_and_its_first_layer(side, keras):
    model = benchmark_networks.build((9, 7, 1), 3, seed=4)
    learner = LEARNERS[side](model.get_config(), model.get_compile_config(), model.get_weights())
    names, weights = learner.weights()
    assert names == ["conv2d/kernel", "conv2d/bias", "conv2d_1/kernel", "conv2d_1/bias",
                     "dense/kernel", "dense/bias"]
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    x = np.random.default_rng(0).normal(size=(2, 9, 7, 1)).astype(np.float32)
    found, kernel = learner.first_layer(x), weights[0]
    padded = np.pad(x.astype(float), ((0, 0), (2, 2), (2, 2), (0, 0)))
    for n, h, w, c in np.ndindex(found.shape):
        exact = (padded[n, h:h + 5, w:w + 5] * kernel[..., c]).sum()
        assert found[n, h, w, c] == pytest.approx(exact, abs=1e-5)
