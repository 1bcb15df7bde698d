"""`parity check` and `parity record`: exit codes, one line per error, files whole or not there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import compare
from compare.cli import main
from tests.compare.support import examples

ROOT = Path(__file__).parents[3]
STARTING = "Starting TensorFlow ..."
STARTED = ([], [STARTING])  # told by the first alone that starts it in this process

MODULE = """
import numpy as np
import scratch


class Off(scratch.Dense):
    def affine(self, x):
        return super().affine(x) * x.dtype.type(1.001)


def network(dense=scratch.Dense, end="softmax"):
    scratch.set_random_seed(1)
    model = scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(3, (2, 3), activation="relu", name="conv"),
        scratch.Flatten(name="flatten"), dense(4, activation=end, name="last")])
    return model


def compiled(dense=scratch.Dense):
    model = network(dense)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def right(): return compiled()
def wrong(): return compiled(Off)
def bare(): return network(end=None)
def raises(): raise RuntimeError("not\\ntoday")
def nonsense(): return "a model"
def unbuilt(): return scratch.Sequential([scratch.Dense(3)])
def one_hot():
    model = network()
    model.compile("sgd", "categorical_crossentropy")
    return model
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A current folder with the module `own` in it."""
    (tmp_path / "own.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("own", None)
    yield tmp_path
    sys.modules.pop("own", None)


@pytest.fixture
def run(capsys, monkeypatch):

    def call(*argv):
        """(exit code, standard output, lines of standard error)."""
        code = main([str(arg) for arg in argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return call


def verdict(out: str) -> str:
    """The sentences at the end, on one line."""
    return " ".join(out[out.rindex("\nParity "):].split())


def assert_refused(found, *says, command="check"):
    """Exit code 2, nothing on standard output, and one line that says what is wrong."""
    code, out, lines = found
    assert (code, out) == (2, ""), out
    *before, last = lines
    assert before in STARTED, lines
    assert last.startswith(f"parity {command}: error: "), last
    for part in says:
        assert part in last, last


def joined(text):
    """Without line breaks: where a sentence is broken depends on how long the paths in it are."""
    return " ".join(text.split())


def npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def batch(n=3, classes=4):
    rng = np.random.default_rng(0)
    return {"x": rng.standard_normal((n, 6, 5, 2)).astype("float32"),
            "y": rng.integers(0, classes, n)}


@pytest.mark.parametrize("dtype", [[], ["--dtype", "float64"]], ids=str)
def test_parity_is_0(run, dtype):
    code, out, lines = run("check", "--model", "own:right", *dtype)
    assert code == 0 and lines in STARTED, lines
    assert out.splitlines()[0] == "Checking own:right on 8 random samples, seed 0"
    assert verdict(out).startswith("Parity holds: all")
    assert ("float64" if dtype else "float32") in out


def test_no_parity_is_1_and_names_the_layer(run):
    code, out, lines = run("check", "--model", "own:wrong", "--steps", "0")
    assert code == 1 and lines in STARTED
    assert "last output" in verdict(out) and "does not hold" in verdict(out)
    assert "the candidate is off" in verdict(out)


def test_the_benchmark_network_on_the_digits(run):
    code, out, lines = run("check", "--dataset", "digits", "--batch", "3", "--steps", "1")
    assert code == 0, lines
    assert out.startswith("Checking the benchmark network on 3 images of ")
    assert "conv2d_1" in out and "batch of 3" in out


def test_a_model_without_a_loss_gets_a_random_gradient(run):
    code, out, _ = run("check", "--model", "own:bare")
    assert code == 0 and "loss" not in [line.split()[0] for line in out.splitlines() if line]


def test_one_hot_labels_are_drawn_for_a_loss_that_wants_them(run):
    assert run("check", "--model", "own:one_hot", "--steps", "1")[0] == 0


def test_json_is_the_report(run, folder):
    code, out, _ = run("check", "--model", "own:wrong", "--steps", "0", "--json", "r.json")
    read = json.loads((folder / "r.json").read_text())
    assert code == 1 and read["passed"] is False
    assert read["about"] == out.splitlines()[0] and read["verdict"] == verdict(out)
    assert [each["identifier"] for each in read["findings"]] == ["scale"]
    assert "Cause: last output: scale: " in out
    assert list(folder.glob("*.part")) == [] == list(folder.glob(".*"))
    shown = {(row["gate"], row["layer"], row["tensor"]): row for row in read["rows"]}
    last = shown["forward", "last", "output"]
    assert last["passed"] is False and last["off"] == "candidate" and last["used"] > 1
    _, github, _ = run("check", "--model", "own:wrong", "--steps", "0", "--format", "github")
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in github.splitlines()
             if line.startswith("| ")]
    head, *body = table
    assert len(body) >= 10
    for cells in body:
        entry = dict(zip(head, cells))
        row = shown[entry["gate"], entry["layer"], entry["tensor"]]
        assert float(entry["error"]) == pytest.approx(row["error"], rel=1e-2)
        assert entry["verdict"].startswith(("passed", "equal")) == row["passed"]


def test_equal_seeds_are_equal_reports(run):
    def table(seed):
        return run("check", "--model", "own:right", "--steps", "0", "--seed", seed)[1]

    assert table(1) == table(1) != table(2)


@pytest.mark.parametrize("options, told", [(["--wide"], "candidate err"),
                                           (["--format", "latex"], r"\begin{tabular}")])
def test_other_tables(run, options, told):
    code, out, _ = run("check", "--model", "own:right", "--steps", "0", *options)
    assert code == 0 and told in out


def test_a_batch_of_ones_own(run, folder):
    path = npz(folder / "b.npz", **batch())
    code, out, _ = run("check", "--model", "own:right", "--input", path, "--steps", "1")
    assert code == 0 and joined(out).startswith(f"Checking own:right on 3 samples of {path}")
    without = npz(folder / "x.npz", x=batch()["x"])
    assert run("check", "--model", "own:bare", "--input", without)[0] == 0


@pytest.mark.parametrize("change, says", [
    (dict(x=np.full((2, 6, 5, 2), np.nan), y=np.zeros(2, int)),
     ["finite", "nan at index (0, 0, 0"]),
    (dict(x=np.full((2, 6, 5, 2), -np.inf), y=np.zeros(2, int)), ["finite", "-inf"]),
    (dict(x=np.zeros((2, 5, 6, 2)), y=np.zeros(2, int)), ["(2, 5, 6, 2)", "(None, 6, 5, 2)"]),
    (dict(x=np.zeros((2, 6)), y=np.zeros(2, int)), ["(2, 6)"]),
    (dict(x=np.zeros((0, 6, 5, 2)), y=np.zeros(0, int)), ["at least one sample"]),
    (dict(x=3.0, y=0), ["at least one sample"]),
    (dict(x=np.zeros((2, 6, 5, 2)), y=np.array([0, 4])), ["from 0 to 3", "Received: 4"]),
    (dict(x=np.zeros((2, 6, 5, 2)), y=np.array([0, -1])), ["from 0 to 3", "Received: -1"]),
    (dict(x=np.zeros((2, 6, 5, 2)), y=np.array([0, 1, 2])), ["(3,)"]),
    (dict(x=np.zeros((2, 6, 5, 2)), y=np.eye(4)[:2]), ["(2, 4)"]),
    (dict(x=np.array(["a", "b"]), y=np.zeros(2, int)), []),
    (dict(x=np.zeros((2, 6, 5, 2)), y=np.array(["a", "b"])), []),
    (dict(images=np.zeros(3), y=np.zeros(3)), ["arrays named x and y", "images"]),
    (dict(y=np.zeros(3)), ["arrays named x and y"]),
], ids=lambda value: "-".join(f"{k}{np.shape(v)}" for k, v in value.items())
    if isinstance(value, dict) else "")
def test_batches_that_cannot_be_run(run, folder, change, says):
    path = npz(folder / "b.npz", **change)
    assert_refused(run("check", "--model", "own:right", "--input", path), *says)


def test_inputs_that_are_no_archives(run, folder):
    assert_refused(run("check", "--model", "own:right", "--input", "gone.npz"),
                   "--input: expected a .npz file", "gone.npz, which is no file")
    good = npz(folder / "good.npz", **batch()).read_bytes()
    np.save(folder / "bare.npy", np.zeros(3))
    objects = npz(folder / "objects.npz", x=np.array([{}, []], dtype=object))
    for name, contents in (("text.npz", b"hello"), ("empty.npz", b""), ("cut.npz", good[:300]),
                           ("bare.npz", (folder / "bare.npy").read_bytes()),
                           ("objects2.npz", objects.read_bytes())):
        (folder / name).write_bytes(contents)
        assert_refused(run("check", "--model", "own:right", "--input", name), "--input: ", name)
    (folder / "dir.npz").mkdir()
    assert_refused(run("check", "--model", "own:right", "--input", "dir.npz"), "which is no file")


@pytest.mark.parametrize("spec, says", [
    ("gone.keras", ["gone.keras, which is no file"]),
    ("gone:f", ["'gone'", "ModuleNotFoundError"]), ("own:gone", ["'gone'", "nothing of that name"]),
    ("own:raises", ["own:raises", "RuntimeError: not today"]),
    ("own:nonsense", ["Received: str"]), ("own:unbuilt", ["input shape"]),
    ("own:MODULE", ["nothing of that name"]), ("own", ["FILE.keras or module:callable"]),
    ("model.pkl", ["FILE.keras or module:callable"])])
def test_models_that_are_not_there(run, spec, says):
    assert_refused(run("check", "--model", spec), *says)


def test_files_that_are_no_models_or_have_unsupported_layers(run, keras, folder):
    layers = keras.layers
    for layer, says in ((layers.Lambda(lambda x: x + 1, name="plus"), ("'plus'", "Lambda")),
                        (layers.BatchNormalization(renorm=True, name="norm"),
                         ("'norm'", "renorm"))):
        keras.Sequential([keras.Input((6, 5, 2)), layer]).save(folder / "m.keras")
        assert_refused(run("check", "--model", "m.keras"), *says)
    good = (folder / "m.keras").read_bytes()
    for contents in (b"", b"hello", good[:700]):
        (folder / "bad.keras").write_bytes(contents)
        assert_refused(run("check", "--model", "bad.keras"), "bad.keras", "expected a model saved")


def test_a_keras_file_is_checked(run, keras, folder):
    model = keras.Sequential([keras.Input((6, 5, 2)), keras.layers.Conv2D(3, 2, name="c"),
                              keras.layers.Flatten(), keras.layers.Dense(4, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    model.save(folder / "m.keras")
    code, out, lines = run("check", "--model", "m.keras", "--steps", "2")
    assert code == 0 and lines in STARTED, lines
    assert out.startswith("Checking m.keras on 8 random samples")


@pytest.mark.parametrize("options, says", [
    (["--batch", "0"], "--batch: expected a positive integer. Received: 0"),
    (["--batch", "-2"], "Received: -2"), (["--batch", "many"], "Received: many"),
    (["--steps", "-1"], "--steps: expected an integer of 0 or more. Received: -1"),
    (["--seed", "x"], "Received: x"), (["--dtype", "float8"], "float8"),
    (["--format", "papyrus"], "papyrus"), (["--tolerance", "1"], "--tolerance"),
    (["--dataset", "cifar"], "cifar"), (["--data-dir", "gone"], "gone"),
    (["--batch", "100000", "--dataset", "digits"], "at most"),
])
def test_options_that_make_no_sense(run, options, says):
    assert_refused(run("check", *options), says)


def test_there_is_no_option_for_a_tolerance(run):
    _, out, _ = run("check", "--help")
    assert "--golden" in out
    assert not any(word in out for word in ("tolerance", "atol", "rtol", "--eps"))


@pytest.mark.parametrize("command, option", [("check", "--json"), ("record", "--out")])
def test_files_that_cannot_be_written_are_refused_before_the_work(run, folder, command, option):
    (folder / "file").write_text("")
    (folder / "place").mkdir()
    for path in ("gone/r.json", "file/r.json", "place"):
        code, out, lines = run(command, "--model", "own:right", option, path)
        assert (code, out) == (2, "") and len(lines) == 1, lines
        assert lines[0].startswith(f"parity {command}: error: {option}: expected"), lines
        assert path in lines[0]
    assert sorted(p.name for p in folder.iterdir() if p.name != "__pycache__") == [
        "file", "own.py", "place"]


@pytest.fixture
def golden(run, folder):
    code, out, lines = run("record", "--model", "own:right", "--out", "golden.npz", "--seed", "3")
    assert code == 0 and lines in STARTED
    assert out.startswith("Recorded own:right on 8 random samples, seed 3")
    assert "keras 3" in out and "float32, in golden.npz" in out
    return folder / "golden.npz"


def test_a_recording_is_checked_against(run, golden):
    assert compare.Trace.load(golden).producer.startswith("keras")
    code, out, lines = run("check", "--golden", golden)
    assert (code, lines) == (0, [])
    assert joined(out).startswith(f"Checking the network against the trace in {golden} ")
    code, out, lines = run("check", "--golden", golden, "--model", "own:right")
    assert (code, lines) == (0, []) and "Checking own:right against the trace" in out
    code, out, _ = run("check", "--golden", golden, "--model", "own:wrong", "--json", "g.json")
    assert code == 1 and "last output" in verdict(out)
    assert json.loads(Path("g.json").read_text())["passed"] is False


def test_a_golden_check_starts_no_tensorflow(golden):
    program = ("import sys; from compare.cli import main; code = main(sys.argv[1:]); "
               "assert not {'tensorflow', 'keras', 'h5py'} & set(sys.modules); sys.exit(code)")
    for model, code in (("own:right", 0), ("own:wrong", 1)):
        done = subprocess.run(
            [sys.executable, "-c", program, "check", "--golden", str(golden), "--model", model],
            capture_output=True, text=True, cwd=golden.parent, env={"PYTHONPATH": str(ROOT)})
        lines = [line for line in done.stderr.splitlines() if not re.search(r" in \d\S*s$", line)]
        assert (done.returncode, lines) == (code, [])


def test_golden_files_that_are_none(run, golden, folder):
    whole = golden.read_bytes()
    assert_refused(run("check", "--golden", "gone.npz"), "Expected a recorded trace", "gone.npz")
    altered = bytearray(whole)
    altered[len(whole) // 2] ^= 1
    for contents in (b"", b"hello", whole[:-1], whole[:1000], bytes(altered)):
        (folder / "bad.npz").write_bytes(contents)
        assert_refused(run("check", "--golden", "bad.npz"), "bad.npz", "altered")
    assert_refused(run("check", "--golden", npz(folder / "other.npz", **batch())), "other.npz")


def test_golden_goes_with_nothing_that_it_brings_itself(run, golden, folder):
    path = npz(folder / "b.npz", **batch())
    for option, value in (("--input", path), ("--dtype", "float64"), ("--batch", 3),
                          ("--seed", 1), ("--steps", 2), ("--dataset", "digits")):
        assert_refused(run("check", "--golden", golden, option, value), "with --golden", option)
    assert_refused(run("check", "--golden", golden, "--model", "own:nonsense"), "Received: str")
    assert_refused(run("check", "--golden", golden, "--model", "own:raises"), "not today")


def test_another_network_fails_at_the_first_gate(run, golden):
    code, out, lines = run("check", "--golden", golden, "--model", "own:one_hot")
    assert (code, out, len(lines)) == (2, "", 1) or "gate 'network'" in out


def test_records_without_a_loss_and_in_float64(run, folder):
    assert run("record", "--model", "own:bare", "--dtype", "float64", "--out", "g.npz")[0] == 0
    trace = compare.Trace.load(folder / "g.npz")
    assert trace.dtype == "float64" and trace.y is None
    assert run("check", "--golden", "g.npz")[0] == 0


@pytest.mark.parametrize("options, says", [
    ([], "--out"), (["--out", "g.npz", "--batch", "0"], "Received: 0"),
    (["--out", "g.npz", "--model", "gone:f"], "'gone'"),
    (["--out", "g.npz", "--model", "own:raises"], "not today")])
def test_recordings_that_cannot_be_made(run, folder, options, says):
    assert_refused(run("record", *options), says, command="record")
    assert not (folder / "g.npz").exists()


def test_the_trace_of_a_small_network_is_written_whole(golden, folder):
    assert [p.name for p in folder.iterdir() if ".part" in p.name] == []
    x, y = examples.batch()
    trace = compare.record(examples.network(), x, y)
    trace.save(golden)
    assert compare.Trace.load(golden).parts[0].layer == "conv"


@pytest.mark.parametrize("command", [["check"], ["debug"], ["record", "--out", "golden.npz"]])
def test_the_network_is_given_by_its_place_or_by_an_option(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    said = []
    for network in (["nowhere.keras"], ["--model", "nowhere.keras"]):
        assert main([*command[:1], *network, *command[1:]]) == 2
        said.append(capsys.readouterr().err)
    assert said[0] == said[1] and "nowhere.keras, which is no file" in said[0]
    assert main([*command, "a.keras", "--model", "b.keras"]) == 2
    assert "expected the network once. Received: a.keras and --model b.keras" in (
        capsys.readouterr().err)
