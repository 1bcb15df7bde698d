"""What is known of a kind of layer stands with its oracle: all of it, right, and nowhere else."""

import ast
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import compare
import scratch
from compare.checks.nonfinite import first_nonfinite
from compare.evaluation.fuzzing.layer_grammar import LAYERS as GRAMMAR
from compare.oracle.base import Oracle, judges
from compare.oracle.layers.piecewise import choose
from compare.oracle.registry import ACTIVATIONS, LAYERS, known_oracle, oracle_for
from compare.reduction.minimize import minimize
from scratch.layers import LAYERS as CLASSES
from scratch.layers.conv_lstm import ConvLSTM
from scratch.layers.one_output import OneOutput
from scratch.operations import OPERATIONS
from tests.scratch.support.activation_oracles import KINKS

# Where classes of layers may stand side by side: what judges them, what is drawn, the faults
# (each made in certain layers), the declared deviations of Keras (each of certain layers).
ALLOWED = ("oracle/", "evaluation/fuzzing/layer_grammar.py",
           "evaluation/fuzzing/changing_shapes.py", "evaluation/faults/",
           "evaluation/deviations/",
           "adapters/pytorch/kinds.py", "adapters/pytorch/dropping.py",
           "runtimes/kinds.py",  # what other frameworks call them
           "experiments/performance/layer_kinds.py",  # which are measured
           "experiments/performance/competitors/torch_loop.py")
WINDOWS = {"kernel_size": (3, 2, 4), "pool_size": (3, 2, 4)}


def tables(source: str) -> list[int]:
    """Lines with a dictionary, a tuple, a list or a set that names two or more layers' classes."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Dict, ast.Tuple, ast.List, ast.Set)):
            named = {each.value for each in ast.walk(node)
                     if isinstance(each, ast.Constant) and isinstance(each.value, str)
                     and each.value in CLASSES}
            found += [node.lineno] * (len(named) > 1)
    return found


def test_tables_are_seen():
    source = ('a = {"Conv2D": 1, "Dense": 2}\nb = ("ReLU", "x", "ELU")\nc = {"Conv2D": "Dense"}\n'
              'd = ("Dense", "dense")\ne = k == "Dense"\n'
              'f = dict.fromkeys(["Add", "Average"])\ng = {"Dense"}\n')
    assert tables(source) == [1, 2, 3, 6]


def test_no_table_of_layers_stands_elsewhere():
    folder = Path(compare.__file__).parent
    found = defaultdict(list)
    for path in folder.rglob("*.py"):
        name = path.relative_to(folder).as_posix()
        if not name.startswith(ALLOWED):
            found[name] += tables(path.read_text(encoding="utf-8"))
    assert len(found) > 100
    assert not any(found.values()), {name: lines for name, lines in found.items() if lines}


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"InputLayer"}))
def test_every_layer_has_an_oracle_and_an_entry_of_the_grammar(name):
    assert name in GRAMMAR
    assert name in LAYERS or name == "Activation", "which has those of the activations"


def test_a_name_has_one_oracle():
    with pytest.raises(ValueError, match="one oracle for Dense. Received: Dense and Another"):
        @judges("Dense")
        class Another(Oracle):
            pass


def test_what_keras_alone_has_is_not_known():
    assert known_oracle("STFTSpectrogram", {"name": "waves"}) is None
    assert known_oracle("Dense", {"activation": "tanh", "use_bias": True}, "tanh").operation == (
        "tanh(x)")


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_an_oracle_knows_its_layer(name):
    oracle, layer = LAYERS[name], {**CLASSES, **OPERATIONS, "OneOutput": OneOutput}[name]
    assert oracle.merges == layer.merges
    assert not (oracle.mixes_samples and layer.sample_by_sample)
    assert oracle.operation or name == "ActivityRegularization"
    if oracle.window:
        rank = layer.rank
        made = layer(**{argument: 2 for argument in oracle.outputs},
                     **{oracle.window: WINDOWS[oracle.window][:rank]})
        assert made.get_config()[oracle.window] == WINDOWS[oracle.window][:rank]
        assert oracle.paddings == getattr(layer, "paddings", oracle.paddings)


@pytest.mark.parametrize("name", sorted(name for name in LAYERS if LAYERS[name].outputs))
def test_arguments_that_say_how_much_comes_out_do(name):
    steps = (3,) if issubclass(CLASSES[name], ConvLSTM) else ()
    shape = (None, *steps, *(4, 6, 5)[-getattr(CLASSES[name], "rank", 1):], 2)
    window = {"kernel_size": 3} if LAYERS[name].window or steps else {}
    for argument in LAYERS[name].outputs:
        sizes = []
        for number in (2, 3):
            layer = CLASSES[name](**{**dict.fromkeys(LAYERS[name].outputs, 2), argument: number},
                                  **window)
            layer.build(shape)
            sizes.append((layer.output_shape, [w.shape for w in layer.params.values()]))
        assert sizes[0] != sizes[1], argument


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_kinks_are_where_the_formula_changes(name):
    """softsign's slope turns a corner at 0, but what is done on either side is one formula."""
    known = sorted(at for kinked, at in KINKS if kinked == name and name != "softsign")
    assert list(ACTIVATIONS[name]({}).kinks) == known


