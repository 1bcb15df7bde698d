"""A report is true if everything passed and there is something in it."""

import numpy as np

import compare
import scratch
from compare.checks.gate import Gate
from compare.checks.row import Row
from compare.report.report import Report, mark_downstream
from tests.compare.support import html_cases


def report(*passed) -> Report:
    rows = [Row("forward", f"layer {i}", "output", each) for i, each in enumerate(passed)]
    return Report(rows, "a", "b", "float32", 3, [], [])


def test_all_rows_have_to_pass_and_there_has_to_be_one():
    assert report(True) and report(True, True)
    assert not report() and not report(False) and not report(True, False, True)
    assert report(True, False).first_failure.layer == "layer 1"
    assert report(True).first_failure is None


def test_a_repr_is_the_verdict():
    assert repr(html_cases.report()).startswith("<Report: Parity holds: all ")
    assert len(repr(html_cases.report())) < 400


def test_behind_a_failure_lie_the_same_layers_later_ones_and_whole_networks():
    rows = [Row(gate, layer, "output", passed) for gate, layer, passed in (
        ("forward", "a", True), ("forward", "b", False), ("forward", "c", False),
        ("backward", "b", False), ("backward", "b/relu", False), ("backward", "a", True),
        ("whole network", "network", False), ("lockstep", "all layers", False))]
    mark_downstream(rows)
    assert [row.downstream for row in rows] == [False, False, False, True, True, False, True, True]


def test_a_failure_of_a_whole_network_alone_has_nothing_before_it():
    rows = [Row("forward", "a", "output", True), Row("whole network", "network", "output", False)]
    mark_downstream(rows)
    assert not rows[1].downstream


def test_the_accuracy_ratio_is_the_geometric_mean_of_rows_where_both_err():
    rows = [Row("forward", "a", "output", True, candidate_error=1.0, reference_error=4.0),
            Row("backward", "a", "input_gradient", True, candidate_error=4.0, reference_error=4.0),
            Row("forward", "b", "output", True, candidate_error=0.0, reference_error=4.0),
            Row("forward", "c", "output", True, candidate_error=np.inf, reference_error=4.0),
            Row("update", "a", "kernel", True, candidate_error=9.0, reference_error=1.0)]
    made = Report(rows, "a", "b", "float32", 3, [], [])
    assert made.accuracy_ratio() == 0.5
    assert Report(rows, "a", "b", "float64", 3, [], []).accuracy_ratio() is None


def test_what_is_not_checked_is_said_behind_the_verdict():
    made = report(True)
    assert "Not checked" not in made.summary() and made.as_dict()["not_checked"] == []
    made.not_checked = ["metric mine", "optimizer Mine"]
    for passed in (True, False):
        made.rows[0].passed, made.rows[0].note = passed, "" if passed else "not run"
        said = "Parity holds" if passed else "Parity does not hold"
        assert made.summary().startswith(said)
        assert made.summary().endswith(" Not checked: metric mine, optimizer Mine.")
        assert "Not checked: metric mine, optimizer" in str(made)
    assert made.as_dict()["not_checked"] == ["metric mine", "optimizer Mine"]


def test_sgd_takes_the_place_of_an_optimizer_only_where_there_was_training():
    made = report(True)
    made.not_checked = ["optimizer Mine"]
    assert "SGD" not in made.summary()
    made.rows.append(Row(Gate.LOCKSTEP, "all layers", "weights", True))
    assert made.summary().endswith("optimizer Mine (SGD took its place in training).")
    made.not_checked = ["metric mine"]
    assert "SGD" not in made.summary()


def test_notes_are_kept_and_printed_under_the_title():
    network = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2, name="dense")])
    trace = compare.record(network, np.ones((4, 3), "float32"), gradients=False)
    notes = ["Only this was done.", "And that was not."]
    made = Report.of([Row(Gate.FORWARD, "dense", "output", True)], trace, trace, notes=notes)
    assert made.notes == notes == made.as_dict()["notes"]
    title, _, table = str(made).partition("\n\n")
    assert "(candidate)" in title and title.splitlines()[-2:] == notes and notes[0] not in table
    notes.append("later")
    assert len(made.notes) == 2, "it has a list of its own"
