"""Random networks over the whole vocabulary: none fails, and a planted mistake is found and shrunk.
"""

import json
import types

import numpy as np
import pytest

import scratch
from compare.checks.gate import Gate
from compare.checks.row import NOT_JUDGED, Row
from compare.cli import main
from compare.evaluation import fuzzing
from compare.evaluation.fuzzing import coverage, loss_grammar, property_checks, report, running
from compare.evaluation.fuzzing.generator import cached_goals, draw, without_refused_masks
from compare.evaluation.fuzzing.layer_grammar import LAYERS, NAMED_ACTIVATIONS
from compare.evaluation.fuzzing.low_precision import lowered
from compare.evaluation.fuzzing.shrinking import simplifications, without
from compare.evaluation.fuzzing.specification import Node, Specification, scale_weights
from compare.evaluation.fuzzing.structure import structured, with_fractions
from compare.experiments import execution
from tests.compare.support import in_this_process

SEED = 2026
NETWORKS = 36
GROUP = 3


# Keras hands convolutions in groups of channels that come first to XLA, which is there if compiled
@pytest.mark.compiled
@pytest.mark.parametrize("start", [
    # the first ones are also those of the command, below
    pytest.param(start, marks=[] if start == GROUP else pytest.mark.long)
    for start in range(0, NETWORKS, GROUP)])
def test_no_network_fails(start):
    for number in range(start, start + GROUP):
        with np.errstate(all="ignore"):
            outcome = fuzzing.judge(draw(SEED, number))
        assert outcome.passed, (f"parity fuzz --seed {SEED} --only {number}\n{outcome.gate}: "
                                f"{outcome.message}\n{report.network_text(draw(SEED, number))}")


def test_a_normalization_with_a_mask_stays_in_float32_beside_a_low_precision():
    """A share of networks is lowered; the two that follow the mask are built and run."""
    nodes = [Node("Masking", {"mask_value": 0.0}, [-1]), Node("BatchNormalization", {}, [0]),
             Node("Dense", {"units": 2}, [1])]
    masked = Specification([4, 3], nodes, None, None, seed=[0, 1])
    for seed in range(300):
        found = lowered(masked, np.random.default_rng(seed))
        if found.policy:
            policies = [layer.policy.name for layer in found.build().layers]
            assert policies[1:] == ["float32", found.policy]
            break
    else:
        pytest.fail("nothing was lowered")
    assert "dtype" not in masked.nodes[1].arguments
    assert fuzzing.judge(found).passed


@pytest.mark.parametrize("infinite", [False, True])
def test_weights_are_scaled_as_far_as_that_helps(infinite):
    layer = scratch.Dense(2)
    layer.build((None, 3))
    x = np.full((2, 3), np.inf if infinite else 1, "float32")
    layer.params["kernel"][...] = 1e38 if not infinite else 1
    with np.errstate(all="ignore"):
        scale_weights(layer, x, 0.5)
        y = layer.forward(x)
    assert infinite or np.sqrt(np.mean(np.square(y))) == pytest.approx(0.5, rel=1e-4)


def test_steps_that_a_mask_does_not_have_are_not_pooled():
    """Channels first the steps are the last axis, of 6; the mask has 4."""
    nodes = [Node("Masking", {"mask_value": 0.0}, [-1]),
             Node("GlobalAveragePooling1D", {"data_format": "channels_first"}, [0]),
             Node("Dense", {"units": 2}, [1])]
    made = without_refused_masks(Specification([4, 6], nodes, None, None, seed=[0, 1]))
    assert [node.class_name for node in made.nodes][0] == "Identity"
    made.build()


def test_everything_that_scratch_has_is_drawn_somewhere():
    assert set(LAYERS) == set(scratch.layers.LAYERS)
    assert set(loss_grammar.LOSSES) == set(scratch.losses.CLASSES)
    assert {name.lower() for name in loss_grammar.OPTIMIZERS} == set(scratch.optimizers.CLASSES)
    assert set(NAMED_ACTIVATIONS) == set(scratch.activations.ACTIVATIONS)


def test_every_goal_is_reached_by_the_network_drawn_for_it():
    goals = cached_goals(SEED)
    found = coverage.count([draw(SEED, number) for number in range(len(goals))])
    lacking = [text for text in coverage.missing(found)
               if "data_format=channels_first" not in text or not text.startswith("Conv")]
    assert not lacking


def test_a_network_depends_on_its_own_number_alone():
    alone = draw(SEED, 17).plain()
    for number in (3, 18):
        draw(SEED, number)
    assert draw(SEED, 17).plain() == alone
    again = Specification.from_plain(json.loads(json.dumps(alone)))
    for ours, theirs in zip(again.build().get_weights(), draw(SEED, 17).build().get_weights()):
        assert ours.tobytes() == theirs.tobytes()
    assert draw(SEED + 1, 17).plain() != alone


