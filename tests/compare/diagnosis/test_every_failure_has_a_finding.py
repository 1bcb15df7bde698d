"""A failure always has a finding: an empty list of them means parity."""

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins

X = np.random.default_rng(0).standard_normal((4, 6, 5, 2)).astype("float32")
Y = np.array([0, 2, 1, 1])


def checked(change=None, settings=None):
    model = scratch.Sequential([scratch.Input((6, 5, 2)), scratch.Conv2D(3, (3, 2), padding="same"),
                                scratch.Flatten(), scratch.Dense(3, activation="softmax")])
    model.compile(optimizer=scratch.SGD(0.01), loss="sparse_categorical_crossentropy")
    _, twin = twins.twins(model)
    if change is not None:
        layer = model.layers[0]

        class Changed(type(layer)):
            def affine(self, x):
                return change(super().affine(x))

        layer.__class__ = Changed
    if settings is not None:
        settings(model)
    return compare.check(model, twin, X, Y)


def fails(y):
    raise ArithmeticError("the kernel is too tired")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("change, cause, words", [
    (lambda y: y[:, 1:, :-2], "shape", "cropped along axes 1 and 2"),
    (lambda y: None, None, ""),
    (fails, "raised", "too tired"),
    (lambda y: np.sin(y) * np.cos(3 * y), "unknown", "")], ids=[
        "cropped", "nothing", "raised", "unknown"])
def test_of_a_layer(keras, change, cause, words):
    report = checked(change)
    assert not report and report.diagnosis, report
    first = report.diagnosis[0]
    if cause is not None:
        assert first.identifier == cause, str(first)
    assert words in str(first) or words in first.sentence, str(first)
    assert report.cause is not None


class TornBack(scratch.ReLU):
    """Right forward; its backward pass raises an error."""

    def backward(self, dy, wants_input_gradient=True):
        return super().backward(dy, wants_input_gradient).reshape(-1, 7)


def test_an_error_of_a_backward_pass_is_told_of_its_layer():
    """Also where the whole network cannot be run for it: that is the same mistake."""
    def network(layer):
        scratch.set_random_seed(0)
        model = scratch.Sequential([scratch.Input((6,)), scratch.Dense(5), layer(name="own"),
                                    scratch.Dense(3, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    report = compare.check(network(TornBack), network(scratch.ReLU), X[:, :, 0, 0], Y)
    finding, = report.diagnosis
    assert (finding.layer, finding.identifier) == ("own", "raised"), str(finding)
    assert finding.tensor == "input_gradient" and "its backward pass raised ValueError" in str(
        finding), str(finding)
    assert report.cause == finding


def other_rate(model):
    model.optimizer = scratch.SGD(0.005)


def test_a_setting_that_differs_is_the_cause_and_no_factor(keras):
    """A rate of 0.005 in place of 0.01 is half a step; the gate 'network' knows why."""
    report = checked(settings=other_rate)
    assert not report
    for finding in report.diagnosis:
        assert finding.identifier == "specification", str(finding)
        assert "learning_rate" in finding.causes[0].detail, str(finding)


def test_networks_of_other_layers():
    model = scratch.Sequential([scratch.Input((4,)), scratch.Dense(2)])
    other = scratch.Sequential([scratch.Input((4,)), scratch.Dense(3), scratch.Dense(2)])
    trace = compare.record(other, X[:, :2, :2, 0].reshape(4, 4),
                           upstream=np.ones((4, 2), "float32"))
    report = compare.check(model, trace)
    assert not report and report.diagnosis and report.cause is not None
    assert report.diagnosis[0].identifier == "specification", str(report.diagnosis[0])


def test_parity_has_none(keras):
    report = checked()
    assert report and report.diagnosis == [] and report.cause is None
