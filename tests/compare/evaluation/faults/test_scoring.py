"""A sample of the faults, put in and checked: noticed, in the right place, under the right name."""

from dataclasses import replace

import numpy as np
import pytest

from compare.checks.row import Row
from compare.evaluation.faults import (
    baseline_rules,
    baselines,
    catalogue,
    false_alarms,
    running,
    scoring,
    tables,
)
from compare.evaluation.faults.catalogue import by_identifier
from compare.evaluation.faults.fault import LOSS, OPTIMIZER, TRAINING, Place, Variant
from compare.evaluation.faults.injection import patched

SAMPLE = (
    "conv2d-kernel-flipped", "conv2d-input-modified", "conv2d-dk-accumulated", "conv2d-state-leak",
    "conv1d-causal-as-same", "depthwise-conv2d-dx-kernel-flipped", "conv2d-transpose-overwritten",
    "separable-conv2d-depthwise-gradient-flipped", "dense-scaled-1e-9", "max-pooling2d-ties-last",
    "average-pooling2d-padding-counted", "flatten-dx-by-channel", "activation-relu6-as-relu",
    "batch-normalization-momentum-swapped", "batch-normalization-batch-at-inference",
    "dropout-rate-swapped", "relu-dx-passes-at-zero", "softmax-dx-no-jacobian", "add-second-lost",
    "loss-gradient-sum", "penalty-gradient-halved", "optimizer-adam-epsilon-1e-8",
    "training-update-one-late", "keras-dense-transposed", "keras-loss-doubled",
    "keras-optimizer-rate", "keras-model-call-clips-inputs", "pair-doubled-then-halved",
    "pair-conv2d-flipped-both-ways", "pair-labels-and-rate")


@pytest.fixture(scope="module")
def cases(keras):
    return scoring.Cases()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("identifier", SAMPLE)
def test_a_fault_is_noticed_and_placed(identifier, cases):
    fault = by_identifier()[identifier]
    score = scoring.score(fault, cases, diagnose=False)
    assert score.detected and score.placed and score.tensor, score
    if fault.cancels:
        broken = cases[fault.network].broken(fault)
        right = cases[fault.network].model
        x = broken.x
        assert np.allclose(broken.model.forward(x), right.forward(x), rtol=1e-4, atol=1e-6), \
            "the output does not show it"
    assert cases[fault.network].check(), "the clean network passes"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("identifier, cause", [
    ("conv2d-kernel-flipped", "kernel-flipped"), ("dense-db-missing", "bias-missing"),
    ("keras-conv2d-scaled", "scale"), ("conv2d-input-modified", "input-modified"),
    ("moments-batch-moving-first-replaces", "moving-statistics"),
    ("loop-not-shuffled", "batch-order"), ("keras-model-softmax-unshifted", "nan"),
    ("mixed-statistics-in-half", "low-precision")])
def test_its_cause_is_named(identifier, cause, cases):
    score = scoring.score(by_identifier()[identifier], cases)
    assert score.placed and score.named and score.first and score.found[0] == cause, score


def test_a_fault_of_keras_is_not_the_candidates(cases):
    fault = by_identifier()["keras-conv2d-flipped"]
    report = cases[fault.network].broken(fault).check()
    assert {row.off for row in report.rows if not row.passed and not row.downstream} == {
        "reference"}
    assert scoring.placed(fault, report)
    other = by_identifier()["conv2d-kernel-flipped"]
    assert not scoring.placed(other, report), "the layer is right, the side is not"


def test_where_a_row_belongs():
    def row(gate, layer, tensor):
        return Row(gate, layer, tensor, passed=False)

    assert scoring.spot(row("backward", "dense/softmax", "input_gradient")) == "dense"
    assert scoring.spot(row("update", "dense", "kernel")) == OPTIMIZER
    assert scoring.spot(row("update", "norm", "moving_mean")) == "norm"
    assert scoring.spot(row("loss", "loss", "value")) == LOSS
    assert scoring.spot(row("lockstep", "all layers", "weights")) == TRAINING
    assert scoring.at(row("update", "dense", "bias"), Place(OPTIMIZER, "", "scale"))
    assert not scoring.at(row("forward", "dense", "output"), Place("dense", "kernel", "scale"))


def test_other_rules_on_a_fault_and_without_it(cases):
    fault = by_identifier()["conv2d-output-negated"]
    case = cases[fault.network]
    with_it = baselines.verdicts(fault.network, case.broken(fault), fault)
    assert set(with_it) == set(baseline_rules.NAMES)
    assert all(with_it[name] for name in baseline_rules.NAMES if name != baseline_rules.PREDECESSOR)
    without = baselines.verdicts(fault.network, case)
    assert not without["cosine below 0.99"] and not without["finite differences 0.01"]
    at_ties = by_identifier()["max-pooling2d-ties-last"]
    case = cases[at_ties.network]
    assert (baselines.verdicts(at_ties.network, case.broken(at_ties), at_ties)
            == baselines.verdicts(at_ties.network, case)), "real numbers have no ties"


