"""Checks of networks whose output comes with a mask: what is right holds, mistakes are named."""

import numpy as np
import pytest

import compare
import scratch


def network(loss="sparse_categorical_crossentropy", dtype="float32"):
    scratch.set_random_seed(0)
    model = scratch.Sequential([
        scratch.Input((6,)), scratch.Embedding(4, 3, mask_zero=True, dtype=dtype),
        scratch.Dropout(0.2), scratch.GRU(3, return_sequences=True),
        scratch.TimeDistributed(scratch.Dense(3)),
        scratch.Dense(3, activation="softmax")])
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


def batch():
    rng = np.random.default_rng(2)
    return rng.integers(0, 4, (5, 6)), rng.integers(0, 3, (5, 6))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_right_network_holds(dtype, weighted):
    weight = np.random.default_rng(3).uniform(0.5, 2, (5, 6)) if weighted else None
    report = compare.check(network(dtype=dtype), network(dtype=dtype), *batch(),
                           sample_weight=weight)
    assert report, str(report)


def test_keras_holds(keras):
    model = network()
    report = compare.check(model, compare.twin(model), *batch())
    assert report, str(report)


def test_a_recording_holds(keras, tmp_path):
    model = network()
    trace = compare.record(compare.twin(model), *batch())
    trace.save(tmp_path / "golden.npz")
    report = compare.check(model, compare.Trace.load(tmp_path / "golden.npz"))
    assert report, str(report)


@pytest.mark.parametrize("other", [lambda mask: None, np.logical_not, lambda mask: mask[::-1]])
def test_another_mask_is_seen(other):
    wrong = network()
    right = wrong.loss.weigh
    wrong.loss.weigh = lambda y, weight, dtype, mask=None: right(
        y, weight, dtype, None if mask is None else other(mask))
    report = compare.check(wrong, network(), *batch())
    assert not report and report.first_failure.layer == "loss"


@pytest.mark.parametrize("other", [lambda mask: None, np.logical_not])
def test_what_is_wrong_with_the_mask_is_said(other):
    wrong = network()
    right = wrong.loss.weigh
    wrong.loss.weigh = lambda y, weight, dtype, mask=None: right(
        y, weight, dtype, None if mask is None else other(mask))
    assert compare.check(wrong, network(), *batch()).cause.identifier == "steps-mask"