@pytest.mark.parametrize("config, kinks, blocks", [
    ({}, [0], True), ({"max_value": 6.0}, [0, 6], True), ({"negative_slope": 0.5}, [0], False),
    ({"threshold": 0.3, "max_value": 2.0}, [np.float32(0.3), 2], True)])
def test_kinks_of_a_rectifier_are_those_of_its_settings(config, kinks, blocks):
    oracle = oracle_for("ReLU", config)
    assert (list(oracle.kinks), oracle.blocks) == (kinks, blocks)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_masks_have_slopes_that_are_0_or_one_number(name):
    activation = scratch.activations.get(name)
    x = np.linspace(-8, 8, 1601)[:, None] + 0.0017
    y = activation.function(x)
    slopes = np.unique(np.round(activation.gradient(np.ones_like(x), x, y), 6))
    a_mask = 1 < len(slopes) <= 2  # leaky_relu's is no zero, but decided by the sign as well
    softmaxes = name.endswith("softmax")
    assert ACTIVATIONS[name].masks == (a_mask and not softmaxes), slopes


class Lifted(scratch.layers.Layer):
    """max(x, 0) + 2 x: a kind of layer that is nowhere named."""

    def forward(self, x, training=False):
        self.x = x
        return np.maximum(x, 0) + 2 * x

    def backward(self, dy, wants_input_gradient=True):
        return np.where(self.x > 0, 3 * dy, 2 * dy)


class Wrong(Lifted):
    """It forgets what lies below 0."""

    def backward(self, dy, wants_input_gradient=True):
        return np.where(self.x > 0, 3 * dy, 0)


class OfLifted(Oracle):
    """The same with bounds."""

    operation, kinks = "max(x, 0) + 2 x", (0,)

    def forward(self, x, weights):
        self.x = x
        return choose(x, [0], [lambda x: x * 2, 0, lambda x: x * 3])

    def backward(self, dy):
        return choose(self.x, [0], [*[lambda x: dy * 2] * 2, lambda x: dy * 3]), {}


def test_a_new_kind_needs_its_class_and_its_oracle_alone(monkeypatch):
    monkeypatch.setitem(CLASSES, "Lifted", Lifted)
    monkeypatch.setitem(LAYERS, "Lifted", OfLifted)

    def model(cls):
        scratch.set_random_seed(0)
        network = scratch.Sequential([scratch.Input((5,)), cls(name="lifted"),
                                      scratch.Dense(3, name="dense")])
        network.compile("sgd", "mse")
        return network

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4, 5)), rng.standard_normal((4, 3))
    assert compare.check(model(Lifted), model(Lifted), x, y)
    report = compare.check(model(Wrong), model(Lifted), x, y)
    row = report.first_failure
    assert (row.gate, row.layer, row.tensor) == ("whole numbers", "lifted", "input_gradient")
    assert report.cause.layer == "lifted"
    smallest = minimize(model(Wrong), compare.record(model(Lifted), x, y), row)
    assert smallest.case.size <= 2 and smallest.layer == "lifted"
    hidden = compare.check(model(Lifted), model(Lifted), abs(x) + 1, y).blind
    assert any("lifted: every input is positive" in spot for spot in hidden)
    x[1, 2] = 3e38
    with np.errstate(all="ignore"):
        broken = compare.record(model(Lifted), x.astype("float32"), y)
    assert first_nonfinite(broken).endswith("from finite numbers: max(x, 0) + 2 x.")
