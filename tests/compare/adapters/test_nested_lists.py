"""Lists of layers beside a stack in which another stack stands."""

import numpy as np
import pytest

import compare
import scratch
from tests.compare.support import nested


def stacks():
    inner = scratch.Sequential([scratch.Input((3,)), scratch.Dense(4, name="d"), scratch.ReLU()],
                               name="inner")
    model = scratch.Sequential([scratch.Input((3,)), inner, scratch.Dense(4, name="d"),
                                scratch.Dense(2)])
    model.compile(scratch.SGD(0.1), "mean_squared_error")
    return model


def test_each_layer_of_a_stack_in_a_stack_has_its_place_in_the_list():
    x, y = np.random.default_rng(0).standard_normal((2, 5, 3))
    report = compare.check([None, scratch.ReLU(), None, None], stacks(), x, y[:, :2])
    assert report, report
    assert {row.layer for row in report.rows} >= {"inner.d", "d"}


def test_another_number_of_layers_is_refused_and_so_is_a_graph():
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match="Expected 4 layers, one for each of Dense, ReLU, Dense"):
        compare.check([None] * 3, stacks(), x, np.ones((2, 2)))
    around = scratch.Sequential([scratch.Input(nested.SHAPE), nested.two_deep()])
    with pytest.raises(ValueError, match="Received a functional one"):
        compare.check([None] * 5, around, np.ones((2, *nested.SHAPE)))
