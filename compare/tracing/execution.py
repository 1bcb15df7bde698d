"""A scratch model run op by op, forward and back, so that everything on the way can be kept."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.tracing.configs import compile_config
from compare.tracing.layer_error import LayerError
from compare.tracing.loss_scale import loss_scale, scaled
from compare.tracing.ops import Op, ops_of, output_ops, untouched_generator
from compare.tracing.optimizer_steps import stepped
from compare.tracing.shared_weights import learned, total_gradient
from compare.tracing.trace import Part
from compare.tracing.types import Network, Noise, Weights
from scratch import regularization
from scratch.losses import JointLoss, total_of
from scratch.masks import taken
from scratch.several import Several, each, mapped


@dataclass
class Execution:
    """The ops of one pass, a part for what each computed, and which of them make the outputs."""

    ops: list[Op]
    parts: list[Part]
    ends: list[int]

    @property
    def outputs(self) -> list[np.ndarray]:
        """The network's outputs."""
        return [self.parts[end].output for end in self.ends]


def forward(model: Network, x: Any, noise: Noise, training: bool = True) -> Execution:
    """All ops on a batch; a random layer in training uses `noise` or what it draws."""
    with untouched_generator():
        return _forward(model, ops_of(model), x, noise, training)


def _forward(model: Network, ops: list[Op], x: Any, noise: Noise,
             training: bool) -> Execution:
    parts: list[Part] = []
    given = each(x)
    layers = {layer.name: i for i, layer in enumerate(model.layers)}
    for op in ops:
        read = tuple(given[-1 - source] if source < 0 else parts[source].output
                     for source in op.sources)
        inputs = masked_inputs(op.layer, read)
        result = op.run(inputs, noise=noise.get(layers[op.name]), training=training)
        parts.append(Part(op.name, op.part, op.class_name, _copy(inputs),
                          np.array(result.output), weights=copied(op.weights),
                          updated=copied(result.updated) if training else {},
                          noise=_copy(result.noise) if training else None,
                          tied_to=op.layer.tied_to))
        if training and op.differs_at_inference:
            parts[-1].inference = np.array(op.run(inputs, training=False).output)
    return Execution(ops, parts, output_ops(model, ops))


def masked_inputs(layer: Any, read: tuple[np.ndarray, ...]) -> Any:
    """What a layer is run on, given what its sources put out: masks in the place of the last ones
    if it uses any."""
    if not getattr(layer, "merges", False):
        return read[0]
    inputs = taken(layer, list(read))
    return tuple(inputs[:1] + [np.asarray(each, inputs[0].dtype) for each in inputs[1:]]
                 if getattr(layer, "masked_by", ()) else inputs)


def is_fused(model: Network, y: Any, outputs: list[np.ndarray]) -> Any:
    """Whether the model's loss is computed from what its last activation reads; of several outputs
    a tuple."""
    kinds = [model.layers[end].logits_kind for end in model.ends]
    shapes = [output.shape for output in outputs]
    if isinstance(model.loss, JointLoss):
        return tuple(map(bool, model.loss.fuses(kinds, y, shapes)))
    return bool(model.loss.fuses(kinds[0], y, shapes[0]))


def loss(model: Network, execution: Execution, y: Any, fused: Any, sample_weight: Any
         ) -> tuple[Any, Any, tuple[Any, ...]]:
    """(the loss with all penalties, the gradient of the loss without, scaled as it is trained, of
    several outputs each output's loss)."""
    ends = [execution.parts[end] for end in execution.ends]
    seen = [part.input if by_logits else part.output
            for part, by_logits in zip(ends, fused if isinstance(fused, tuple) else [fused])]
    value, gradient, terms = run_loss(copy.deepcopy(model.loss), y, seen, fused, sample_weight,
                                      loss_scale(compile_config(model)),
                                      end_masks(model, execution.parts))
    gradient = mapped(np.array, gradient)
    return (value + penalties(execution.ops, [part.output for part in execution.parts]), gradient,
            terms)


def end_masks(model: Network, parts: list[Part]) -> list[np.ndarray | None]:
    """For each output of the model which of its steps count, given the parts of a pass."""
    first = [i for i, part in enumerate(parts) if i == 0 or part.layer != parts[i - 1].layer]
    return [None if mask is None else
            mask.maker.compute_mask(parts[first[mask.position]].inputs[0])
            for mask in getattr(model, "end_masks", ())]


def run_loss(function: Any, y: Any, seen: Sequence[Any], fused: Any, sample_weight: Any,
             scale: float, masks: Sequence[np.ndarray | None] = ()
             ) -> tuple[Any, Any, tuple[Any, ...]]:
    """(its value, its gradient, of a joint loss each output's own value).

    Args:
        function: a loss of scratch's or of somebody's own.
        seen: for each output what its loss is computed from.
        fused: whether those are logits; of several outputs a tuple.
        scale: what the gradient, of several outputs each one's, is multiplied by.
        masks: for each output which of its steps count, None for all; left out, all count.
    """
    joint = isinstance(function, JointLoss)
    more = weighted(sample_weight)
    if any(mask is not None for mask in masks):
        more["mask"] = Several(masks) if joint else masks[0]
    value = function.forward(y, Several(seen) if joint else seen[0], fused or None, **more)
    return total_of(value), scaled(function.backward(), scale), value.terms if joint else ()


