"""Stored results answer the very question that is asked, or are refused by name."""

import json
import shutil

import pytest

from compare import cli
from compare.evaluation.fuzzing.running import require_outcomes
from compare.experiments import execution
from compare.experiments.execution import result_store
from tests.compare.support import jobs_for_tests as work

ASKED = {"epochs": 3}


def filled(folder, asked=None, seeds=(0, 1)):
    store = execution.Store(folder, asked or ASKED)
    for seed in seeds:
        store.put(f"seed-{seed}", {"accuracy": 0.5 + seed / 10}, {"seed": seed})
    return folder


def jobs(seeds=(0, 1), answered=None):
    return [execution.Job(f"seed-{seed}", work.refuse, {"seed": seed}, answered) for seed in seeds]


def resumed(folder):
    return execution.Store(folder, ASKED, resume=True)


def edited(folder, name="result-seed-0.json", **changes):
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def resealed(folder, name="result-seed-0.json", **changes):
    """An alteration by somebody who knows how results are sealed."""
    edited(folder, name, **changes)
    kept = json.loads((folder / name).read_text())
    edited(folder, name, seal=resumed(folder.parent / "empty")._seal(kept))


def test_whole_results_are_taken_and_answer_their_jobs(tmp_path):
    store = resumed(filled(tmp_path))
    found = execution.run(jobs(), store, verbose=False)
    assert found == {"seed-0": {"accuracy": 0.5}, "seed-1": {"accuracy": 0.6}}


@pytest.mark.parametrize("spoil", [
    lambda f: edited(f, result={"accuracy": 7.5}),
    lambda f: edited(f, result=[]),
    lambda f: edited(f, argument={"seed": 1}),
    lambda f: edited(f, key="seed-1"),
    lambda f: edited(f, seal="0" * 64),
    lambda f: shutil.copy(f / "result-seed-0.json", f / "result-seed-1.json"),
    lambda f: shutil.copy(f / "result-seed-0.json", f / "result-seed-2.json"),
    lambda f: shutil.copy(filled(f.parent / "other", {"epochs": 4}) / "result-seed-0.json", f),
], ids=["figure", "emptied", "argument", "key", "seal", "copy over", "copy beside",
        "other settings"])
def test_what_was_altered_or_copied_is_refused(spoil, tmp_path):
    folder = filled(tmp_path / "runs")
    spoil(folder)
    with pytest.raises(ValueError, match=r"result-seed-\d.json: expected a result as it was "
                                         "written.*remove the file to have it made again"):
        resumed(folder)


@pytest.mark.parametrize("changes", [
    {"schema": "keras-parity result 0"}, {"more": 1}],
    ids=["schema", "another entry"])
def test_other_json_is_refused(changes, tmp_path):
    edited(filled(tmp_path), **changes)
    with pytest.raises(ValueError, match="schema 'keras-parity result 1'"):
        resumed(tmp_path)


def test_what_was_kept_before_results_were_sealed_is_refused(tmp_path):
    filled(tmp_path)
    (tmp_path / "result-seed-0.json").write_text('{"key": "seed-0", "result": {}}')
    with pytest.raises(ValueError, match="'seal'.*remove the file"):
        resumed(tmp_path)


@pytest.mark.parametrize("resume", [True, False])
def test_results_without_their_manifest_are_refused(resume, tmp_path):
    (filled(tmp_path) / "campaign.json").unlink()
    with pytest.raises(ValueError, match="campaign.json beside the results.*Choose another"):
        execution.Store(tmp_path, {"epochs": 99}, resume)
    assert not (tmp_path / "campaign.json").exists()


def test_nobody_is_told_to_remove_the_manifest(tmp_path):
    (filled(tmp_path) / "campaign.json").write_text("{")
    with pytest.raises(ValueError, match="campaign.json: expected JSON.*Choose another") as error:
        resumed(tmp_path)
    assert "remove the file" not in str(error.value)


def test_a_result_of_another_argument_is_no_answer(tmp_path):
    """Sealed right, under the right name, but its job was another one then."""
    folder = tmp_path / "runs"
    resealed(filled(folder), argument={"seed": 7})
    with pytest.raises(ValueError, match="result-seed-0.json: expected an answer to .*'seed': 0.*"
                                         "Received one to .*'seed': 7"):
        execution.run(jobs(), resumed(folder), verbose=False)


def test_a_job_holds_its_result_against_itself(tmp_path):
    def answered(argument, result):
        if not 0 <= result["accuracy"] <= 1:
            raise ValueError(f"expected a share. Received: {result['accuracy']}")

    folder = tmp_path / "runs"
    resealed(filled(folder), result={"accuracy": 7.5})
    with pytest.raises(ValueError, match="result-seed-0.json: expected a share. Received: 7.5; "
                                         "remove the file"):
        execution.run(jobs(answered=answered), resumed(folder), verbose=False)
    resealed(folder, result={})
    with pytest.raises(ValueError, match="result-seed-0.json: expected a whole result.*accuracy"):
        execution.run(jobs(answered=answered), resumed(folder), verbose=False)


def test_outcomes_of_other_networks_are_no_answer():
    outcome = {"number": 3, "outcome": {"gate": None, "message": "", "seconds": 0.0}}
    for entries in ([], [outcome], [{**outcome, "number": 1}, {**outcome, "number": 3}]):
        with pytest.raises(ValueError, match=r"expected networks \[1, 2\]"):
            require_outcomes((0, [1, 2]), entries)


def test_no_network_judged_is_no_success(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(execution, "run", lambda *_, **__: {})
    assert cli.main(["fuzz", "--count", "2"]) == 2
    assert "at least one network to be judged" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["seed-1", "a/b c", "../up"])
def test_every_key_has_a_file_of_its_own_folder(key, tmp_path):
    execution.Store(tmp_path).put(key, 1)
    assert resumed_alone(tmp_path).results == {key: 1}
    assert (tmp_path / result_store.filename(key)).is_file()


def resumed_alone(folder):
    return execution.Store(folder, {}, resume=True)
