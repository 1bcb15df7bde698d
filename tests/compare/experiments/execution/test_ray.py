"""Jobs on a real Ray, started for the test: results, a worker that dies, a job that raises."""

from pathlib import Path

import pytest

from compare.experiments import execution
from tests.compare.support import jobs_for_tests as work

pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """What a job is made of has to be importable by Ray's workers."""
    monkeypatch.syspath_prepend(Path(__file__).parents[4])
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[4]))


def test_jobs_run_on_a_ray_of_their_own_and_one_may_die(tmp_path, capsys):
    todo = [*(execution.Job(f"job-{i}", work.die_once, (i, str(tmp_path / "marker")))
              for i in range(4)),
            execution.Job("job-always", work.die, 0), execution.Job("job-x", work.refuse, 7)]
    store = execution.Store(tmp_path / "kept")
    with pytest.raises(execution.JobsError) as caught:
        execution.run(todo, store, backend="ray", title="Test")
    assert store.results == {f"job-{i}": i for i in range(4)}
    assert len(list((tmp_path / "kept").glob("result-*.json"))) == 4
    assert "job-x: ValueError: expected something else than 7" in str(caught.value)
    assert "job-always: WorkerCrashedError" in str(caught.value) and "3 times" in str(caught.value)
    said = capsys.readouterr().err
    assert "job-1 is done again" in said, "its worker died"
    assert not any(f"job-{i} is done again" in said for i in (0, 2, 3)), "others were lost with it"


def test_a_ray_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="Expected a ray scheduler at 127.0.0.1:9"):
        execution.run([execution.Job("job", work.square, 1)], execution.Store(), backend="ray",
                      address="127.0.0.1:9", verbose=False)
