"""`parity debug`, from a module of somebody's own to the smallest case and a test."""

import json
import sys

import pytest

from compare.cli import debug, main

MODULE = '''
import numpy as np
import compare
import scratch
from compare.inputs.twins import twins


class Shifted(scratch.Conv2D):
    """Its input gradient is one column off."""

    def affine_backward(self, dz, wants_input_gradient):
        return np.roll(super().affine_backward(dz, wants_input_gradient), 1, axis=2)


def network(conv):
    return scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(3, 3, name="first"),
        conv(4, (2, 3), padding="same", activation="relu", name="second"),
        scratch.Flatten(), scratch.Dense(5, name="last")])


def pair(conv=Shifted):
    candidate, twin = network(conv), twins(network(scratch.Conv2D))[1]
    candidate.set_weights(twin.get_weights())
    return candidate, twin


def right():
    return network(scratch.Conv2D)


class Theirs:
    """Somebody's dense layer."""

    def __init__(self):
        self.W, self.b = np.full((6, 4), 0.1), np.zeros(4)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(axis=0)
        return dy @ self.W.T


class Doubled(Theirs):
    """Adds the bias twice."""

    def forward(self, x):
        return super().forward(x) + self.b


HOW = {"kernel": "W", "bias": "b", "gradients": {"kernel": "dW", "bias": "db"}}
LIKE = {"class_name": "Dense", "config": {"name": "dense", "units": 4}}


def wrapped():
    return compare.wrap(Doubled(), like=LIKE, input_shape=(6,), **HOW)


def wrapped_right():
    return compare.wrap(Theirs(), like=LIKE, input_shape=(6,), **HOW)


def placeless():
    return compare.wrap(Theirs(), **HOW)


def shapeless():
    return compare.wrap(Theirs(), like=LIKE, **HOW)


def listed():
    twin = twins(scratch.Sequential([scratch.Input((6,)), scratch.Dense(4, name="dense"),
                                     scratch.Softmax(name="softmax")]))[1]
    twin.compile("sgd", "sparse_categorical_crossentropy")
    return [compare.wrap(Doubled(), **HOW), None], twin
'''


@pytest.fixture
def theirs(tmp_path, monkeypatch, keras):
    (tmp_path / "theirs.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "theirs", raising=False)
    yield tmp_path
    sys.modules.pop("theirs", None)


def test_the_layer_and_tensor_are_named_and_shrunk(theirs, capsys):
    code = main(["debug", "--model", "theirs:pair", "--pytest", "test_it.py", "--json", "it.json"])
    said = capsys.readouterr().out
    assert code == 1
    assert "First at gate 'whole numbers': second input_gradient" in " ".join(said.split())
    assert "Cause: second input_gradient: shifted: " in said and "Remedy: " in said
    assert "Smallest case that still fails: Conv2D(" in said
    assert "input_gradient" in (theirs / "test_it.py").read_text()
    failed = [row for row in json.loads((theirs / "it.json").read_text())["rows"]
              if not row["passed"] and not row["downstream"]]
    assert {(row["layer"], row["tensor"]) for row in failed} == {("second", "input_gradient")}


def test_nothing_to_debug(theirs, capsys):
    assert main(["debug", "--model", "theirs:right", "--pytest", "test_it.py"]) == 0
    assert "Parity holds" in capsys.readouterr().out
    assert not (theirs / "test_it.py").exists()


@pytest.mark.parametrize("options, said", [
    (["--model", "theirs:nothing"], "Expected a callable 'nothing' in module 'theirs'"),
    (["--model", "nowhere:make"], "Expected a module 'nowhere' that can be imported"),
    (["--pytest", "no/such/folder/test.py"], "--pytest"),
    (["--model", "theirs"], "Expected --model to be FILE.keras or module:callable"),
    (["theirs:right", "--model", "theirs:right"], "expected the network once"),
    (["theirs:placeless"], "which layer the object stands for: compare.wrap(Theirs(...), like"),
    (["theirs:shapeless"], "the shape of the layer's inputs: compare.wrap(..., input_shape="),
    (["--out", "theirs.py/pictures"], "--out"),
])
def test_bad_input_is_one_line_and_exit_code_2(theirs, capsys, options, said):
    assert main(["debug", *options]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "Starting" not in line]
    assert len(lines) == 1 and said in lines[0], lines


def test_one_wrapped_layer(theirs, capsys):
    assert main(["debug", "theirs:wrapped", "--out", "pictures"]) == 1
    said = capsys.readouterr().out
    assert "Layer 'dense' has the wrong output, on its way forward." in said
    assert "Cause: dense output: bias-doubled: the bias is added twice." in said
    assert "Smallest case that still fails: Dense(units=1" in said
    assert "Drawn: pictures/dense-output-values.svg" in said
    assert sorted(path.name for path in (theirs / "pictures").iterdir()) == [
        "dense-output-pattern.png", "dense-output-values.svg"]
    assert main(["debug", "theirs:wrapped_right", "--out", "pictures"]) == 0
    assert "Parity holds" in capsys.readouterr().out


def test_a_list_of_layers_and_the_test_that_reproduces_it(theirs, capsys):
    assert main(["debug", "theirs:listed", "--pytest", "test_it.py"]) == 1
    said = capsys.readouterr().out
    assert "Layer 'dense' has the wrong output" in said
    assert "Right by themselves: softmax." in said
    space = {}
    exec((theirs / "test_it.py").read_text(), space)
    with pytest.raises(AssertionError, match="expected"):
        space["test_dense_output"]()


@pytest.mark.parametrize("known, advised", [(True, "pytest test_a.py"), (
    False, "pip install pytest && pytest test_a.py")])
def test_what_is_advised_works_where_pytest_is_not_installed(monkeypatch, known, advised):
    monkeypatch.setattr(debug.util, "find_spec", lambda name: known or None)
    assert debug.advice("test_a.py") == advised
