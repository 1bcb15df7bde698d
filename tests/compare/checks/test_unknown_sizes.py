"""Networks that take inputs of any size: checked at the sizes of the batch."""

import numpy as np
import pytest

import compare
from compare.cli import main
from compare.inputs import batches, twins
from tests.compare.support.faults import spoiled
from tests.compare.support.graphs import finished
from tests.scratch.test_unknown_sizes import classifying, segmenting


def test_a_check_takes_the_sizes_of_its_batch(keras, tmp_path):
    model, twin = twins.twins(finished(segmenting(), "mean_squared_error", None, 1))
    rng = np.random.default_rng(0)
    for size in ((6, 4), (8, 10)):
        x, y = rng.standard_normal((4, *size, 2)), rng.standard_normal((4, *size, 2))
        report = compare.check(model, twin, x, y)
        assert report, report
        report = compare.check(model, twin, x, upstream=y)
        assert report, report
    compare.record(twin, x, y).save(tmp_path / "golden.npz")
    golden = compare.Trace.load(tmp_path / "golden.npz")
    assert compare.check(twins.golden_candidate(golden, None), golden)


def test_a_mistake_is_found_at_its_place():
    x = np.random.default_rng(0).standard_normal((4, 8, 6, 2))
    right = compare.record(finished(segmenting(), None, None, 1), x, upstream=x)
    wrong = spoiled(finished(segmenting(), None, None, 1), b="conv2d-kernel-flipped")
    assert compare.check(wrong, right).first_failure.layer == "b"


def test_random_batches_are_of_the_sizes_that_are_given():
    model = finished(classifying(), "mean_squared_error", None, 1)
    x, y = batches.random(model, 5, 0, [9, 7])
    assert x.shape == (5, 9, 7, 3) and y.shape == (5, 2)
    for sizes, said in (([9], "Expected --size with 2 numbers"), (None, "Received: none")):
        with pytest.raises(ValueError, match=said):
            batches.random(model, 5, 0, sizes)


def test_the_command_asks_for_sizes(keras, tmp_path, capsys):
    finished(classifying(), "mean_squared_error", None, 1).save(tmp_path / "any.keras")
    assert main(["check", "--model", str(tmp_path / "any.keras"), "--size", "9", "7"]) == 0
    assert main(["check", "--model", str(tmp_path / "any.keras")]) == 2
    assert "--size with 2 numbers" in capsys.readouterr().err
    assert main(["check", "--size", "9"]) == 2
    assert "whose inputs leave sizes open" in capsys.readouterr().err