def test_the_networks_are_of_every_kind():
    found = coverage.count([draw(SEED, number) for number in range(150)])
    for what in ("dtype|float32", "dtype|float64", "kind|Sequential", "kind|functional", "loss|no",
                 "lockstep|True", "has|models inside", "has|shared models", "has|shared layers",
                 "has|operations"):
        assert found[f"network|{what}"] > 5, what


@pytest.fixture
def wrong_relu(monkeypatch):
    """A rectifier that lets a little of what is negative through."""
    monkeypatch.setattr(scratch.layers.ReLU, "forward", lambda self, x, training=False: np.where(
        x > 0, x, x * x.dtype.type(1e-3)))


def test_a_planted_mistake_is_found_and_shrunk_to_its_layer(wrong_relu):
    nodes = [Node("Conv2D", {"filters": 2, "kernel_size": 2}, [-1]),
             Node("BatchNormalization", {"epsilon": 1e-5}, [0]), Node("ReLU", {}, [1]),
             Node("Flatten", {}, [2]), Node("Dense", {"units": 3, "activation": "softmax"}, [3])]
    case = Specification([5, 4, 2], nodes, ["SparseCategoricalCrossentropy", {}],
                         ["Adam", {"learning_rate": 0.01}])
    outcome = fuzzing.judge(case)
    assert outcome.gate == "whole numbers" or outcome.gate == "forward", outcome
    small, smaller_outcome = fuzzing.shrink(case, outcome)
    assert [node.class_name for node in small.nodes] == ["ReLU"], small
    assert small.loss is None and smaller_outcome.gate == outcome.gate


def test_what_is_not_the_mistakes_is_taken_out_of_models_and_calls(wrong_relu):
    nodes = [Node("Dense", {"units": 4}, [-1]), Node("Dense", {"units": 4}, [0], again=0),
             Node("AddOperation", {"operands": [None, 0.5]}, [1]), Node("ReLU", {}, [2]),
             Node("Dense", {"units": 2}, [3])]
    case = Specification([4], nodes, None, None, inside=[[0, 4, 2], [2, 4, 1]])
    small, _ = fuzzing.shrink(case, fuzzing.judge(case))
    assert [node.class_name for node in small.nodes] == ["ReLU"] and small.inside == []


def test_models_stand_where_a_network_says_and_layers_are_called_again():
    nodes = [Node("Dense", {"units": 4}, [-1]), Node("Dense", {"units": 4}, [0], again=0),
             Node("ReLU", {}, [1]), Node("Add", {}, [2, 1]), Node("Dense", {"units": 2}, [3])]
    with pytest.raises(ValueError, match="Expected node 3 to read what there is"):
        Specification([4], nodes, None, None, inside=[[3, 4, 1]]).build()
    case = Specification([4], nodes, None, None, inside=[[0, 4, 2], [2, 4, 1]])
    names = [layer.name for layer in case.build().layers]
    assert names[:2] == ["model_0_4.dense", "model_0_4.dense (call 2)"]
    assert names[2:4] == ["model_0_4.model_2_4.re_lu", "model_0_4.model_2_4.add"]
    assert len(names) == 9 and names[4] == "model_0_4.dense (call 3)"
    again = Specification.from_plain(json.loads(json.dumps(case.plain())))
    assert [layer.name for layer in again.build().layers] == names


def test_removing_a_node_keeps_the_rest_connected():
    nodes = [Node("Dense", {"units": 4}, [-1]), Node("ReLU", {}, [0]), Node("Add", {}, [1, 0]),
             Node("Dense", {"units": 2}, [2])]
    case = Specification([4], nodes, None, None)
    smaller = without(case, 1)
    assert [node.sources for node in smaller.nodes] == [[-1], [0, 0], [1]]
    top = without(case, 3)
    assert [node.class_name for node in top.nodes] == ["Dense", "ReLU", "Add"]
    joined = without(case, 2)
    assert [node.class_name for node in joined.nodes] == ["Dense", "ReLU", "Dense"]
    assert all(simple.plain() != case.plain() for simple in simplifications(case))


def overflowing():
    """exp of the sums of large numbers, of which a loss takes the logarithm."""
    nodes = [Node("MultiplyOperation", {"operands": [None, 1000.0]}, [-1]),
             Node("Flatten", {}, [0]),
             Node("Dense", {"units": 2, "activation": "exponential"}, [1])]
    return Specification([4, 3], nodes, ["Poisson", {}], ["SGD", {"learning_rate": 0.01}])


