"""The networks as wholes: the candidate's own forward and backward pass, from input to gradients.

The other gates run each layer by itself. This one lets the candidate run as it trains, wiring, loss
and all, and carries the rounding bounds along the whole graph: an error of one layer is passed on
by the next, and where rounding leaves a rectifier's sign or a pool's winner open, the gradient may
go either way and its bound says so. Such bounds are wide; what they cannot explain is not rounding.
How the layers are wired is checked besides, without them: see `dataflow.py`.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from compare.checks import dataflow
from compare.checks.gate import Gate
from compare.checks.row import Row, judge, mismatch, raised
from compare.document import progress
from compare.oracle.network import outside_of_training, passing
from compare.oracle.running_error import Bounded
from compare.tracing import execution
from compare.tracing.layer_error import RAISED, of_model
from compare.tracing.loss_scale import loss_scale, scaled
from compare.tracing.ops import ops_of
from compare.tracing.optimizer_steps import restart
from compare.tracing.shared_weights import total_gradient
from compare.tracing.tensor_names import by_name
from compare.tracing.trace import Trace, layer_parts
from compare.tracing.types import Network
from scratch.several import Several, each, mapped

END_TO_END = "end to end"  # what a row is about
Named = dict[tuple[str, str], Any]  # by layer and tensor


@progress.during(f"Gate '{Gate.WHOLE_NETWORK}'")
def rows(model: Network, reference: Trace) -> list[Row]:
    """Rows for output, loss, input gradient and every weight gradient of the freely running model,
    for its output outside of training, if that is another one, and for its wiring.

    Args:
        model: the candidate, a scratch model, compiled if the trace has labels.
        reference: the trace to hold it against.
    """
    run = freely if reference.training else forward_alone
    try:
        made, found, slack = run(model, reference)
    except RAISED as error:  # somebody's own layer may raise anything
        return [raised(Gate.WHOLE_NETWORK, "network", "output",
                       f"not run: {of_model(model, error)}")]
    expected = observed(reference)
    judged = {name: _judged(name, made.pop(name), expected[name], right, slack.get(name))
              for name, right in passing(reference) if name in made and name in expected}
    for layer, tensor in expected:
        if (layer, tensor) in judged:
            found.append(judged[layer, tensor])
        elif layer != "network" or not ops_of(model)[0].spares(tensor):
            found.append(mismatch(Gate.WHOLE_NETWORK, layer, tensor, None,
                                  expected[layer, tensor]))
    return found


def _judged(name: tuple[str, str], made: Any, expected: Any, right: Bounded, slack: Any) -> Row:
    row = judge(Gate.WHOLE_NETWORK, *name, made, expected, right, slack=slack)
    if row.passed and (row.unjudged or row.allowed == np.inf):
        row.note = ("not judged: no bound holds this deep; what counts is each layer by itself, "
                    "and the wiring")
    return row


def freely(model: Network, reference: Trace) -> tuple[Named, list[Row], Named]:
    """(what the model computes from the trace's batch when it runs as in training, the rows on how
    its layers were wired, what the recovery of gradients may have rounded)."""
    model = copy.deepcopy(model)
    made: Named = {}
    if reference.inference is not None:  # before training moves any statistics
        made |= named("inference", model.forward(mapped(np.array, reference.x), training=False))
    for layer, positions in zip(model.layers, layer_parts(reference)):
        layer.give_noise(reference.parts[positions[0]].noise)
    end: Any = reference.upstream
    fused: Any = False
    with dataflow.watching(model) as watched:
        if reference.y is not None:
            if loss_scale(reference.compile_config) != 1:
                restart(model)  # a scale that has moved is another loss's
            value, output, dx = model.loss_and_gradients(
                mapped(np.array, reference.x), reference.y, wants_input_gradient=True,
                **execution.weighted(reference.sample_weight))
            made["loss", "value"] = np.asarray(value)
            end = scaled(model.loss.backward(), loss_scale(reference.compile_config))
            fused = execution.is_fused(model, reference.y, list(each(output)))
        else:
            for layer in model.layers:
                layer.activity_regularizer = None  # of the loss, and there is none
            output = model.forward(mapped(np.array, reference.x), training=True)
            several = isinstance(output, Several)
            dx = model.backward(end, (False,) * len(each(output)) if several else False)
    made |= named("output", output)
    if dx is not None:
        made |= named("input_gradient", dx)
    slack: Named = {}
    for layer, positions in zip(model.layers, layer_parts(reference)):
        part = reference.parts[positions[0]]
        title = part.tied_to or part.layer
        if part.tied_to is None:  # to whose gradients those of further calls are added
            made.update({(title, f"{name}_gradient"): g for name, g in layer.grads.items()})
        for name, extra in getattr(layer, "slack", {}).items():
            key = title, f"{name}_gradient"
            slack[key] = slack[key] + extra if key in slack else extra
    x = mapped(np.asarray, reference.x, model.layers[0].dtype)
    return made, dataflow.rows(model, watched, x, end, fused), slack


def as_its_owner_runs_it(made: np.ndarray, reference: Trace, seams: dict[int, str],
                         again: Callable[[int], np.ndarray | None]) -> tuple[Row, bool]:
    """(the row for the output of layers that are run one after the other, nothing turned between,
    whether one of the seams explains it if it fails).

    Args:
        made: that output, as Keras lays it out.
        seams: what is not turned, by position, in words.
        again: the output with the numbers turned at one of them.
    """
    right = outside_of_training(reference)["network", "predict"]
    last = reference.parts[-1].output if reference.inference is None else reference.inference

    def judged(output: np.ndarray) -> Row:
        return judge(Gate.WHOLE_NETWORK, "network", END_TO_END, output, last, right)

    row = judged(made)
    if row.passed:
        return row, False
    mended = [position for position in seams
              if (output := again(position)) is not None and judged(output).passed]
    if mended:
        row.note = "; ".join(f"{seams[position]}; each layer by itself holds, as its numbers are "
                             "turned for it" for position in mended)
    return row, bool(mended)


def forward_alone(model: Network, reference: Trace) -> tuple[Named, list[Row], Named]:
    """The same of a model that is run outside of training and not back."""
    model = copy.deepcopy(model)
    with dataflow.watching(model) as watched:
        output = model.forward(mapped(np.array, reference.x), training=False)
    x = mapped(np.asarray, reference.x, model.layers[0].dtype)
    return named("output", output), dataflow.rows(model, watched, x, None, False), {}


def observed(reference: Trace) -> Named:
    """The same tensors from the reference's trace."""
    outputs = reference.outputs
    said = named("output", Several(outputs) if len(outputs) > 1 else outputs[0])
    if reference.inference is not None:
        said |= named("inference", reference.inference)
    if reference.loss is not None:
        said["loss", "value"] = np.asarray(reference.loss)
    sent: list[list[np.ndarray]] = [[] for _ in each(reference.x)]
    for part, sources in zip(reference.parts, reference.sources):
        for source, gradient in zip(sources, _each(part.input_gradient)):
            if source < 0 and gradient is not None:
                sent[-1 - source].append(gradient)
    added = [sum(terms[1:], start=terms[0]) if terms else None for terms in sent]
    said |= named("input_gradient", Several(added) if len(added) > 1 else added[0])
    for i, part in enumerate(reference.parts):
        for name in part.weight_gradients if part.tied_to is None else ():
            said[part.layer, f"{name}_gradient"] = total_gradient(reference.parts, i, name)
    return said


def named(tensor: str, value: Any) -> Named:
    """One of the network's tensors, or several of them numbered from 1."""
    found = by_name(tensor, value.arrays if isinstance(value, Several) and len(value.arrays) > 1
                    else each(value)[0])
    return {("network", name): array for name, array in found.items()}


def _each(gradients: Any) -> tuple[np.ndarray | None, ...]:
    return gradients if isinstance(gradients, tuple) else (gradients,)
