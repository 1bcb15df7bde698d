"""Reports can be pickled and copied, with what was found; the networks stay behind."""

import copy
import pickle

import numpy as np
import pytest

import compare
import scratch


@pytest.fixture(scope="module")
def reports(keras):
    scratch.set_random_seed(1)
    model = scratch.Sequential([scratch.Input((6, 5, 2)), scratch.Conv2D(3, 2, activation="relu"),
                                scratch.Flatten(), scratch.Dense(4, activation="softmax")])
    model.compile(scratch.SGD(0.1), "sparse_categorical_crossentropy")
    x, y = np.random.default_rng(0).normal(size=(4, 6, 5, 2)).astype("f4"), np.arange(4)
    twin = compare.twin(model)
    right = compare.check(model, twin, x, y)
    model.layers[0].activation = scratch.activations.get("relu")._replace(function=np.tanh)
    return {True: right, False: compare.check(model, twin, x, y)}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("make", [lambda r: pickle.loads(pickle.dumps(r)), copy.deepcopy],
                         ids=["pickle", "deepcopy"])
@pytest.mark.parametrize("holds", [True, False])
def test_a_copy_says_the_same(reports, holds, make):
    report = reports[holds]
    twin = make(report)
    assert bool(twin) is bool(report) is holds
    assert str(twin) == str(report) and twin.as_dict() == report.as_dict()
    assert twin.diagnosis == report.diagnosis and twin.cause == report.cause
    assert bool(report.diagnosis) is not holds
    twin.rows.clear()
    assert report.rows
