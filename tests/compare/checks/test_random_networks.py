"""No false alarm: networks drawn at random, whatever their shape, pass every gate.

A failure names its number; `networks.draw(number)` makes the same network again.
"""

import warnings

import numpy as np
import pytest

import compare
import scratch
from compare.checks import training_trajectory
from compare.inputs import twins
from tests.compare.support import networks

NETWORKS = 60
IN_LOCKSTEP = 8  # each of these has a function traced by TensorFlow, which takes its time
GROUP = 10  # networks per test
SHORT = 10  # networks that every run draws


def groups(count):
    return [pytest.param(range(start, min(start + GROUP, count)),
                         marks=[pytest.mark.long] if start >= SHORT else [])
            for start in range(0, count, GROUP)]


def drawn(number):
    """(case, candidate, Keras twin) of the network of that number."""
    scratch.set_random_seed(number)
    case = networks.draw(number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a softmax over an axis of 1
        return case, *twins.twins(case.model)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@pytest.mark.parametrize("numbers", groups(NETWORKS), ids=lambda numbers: f"from {numbers[0]}")
def test_no_false_alarm(numbers):
    for number in numbers:
        case, model, twin = drawn(number)
        report = compare.check(model, twin, case.x, case.y, upstream=case.upstream, steps=0)
        assert report, f"{case}\n{report}"


@pytest.mark.sampled(4)
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@pytest.mark.parametrize("number", range(IN_LOCKSTEP))
def test_no_false_alarm_in_training(number):
    case, model, twin = drawn(number)
    if case.y is None:
        assert "lockstep" not in {row.gate for row in compare.check(
            model, twin, case.x, upstream=case.upstream, probes=False).rows}
        return
    found = training_trajectory.run(model, twin, case.x, case.y, steps=5)
    assert found.row().passed, f"{case}\n{found}"


def test_the_draw_has_everything_in_it():
    """What the other tests here rely on: kinds of layers, ends, precisions, shapes."""
    cases = []
    for number in range(NETWORKS):
        scratch.set_random_seed(number)
        cases.append(networks.draw(number))
        cases[-1].model.forward(cases[-1].x)
    layers = [layer for case in cases for layer in case.model.layers]
    kinds = {type(layer).__name__ for layer in layers}
    assert kinds == {"Conv2D", "ReLU", "MaxPooling2D", "Flatten", "Dense", "Softmax", "Activation"}
    assert {case.model.dtype.name for case in cases} == {"float32", "float64"}
    assert min(len(case.x) for case in cases) >= 2
    for name, values in (("padding", {"valid", "same"}), ("use_bias", {True, False}),
                         ("trainable", {True, False}),
                         ("activation", {"linear", "relu", "softmax"})):
        assert {layer.get_config()[name] for layer in layers
                if name in layer.get_config()} >= values, name
    windows = [layer for layer in layers if hasattr(layer, "strides")]
    assert any(s > k for w in windows for s, k in zip(w.strides, size_of(w)))
    assert any(s < k for w in windows for s, k in zip(w.strides, size_of(w)))
    assert all(w.strides[0] != w.strides[1] for w in windows)
    assert all(case.x.shape[1] != case.x.shape[2] for case in cases if case.x.ndim == 4)
    losses = {(type(case.model.loss).__name__, getattr(case.model.loss, "from_logits", None),
               case.model.layers[-1].logits is not None) for case in cases}
    assert len(losses) >= 5
    optimizers = [case.model.optimizer for case in cases if case.model.optimizer]
    assert {(bool(o.momentum), o.nesterov) for o in optimizers} == {
        (False, False), (True, False), (True, True)}
    scales = [np.abs(case.x).max() for case in cases]
    assert max(scales) / min(scales) > 1e3


def size_of(layer):
    return layer.get_config().get("kernel_size") or layer.get_config()["pool_size"]
