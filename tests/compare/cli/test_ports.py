"""--inference and --outputs: exit codes, what is said, and one line per error."""

import json
import sys

import numpy as np
import pytest

from compare.cli import main

MODULE = """
import numpy as np
import scratch
import compare


class Conv:
    def __init__(self):
        self.k, self.c = np.zeros((2, 3, 2, 3), "float32"), np.zeros(3, "float32")

    def forward(self, x):
        h, w = x.shape[1] - 1, x.shape[2] - 2
        y = sum(x[:, i:i + h, j:j + w] @ self.k[i, j] for i in range(2) for j in range(3))
        return y + self.c


class Flipped(Conv):
    def forward(self, x):
        return super().forward(x[:, ::-1])


def model():
    scratch.set_random_seed(1)
    made = scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(3, (2, 3), name="conv"),
        scratch.BatchNormalization(name="norm"), scratch.Flatten(name="flatten"),
        scratch.Dense(4, activation="softmax", name="last")])
    made.compile("sgd", "sparse_categorical_crossentropy")
    return made


def pair(conv=Conv, **more):
    return [compare.wrap(conv(), kernel="k", bias="c", **more), None, None, None], \\
        compare.twin(model())


def right(): return pair()
def wrong(): return pair(Flipped)
def declared(): return pair(backward=None)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "ported.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("ported", None)
    x = np.random.default_rng(0).normal(size=(4, 6, 5, 2)).astype("float32")
    np.savez("batch.npz", x=x)
    np.savez("labelled.npz", x=x, y=np.arange(4))
    yield tmp_path
    sys.modules.pop("ported", None)


@pytest.fixture
def run(capsys):
    def call(*argv):
        """(exit code, standard output on one line, lines of standard error)."""
        code = main([str(arg) for arg in argv])
        captured = capsys.readouterr()
        return code, " ".join(captured.out.split()), captured.err.splitlines()

    return call


@pytest.fixture
def arrays():
    import ported

    model = ported.model()
    made, y = {}, np.load("batch.npz")["x"]
    for layer in model.layers:
        y = layer.forward(y, training=False)
        made[layer.name] = np.array(y)
    return made


def test_ports_for_inference(run):
    code, out, _ = run("check", "--inference", "--model", "ported:right", "--json", "out.json")
    assert code == 0 and "Parity holds" in out and "Only the forward pass is checked" in out
    said = json.loads(open("out.json").read())
    assert {row["gate"] for row in said["rows"]} >= {"forward", "whole network"}
    assert "backward" not in {row["gate"] for row in said["rows"]} and said["notes"]
    code, out, _ = run("check", "--model", "ported:declared")
    assert code == 0 and "there is no backward pass (backward=None) in: conv" in out
    code, out, _ = run("check", "--inference", "--model", "ported:wrong", "--junit", "out.xml")
    assert code == 1 and "Cause: conv output" in out and "<failure" in open("out.xml").read()


def test_what_is_given_and_not_used_is_said_or_refused(run):
    code, out, _ = run("check", "--inference", "--model", "ported:right", "--input",
                       "labelled.npz")
    assert code == 0 and "The labels y in labelled.npz are not used" in out
    code, _, errors = run("check", "--inference", "--model", "ported:right", "--steps", "2")
    assert code == 2 and "no --steps with --inference" in errors[-1]


def test_debugging_a_port_for_inference(run, tmp_path):
    code, out, _ = run("debug", "--inference", "ported:wrong", "--pytest", "test_it.py")
    assert code == 1 and "Smallest case that still fails" in out and "conv" in out
    text = (tmp_path / "test_it.py").read_text()
    assert "training=False" in text
    names = {}
    exec(compile(text, "test_it.py", "exec"), names)
    with pytest.raises(AssertionError, match="further from the"):
        names["test_conv_output"]()


def test_recorded_at_inference_and_checked_without_keras(run):
    assert run("record", "--inference", "--model", "ported:right", "--input", "batch.npz",
               "--out", "golden.npz")[0] == 0
    assert run("check", "--golden", "golden.npz", "--model", "ported:right")[0] == 0
    assert run("check", "--golden", "golden.npz", "--model", "ported:wrong")[0] == 1


def test_arrays_alone(run, arrays):
    np.savez("right.npz", **arrays)
    given = "check", "--model", "ported:model", "--input", "batch.npz", "--outputs"
    code, out, _ = run(*given, "right.npz", "--html", "page.html")
    assert code == 0 and "Checking the arrays in right.npz against ported:model" in out
    assert "forward 4/4" in out
    np.savez("wrong.npz", **{**arrays, "norm": arrays["norm"] * np.float32(1.01)})
    code, out, _ = run(*given, "wrong.npz", "--json", "out.json")
    assert code == 1 and "First at gate 'forward': norm output" in out
    named = {f"t_{name}": array for name, array in arrays.items()}
    np.savez("named.npz", **named)
    pairs = [f"t_{name}={name}" for name in arrays]
    assert run(*given, "named.npz", "--map", *pairs)[0] == 0


def test_errors_are_one_line(run, arrays):
    np.savez("right.npz", **arrays)
    np.savez("more.npz", **arrays, other=arrays["conv"])
    given = "check", "--model", "ported:model", "--input", "batch.npz", "--outputs"
    for argv, said in (
            ((*given, "more.npz"), "Received: other"),
            ((*given, "none.npz"), "which is no file"),
            ((*given, "ported.py"), "cannot be read"),
            ((*given, "right.npz", "--map", "conv"), "expected NAME=LAYER"),
            ((*given, "right.npz", "--map", "no=conv"), "expected the name of an array"),
            ((*given, "right.npz", "--map", "conv=norm"), "Received: two"),
            ((*given, "right.npz", "--steps", "3"), "no --steps with --outputs"),
            ((*given, "right.npz", "--json", "right.npz"), "what --outputs names"),
            (("check", "--model", "ported:model", "--outputs", "right.npz"), "no --input"),
            (("check", "--outputs", "right.npz"), "no --model"),
            (("check", "--map", "a=b"), "--map with --outputs"),
            (("check", "--precision", "float16"), "--precision with --outputs")):
        code, _, errors = run(*argv)
        assert code == 2 and said in errors[-1], (argv, errors)
        assert sum("error:" in line for line in errors) == 1


ONE_CLASS = """
import numpy as np
import scratch
import compare


