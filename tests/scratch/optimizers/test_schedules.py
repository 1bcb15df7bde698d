"""Learning-rate schedules: values by hand, and what they refuse."""

import numpy as np
import pytest

import scratch
from scratch.optimizers import schedules


def rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


@pytest.mark.parametrize("schedule, steps, expected", [
    (schedules.ExponentialDecay(8.0, 2, 0.25), [0, 1, 2, 4], [8, 4, 2, 0.5]),
    (schedules.ExponentialDecay(8.0, 2, 0.25, staircase=True), [0, 1, 2, 3, 4], [8, 8, 2, 2, 0.5]),
    (schedules.InverseTimeDecay(6.0, 2, 1.0), [0, 1, 2, 4], [6, 4, 3, 2]),
    (schedules.InverseTimeDecay(6.0, 2, 1.0, staircase=True), [0, 1, 2, 3], [6, 6, 3, 3]),
    (schedules.PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.25]), [0, 2, 3, 4, 5, 99],
     [1, 1, 0.5, 0.5, 0.25, 0.25]),
    (schedules.PolynomialDecay(3.0, 4, 1.0), [0, 1, 2, 4, 9], [3, 2.5, 2, 1, 1]),
    (schedules.PolynomialDecay(3.0, 4, 1.0, power=2.0), [0, 2, 4], [3, 1.5, 1]),
    (schedules.PolynomialDecay(3.0, 4, 1.0, cycle=True), [0, 2, 4, 6, 8], [3, 2, 1, 1.5, 1]),
    (schedules.CosineDecay(2.0, 4), [0, 2, 4, 9], [2, 1, 0, 0]),
    (schedules.CosineDecay(2.0, 4, alpha=0.5), [0, 2, 4], [2, 1.5, 1]),
    (schedules.CosineDecay(1.0, 4, warmup_target=3.0, warmup_steps=2), [0, 1, 2, 4, 6, 9],
     [1, 2, 3, 1.5, 0, 0]),
    (schedules.CosineDecayRestarts(2.0, 2, t_mul=2.0, m_mul=0.5), [0, 1, 2, 4, 6], [2, 1, 1, 0.5,
                                                                                    0.5]),
    (schedules.CosineDecayRestarts(2.0, 2, t_mul=1.0), [0, 1, 2, 3], [2, 1, 2, 1]),
], ids=lambda value: type(value).__name__ if hasattr(value, "get_config") else "")
def test_by_hand(schedule, steps, expected):
    np.testing.assert_allclose(rates(schedule, steps), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("make, key", [
    (lambda n: schedules.ExponentialDecay(1.0, n, 0.5), "decay_steps"),
    (lambda n: schedules.InverseTimeDecay(1.0, n, 0.5), "decay_steps"),
    (lambda n: schedules.PolynomialDecay(1.0, n), "decay_steps"),
    (lambda n: schedules.CosineDecay(1.0, n), "decay_steps"),
    (lambda n: schedules.CosineDecayRestarts(1.0, n), "first_decay_steps")])
@pytest.mark.parametrize("number", [0, -3, float("nan")])
def test_a_number_of_steps_that_is_not_above_0_is_refused(make, key, number):
    with pytest.raises(ValueError, match=f"expected {key} to be above 0. Received: {key}="):
        make(number)


@pytest.mark.parametrize("boundaries, values", [([1], [1.0]), ([], [1.0]), ([1, 2], [1.0, 2.0]),
                                                ([3, 2], [1.0, 2.0, 3.0])])
def test_boundaries_that_do_not_fit_are_refused(boundaries, values):
    with pytest.raises(ValueError, match="PiecewiseConstantDecay: expected .*boundar"):
        schedules.PiecewiseConstantDecay(boundaries, values)


def test_a_schedule_that_is_not_known_is_refused():
    config = {"learning_rate": {"class_name": "OneCycle", "config": {}}}
    with pytest.raises(scratch.UnsupportedError, match="schedule 'OneCycle' is not supported"):
        scratch.SGD.from_config(config)


def test_a_schedule_of_ones_own():
    class Halving(schedules.LearningRateSchedule):
        def __call__(self, step):
            return 1 / (step + 1)

        def get_config(self):
            return {}

    optimizer, weight = scratch.SGD(Halving()), np.zeros(1)
    for expected in (-1.0, -1.5):
        optimizer.apply([np.ones(1)], [weight])
        assert weight[0] == expected
    assert optimizer.get_config()["learning_rate"]["class_name"] == "Halving"
