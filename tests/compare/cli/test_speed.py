"""`parity speed` as people run it: options, bad input, and one short run of the real thing."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from compare.cli import build_parser, main
from compare.cli.speed import choose
from compare.experiments.performance.settings import NAMES, Settings
from tests import patience
from tests.compare.support.interrupting import HEED_CTRL_C
from tests.compare.support.schema_fit import require_fit

ROOT = Path(__file__).parents[3]


def chosen(*argv) -> Settings:
    return choose(build_parser().parse_args(["speed", *argv]))


def test_without_options_everything_is_measured():
    assert chosen() == Settings()
    assert chosen().networks == ("benchmark", "wide") and chosen().competitors == tuple(NAMES)


def test_options_are_understood():
    found = chosen("--batch-sizes", "1,32", "--networks", "wide", "--competitors", "keras,scratch",
                   "--pairs", "5", "--parts", "training, memory", "--stretch", "0.5")
    assert found == Settings(("wide",), (1, 32), ("keras", "scratch"), ("training", "memory"), 5,
                             0.5)
    assert found.batches_of("wide") == (1, 32)


def test_quick_gives_way_to_options():
    quick = chosen("--quick")
    assert quick.batches_of("benchmark") == (1, 32) and "scaling" not in quick.parts
    assert quick.pairs < Settings().pairs and quick.predict_images < 10_000
    assert chosen("--quick", "--pairs", "9", "--batch-sizes", "8").batch_sizes == (8,)
    assert chosen("--quick", "--pairs", "9").pairs == 9


@pytest.mark.parametrize("options, says", [
    (["--pairs", "0"], "Received: 0"),
    (["--pairs", "many"], "Received: many"),
    (["--batch-sizes", "1,0"], "Received: 0"),
    (["--batch-sizes", "1;2"], "Received: 1;2"),
    (["--batch-sizes", ""], "positive integer"),
    (["--networks", "deep"], "Received: deep"),
    (["--competitors", "scratch,jax"], "Received: scratch, jax"),
    (["--competitors", "scratch,scratch"], "each once"),
    (["--parts", "everything"], "Received: everything"),
    (["--stretch", "0"], "Received: 0"),
    (["--stretch", "nan"], "Received: nan"),
    (["--stretch", "long"], "Received: long"),
    (["--format", "papyrus"], "papyrus"),
    (["--unknown"], "--unknown"),
])
def test_bad_options(capsys, options, says):
    assert main(["speed", *options]) == 2
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert captured.out == "" and len(lines) == 1, lines
    assert lines[0].startswith("parity speed: error: ") and says in lines[0]


def test_outputs_that_cannot_be_written_are_refused_at_once(capsys, tmp_path):
    (tmp_path / "file").touch()
    for option, path in (("--out", "file"), ("--json", "."), ("--json", "no/x.json")):
        assert main(["speed", option, str(tmp_path / path)]) == 2
        line, = capsys.readouterr().err.splitlines()
        assert option in line


def test_help_loads_no_library():
    program = ("import sys; from compare.cli import main; code = main(['speed', '--help']); "
               "print([m for m in ('tensorflow', 'matplotlib', 'torch') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          cwd=ROOT)
    assert "--batch-sizes" in done.stdout and done.stdout.endswith("[]\n"), done.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """(exit code, standard output, standard error, directory) of one short run."""
    directory = tmp_path_factory.mktemp("speed")
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from compare.cli import main; sys.exit(main())",
         "speed", "--quick", "--pairs", "1", "--stretch", "0.001", "--batch-sizes", "4",
         "--parts", "training", "--format", "github", "--out", str(directory / "out"),
         "--json", str(directory / "speed.json")],
        capture_output=True, text=True, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr, directory


def test_it_succeeds_and_keeps_progress_out_of_the_result(finished):
    code, out, err, _ = finished
    assert code == 0, err
    assert out.startswith("Speed of training and prediction")
    assert "training: benchmark, batch 4 6/6 in" in err and "6/6" not in out
    assert "Traceback" not in err and "Warning" not in err
    assert re.search(r"\| benchmark +\| +4 \| +[\d,.]+ ± ", out)


def test_its_figures_are_plausible_and_the_same_everywhere(finished):
    directory = finished[3]
    text = (directory / "speed.json").read_text()
    assert text == (directory / "out" / "speed.json").read_text()
    result = json.loads(text)
    row, = result["training"]
    assert row["batch"] == 4 and row["pairs"] == 1
    for name in ("scratch", "keras", "blas"):
        turn, = row["competitors"][name]["turns"]
        assert turn["seconds"] > 0 and turn["samples"] > 0
    ours, theirs = (row["competitors"][name]["us_per_sample"]["median"]
                    for name in ("scratch", "keras"))
    assert row["competitors"]["keras"]["times_scratch"]["median"] == pytest.approx(theirs / ours)
    assert "jit off" in row["competitors"]["keras"]["tried"]
    assert "tensorflow" in result["competitors"]["keras"]["versions"]
    assert "tensorflow" not in result["competitors"]["scratch"]["versions"]
    assert {path.name for path in (directory / "out").iterdir()} == {"speed.md", "speed.json",
                                                                     "speed.png"}


def test_its_json_fits_the_schema(finished):
    require_fit("speed", finished[3] / "speed.json")


@pytest.mark.skipif(os.name == "nt", reason="a test cannot send Ctrl-C there")
def test_ctrl_c_prints_what_is_finished(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c",
         HEED_CTRL_C + "import sys; from compare.cli import main; sys.exit(main())",
         "speed", "--competitors", "scratch", "--parts", "training", "--networks", "benchmark",
         "--batch-sizes", "2,3,4", "--pairs", "10", "--stretch", "0.01",
         "--json", str(tmp_path / "speed.json")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    err = ""
    for line in process.stderr:
        err += line
        if "batch 2" in line:  # the first row is finished, two are to come
            break
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate(timeout=patience.SECONDS)
    assert process.returncode == 130, err + rest
    assert rest.splitlines()[-1].startswith("parity speed: interrupted")
    assert "Traceback" not in err + rest
    assert out.startswith("PARTIAL (stopped early)")
    assert json.loads((tmp_path / "speed.json").read_text())["interrupted"] is True
