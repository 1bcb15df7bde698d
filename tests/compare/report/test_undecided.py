"""What no bound holds for is not judged: it is listed, and is no evidence that parity holds."""

from xml.etree import ElementTree

import numpy as np
import pytest

import compare
import scratch
from compare.checks.row import Row, judge
from compare.cli import outputs
from compare.oracle.running_error import Bounded, Rounding
from compare.report import github_annotations
from compare.report.junit import junit
from compare.report.report import Report
from tests.compare.support.differing import real

INF = np.inf


def row(actual, expected, bound, gate="forward", exact=(1.0, 1.0, 1.0)) -> Row:
    right = Bounded(np.array(exact), Rounding.of("float32"), np.array(bound))
    return judge(gate, "dense", "output", np.array(actual), np.array(expected), right)


def report(*rows) -> Report:
    return Report(list(rows), "ours", "theirs", "float32", 2, [], [])


def test_a_difference_without_a_bound_is_not_judged():
    found = row([1.0, 5.0, 1.0], [1.0, 1.0, 1.0], [0.1, INF, INF])
    assert found.passed and not found.judged and found.unjudged == 1
    assert "not judged" in found.note and "1 of 3 numbers" in found.note
    assert found.as_dict()["unjudged"] == 1


@pytest.mark.parametrize("actual, bound", [
    ([1.0, 1.0, 1.0], [INF, INF, INF]),  # equal whatever rounding may do
    ([1.0, 1.05, 1.0], [0.1, 0.1, 0.1])])
def test_what_is_equal_or_has_a_bound_is_judged(actual, bound):
    found = row(actual, [1.0, 1.0, 1.0], bound)
    assert found.passed and found.judged and found.unjudged == 0


def test_a_failure_is_judged_all_the_same():
    found = row([1.0, 5.0, 3.0], [1.0, 1.0, 1.0], [0.1, INF, 0.1])
    assert not found.passed and found.judged
    assert report(found).first_failure is found


def test_parity_does_not_hold_by_what_is_not_judged():
    right, open_ = row([1.0] * 3, [1.0] * 3, [0.1] * 3), row([1, 5, 1], [1, 1, 1], [0.1, INF, 0.1])
    found = report(right, open_)
    assert not found and found.first_failure is None and found.undecided is open_
    assert found.summary().startswith("No verdict: 1 of 2 rows are not judged")
    assert "dense output" in found.summary() and "forward 1/2" in found.gates()
    assert "not judged" in found.table() and found.as_dict()["passed"] is False
    assert report(right)


@pytest.mark.parametrize("gate", ["whole network", "extremes"])
def test_a_whole_network_without_a_bound_is_told_and_decides_nothing(gate):
    right = row([1.0] * 3, [1.0] * 3, [0.1] * 3)
    found = report(right, row([1, 5, 1], [1, 1, 1], [0.1, INF, 0.1], gate))
    assert found and found.undecided is None
    assert "Parity holds: 1 of 2 rows are judged" in found.summary()
    assert f"{gate} 0/1" in found.gates() and "not judged" in found.table()


def test_exit_codes(capsys):
    right, wrong = row([1.0] * 3, [1.0] * 3, [0.1] * 3), row([2.0] * 3, [1.0] * 3, [0.1] * 3)
    open_ = row([1, 5, 1], [1, 1, 1], [0.1, INF, 0.1])
    assert [outputs.exit_code(report(*rows)) for rows in (
        [right], [right, wrong], [wrong, open_])] == [0, 1, 1]
    assert capsys.readouterr().err == ""
    assert outputs.exit_code(report(right, open_)) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("parity: no verdict: dense output is not")


def test_junit_and_github_tell_it():
    found = report(row([1, 5, 1], [1, 1, 1], [0.1, INF, 0.1]))
    root = ElementTree.fromstring(junit(found, "model").encode())
    assert root.get("errors") == "1" and root.get("failures") == root.get("skipped") == "0"
    assert "not judged" in root.find(".//error").get("message")
    (line,) = github_annotations.annotations(found, "model")
    assert line.startswith("::error title=No verdict::")


class Doubled(scratch.losses.MeanSquaredError):
    def forward(self, *args, **settings):
        return 2 * super().forward(*args, **settings)


Doubled.__name__ = "MeanSquaredError"


def test_a_loss_divided_by_weights_that_cancel_is_not_judged():
    """The sum of the weights may be nothing but rounding: twice the loss is no failure then, but no
    parity either."""
    def model(loss):
        made = scratch.Sequential([scratch.Input((4,)), scratch.Dense(3, name="dense")])
        made.compile(scratch.SGD(0.1), loss(reduction="mean_with_sample_weight"))
        return made

    right, wrong = model(scratch.losses.MeanSquaredError), model(Doubled)
    wrong.set_weights(right.get_weights())
    weights = np.array([1.0, np.float32(1 + 2e-7) - 2, 0.0], "float32")
    x, y = real((3, 4)), real((3, 3), 1)
    found = compare.check(wrong, right, x, y, sample_weight=weights, probes=False)
    assert not found and found.first_failure is None
    assert found.undecided.name == "loss value"
    with pytest.raises(AssertionError, match="No verdict"):
        compare.assert_parity(wrong, right, x, y, sample_weight=weights, probes=False)
    assert not compare.check(wrong, right, x, y, probes=False).first_failure.passed


@pytest.mark.parametrize("size", [1e6, 1e11])
def test_a_doubled_cross_entropy_of_huge_logits_fails(size):
    """exp underflows: what is 0 has a bound all the same."""
    class Twice(scratch.losses.SparseCategoricalCrossentropy):
        def forward(self, *args, **settings):
            return 2 * super().forward(*args, **settings)

    Twice.__name__ = "SparseCategoricalCrossentropy"

    def model(loss):
        made = scratch.Sequential([scratch.Input((6,)),
                                   scratch.Dense(3, activation="softmax", name="dense")])
        made.compile(scratch.SGD(1e-3), loss())
        return made

    right, wrong = model(scratch.losses.SparseCategoricalCrossentropy), model(Twice)
    wrong.set_weights(right.get_weights())
    x, y = real((4, 6)) * np.float32(size), np.array([0, 1, 2, 1])
    found = compare.check(wrong, right, x, y, probes=False)
    assert {row.name for row in found.rows if not row.passed} == {"loss value"}
    singles = [row for row in found.rows if row.gate in ("forward", "loss", "inference")]
    assert all(np.isfinite(row.allowed) for row in singles)
