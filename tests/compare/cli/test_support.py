"""`parity support`: all that a model lacks at once, a class's arguments, everything by name."""

import json
import subprocess
import sys

import pytest

from compare.cli import main
from compare.evaluation.support_matrix import of_class
from compare.evaluation.support_matrix.of_model import Verdict, of_config
from tests import patience

CODE = """
import keras
L = keras.layers

def lacking():
    base = keras.Sequential([keras.Input((14, 14, 4)), L.Conv2D(2, 3, name="c"),
                             L.Lambda(lambda t: t * 2, name="doubled")], name="base")
    i = keras.Input((16, 16, 3))
    x = L.Conv2D(4, 3, name="front")(i)
    x = L.Flatten(name="flat")(L.ReversibleEmbedding(4, 2, name="bins")(base(x)))
    model = keras.Model(i, L.Dense(3, name="end")(x))
    model.compile("sgd", "ctc", metrics=["accuracy"])
    return model

def whole():
    model = keras.Sequential([keras.Input((4,)), L.Dense(3, name="d")])
    model.compile("adam", "mse")
    return model

def joint():
    i = keras.Input((4,))
    model = keras.Model(i, [L.Dense(3, name="a")(i), L.Dense(2, name="b")(i)])
    model.compile("adam", {"a": "mse", "b": "ctc"}, metrics={"a": ["mae"], "b": ["auc"]})
    return model

@keras.saving.register_keras_serializable("mine")
class Doubling(L.Layer):
    def call(self, x):
        return 2 * x

def own():
    return keras.Sequential([keras.Input((4,)), Doubling(name="twice")])

def number():
    return 3
"""
OWN = """
import scratch
from support_models import Doubling

class Ours(scratch.layers.Layer):
    def forward(self, x, training=False):
        return 2 * x

    def backward(self, dy, wants_input_gradient=True):
        return 2 * dy

custom_objects = {"Doubling": Ours}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, keras):
    """A folder with models.py, and both of its models as files."""
    path = tmp_path_factory.mktemp("support")
    (path / "support_models.py").write_text(CODE)
    made: dict = {}
    exec(CODE, made)
    made["whole"]().save(path / "whole.keras")
    made["lacking"]().save(path / "lacking.keras")
    made["own"]().save(path / "own.keras")
    (path / "support_own.py").write_text(OWN)
    return path


@pytest.mark.parametrize("what", ["lacking.keras", "support_models:lacking"])
def test_all_that_a_model_lacks_is_told_at_once(folder, what, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["support", "--model", what, "--json", "out.json"]) == 2
    sys.modules.pop("support_models", None)
    out, err = capsys.readouterr()
    assert "4 of 6 layers are supported." in out.replace("\n", " ")
    for name in ("base.doubled", "Lambda", "bins", "ReversibleEmbedding", "ctc"):
        assert name in out
    assert "Expected one of" not in out, "no list of all that there is in each line"
    assert err.strip().splitlines()[-1].startswith(
        f"parity support: error: 3 parts of {what} are not supported")
    verdicts = json.loads((folder / "out.json").read_text())["verdicts"]
    assert [v["name"] for v in verdicts if v["reason"]] == ["base.doubled", "bins", "ctc"]
    assert [v["name"] for v in verdicts if not v["reason"]] == [
        "front", "base.c", "flat", "end", "SGD", "accuracy"]


def test_a_model_that_lacks_nothing(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["support", "--model", "whole.keras"]) == 0
    assert "1 of 1 layers are supported." in capsys.readouterr().out


def test_what_several_outputs_are_compiled_with(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["support", "--model", "support_models:joint", "--json", "joint.json"]) == 2
    sys.modules.pop("support_models", None)
    verdicts = json.loads((folder / "joint.json").read_text())["verdicts"]
    assert [v["name"] for v in verdicts if v["kind"] in ("loss", "metric")] == [
        "mse", "ctc", "mae", "auc"]
    assert [v["name"] for v in verdicts if v["reason"]] == ["ctc"]


def test_layers_of_ones_own_are_supported_where_their_counterparts_are_given(folder, capsys,
                                                                             monkeypatch):
    monkeypatch.chdir(folder)
    given = ["--model", "own.keras", "--custom-objects", "support_own.py"]
    assert main(["support", *given[:2]]) == 2
    assert main(["support", *given]) == 0
    assert "1 of 1 layers are supported." in capsys.readouterr().out
    assert main(["check", *given]) == 0
    assert "Parity holds" in capsys.readouterr().out
    for name in ("support_models", "support_own"):
        sys.modules.pop(name, None)


def test_a_graph_that_is_refused_although_its_layers_are_not_is_told():
    layer = {"class_name": "Dense", "module": "keras.layers", "registered_name": None,
             "config": {"name": "d", "units": 2}, "name": "d", "inbound_nodes": []}
    config = {"class_name": "Functional", "config": {
        "name": "m", "layers": [layer], "input_layers": [], "output_layers": []}}
    found = of_config(config)
    assert found[0] == Verdict("layer", "d", "Dense")
    assert found[-1].kind == "model" and found[-1].reason


@pytest.mark.parametrize("arguments, said", [
    (["--model", "nowhere.keras"], "nowhere.keras, which is no file"),
    (["--model", "support_models:number"], "return a Keras model. Received: int"),
    (["--model", "whole.keras", "Conv2D"], "Received both"),
    (["Con2D"], "Try Conv2D"), (["CTC"], "refused by name"), (["Qwertz"], "Run `parity support`"),
    (["--model", ""], "empty text"), (["--custom-objects", "x.py"], "with a --model")])
def test_what_cannot_be_answered_is_told_in_a_line(folder, arguments, said, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    try:
        code = main(["support", *arguments])
    except SystemExit as error:  # as argparse ends
        code = error.code
    sys.modules.pop("support_models", None)
    out, err = capsys.readouterr()
    assert code == 2 and out == ""
    assert said in err and "Traceback" not in err


def test_the_arguments_of_a_class(capsys):
    assert main(["support", "Permute", "Huber"]) == 0
    out = capsys.readouterr().out
    assert "Permute\n=======" in out and "dims" in out and "delta" in out
    rows = {row[0]: row for row in of_class.of_class("Conv2D")}
    assert rows["padding"][2] == "'valid', 'same'" and rows["filters"][1] == "required"
    assert rows["activation"][2].endswith("activations: see parity support")


def test_everything_by_name_needs_no_tensorflow():
    found = subprocess.run([sys.executable, "-c", "import sys; from compare.cli import main; "
                            "code = main(['support']); assert 'tensorflow' not in sys.modules; "
                            "sys.exit(code)"], capture_output=True, text=True,
                           timeout=patience.SECONDS)
    assert found.returncode == 0, found.stderr
    assert "Conv2D" in found.stdout and "Adam" in found.stdout and "gelu" in found.stdout
