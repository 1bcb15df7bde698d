"""Jobs: each in a process of its own, its result on disk at once, its failure its own alone."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from compare.experiments import execution
from tests import patience
from tests.compare.support import jobs_for_tests as work
from tests.compare.support.interrupting import HEED_CTRL_C


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """What is importable here is importable in a job's process, and it needs this folder."""
    monkeypatch.syspath_prepend(Path(__file__).parents[4])


def squares(count):
    return [execution.Job(f"job-{i}", work.square, i) for i in range(count)]


@pytest.mark.parametrize("parallel", [1, 2])
def test_every_job_has_a_result_from_a_process_of_its_own(parallel, tmp_path):
    store = execution.Store(tmp_path / "new" / "folder", {"what": "squares"})
    results = execution.run(squares(5), store, parallel, verbose=False)
    assert [results[f"job-{i}"]["square"] for i in range(5)] == [0, 1, 4, 9, 16]
    processes = {result["process"] for result in results.values()}
    assert len(processes) == 5 and os.getpid() not in processes


def test_results_are_on_disk_and_are_resumed(tmp_path):
    first = execution.run(squares(2), execution.Store(tmp_path, {"n": 1}), verbose=False)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["campaign.json", "result-job-0.json", "result-job-1.json"]
    again = execution.run(squares(4), execution.Store(tmp_path, {"n": 1}, resume=True),
                          verbose=False)
    assert {key: again[key] for key in first} == first, "finished jobs were run again"
    assert len(again) == 4


def test_a_folder_with_results_is_not_taken_without_resume(tmp_path):
    execution.run(squares(1), execution.Store(tmp_path, {"n": 1}), verbose=False)
    with pytest.raises(ValueError, match="--resume"):
        execution.Store(tmp_path, {"n": 1})


@pytest.mark.sampled(2)
@pytest.mark.parametrize("resume", [True, False])
def test_other_settings_start_a_set_of_their_own(tmp_path, capsys, resume):
    execution.run(squares(1), execution.Store(tmp_path, {"n": 1, "m": 1}), verbose=False)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for n, folder in ((2, "set-2"), (3, "set-3"), (2, "set-2")):
        again = n == 2 and (tmp_path / folder).exists()
        store = execution.Store(tmp_path, {"n": n, "m": 1}, resume=resume or again)
        assert store.directory == tmp_path / folder and bool(store.results) == again
        execution.run(squares(2), store)
        assert (f"{tmp_path} has results of other settings (n): these go into "
                f"{tmp_path / folder}\n") in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == first
    back = execution.Store(tmp_path, {"n": 1, "m": 1}, resume=True)
    assert back.directory == tmp_path and not back.moved and len(back.results) == 1


@pytest.mark.parametrize("text", ["[]", "1", '{"asked": 1}', "{}"])
def test_a_damaged_manifest_is_named(text, tmp_path):
    (tmp_path / "campaign.json").write_text(text)
    with pytest.raises(ValueError, match="campaign.json: expected what the jobs were asked for"):
        execution.Store(tmp_path, {"epochs": 1}, resume=True)


def test_a_damaged_result_is_named(tmp_path):
    execution.run(squares(1), execution.Store(tmp_path, {}), verbose=False)
    path = tmp_path / "result-job-0.json"
    path.write_text(path.read_text()[:-10])
    with pytest.raises(ValueError, match="result-job-0.json: expected JSON"):
        execution.Store(tmp_path, {}, resume=True)


def test_a_killed_process_loses_its_own_job_alone_which_is_done_again(tmp_path, capsys):
    todo = [execution.Job(f"job-{i}", work.die_once, (i, str(tmp_path / "marker")))
            for i in range(4)]
    results = execution.run(todo, execution.Store(), 2, title="Test")
    assert results == {f"job-{i}": i for i in range(4)}
    assert "job-1 is done again" in capsys.readouterr().err


