"""A scratch model run op by op, forward and back, so that everything on the way can be kept."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.tracing.configs import compile_config
from compare.tracing.layer_error import LayerError
from compare.tracing.loss_scale import loss_scale, scaled
from compare.tracing.ops import Op, ops_of, untouched_generator
from compare.tracing.optimizer_steps import stepped
from compare.tracing.shared_weights import learned, total_gradient
from compare.tracing.trace import Part
from compare.tracing.types import Network, Noise, Weights
from scratch import regularization


@dataclass
class Execution:
    """The ops of one pass, and a part for what each computed."""

    ops: list[Op]
    parts: list[Part]


def forward(model: Network, x: np.ndarray, noise: Noise, training: bool = True) -> Execution:
    """All ops on a batch; a random layer in training uses `noise` or what it draws."""
    with untouched_generator():
        return _forward(model, ops_of(model), x, noise, training)


def _forward(model: Network, ops: list[Op], x: np.ndarray, noise: Noise,
             training: bool) -> Execution:
    parts: list[Part] = []
    layers = {layer.name: i for i, layer in enumerate(model.layers)}
    for op in ops:
        read = tuple(x if source < 0 else parts[source].output for source in op.sources)
        inputs = read if getattr(op.layer, "merges", False) else read[0]
        result = op.run(inputs, noise=noise.get(layers[op.name]), training=training)
        parts.append(Part(op.name, op.part, op.class_name, _copy(inputs),
                          np.array(result.output), weights=copied(op.weights),
                          updated=copied(result.updated) if training else {},
                          noise=_copy(result.noise) if training else None,
                          tied_to=op.layer.tied_to))
        if training and op.differs_at_inference:
            parts[-1].inference = np.array(op.run(inputs, training=False).output)
    return Execution(ops, parts)


def is_fused(model: Network, y: np.ndarray, output_shape: tuple[int, ...]) -> bool:
    """Whether the model's loss is computed from what its last activation reads."""
    return bool(model.loss.fuses(model.layers[-1].logits_kind, y, output_shape))


def loss(model: Network, execution: Execution, y: np.ndarray, fused: bool,
         sample_weight: np.ndarray | None) -> tuple[np.ndarray | float, np.ndarray]:
    """(the loss with all penalties, the gradient of the loss without, scaled as it is trained)."""
    function = copy.deepcopy(model.loss)
    last = execution.parts[-1]
    value = function.forward(y, last.input if fused else last.output, from_logits=fused or None,
                             **weighted(sample_weight))
    gradient = np.array(scaled(function.backward(), loss_scale(compile_config(model))))
    return value + penalties(execution.ops, [part.output for part in execution.parts]), gradient


def weighted(sample_weight: np.ndarray | None) -> dict[str, np.ndarray]:
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


def backward(model: Network, execution: Execution, gradient: np.ndarray, fused: bool,
             penalised: bool) -> None:
    """Fill in the parts' gradients.

    Args:
        gradient: of the loss, with respect to the output, or to the last logits if `fused`.
        penalised: whether the regularizers take part.
    """
    ops, parts = execution.ops, execution.parts
    # for each part the gradients of its output, to be added up
    arrived: list[list[np.ndarray]] = [[] for _ in parts]
    arrived[ops[-1].sources[0] if fused else -1].append(gradient)
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
    missing = any(value is None for value in (found if isinstance(found, tuple) else [found]))
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
                        [parts[i].weights[name] for i, name in learning],
                        [(parts[i].layer, name) for i, name in learning])
    for (i, name), variable in zip(learning, variables):
        parts[i].updated[name] = variable


def inference(model: Network, execution: Execution, x: np.ndarray) -> np.ndarray | None:
    """The model's output outside of training; None where no layer has another one there."""
    if not any(op.differs_at_inference for op in execution.ops):
        return None
    return np.array(model.forward(x, training=False))


def copied(arrays: Weights) -> Weights:
    """The same dictionary with arrays of its own."""
    return {name: np.array(array) for name, array in arrays.items()}


def _copy(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(np.array(each) for each in value)
    return None if value is None else np.array(value)
