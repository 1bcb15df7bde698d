"""What goes wrong between layers that are right by themselves, when the whole network runs."""

import copy
from typing import Any

import numpy as np

from compare.checks import counted_metrics
from compare.checks.dataflow import Watched, watching
from compare.checks.epochs import EVALUATE, FIT
from compare.checks.row import Row
from compare.diagnosis.epoch_causes import cause_of_epoch
from compare.diagnosis.finding import Cause
from compare.oracle.network import CARRIED
from compare.tracing import execution
from compare.tracing.carried_states import stateful_layers
from compare.tracing.layer_error import RAISED
from compare.tracing.trace import Trace, layer_parts
from scratch.losses import JointLoss
from scratch.several import Several, each


def cause_between_layers(row: Row, model: Any, reference: Trace) -> Cause | None:
    """The cause of a row of the gate 'whole network', None if it is none of those known here.

    Args:
        model: the candidate, compiled if the trace has labels.
        reference: the trace that it was held against.
    """
    if row.tensor.startswith(CARRIED):
        return _of_carried(model, reference)
    if reference.y is None or getattr(model, "loss", None) is None:
        return None
    if row.tensor in (FIT, EVALUATE) or row.tensor.startswith(counted_metrics.EVALUATE):
        return cause_of_epoch(row, model, reference)
    copied = copy.deepcopy(model)
    try:
        for layer, positions in zip(copied.layers, layer_parts(reference)):
            layer.give_noise(reference.parts[positions[0]].noise)
        with watching(copied) as watched:
            _, output, _ = copied.loss_and_gradients(
                reference.x, reference.y, **execution.weighted(reference.sample_weight))
        if row.tensor == "gradient wiring":
            return _of_a_fork(row, copied, watched)
        if row.tensor == "wiring":
            return _of_inputs(row, watched, reference)
        if row.layer == "network" and row.tensor.startswith("output_"):
            return _of_outputs(reference, output)
        if row.tensor == "output" and reference.inference is not None:
            return _of_inference(copied, reference, output)
    except RAISED:  # somebody's own layer may raise anything
        return None
    titles = [reference.parts[first].layer for first, *_ in layer_parts(reference)]
    gradients = {(title, f"{name}_gradient"): gradient
                 for title, layer in zip(titles, copied.layers) if layer.tied_to is None
                 for name, gradient in layer.grads.items()}
    gradient = gradients.get((row.layer, row.tensor))
    if gradient is not None and not np.any(gradient):
        return Cause("gradient-missing", "it is all zeros when the whole network runs")
    return None if gradient is None else _of_calls(row, gradient, reference)


def _of_carried(model: Any, reference: Trace) -> Cause | None:
    """Whether layers that are to go on from their last states begin anew."""
    copied = copy.deepcopy(model)
    for layer in stateful_layers(copied.layers):
        layer.carries = True
        layer.reset_states()
    first, second = (each(copied.forward(reference.x, training=False)) for _ in range(2))
    same = all(map(np.array_equal, first, second))
    return Cause("states-not-kept", "the same batch gives the same once more") if same else None


def _of_calls(row: Row, gradient: np.ndarray, reference: Trace) -> Cause | None:
    """Whether what some calls of a layer give stands for the sum over all."""
    name = row.tensor.removesuffix("_gradient")
    calls = [part.weight_gradients[name] for part in reference.parts
             if row.layer in (part.layer, part.tied_to) and name in part.weight_gradients]
    if len(calls) < 2:
        return None
    total = sum(calls[1:], start=calls[0])
    others = {"the mean over its calls": total / len(calls),
              "a sum in which its further calls count twice": total + sum(calls[1:]),
              **{f"what its call {i} gives": each for i, each in enumerate(calls, start=1)}}
    near = 1e-3 * float(np.abs(total).max())
    for what, other in others.items():
        if np.abs(gradient - other).max() <= near < np.abs(gradient - total).max():
            return Cause("calls-not-added", f"{what} stands for the sum over {len(calls)} calls")
    return None


def _of_a_fork(row: Row, model: Any, watched: list[Watched]) -> Cause | None:
    """Whether one reader's gradient reached a layer where the sum of several belongs."""
    number = next((i for i, seen in enumerate(watched) if seen.layer.name == row.layer), None)
    if number is None or not watched[number].arrived:
        return None
    sent = [(reader.sent or [None] * len(sources))[k]
            for reader, sources in zip(watched, model.sources)
            for k, source in enumerate(sources) if source == number]
    came = sum(watched[number].arrived)
    if number in model.ends and sent and isinstance(model.loss, JointLoss):
        gradient = model.loss.backward().arrays[model.ends.index(number)]
        readers = sum(sent[1:], start=sent[0]) if all(g is not None for g in sent) else None
        for what, other in (("what its readers send back alone", readers),
                            ("the gradient of its own loss alone", gradient)):
            if other is not None and np.array_equal(other, came):
                return Cause("overlap-overwritten", f"{row.layer} is an output and is read by other"
                             f" layers, too: {what} stands for the sum of both")
    if len(sent) > 1 and any(each is not None and np.array_equal(each, came) for each in sent):
        return Cause("overlap-overwritten", f"of the {len(sent)} gradients that the readers of "
                     f"{row.layer} send back, one stands for their sum")
    return None


def _of_inputs(row: Row, watched: list[Watched], reference: Trace) -> Cause | None:
    """Whether a layer read another of the network's inputs than its own."""
    seen = next((seen for seen in watched if seen.layer.name == row.layer), None)
    if seen is None or seen.inputs is None or not isinstance(reference.x, Several):
        return None
    for read in seen.inputs:
        for k, x in enumerate(reference.x.arrays):
            if np.array_equal(read, np.asarray(x, read.dtype)):
                return Cause("inputs-swapped", f"{row.layer} reads input {k + 1} of the network in "
                             "another's place")
    return None


def _of_outputs(reference: Trace, output: Any) -> Cause | None:
    """Whether the network hands out its outputs in another order."""
    made, right = each(output), reference.outputs

    def near(a: np.ndarray, b: np.ndarray) -> bool:
        return a.shape == b.shape and bool(np.abs(a - b).max(initial=0.0) <= 1e-3 * np.abs(
            b).max(initial=0.0))

    order = [next((k for k, other in enumerate(right) if near(array, other)), None)
             for array in made]
    if order == list(range(len(right))) or None in order:
        return None
    return Cause("outputs-swapped", "they come in the order " + ", ".join(
        str((k or 0) + 1) for k in order))


def _of_inference(model: Any, reference: Trace, output: np.ndarray) -> Cause | None:
    """Whether what the network puts out in training is what it puts out outside of it."""
    if not np.array_equal(output, model.forward(reference.x, training=False)):
        return None
    kinds = {part.class_name for part in reference.parts}
    name = "moving-statistics" if "BatchNormalization" in kinds else "training-flag"
    return Cause(name, "in training the network runs as outside of it")