class Net:
    def __init__(self):
        self.W1, self.b1, self.W2 = np.ones((6, 5)), np.ones(5), np.ones((5, 3))

    def forward(self, x):
        self.x, self.z = x, x @ self.W1 + self.b1
        self.h = np.maximum(self.z, 0)
        return self.h @ self.W2

    def backward(self, dy):
        self.dW2, dz = self.h.T @ dy, dy @ self.W2.T * self.mask()
        self.dW1, self.db1 = self.x.T @ dz, dz.sum(0)
        return dz @ self.W1.T

    def mask(self):
        return self.z > 0


class Inverted(Net):
    def mask(self):
        return self.z <= 0


def pair(net=Net):
    scratch.set_random_seed(1)
    made = scratch.Sequential([
        scratch.Input((6,)), scratch.Dense(5, activation="relu", name="one"),
        scratch.Dense(3, use_bias=False, name="two")])
    made.compile("sgd", "mean_squared_error")
    return compare.wrap(net()), compare.twin(made)


def wrong(): return pair(Inverted)
"""


@pytest.fixture
def one_class(tmp_path):
    (tmp_path / "oneclass_ported.py").write_text(ONE_CLASS)
    sys.modules.pop("oneclass_ported", None)


def test_a_network_in_one_class_is_checked_and_debugged(one_class, capsys, tmp_path):
    assert main(["check", "--model", "oneclass_ported:pair", "--json", "said.json"]) == 0
    assert "Parity holds" in capsys.readouterr().out
    rows = json.loads((tmp_path / "said.json").read_text())["rows"]
    assert {row["gate"] for row in rows} == {"whole network", "whole numbers"}
    assert main(["debug", "--model", "oneclass_ported:wrong", "--html", "said.html"]) == 1
    said = capsys.readouterr().out
    assert "is run as a whole, and so judged" in said and "mask-inverted" in said
    assert (tmp_path / "said.html").stat().st_size
    assert main(["check", "--inference", "--model", "oneclass_ported:wrong"]) == 0
    assert main(["record", "--model", "oneclass_ported:pair", "--out", "one.npz"]) == 0
    assert main(["check", "--golden", "one.npz", "--model", "oneclass_ported:wrong"]) == 1