def weighted(sample_weight: Any) -> dict[str, Any]:
    """The argument by which a loss or a model takes weights of samples, where there are any."""
    return {} if sample_weight is None else {"sample_weight": sample_weight}


def penalties(ops: list[Op], outputs: list[np.ndarray]) -> np.ndarray | float:
    """What all regularizers add to the loss: those of the ops' weights, and of these outputs."""
    added: np.ndarray | float = 0.0
    for i, (op, output) in enumerate(zip(ops, outputs)):
        added = added + op.penalty()
        regularizer = activity_regularizer(ops, i)
        if regularizer is not None:
            added = added + regularization.activity_penalty(regularizer, output)
    return added


def activity_regularizer(ops: list[Op], i: int) -> Any:
    """The regularizer of an op's output, None for none; of a layer's ops only the last has one.
    """
    inner = i + 1 < len(ops) and ops[i + 1].name == ops[i].name
    return None if inner else ops[i].layer.activity_regularizer


def backward(model: Network, execution: Execution, gradient: Any, fused: Any,
             penalised: bool) -> None:
    """Fill in the parts' gradients.

    Args:
        gradient: of the loss, with respect to the output, or to the last logits if `fused`; of
            several outputs both are several, and None where there is no loss.
        penalised: whether the regularizers take part.
    """
    ops, parts = execution.ops, execution.parts
    # for each part the gradients of its output, to be added up
    arrived: list[list[np.ndarray]] = [[] for _ in parts]
    by_logits = fused if isinstance(fused, tuple) else [fused] * len(execution.ends)
    for end, share, below in zip(execution.ends, each(gradient), by_logits, strict=True):
        if share is not None:
            arrived[ops[end].sources[0] if below else end].append(share)
    if penalised:
        for i, part in enumerate(parts):
            regularizer = activity_regularizer(ops, i)
            if regularizer is not None:
                arrived[i].append(regularization.activity_gradient(regularizer, part.output))
    scale = loss_scale(compile_config(model)) if penalised else 1.0
    learning = {layer.name for layer in model.layers if layer.trainable and model.trainable}
    for i in reversed(range(len(parts))):
        if arrived[i]:
            _step_back(ops[i], parts[i], sum(arrived[i][1:], start=arrived[i][0]),
                       penalised, parts[i].layer in learning, scale)
            gradients = parts[i].input_gradient
            for source, value in zip(ops[i].sources,
                                     gradients if isinstance(gradients, tuple) else [gradients]):
                if source >= 0 and value is not None:
                    arrived[source].append(value)


def _step_back(op: Op, part: Part, gradient: np.ndarray, penalised: bool, learning: bool,
               scale: float) -> None:
    """Run one op back from the gradient of its output."""
    result = op.run(part.input, gradient, part.noise)
    part.output_gradient = np.array(gradient)
    found = result.input_gradient
    wanted: tuple[Any, ...] = found if isinstance(found, tuple) else (found,)
    masks = len(getattr(op.layer, "masked_by", ()))
    wanted = wanted[:len(wanted) - masks]  # a mask has no gradient
    without = getattr(op.layer, "inputs_without_gradient", ())
    missing = any(value is None for k, value in enumerate(wanted) if k not in without)
    if missing and not op.spares("input_gradient"):
        raise LayerError(f"Layer {part.layer!r}: expected a gradient of its input, which the "
                         "layer before it needs. Received: None", "backward")
    part.input_gradient = _copy(found)
    if learning:  # Keras has no gradients for weights that stay as they are
        part.weight_gradients = copied(result.weight_gradients)
        if penalised:
            add_penalties(op, part.weight_gradients, scale)


def add_penalties(op: Op, gradients: Weights, scale: float = 1.0) -> None:
    """Add the gradients of the penalties on an op's weights to those of the data's loss, both of a
    loss that is scaled."""
    for name, more in op.penalty_gradients().items():
        if name in gradients:
            gradients[name] = gradients[name] + scaled(more, scale)


def update(model: Network, parts: list[Part]) -> None:
    """Fill in the weights after one step of a fresh optimizer with the model's settings."""
    learning = learned(parts)  # of others a row says so
    variables = stepped(model, [total_gradient(parts, i, name) for i, name in learning],
                        [left_by_pass(parts[i], name) for i, name in learning],
                        [(parts[i].layer, name) for i, name in learning])
    for (i, name), variable in zip(learning, variables):
        parts[i].updated[name] = variable


def left_by_pass(part: Part, name: str) -> np.ndarray:
    """A weight as the pass has left it, before an optimizer's step."""
    return part.updated.get(name, part.weights[name])


def inference(model: Network, execution: Execution, x: Any) -> Any:
    """The model's output outside of training; None where no layer has another one there."""
    if not any(op.differs_at_inference for op in execution.ops):
        return None
    return mapped(np.array, model.forward(x, training=False))


def copied(arrays: Weights) -> Weights:
    """The same dictionary with arrays of its own."""
    return {name: np.array(array) for name, array in arrays.items()}


def _copy(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_copy, value))
    return None if value is None else np.array(value)
