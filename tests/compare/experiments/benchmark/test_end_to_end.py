"""`parity bench` as people run it: both sides in their own processes, on real digits."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from sklearn import metrics

from compare import cli
from tests import patience
from tests.compare.experiments.benchmark.test_training import SETTINGS, job, run_job
from tests.compare.support import svg_file
from tests.compare.support.interrupting import HEED_CTRL_C
from tests.compare.support.schema_fit import require_fit

ROOT = Path(__file__).parents[4]
# the command, but with the check of the twins, which costs a start of TensorFlow, taken as passed
PROGRAM = """
import sys
from compare.experiments.benchmark import running
from compare.experiments.benchmark.results import Check
from compare.cli import main

running.ask_for_check = lambda job, say: Check(True, "Taken as passed.", "", {})
sys.exit(main())
"""
# the same run as `SETTINGS` of the tests of training, in the command's words
OPTIONS = ["--dataset", "digits", "--epochs", "2", "--batch-size", "7", "--limit", "100",
           "--test-limit", "50", "--learning-rate", "0.05", "--seed", "3"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """(exit code, standard output, standard error, directory) of one whole run."""
    directory = tmp_path_factory.mktemp("bench")
    capture = pytest.MonkeyPatch()
    with (directory / "stdout").open("w") as out, (directory / "stderr").open("w") as err:
        capture.setattr(sys, "stdout", out)
        capture.setattr(sys, "stderr", err)
        try:
            code = cli.main(["bench", *OPTIONS, "--format", "pipe", "--out",
                             str(directory / "out"), "--json", str(directory / "result.json")])
        finally:
            capture.undo()
    return (code, (directory / "stdout").read_text(), (directory / "stderr").read_text(),
            directory)


@pytest.fixture
def report(finished):
    return json.loads((finished[3] / "result.json").read_text())


def test_it_succeeds_and_keeps_progress_out_of_the_result(finished):
    code, out, err, _ = finished
    assert code == 0, err
    assert out.startswith("Benchmark on scikit-learn digits")
    assert "Parity holds" in out
    assert "scratch epoch 2/2" in err and "epoch 2/2" not in out
    assert_in_order(err, "Checking that the twins are the same function", "Parity holds: all ",
                    "Starting scratch", "Keras epoch 1/2", "Test accuracy after epoch 1/2: scratch",
                    "Test accuracy after epoch 2/2: scratch")
    assert "Traceback" not in err


def assert_in_order(text: str, *parts: str) -> None:
    places = [text.index(part) for part in parts]
    assert places == sorted(places), text


def test_both_files_of_json_are_the_same(finished):
    directory = finished[3]
    assert (directory / "result.json").read_text() == (directory / "out/report.json").read_text()


def test_its_json_fits_the_schema(finished):
    require_fit("benchmark", finished[3] / "result.json")


def test_the_scratch_side_did_what_the_job_alone_does(report):
    """Its own process, the pipes and the parent in between change no number."""
    alone = run_job(job())
    for theirs, ours in zip(report["runs"]["scratch"]["epochs"], alone.epochs, strict=True):
        assert theirs["predictions"] == ours.predictions.tolist()
        assert theirs["training_loss"] == ours.training_loss
        assert theirs["batches_crc32"] == f"{ours.checksum:08x}"


def test_both_sides_trained_on_the_same_batches_and_ended_alike(report):
    ours, theirs = report["runs"]["scratch"]["epochs"], report["runs"]["keras"]["epochs"]
    assert [e["batches_crc32"] for e in ours] == [e["batches_crc32"] for e in theirs]
    for a, b in zip(ours, theirs, strict=True):
        assert a["training_loss"] == pytest.approx(b["training_loss"], rel=1e-4)
        assert np.mean(np.equal(a["predictions"], b["predictions"])) >= 0.96


def assert_rounded(cell: str, value: float) -> None:
    """To as many digits as the cell shows, of which fifty images are worth at least one."""
    digits = len(cell.split(".")[1])
    assert 1 <= digits <= 3 and cell == f"{value:.{digits}f}"


def test_the_table_says_what_scikit_learn_says_about_the_predictions(finished, report):
    labels = report["data"]["test_labels"]
    assert labels == SETTINGS.load().y_test.tolist()
    last = {side: run["epochs"][-1] for side, run in report["runs"].items()}
    cells = {}
    for line in finished[1].splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")]
        if len(parts) == 4:
            cells[parts[0]] = parts[1:]
    for i, side in enumerate(("scratch", "keras")):
        predicted = last[side]["predictions"]
        assert_rounded(cells["accuracy"][i], metrics.accuracy_score(labels, predicted))
        assert_rounded(cells["macro F1"][i], metrics.f1_score(labels, predicted, average="macro"))
        assert last[side]["confusion"] == metrics.confusion_matrix(
            labels, predicted, labels=range(10)).tolist()
        assert cells["training loss"][i] == f"{last[side]['training_loss']:.3f}"
        # 8x8 pixels: 5*5*1*6 + 6, 5*5*6*6 + 6, 4*4*6*10 + 10
        assert cells["parameters"][i] == f"{156 + 906 + 970:,}"
    same = np.sum(np.equal(last["scratch"]["predictions"], last["keras"]["predictions"]))
    assert f"the same class for {same} of 50 test images" in " ".join(finished[1].split())


def test_memory_and_versions_are_each_sides_own(report):
    ours, theirs = report["runs"]["scratch"], report["runs"]["keras"]
    peaks = [run["epochs"][-1]["peak_memory_bytes"] for run in (ours, theirs)]
    if None not in peaks:  # a system that tells
        assert 2e7 < peaks[0] < peaks[1]  # the smaller holds no TensorFlow
    assert "numpy" in ours["versions"] and "tensorflow" in theirs["versions"]
    assert "steps per call" in theirs["how"] and theirs["versions"]["tensorflow"] in theirs["how"]


def test_pictures_and_markdown(finished):
    out = finished[3] / "out"
    names = {path.name for path in out.iterdir()}
    pictures = {"learning-curves.svg", "confusion.svg", "architecture.png", "filters.svg",
                "feature-maps.svg", "classes.svg", "mistakes.svg"}
    found = json.loads((out / "report.json").read_text())["agreement"]
    if found["same"] < found["images"]:  # else there is nothing to show
        pictures.add("predictions.svg")
    assert names == pictures | {"report.md", "report.json"}
    for name in pictures - {"architecture.png"}:
        assert svg_file.texts(svg_file.read(out / name))
    assert imread(out / "architecture.png")[..., :3].std() > 0.05
    assert (out / "report.md").read_text().startswith("# Benchmark on scikit-learn digits")


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="a test cannot send Ctrl-C there")
def test_ctrl_c_prints_and_keeps_what_is_finished(tmp_path):
    """A real signal, once both sides have finished an epoch and scratch is at work again."""
    process = subprocess.Popen(
        [sys.executable, "-c", HEED_CTRL_C + PROGRAM, "bench", "--dataset", "digits",
         "--limit", "40", "--test-limit", "40", "--epochs", "100000", "--out", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    err = ""
    for line in process.stderr:
        err += line
        if "Keras epoch 2/" in line:
            break
    workers = children(process.pid)
    assert workers is None or len(workers) == 2
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate(timeout=patience.SECONDS)
    assert process.returncode == 130, err + rest
    assert "Traceback" not in err + rest
    assert rest.splitlines()[-1].startswith("parity bench: interrupted")
    assert out.startswith("PARTIAL (stopped early): Benchmark on scikit-learn digits")
    assert re.search(r"\naccuracy +\d\.\d+ +\d\.\d+", out)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["partial"] is True and report["interrupted"] is True
    assert report["compared_epoch"] >= 2
    assert (tmp_path / "report.md").read_text().startswith("# PARTIAL (stopped early)")
    assert not [pid for pid in workers or () if Path(f"/proc/{pid}").exists()]


def children(pid: int) -> list[str] | None:
    """The processes it has started; None where the system does not tell."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return path.read_text().split() if path.exists() else None
