"""The check before training, in this process: what it finds survives the way to another one."""

import pickle

import scratch
from compare.experiments.benchmark.twin_check import check_twins
from tests.compare.experiments.benchmark.test_training import job


def test_what_is_wrong_is_told_on_the_other_side_too(keras, monkeypatch):
    right = scratch.layers.Dense.affine
    monkeypatch.setattr(scratch.layers.Dense, "affine",
                        lambda self, x: right(self, x) + self.bias + x.dtype.type(0.5))
    check, = check_twins(job())
    here = pickle.loads(pickle.dumps(check))
    assert not here.passed and not here.report
    assert [each.layer for each in here.report.diagnosis] == ["dense"]
    assert here.report.diagnosis[0].sentence == check.rows["findings"][0]["sentence"]
    assert here.report.cause == here.report.diagnosis[0]
    assert here.report.explanation()[0].startswith("Cause: dense output: ")


def test_twins_that_are_alike_have_no_finding(keras):
    check, = check_twins(job())
    assert check.passed and pickle.loads(pickle.dumps(check)).report.diagnosis == []
