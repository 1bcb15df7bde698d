"""`parity check --outputs model.onnx` and `model.tflite`: exit codes, and one line per error."""

import numpy as np
import pytest

from compare.cli import main

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from tests.compare.support.onnx_networks import keras_cnn, onnx_cnn  # noqa: E402


@pytest.fixture
def folder(keras, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = keras_cnn(keras)
    model.save("model.keras")
    onnx_cnn("right.onnx", model)
    onnx_cnn("wrong.onnx", model, epsilon=1e-5)
    np.savez("batch.npz", x=np.random.default_rng(0).normal(size=(4, 9, 8, 3)).astype("float32"))


def run(capsys, *argv):
    """(exit code, standard output on one line, the last line of standard error)."""
    code = main(list(argv))
    captured = capsys.readouterr()
    return code, " ".join(captured.out.split()), (captured.err.splitlines() or [""])[-1]


def test_right_and_wrong_files(folder, capsys):
    given = "check", "--model", "model.keras", "--outputs"
    code, out, _ = run(capsys, *given, "right.onnx", "--input", "batch.npz")
    assert code == 0 and "Checking right.onnx against model.keras on 4 samples" in out
    code, out, _ = run(capsys, *given, "wrong.onnx", "--json", "out.json")
    assert code == 1 and "Cause: norm output: epsilon" in out and "onnxruntime" in out
    code, _, _ = run(capsys, *given, "right.onnx", "--map", "n0=conv", "n1=relu")
    assert code == 0


def test_a_recorded_trace_needs_no_keras(folder, capsys):
    assert run(capsys, "record", "--inference", "--model", "model.keras", "--input", "batch.npz",
               "--out", "golden.npz")[0] == 0
    assert run(capsys, "check", "--golden", "golden.npz", "--outputs", "right.onnx")[0] == 0
    assert run(capsys, "check", "--golden", "golden.npz", "--outputs", "wrong.onnx")[0] == 1


def test_errors_are_one_line(folder, capsys, monkeypatch):
    given = "check", "--model", "model.keras", "--outputs"
    open("broken.onnx", "w").write("no model")
    for argv, said in (
            ((*given, "none.onnx"), "which is no file"),
            ((*given, "broken.onnx"), "cannot be read"),
            ((*given, "right.onnx", "--map", "n0"), "expected NAME=LAYER"),
            ((*given, "right.onnx", "--map", "n0=conv", "n1=conv"), "one tensor for 'conv'"),
            ((*given, "right.onnx", "--map", "n9=conv"), "Expected names of tensors or nodes"),
            ((*given, "right.onnx", "--steps", "2"), "no --steps with --outputs"),
            (("check", "--outputs", "right.onnx"), "no --model")):
        code, _, error = run(capsys, *argv)
        assert code == 2 and said.lower() in error.lower(), (argv, error)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, error = run(capsys, *given, "right.onnx")
    assert code == 2 and 'pip install "keras-parity[onnx]"' in error