def test_what_overflows_on_both_sides_is_not_judged_and_said(monkeypatch):
    monkeypatch.setattr(Specification, "build", unscaled(Specification.build))
    monkeypatch.setattr(execution, "run", in_this_process.run)
    outcome = fuzzing.judge(overflowing())
    assert outcome.passed and not outcome.judged
    assert "candidate: dense/exponential output" in outcome.message
    assert "reference: dense/exponential output" in outcome.message
    monkeypatch.setattr(running, "draw", lambda seed, number: overflowing())
    result = running.run(0, [0, 1], execution.Store(None, {}))
    assert result.not_judged == [0, 1] and not result.failures
    said = str(report.verdict(result))
    assert "2 of them say nothing, as both sides overflow: numbers 0, 1" in said
    assert report.as_dict(result)["not_judged"] == [0, 1]


def test_a_nan_of_one_side_is_a_failure(monkeypatch):
    def spoiled(self, x, training=False):
        y = right(self, x, training)
        y[0, 0] = np.nan
        return y

    right = scratch.layers.Flatten.forward
    monkeypatch.setattr(scratch.layers.Flatten, "forward", spoiled)
    assert not fuzzing.judge(Specification([4, 3], overflowing().nodes[1:2], None, None)).passed
    monkeypatch.setattr(Specification, "build", unscaled(Specification.build))
    assert not fuzzing.judge(overflowing()).passed


def unscaled(build):
    """Weights of one, so that what comes out is not of a usual size."""
    def built(self):
        model = build(self)
        model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
        return model

    return built


def test_keras_can_run_what_stands_behind_whole_numbers():
    """An operation and a layer, of which Keras has no kernels for int32."""
    whole = {"bin_boundaries": [0.0], "output_mode": "int"}
    for later in (Node("Softmax", {}, [0]), Node("Conv1D", {"filters": 2, "kernel_size": 2}, [0])):
        plain = Specification([5, 3], [Node("Discretization", whole, [-1]), later,
                                       Node("Dense", {"units": 2}, [1])], None, None)
        assert fuzzing.judge(plain).gate is not None
        assert fuzzing.judge(with_fractions(plain)).passed
    plain.nodes[1] = Node("Dense", {"units": 4}, [0])
    assert with_fractions(plain).plain() == plain.plain()
    for seed in range(200):
        made = structured(plain, np.random.default_rng(seed))
        assert not [node for node in made.nodes if node.class_name.endswith("Operation")
                    and len(node.sources) == 1
                    and made.nodes[node.sources[0]].class_name == "Discretization"]


def test_an_exception_is_a_failure_and_not_a_crash(monkeypatch):
    def broken(self, x, training=False):
        raise ZeroDivisionError("what a layer of one's own may do")

    monkeypatch.setattr(scratch.layers.Dense, "forward", broken)
    outcome = fuzzing.judge(Specification([3], [Node("Dense", {"units": 2}, [-1])], None, None))
    assert outcome.gate == "ZeroDivisionError" and "one's own" in outcome.message


@pytest.mark.long
@pytest.mark.compiled
def test_the_command_prints_the_coverage_and_keeps_what_failed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(execution, "run", in_this_process.run)
    code = main(["fuzz", "--seed", str(SEED), "--count", "3", "--json", str(tmp_path / "f.json"),
                 "--format", "github"])
    out = capsys.readouterr().out
    assert code == 0 and "3 random networks" in out and "| Conv2D" in out
    record = json.loads((tmp_path / "f.json").read_text())
    assert record["passed"] and record["networks"] == 3 and record["failures"] == []


def test_the_command_tells_of_a_failure(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(execution, "run", in_this_process.run)
    monkeypatch.setattr(scratch.layers.Dense, "affine_backward", lambda self, dz, wanted: None)
    number = next(n for n in range(50) if draw(SEED, n).loss)
    code = main(["fuzz", "--seed", str(SEED), "--only", str(number), "--keep", str(tmp_path),
                 "--no-shrink"])
    out = capsys.readouterr().out
    assert code == 1 and f"parity fuzz --seed {SEED} --only {number}" in out
    compile((tmp_path / f"network_{number}.py").read_text(), "kept", "exec")


@pytest.mark.parametrize("options", [["--count", "0"], ["--resume"], ["--backend", "dask"]])
def test_bad_options(options, capsys):
    assert main(["fuzz", *options]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1



@pytest.mark.parametrize("note, nothing", [
    ("candidate: 224 NaN, reference: 224 NaN", True), ("candidate: 1 NaN", False),
    (f"{NOT_JUDGED} 4 of 48 numbers", False)])
def test_a_step_that_is_nan_on_both_sides_says_nothing(note, nothing):
    """As Adafactor's where all gradients of a kernel are so small that their squares are 0."""
    right = Row(Gate.FORWARD, "dense", "output", passed=True)
    row = Row(Gate.UPDATE, "dense", "kernel", passed=True, unjudged=4, note=note)
    report = types.SimpleNamespace(rows=[right, row], nonfinite=[])
    assert property_checks.overflows(report) is nothing