@pytest.mark.parametrize("identifier", ["textbook-dense-bias-behind", "textbook-dense-dk-unsloped",
                                        "inference-tanh-missing"])
def test_other_rules_judge_a_layer_whose_own_forward_is_not_taken_apart(identifier, cases):
    fault = by_identifier()[identifier]
    with_it = baselines.verdicts(fault.network, cases[fault.network].broken(fault), fault)
    assert set(with_it) == set(baseline_rules.NAMES)
    if identifier != "inference-tanh-missing":
        assert with_it["cosine below 0.99"]


def test_a_clean_network_raises_no_alarm(keras):
    judged = false_alarms.judged(0, 3)
    assert not judged.alarm and set(judged.rivals) == set(baseline_rules.NAMES)


def result(**changed):
    named = {"named": True, "first": True, "found": ["scale"]}
    scores = [scoring.Score("dense-scaled-1e-3", "Dense", True, True, True, **named,
                            rivals=dict.fromkeys(baseline_rules.NAMES, True),
                            by_chance=dict.fromkeys(baseline_rules.NAMES, False)),
              scoring.Score("conv2d-bias-missing", "Conv2D", True, True, True, **named,
                            rivals=dict.fromkeys(baseline_rules.NAMES, True),
                            by_chance=dict.fromkeys(baseline_rules.NAMES, True))]
    for name, value in changed.items():
        setattr(scores[1], name, value)
    clean = [false_alarms.Clean(i, "", dict.fromkeys(baseline_rules.NAMES, alarm))
             for i, alarm in enumerate((True, False))]
    return running.Result(scores, clean, seed=5)


def test_the_tables_count_what_is_right():
    text = tables.render(result(), "github")
    everything = next(row for row in text.splitlines() if row.startswith("| all "))
    assert [cell.strip() for cell in everything.split("|")[2:-1]] == ["2"] * 6
    assert "Not detected" not in text and "2 of 2 (100 %) faults detected" in text
    line = next(row for row in text.splitlines() if row.startswith("| numpy.allclose"))
    assert [cell.strip() for cell in line.split("|")[2:5]] == [
        "2 (100.0 %)", "1 (50.0 %)", "1 (50.0 %)"]
    assert "faults noticed (of 2)" in text and "false alarms (of 2)" in text
    assert result()


@pytest.mark.parametrize("changed, title", [
    ({"detected": False, "placed": False, "tensor": False}, "Not detected"),
    ({"placed": False, "tensor": False}, "Not placed in the right layer"),
    ({"tensor": False}, "Not placed in the right tensor"),
    ({"named": False, "first": False}, "Cause not named"), ({"first": False}, "named first")])
def test_what_is_missed_is_listed(changed, title):
    text = tables.render(result(**changed))
    assert title in text and "conv2d-bias-missing: expected conv2d output bias-missing" in text
    assert bool(result(**changed)) == changed.get("detected", True)


def test_a_false_alarm_is_told():
    alarmed = result()
    alarmed.clean[1].alarm = "forward: dense output: off"
    text = tables.render(alarmed)
    assert "False alarms: 1 on 2 clean networks of seed 5." in text
    assert "network 1: forward: dense output: off" in text and not alarmed


def test_an_error_is_no_verdict(cases):
    """Neither the fault is noticed nor do the faults behind it go unscored."""
    right = by_identifier()["dense-bias-missing"]

    fault = replace(right, inject=lambda model: setattr(model, "layers", None))
    score = scoring.score(fault, cases)
    assert not (score.detected or score.placed or score.named) and "raised" in score.where


def test_variants_are_clean_cases_of_their_own():
    alarmed = result()
    alarmed.variants = [false_alarms.Clean(0, "", variant="right-a"),
                        false_alarms.Clean(1, "forward: off", variant="right-b")]
    text = tables.render(alarmed)
    assert "False alarms: 1 on 2 right variants." in text and "right-b: forward: off" in text
    assert ("0 false alarms on 2 clean networks; 1 false alarms on 2 right variants"
            in " ".join(text.split()))
    assert not alarmed and tables.as_dict(alarmed)["variants"][1]["variant"] == "right-b"


def test_a_right_variant_is_put_in_and_judged(cases):
    every = {variant.identifier: variant for variant in catalogue.variants()}
    judged = false_alarms.judged_variant(every["right-dense-einsum"], 3, cases)
    assert (judged.number, judged.variant, judged.alarm) == (3, "right-dense-einsum", "")
    broken = Variant("right-no", "f", "doubled", every["right-dense-einsum"].network,
                     lambda model: patched(model.get_layer("dense"),
                                           affine=lambda self, right, x: 2 * right(x)))
    assert "dense output" in false_alarms.judged_variant(broken, 0, cases).alarm
    assert cases[broken.network].check(), "the clean network stays as it was"