def test_a_job_that_always_dies_is_given_up_and_the_others_are_kept(tmp_path):
    store = execution.Store(tmp_path)
    with pytest.raises(execution.JobsError, match="job-bad.*signal 9.*3 times"):
        execution.run([execution.Job("job-bad", work.die_and_count, str(tmp_path / "tries")),
                       *squares(2)], store, 2, verbose=False)
    assert set(store.results) == {"job-0", "job-1"}
    assert (tmp_path / "tries").read_text() == "xxx", "three attempts, neither more nor less"


def test_a_result_that_could_not_be_written_is_not_there(tmp_path):
    store = execution.Store(tmp_path)
    store.put("kept", 1)
    with pytest.raises(TypeError):
        store.put("lost", object())
    assert set(store.results) == {"kept"}


def test_a_job_that_raises_is_not_tried_again():
    store = execution.Store()
    with pytest.raises(execution.JobsError, match="job-x: expected something else than 7"):
        execution.run([execution.Job("job-x", work.refuse, 7), *squares(1)], store, verbose=False)
    assert set(store.results) == {"job-0"}


@pytest.mark.skipif(len(getattr(os, "sched_getaffinity", lambda _: [0])(0)) < 2,
                    reason="needs two cores to share")
def test_jobs_at_the_same_time_share_the_cores():
    before = os.sched_getaffinity(0)
    todo = [execution.Job(f"job-{i}", work.cores, i) for i in range(4)]
    results = execution.run(todo, execution.Store(), 2, verbose=False)
    shares = {tuple(cores) for cores in results.values()}
    assert len(shares) == 2 and set().union(*shares) == before
    assert os.sched_getaffinity(0) == before, "the caller itself has lost cores"


def test_ctrl_c_keeps_what_is_finished(tmp_path):
    program = (
        f"{HEED_CTRL_C}"
        "from compare.experiments import execution as jobs\n"
        "from tests.compare.support import jobs_for_tests as work\n"
        "todo = [jobs.Job('quick', work.sleep_then, (1, 0)),"
        " jobs.Job('slow', work.sleep_then, (2, 10_000))]\n"
        f"jobs.run(todo, jobs.Store({str(tmp_path)!r}), 2, verbose=False)\n")
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
    patience.until((tmp_path / "result-quick.json").exists)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=patience.SECONDS)
    assert b"KeyboardInterrupt" in errors
    assert json.loads((tmp_path / "result-quick.json").read_text())["result"] == 1
    assert not (tmp_path / "result-slow.json").exists()


def test_a_scheduler_that_is_not_there_is_named():
    pytest.importorskip("distributed")
    with pytest.raises(ValueError, match="Expected a dask scheduler at tcp://127.0.0.1:9"):
        execution.run(squares(1), execution.Store(), backend="dask", address="tcp://127.0.0.1:9",
                      verbose=False)


def test_jobs_that_may_share_a_process_do_so_until_one_fails():
    def shared(*functions):
        return [execution.Job(f"{i}", function, i, shares_process=True)
                for i, function in enumerate(functions)]

    found = execution.run(shared(*[work.square] * 3), execution.Store(None, {}), verbose=False)
    assert [found[f"{i}"]["square"] for i in range(3)] == [0, 1, 4]
    assert len({each["process"] for each in found.values()}) == 1
    store = execution.Store(None, {})
    with pytest.raises(execution.JobsError, match="1: .*expected something else than 1"):
        execution.run(shared(work.square, work.refuse, work.square), store, verbose=False)
    processes = {store.results[key]["process"] for key in ("0", "2")}
    assert len(processes) == 2 and os.getpid() not in processes


def test_a_shared_process_that_vanishes_costs_its_own_job_alone(tmp_path):
    jobs = [execution.Job(f"{i}", work.die_once, (i, str(tmp_path / "mark")), shares_process=True)
            for i in range(3)]
    assert execution.run(jobs, execution.Store(None, {}), verbose=False) == {
        "0": 0, "1": 1, "2": 2}
