"""A replication on the digits: really trained, kept on disk, resumed, reported."""

import json
from dataclasses import replace

import numpy as np
import pytest

from compare.cli import main
from compare.document import sections
from compare.experiments import execution, replication
from compare.experiments.benchmark import running
from compare.experiments.benchmark.results import Check
from compare.experiments.benchmark.settings import Settings as RunSettings
from compare.experiments.replication import files, report
from compare.experiments.replication.stored_runs import require_run
from tests.compare.support import in_this_process
from tests.compare.support.schema_fit import require_fit

SHORT = dict(dataset="digits", epochs=1, limit=64, test_limit=60, batch_size=16)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """(folder, the replication of two pairs of runs)."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "run", in_this_process.run)
        # each would start TensorFlow once more
        patch.setattr(running, "ask_for_check",
                      lambda job, say: Check(True, "Taken as passed.", "", {}))
        result = replication.run(replication.Settings(2, RunSettings(**SHORT, seed=3)), folder,
                                 verbose=False)
    return folder, result


def test_every_run_starts_from_its_own_seed_and_is_kept(finished):
    folder, result = finished
    assert [run.seed for run in result.runs] == [3, 4]
    assert sorted(path.name for path in folder.glob("result-*")) == [
        "result-seed-3.json", "result-seed-4.json"]
    losses = [run.record["runs"]["scratch"]["epochs"][0]["training_loss"] for run in result.runs]
    assert losses[0] != losses[1]


def test_the_figures_are_those_of_the_predictions(finished):
    _, result = finished
    for run in result.runs:
        for side in ("scratch", "keras"):
            right = float(np.mean(run.predictions(side) == run.labels))
            assert run.figure(side, "accuracy") == pytest.approx(right)
    expected = np.mean([run.figure("keras", "accuracy") for run in result.runs])
    assert result.summary("keras", "accuracy").mean == pytest.approx(expected)


def test_the_report_says_the_verdict_first(finished, tmp_path):
    _, result = finished
    text = replication.render(result)
    verdict = result.equivalence("accuracy").sentence("Accuracy").replace(
        "+-", sections.plus_minus())
    assert " ".join(text.split()).find(verdict) < text.find("Run by run")
    assert verdict in " ".join(text.split())
    written = files.write_directory(result, tmp_path)
    assert all(path.stat().st_size for path in written)
    record = json.loads((tmp_path / "campaign.json").read_text())
    assert record["equivalence"]["accuracy"]["verdict"] == result.equivalence("accuracy").verdict


def with_p(result, *values):
    """The same replication, McNemar's test of each pair giving these p."""
    changed = replace(result)
    changed.__dict__["pairs"] = [replace(pair, p=p) for pair, p in zip(result.pairs, values)]
    return changed


def test_it_says_what_the_test_of_a_pair_says_beside_the_margin_of_the_mean(finished):
    calm = with_p(finished[1], 0.04, 0.5)  # of two tests, 0.04 is no surprise
    assert len(report.sections(calm)[0].before) == 2, "the outcome and the settings"
    said = [text for part in report.sections(calm) for text in part.after or []]
    assert any("no single pair do the two differ by more than chance explains (McNemar's test, the "
               "smallest of 2 p = 0.040)" in text for text in said)
    sure = with_p(finished[1], 0.5, 0.0101)
    assert report.sections(sure)[0].before[1].startswith(
        "In 1 of 2 pairs (seed 4) one of the two gets more images right than chance explains "
        "(McNemar's test, the smallest p = 0.010)")


def test_its_json_fits_the_schema(finished, tmp_path):
    files.write_directory(finished[1], tmp_path)
    require_fit("campaign", tmp_path / "campaign.json")


def test_resuming_trains_only_what_is_missing(finished, capsys):
    folder, result = finished
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("result-*")}
    code = main(["bench", "--dataset", "digits", "--epochs", "1", "--limit", "64", "--test-limit",
                 "60", "--batch-size", "16", "--seed", "3", "--seeds", "2", "--runs", str(folder),
                 "--resume", "--margin", "0.2", "--format", "github"])
    assert code == 0 and "| seed" in capsys.readouterr().out
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.glob("result-*")}


@pytest.mark.parametrize("spoil, said", [
    (lambda r: r["runs"]["keras"]["epochs"][0].update(accuracy=7.5), "accuracy of keras.*0 to 1"),
    (lambda r: r["runs"]["keras"]["epochs"][0].update(accuracy=0.999), "that its predictions have"),
    (lambda r: r["runs"]["scratch"]["epochs"][0].update(macro_f1=-0.1), "macro_f1 of scratch"),
    (lambda r: r["runs"]["scratch"]["epochs"][0].update(training_loss="nan"), None),
    (lambda r: r["runs"]["scratch"]["epochs"][0].update(training_loss=-1.0), "training_loss"),
    (lambda r: r["runs"]["scratch"]["epochs"][0].update(number=99), "epochs of scratch"),
    (lambda r: r["runs"]["scratch"]["epochs"][0].update(steps=1), "steps of scratch"),
    (lambda r: r["runs"]["scratch"]["epochs"][0]["predictions"].pop(), "predictions of"),
    (lambda r: r["runs"]["scratch"]["epochs"][0]["predictions"].__setitem__(0, 10), "classes"),
    (lambda r: r["runs"]["keras"]["epochs"].clear(), "epochs of keras"),
    (lambda r: r["settings"].update(seed=4), "expected settings"),
    (lambda r: r["settings"].update(epochs=2), "expected settings"),
    (lambda r: r["runs"].pop("keras"), "sides"), (lambda r: r.update(schema=0), "schema"),
    (lambda r: r["check"].update(passed=False), "found alike"),
    (lambda r: r.update(partial=True), "a whole run"), (lambda r: r.pop("data"), None)])
def test_a_stored_run_is_held_against_what_was_asked_for(finished, spoil, said):
    folder, result = finished
    kept = json.loads((folder / "result-seed-3.json").read_text())["result"]
    settings = RunSettings(**SHORT, seed=3)
    require_run(settings, kept)
    spoil(kept)
    with pytest.raises((ValueError, KeyError, TypeError), match=said):
        require_run(settings, kept)


@pytest.mark.parametrize("options, said", [
    (["--seeds", "2", "--margin", "0"], "margin"),
    (["--seeds", "2", "--backend", "dask"], "--address"),
    (["--resume"], "--seeds"),
    (["--seeds", "0"], "--seeds"),
])
def test_bad_options_are_told_in_one_line(options, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "--dataset", "digits", *options]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error and "\n" not in error and not list(tmp_path.iterdir())
