"""Activations whose kinks a batch does not reach are named, with the gate that reaches them."""

import numpy as np
import pytest

import scratch
from compare.checks.coverage_gaps import coverage_gaps
from compare.tracing.recorder import record
from tests.scratch.support.checks import real

INNER = {"class_name": "ReLU", "config": {"max_value": 6}}


def spots(layer, x, units=5):
    """What is said of a layer of that many outputs behind inputs x."""
    model = scratch.Sequential([scratch.Input(x.shape[1:]), layer])
    dy = real(9, (len(x), units))
    return [spot for spot in coverage_gaps(record(model, x, upstream=dy)) if "input is" in spot]


def act(name):
    return lambda: scratch.Activation(name, name="a")


def number(value):
    """A parameter's name in the list of tests; a function has none that stays the same."""
    return "" if callable(value) else str(value)


@pytest.mark.parametrize("make, low, high, gate", [
    (act("relu6"), 0, 6, ("whole numbers",) * 2), (act("hard_sigmoid"), -3, 3, ("", "")),
    (act("hard_shrink"), -0.5, 0.5, ("whole numbers",) * 2),
    (lambda: scratch.ReLU(9, name="a"), 0, 9, ("whole numbers", "")),
    (lambda: scratch.ReLU(2.5, 0.3, name="a"), 0, 2.5, ("few terms", "")),
    (lambda: scratch.ReLU(3, threshold=1, name="a"), 1, 3, ("whole numbers",) * 2),
    (lambda: scratch.Activation(INNER, name="a"), 0, 6, ("whole numbers",) * 2),
], ids=number)
def test_two_kinks(make, low, high, gate):
    beyond = np.linspace(low - 3, high + 3, 20).reshape(4, 5)
    assert spots(make(), beyond) == []
    said, = spots(make(), np.clip(beyond, None, high))
    assert f"a: no input is above {high:g}" in said and said.seen_by == gate[1]
    said, = spots(make(), np.clip(beyond, low + 0.1, None))
    assert "a: every input is" in said and said.seen_by == gate[0]
    assert len(spots(make(), np.full((4, 5), high + 1.0))) == 2


@pytest.mark.parametrize("make, gate", [
    (act("leaky_relu"), "few terms"), (act("elu"), "few terms"), (act("selu"), "few terms"),
    (lambda: scratch.LeakyReLU(0.25, name="a"), "whole numbers"),
    (lambda: scratch.PReLU(name="a"), "whole numbers"),
    (lambda: scratch.ELU(name="a"), "few terms"),
], ids=number)
def test_one_kink(make, gate):
    x = real(1, (4, 5))
    assert spots(make(), x) == []
    for inputs, words in ((np.abs(x) + 0.1, "every input is positive"),
                          (-np.abs(x), "no input is positive, so what is done to such")):
        said, = spots(make(), inputs)
        assert words in said and said.seen_by == gate


def test_an_activation_inside_a_layer():
    x = np.abs(real(1, (4, 5))) + 0.1
    layer = scratch.Dense(5, activation="relu6", kernel_initializer="ones", name="d")
    said = spots(layer, x)
    assert len(said) == 2 and all(spot.startswith("d/relu6: ") for spot in said)


@pytest.mark.parametrize("name", ["tanh", "gelu", "linear", "softmax", "softplus"])
def test_smooth_ones_have_none(name):
    assert spots(act(name)(), np.abs(real(1, (4, 5)))) == []
