"""How long causes are looked for is a matter of the tensor, not of how many gates it fails."""

from types import SimpleNamespace

import numpy as np
import pytest

from compare.diagnosis import inference, report_diagnosis, search
from tests.compare.diagnosis.test_every_failure_has_a_finding import checked


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only where pairs are searched: to the end, as those of an unknown mistake
    are. `asked` has the seconds that each search was given."""
    found = SimpleNamespace(now=0.0, asked=[])

    def pairs(observations, variants, seconds):
        found.asked.append(seconds)
        found.now += seconds
        return [], True

    monkeypatch.setattr(inference, "pairs", pairs)
    monkeypatch.setattr(report_diagnosis, "time", SimpleNamespace(thread_time=lambda: found.now))
    return found


def test_all_gates_that_one_tensor_fails_share_it(keras, clock):
    report = checked(lambda y: np.sin(y) * np.cos(3 * y))
    rows = [row for row in report.rows if not row.passed and row.layer == "conv2d"
            and row.tensor == "output" and row.gate.single_layer]
    assert len({row.gate for row in rows}) > 2
    findings = [report.explained.explain(row) for row in rows]
    assert {finding.identifier for finding in findings} == {"unknown"}
    assert clock.asked and sum(clock.asked) <= search.PAIR_SECONDS
    assert all(finding.ended_for_time for finding in findings), "also where none was left"
    assert all("for want of time" in str(finding) for finding in findings)


def test_a_search_that_found_a_cause_takes_nothing_from_the_next(keras, clock):
    report = checked(lambda y: y * 2)
    rows = [row for row in report.rows if not row.passed and row.layer == "conv2d"
            and row.tensor == "output" and row.gate.single_layer]
    assert {report.explained.explain(row).identifier for row in rows} == {"scale"}
    assert clock.asked == []
    assert set(report.explained.left.values()) == {search.PAIR_SECONDS}
