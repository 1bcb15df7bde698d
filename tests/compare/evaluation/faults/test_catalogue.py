"""The catalogue of faults is well formed: enough of them, distinct, described, really faults."""

import collections
import copy

import numpy as np
import pytest

import compare
import scratch
from compare.diagnosis import CATALOGUE
from compare.evaluation.faults import accuracy_table
from compare.evaluation.faults.accuracy_impact import for_digits
from compare.evaluation.faults.catalogue import by_identifier, chosen, faults
from compare.evaluation.faults.fault import LOSS, OPTIMIZER, TRAINING, UNKNOWN
from compare.evaluation.fuzzing.specification import batch_of, sample_weights_of, targets_of

EVERY = list(faults())
SINGLES = [fault for fault in EVERY if not fault.is_pair]
PAIRS = [fault for fault in EVERY if fault.is_pair]
PHASES = {"forward", "input gradient", "weight gradient", "moving statistics", "inference", "loss",
          "update", "training", "two"}
# whose batch holds no number beyond one kink, or between two
BETWEEN_KINKS = ("activation-relu6-as-relu", "relu-threshold-ignored")
PLACES = (LOSS, OPTIMIZER, TRAINING)


def test_there_are_enough_and_all_are_distinct():
    assert len(SINGLES) >= 120 and len(PAIRS) >= 30
    assert len(by_identifier()) == len(EVERY), "each identifier once"
    assert len({(fault.sentence, fault.identifier.split("-")[0]) for fault in SINGLES}) > 300
    assert sum(fault.cancels for fault in PAIRS) >= 8
    assert sum(fault.side == "reference" for fault in EVERY) >= 15


def test_every_kind_of_layer_every_phase_loss_and_optimizer_has_some():
    kinds = {node.class_name for fault in SINGLES for node in fault.network.nodes
             if node.arguments["name"] in {place.layer for place in fault.places}}
    assert kinds >= {"Conv1D", "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose",
                     "Dense", "MaxPooling1D", "MaxPooling2D", "AveragePooling1D",
                     "AveragePooling2D", "GlobalMaxPooling2D", "GlobalAveragePooling2D", "Flatten",
                     "Reshape", "Permute", "ZeroPadding2D", "Cropping2D", "UpSampling2D",
                     "BatchNormalization", "LayerNormalization", "Dropout", "GaussianNoise",
                     "ReLU", "LeakyReLU", "PReLU", "ELU", "Activation", "Softmax", "Add",
                     "Average", "Subtract", "Multiply", "Maximum", "Minimum", "Concatenate"}
    assert {fault.phase for fault in EVERY} == PHASES
    assert {fault.network.loss[0] for fault in SINGLES if fault.phase == "loss"} >= {
        "SparseCategoricalCrossentropy", "CategoricalCrossentropy", "BinaryCrossentropy",
        "MeanSquaredError", "MeanAbsoluteError", "Huber", "KLDivergence"}
    assert {fault.network.optimizer[0] for fault in SINGLES if fault.phase == "update"} == {
        "SGD", "Adam", "AdamW", "RMSprop", "Adagrad"}


@pytest.mark.parametrize("fault", EVERY, ids=lambda fault: fault.identifier)
def test_a_fault_is_described(fault):
    assert fault.identifier == fault.identifier.lower() and " " not in fault.identifier
    assert fault.sentence and not fault.sentence.endswith(".") and "\n" not in fault.sentence
    assert 3 <= fault.network.batch <= 5 and len(set(fault.network.input_shape)) == len(
        fault.network.input_shape), "no two sizes alike"
    names = {node.arguments["name"] for node in fault.network.nodes}
    for place in fault.places:
        assert place.layer in (*names, *PLACES)
        for cause in place.causes:
            assert cause in CATALOGUE or cause == UNKNOWN, cause


def test_faults_are_chosen_by_identifier_or_part_of_it():
    assert [fault.identifier for fault in chosen(["conv2d-bias-missing"])] == [
        "conv2d-bias-missing"], "the whole identifier before parts of others"
    assert {fault.identifier for fault in chosen(["permute-", "keras-relu"])} == {
        "permute-inverse", "permute-dx-same-order", "keras-relu-leaks",
        "keras-relu-dx-everywhere"}
    assert len(chosen(None)) == len(EVERY)
    with pytest.raises(ValueError, match="Expected a fault's identifier.*Received: 'no-such'"):
        chosen(["no-such"])


class Clean:
    """Clean networks with what they compute, each made once."""

    def __init__(self):
        self.made = {}

    def __call__(self, network):
        key = str(network.plain())
        if key not in self.made:
            model = network.build()
            self.made[key] = model, *self.results(model, network)
        return self.made[key]

    @staticmethod
    def results(model, network):
        """(a trace on the network's batch, weights after three steps, what noise is drawn)."""
        scratch.set_random_seed(3)  # layers that draw numbers draw the same ones each time
        x = batch_of(network)
        output = (network.batch, *model.output_shape[1:])
        y = targets_of(network, output)
        weight = sample_weights_of(network, output)
        trace = compare.record(model, x, y, sample_weight=weight,
                               noise=compare.parity.drawn(model, x))
        trained = copy.deepcopy(model)
        for _ in range(3):
            trained.train_step(x, y, **({} if weight is None else {"sample_weight": weight}))
        noise = [layer.noise for layer in trained.layers if layer.noise is not None]
        return trace, trained.get_weights(), noise


@pytest.fixture(scope="module")
def clean():
    return Clean()


def same(a, b):
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("fault", [f for f in EVERY if f.side == "candidate"],
                         ids=lambda fault: fault.identifier)
def test_a_fault_changes_something_in_its_own_network_alone(fault, clean):
    """What is checked in the end is found by `compare.check`; here only that something is off, at
    ties perhaps, which take whole numbers to show."""
    model, trace, weights, noise = clean(fault.network)
    before = model.get_weights()
    broken = copy.deepcopy(model)
    fault.inject(broken)
    with np.errstate(all="ignore"):
        wrong_trace, wrong_weights, wrong_noise = Clean.results(broken, fault.network)
    tensors, wrong = trace.tensors(), wrong_trace.tensors()
    changed = (not same(weights, wrong_weights) or not same(noise, wrong_noise)
               or any(not np.array_equal(array, wrong[name], equal_nan=True)
                      for name, array in tensors.items()) or trace.loss != wrong_trace.loss)
    assert changed or "ties" in fault.identifier or "at-zero" in fault.identifier or (
        fault.identifier in BETWEEN_KINKS), "only special numbers show it"
    assert same(before, model.get_weights()), "the clean network stays as it was"
    again = Clean.results(model, fault.network)[0].tensors()
    assert all(np.array_equal(array, again[name], equal_nan=True)
               for name, array in tensors.items())


def test_what_was_measured_is_in_the_catalogue_and_is_a_share():
    every = by_identifier()
    for identifier, (with_it, without) in accuracy_table.ACCURACY.items():
        assert for_digits(every[identifier].network) is not None
        assert 0 <= with_it <= 1 and 0.8 < without <= 1
        assert every[identifier].learns is (with_it >= without - accuracy_table.CLOSE)
    counted = collections.Counter(fault.learns for fault in EVERY)
    assert counted[True] >= 30 and counted[False] >= 10 and counted[None] >= 1


def test_unknown_is_right_only_where_the_diagnosis_has_no_name():
    for fault in EVERY:
        for place in fault.places:
            assert UNKNOWN not in place.also, fault.identifier
    assert sum(place.cause == UNKNOWN for fault in EVERY for place in fault.places) < 20
