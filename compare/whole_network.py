"""The networks as wholes: the candidate's own forward and backward pass, from input to gradients.

The other gates run each layer by itself. This one lets the candidate run as it trains, wiring, loss
and all, and carries the rounding bounds along the whole chain: an error of one layer is passed on
by the next, and where rounding leaves a rectifier's sign or a pool's winner open, the gradient may
go either way and its bound says so. Such bounds are wide; what they cannot explain is not rounding.
"""

import copy

import numpy as np

from compare.judged import layer_config
from compare.referee.bounded import Bounded, Rounding
from compare.referee.layers import referee_for
from compare.referee.losses import cross_entropy
from compare.row import Row, judge, mismatch
from compare.trace import Trace

GATE = "whole network"


def rows(model, reference: Trace) -> list[Row]:
    """Rows for output, loss, input gradient and every weight gradient of the freely running model.

    Args:
        model: the candidate, a `scratch.Sequential`, compiled if the trace has labels.
        reference: the trace to hold it against.
    """
    exact = along_the_chain(reference)
    made = freely(model, reference)
    found = []
    for name, expected in observed(reference).items():
        layer, tensor = name
        if name not in made:
            found.append(mismatch(GATE, layer, tensor, None, expected))
            continue
        found.append(judge(GATE, layer, tensor, made[name], expected, exact[name]))
    return found


def freely(model, reference: Trace) -> dict:
    """What the model computes from the trace's batch when it runs as in training."""
    model = copy.deepcopy(model)
    made = {}
    if reference.y is not None:
        value, output, dx = model.loss_and_gradients(reference.x, reference.y,
                                                     wants_input_gradient=True)
        made["loss", "value"] = np.asarray(value)
    else:
        output = model.forward(reference.x, training=True)
        dx = model.backward(reference.parts[-1].output_gradient)
    made["network", "output"] = output
    made["network", "input_gradient"] = dx
    for part, layer in zip(layers_of(reference), model.layers):
        for name, gradient in layer.grads.items():
            made[part.layer, f"{name}_gradient"] = gradient
    return made


def observed(reference: Trace) -> dict:
    """The same tensors from the reference's trace."""
    said = {("network", "output"): reference.parts[-1].output}
    if reference.loss is not None:
        said["loss", "value"] = np.asarray(reference.loss)
    if reference.parts[0].input_gradient is not None:
        said["network", "input_gradient"] = reference.parts[0].input_gradient
    for part in reference.parts:
        for name, gradient in part.weight_gradients.items():
            said[part.layer, f"{name}_gradient"] = gradient
    return said


def along_the_chain(reference: Trace) -> dict:
    """The same tensors, exact and with a bound on what rounding in all layers together can do."""
    rounding = Rounding.of(reference.dtype)
    value = Bounded(reference.x, rounding)
    referees, inputs = [], []
    for part in reference.parts:
        inputs.append(value)
        referee = referee_for(part.class_name, layer_config(reference, part.layer), part.part)
        weights = {name: Bounded(w, rounding) for name, w in part.weights.items()}
        value = referee.forward(value, weights)
        referees.append((part, referee))
    exact = {("network", "output"): value}
    if reference.y is not None:
        loss = reference.compile_config["loss"]
        config = loss["config"] if isinstance(loss, dict) else {}
        name = loss["class_name"] if isinstance(loss, dict) else loss
        seen = inputs[-1] if reference.fused else value
        exact["loss", "value"], gradient = cross_entropy(
            reference.y, seen, bool(reference.fused or config.get("from_logits")),
            "sparse" in name.lower(), np.dtype(reference.dtype))
    else:
        gradient = Bounded(reference.parts[-1].output_gradient, rounding)
    for part, referee in reversed(referees[: -1 if reference.fused else None]):
        gradient, weight_gradients = referee.backward(gradient)
        for name, bounded in weight_gradients.items():
            exact[part.layer, f"{name}_gradient"] = bounded
    exact["network", "input_gradient"] = gradient
    return exact


def layers_of(reference: Trace) -> list:
    """One part for each layer, in order: an activation inside a layer is none of its own."""
    first = {}
    for part in reference.parts:
        first.setdefault(part.layer, part)
    return list(first.values())
