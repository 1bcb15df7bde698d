"""The options of jobs reach the machinery from every command that has them."""

import builtins

import pytest

from compare.cli import main
from compare.evaluation.faults.running import run as run_faults
from compare.experiments import execution
from tests.compare.support import jobs_for_tests as work

COMMANDS = {"fuzz": ["fuzz", "--count", "30"],
            "faults": ["faults", "--only", "permute-inverse", "--count", "30"],
            "bench": ["bench", "--dataset", "digits", "--seeds", "2"]}


class Asked(Exception):
    """Ends a command as soon as it has handed over its jobs: with exit code 2, in one line."""


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("options, wanted", [
    (["--jobs", "2"], (2, "local", None)),
    (["--backend", "dask", "--address", "tcp://here:1"], (1, "dask", "tcp://here:1")),
    (["--backend", "ray", "--address", "here:1"], (1, "ray", "here:1")),
    (["--backend", "ray"], (1, "ray", None))])
def test_where_the_jobs_run(command, options, wanted, tmp_path, monkeypatch):
    asked = []

    def stop(todo, store, *where, **_):
        asked.append((where[:3], store.directory, len(todo)))
        raise Asked

    monkeypatch.setattr(execution, "run", stop)
    assert main([*COMMANDS[command], *options, "--runs", str(tmp_path / "runs")]) == 2
    (where, directory, count), = asked
    assert where == wanted and directory == tmp_path / "runs"
    assert count > 1, "there is nothing to share"


@pytest.mark.parametrize("command", COMMANDS)
def test_results_that_are_there_are_taken_with_resume_alone(command, tmp_path, monkeypatch, capsys):
    """And only where the same was asked for."""
    found = []

    def stop(todo, store, *_, **__):
        store.put(todo[0].key, [], todo[0].argument)
        found.append((store.directory, sorted(store.results)))
        raise Asked

    monkeypatch.setattr(execution, "run", stop)
    argv = [*COMMANDS[command], "--runs", str(tmp_path)]
    assert main(argv) == 2 and "Asked" in capsys.readouterr().err
    assert main(argv) == 2 and "--resume" in capsys.readouterr().err
    assert main([*argv, "--resume"]) == 2 and "Asked" in capsys.readouterr().err
    assert found[0] == found[1]
    assert main([*argv, "--resume", "--seed", "9"]) == 2
    assert found[0][0] == tmp_path and found[2][0] == tmp_path / "set-2"
    assert len(found[2][1]) == 1


def test_another_choice_of_faults_takes_no_result_of_the_first(tmp_path, monkeypatch):
    """Both choices begin with the same fault and are as many."""
    keys = []

    def keep(todo, store, *_, **__):
        keys.append({job.key for job in todo})

    monkeypatch.setattr(execution, "run", keep)
    for names in (["permute-inverse", "relu-leaks"], ["permute-inverse", "relu-missing"]):
        run_faults(names, 0, 0, execution.Store(tmp_path, {}, resume=True), verbose=False)
    assert not keys[0] & keys[1]


@pytest.mark.parametrize("backend, library", [("dask", "distributed"), ("ray", "ray")])
def test_a_library_that_is_missing_is_named_with_what_installs_it(backend, library, monkeypatch):
    def refuse(name, *arguments, real=builtins.__import__, **more):
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ValueError, match=f"{library!r} for --backend {backend}.*pip install"):
        execution.run([execution.Job("job", work.square, 1)], execution.Store(), backend=backend,
                      address="tcp://127.0.0.1:9", verbose=False)
