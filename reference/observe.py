"""Everything a Keras model computes on one batch: each layer's output and all gradients.

A layer with an activation inside, such as `Dense(10, activation="softmax")`, is observed in two
parts: what it computes before the activation, and the activation. That tells a wrong kernel from a
wrong rectifier, and gives a softmax's logits, where a fused cross-entropy starts its way back.
"""

import contextlib
from dataclasses import dataclass, field

import numpy as np

from reference.quiet import keras, precision, tf
from reference.model import model_dtype


@dataclass
class Part:
    """A layer, or the activation inside it. Arrays are NumPy's; a gradient is None where there is
    none (a softmax whose cross-entropy is fused with its logits has no output gradient)."""

    layer: str
    part: str  # "" for the layer, or the name of the activation inside it, or "whole" for both
    class_name: str
    input: np.ndarray
    output: np.ndarray
    output_gradient: np.ndarray | None = None
    input_gradient: np.ndarray | None = None
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    weight_gradients: dict[str, np.ndarray] = field(default_factory=dict)
    updated: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Observation:
    """What one batch did: a `Part` for each layer or activation, and the loss if there was one."""

    parts: list[Part]
    loss: float | None


@dataclass
class _Step:
    """One callable on the way forward, with the variables it uses."""

    layer: object
    part: str
    call: object
    variables: list

    def run(self, x):
        """The step on x, a layer in training mode."""
        is_activation = self.part not in ("", "whole")
        return self.call(x) if is_activation else self.call(x, training=True)


def steps_of(model, whole=frozenset()) -> list[_Step]:
    """The model's layers, an activation inside a layer being a step of its own.

    Args:
        whole: positions of layers that are to stay together with their activation.
    """
    steps = []
    for i, layer in enumerate(model.layers):
        inner = inner_activation(layer)
        if inner is None or i in whole:
            steps.append(_Step(layer, "whole" if inner else "", layer, layer.weights))
        else:
            steps.append(_Step(layer, "", without_activation(layer), layer.weights))
            steps.append(_Step(layer, inner, layer.activation, []))
    return steps


def inner_activation(layer) -> str | None:
    """The name of an activation that follows a layer's own arithmetic, None if there is none."""
    activation = getattr(layer, "activation", None)
    if activation is None or not layer.weights or activation is keras.activations.linear:
        return None
    name = keras.activations.serialize(activation)
    return name if isinstance(name, str) else name["config"].get("name", name["class_name"])


def without_activation(layer):
    """A call of the layer that leaves its activation out."""

    def call(x, training=None):
        with swapped_activation(layer):
            return layer(x, training=training)

    return call


@contextlib.contextmanager
def swapped_activation(layer):
    kept = layer.activation
    layer.activation = keras.activations.linear
    try:
        yield
    finally:
        layer.activation = kept


def observe(model, x, y=None, upstream=None, whole=frozenset()) -> Observation:
    """Run one batch forward and backward, in training mode, without changing the model.

    Args:
        model: a built `keras.Sequential`.
        x: a batch of inputs.
        y: labels for the model's compiled loss; the gradients are then the loss's.
        upstream: instead of y, the gradient with respect to the model's output.
        whole: positions of layers that are to stay together with their activation.

    Returns:
        Outputs, gradients with respect to each part's input, output and weights, and with y also
        the loss and each weight after one step of a fresh copy of the optimizer.
    """
    dtype = model_dtype(model)
    steps = steps_of(model, whole)
    variables = [v for step in steps for v in step.variables if v.trainable]
    with precision(dtype), tf.GradientTape() as tape:
        values = [tf.constant(np.asarray(x, dtype))]
        tape.watch(values[0])
        for step in steps:
            values.append(step.run(values[-1]))
        loss = None
        if y is not None:
            loss = model.compute_loss(x=values[0], y=tf.constant(np.asarray(y)), y_pred=values[-1],
                                      training=True)
    seed = None if upstream is None else tf.constant(np.asarray(upstream, dtype))
    gradients = tape.gradient(values[-1] if loss is None else loss,
                              [values, [v.value for v in variables]], output_gradients=seed)
    by_variable = dict(zip((id(v) for v in variables), gradients[1]))
    updated = {} if loss is None else one_step(model, variables, gradients[1])
    parts = [_part(step, values[i:i + 2], gradients[0][i:i + 2], by_variable, updated)
             for i, step in enumerate(steps)]
    return Observation(parts, None if loss is None else loss.numpy())


def run_step(step: _Step, x, dy, weights: dict) -> tuple:
    """One step alone, on any input, output gradient and weights; the model is left as it was.

    Returns:
        (output, input gradient, weight gradients by name), as NumPy arrays.
    """
    kept = [np.array(v.numpy()) for v in step.variables]
    trainable = [v for v in step.variables if v.trainable]
    try:
        for variable in step.variables:
            variable.assign(weights[variable.name])
        with tf.GradientTape() as tape:
            x = tf.constant(x)
            tape.watch(x)
            y = step.run(x)
        gradients = tape.gradient(y, [x, *(v.value for v in trainable)],
                                  output_gradients=tf.constant(dy))
        named = {v.name: _array(g) for v, g in zip(trainable, gradients[1:])}
        return np.array(y.numpy()), _array(gradients[0]), named
    finally:
        for variable, value in zip(step.variables, kept):
            variable.assign(value)


def _part(step, values, gradients, by_variable, updated) -> Part:
    return Part(
        step.layer.name, step.part, type(step.layer).__name__,
        values[0].numpy(), values[1].numpy(),
        output_gradient=_array(gradients[1]), input_gradient=_array(gradients[0]),
        weights={v.name: np.array(v.numpy()) for v in step.variables},
        weight_gradients={v.name: _array(by_variable[id(v)]) for v in step.variables
                          if by_variable.get(id(v)) is not None},
        updated={v.name: updated[id(v)] for v in step.variables if id(v) in updated},
    )


def _array(tensor):
    return None if tensor is None else np.array(tf.convert_to_tensor(tensor).numpy())


def one_step(model, variables, gradients) -> dict[int, np.ndarray]:
    """Each variable's value after one step of a fresh copy of the model's optimizer."""
    rate = getattr(model.optimizer.learning_rate, "dtype", "float32")  # a schedule has none
    with precision(rate):
        optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
        # through NumPy: a variable made from another's tensor would share, and change, its memory
        copies = [keras.Variable(np.array(v.numpy()), dtype=v.dtype) for v in variables]
        optimizer.apply(gradients, copies)
    return {id(v): copy.numpy() for v, copy in zip(variables, copies)}
