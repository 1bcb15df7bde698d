"""The catalogue of faults is well formed: enough of them, distinct, described, really faults."""

import collections
import copy

import numpy as np
import pytest

from compare.diagnosis import CATALOGUE
from compare.evaluation.faults import accuracy_table
from compare.evaluation.faults.accuracy_impact import for_digits
from compare.evaluation.faults.catalogue import by_identifier, chosen, faults
from compare.evaluation.faults.families import (
    buffers,
    clipping_limits,
    inference_only,
    keras_models,
    later_updates,
    loss_formulas,
    low_precision,
    moments,
    noise_patterns,
    optimizer_rules,
    rate_schedules,
    textbook_layers,
    ties_and_ends,
    training_loop,
)
from compare.evaluation.faults.fault import LOSS, OPTIMIZER, TRAINING, UNKNOWN
from compare.evaluation.fuzzing.specification import batch_of, targets_of
from compare.inputs import twins
from scratch import optimizers
from tests.compare.support.fault_effects import effects, same

EVERY = list(faults())
SINGLES = [fault for fault in EVERY if not fault.is_pair]
PAIRS = [fault for fault in EVERY if fault.is_pair]
PHASES = {"forward", "input gradient", "weight gradient", "moving statistics", "inference", "loss",
          "update", "training", "two"}
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
                     "Average", "Subtract", "Multiply", "Maximum", "Minimum", "Concatenate",
                     "Conv3D", "Conv1DTranspose", "Conv3DTranspose", "DepthwiseConv1D",
                     "SeparableConv1D", "MaxPooling3D", "AveragePooling3D", "ZeroPadding3D",
                     "Cropping3D", "UpSampling3D"}
    assert {fault.phase for fault in EVERY} == PHASES
    assert {fault.network.loss[0] for fault in SINGLES if fault.phase == "loss"} >= {
        "SparseCategoricalCrossentropy", "CategoricalCrossentropy", "BinaryCrossentropy",
        "MeanSquaredError", "MeanAbsoluteError", "Huber", "KLDivergence"}
    assert {fault.network.optimizer[0] for fault in SINGLES if fault.phase == "update"} == {
        *(cls.__name__ for cls in optimizers.CLASSES.values()), "LossScaleOptimizer"}


@pytest.mark.parametrize("fault", EVERY, ids=lambda fault: fault.identifier)
def test_a_fault_is_described(fault):
    assert fault.identifier == fault.identifier.lower() and " " not in fault.identifier
    assert fault.sentence and not fault.sentence.endswith(".") and "\n" not in fault.sentence
    assert 3 <= fault.network.batch <= 5 and len(set(fault.network.input_shape)) == len(
        fault.network.input_shape), "no two sizes alike"
    names = {node.arguments["name"] for node in fault.network.nodes}
    if not fault.network.is_stack:  # layers inside models go by their paths
        names |= {layer.name for layer in fault.network.build().layers}
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


@pytest.fixture(scope="module")
def clean():
    """Clean networks with what they compute, each made once."""
    made = {}

    def of(network):
        key = str(network.plain())
        if key not in made:
            model = network.build()
            made[key] = model, effects(model, network)
        return made[key]

    return of


@pytest.mark.sampled(8, of=lambda case: case["fault"].family)
@pytest.mark.parametrize("fault", [f for f in EVERY if f.side == "candidate"],
                         ids=lambda fault: fault.identifier)
def test_a_fault_changes_something_in_its_own_network_alone(fault, clean):
    """Whether `compare.check` finds it is another question; here only that something is off, at
    ties, for large numbers or at a late step perhaps."""
    model, right = clean(fault.network)
    before = model.get_weights()
    broken = copy.deepcopy(model)
    fault.inject(broken)
    assert not same(right, effects(broken, fault.network))
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
    assert same(right, effects(model, fault.network)), "the clean network stays as it was"


@pytest.mark.sampled(4)
@pytest.mark.parametrize("fault", [f for f in EVERY if f.family == "Keras models"],
                         ids=lambda fault: fault.identifier)
def test_a_fault_of_a_keras_model_changes_something(fault, keras):
    network = fault.network
    model = network.build()
    clean, broken = (twins.twins(copy.deepcopy(model))[1] for _ in range(2))
    fault.inject(broken)
    x = batch_of(network)
    y = targets_of(network, (network.batch, *model.output_shape[1:]))

    def results(twin):
        keras.utils.set_random_seed(0)
        found = [twin.predict(x, verbose=0), twin.predict(100 * x, verbose=0),
                 np.asarray(twin.test_on_batch(x, y))]
        for _ in range(3):
            found.append(np.asarray(twin.train_on_batch(x, y)))
        return [*found, *twin.get_weights()]

    assert not same(results(clean), results(broken))


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
    assert sum(place.cause == UNKNOWN for fault in EVERY for place in fault.places) < 80


def test_there_are_many_from_what_people_do_wrong():
    new = [fault for family in (
        buffers, clipping_limits, inference_only, keras_models, later_updates, loss_formulas,
        low_precision, moments, noise_patterns, optimizer_rules, rate_schedules, textbook_layers,
        ties_and_ends, training_loop) for fault in family.faults()]
    assert len(new) >= 300 and {fault.identifier for fault in new} <= set(by_identifier())
