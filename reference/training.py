"""Trains a Keras model on exactly the batches it is handed, in that order, as fast as it goes.

Keras's `fit` at batch 1 spends most of its time between steps. Here many steps run inside one
compiled TensorFlow function: forward, the compiled loss, gradients, the model's own optimizer.
"""

import numpy as np

from reference import noise as noises
from reference.failures import naming_part
from reference.graph import layers_of
from reference.kernels import refuse_corrupting
from reference.model import fresh_optimizer, model_dtype
from reference.quiet import keras, precision, tf


def summed(gradients, variables) -> list:
    """Gradients as arrays of the variables' shapes.

    That of an embedding, which TensorFlow keeps as one for each place of a class, is added up.
    Keras's optimizers square and clip them place by place: the deviation `classes_squared_apart`.

    Where a step is compiled for batches of any size, TensorFlow does not know how many rows a
    kernel's gradient has, and Keras's Muon, which asks, raises for a kernel of one row.
    """
    return [None if g is None else tf.ensure_shape(tf.convert_to_tensor(g), variable.shape)
            for g, variable in zip(gradients, variables, strict=True)]


class StepRunner:
    """Runs training steps of one compiled model, many in a single call.

    Args:
        model: a built and compiled Keras model.
        jit_compile: let XLA compile each step, which pays for larger batches.
    """

    def __init__(self, model, jit_compile: bool = False):
        self.model, self.jit_compile = model, jit_compile
        self.dtype = model_dtype(model)
        self.layers = layers_of(model)
        model.optimizer.build(model.trainable_variables)
        self._run = tf.function(self._steps, reduce_retracing=True)
        self._one = tf.function(self._step, jit_compile=True) if jit_compile else self._step

    def run(self, x: np.ndarray, y: np.ndarray, sample_weight=None,
            noise=None) -> tuple[np.ndarray, np.ndarray]:
        """Train on x (steps, batch, ...) and y (steps, batch, ...), one step after the other.

        Args:
            sample_weight: None, or weights of the losses (steps, batch, ...).
            noise: by a layer's position, what it uses instead of drawing numbers (steps, ...).

        Returns:
            The loss of each step, before its update, and how many of its samples were predicted
            right: two arrays (steps,).

        Raises:
            ValueError: for a model whose gradients TensorFlow cannot compute here.
        """
        for layer in self.layers:
            if isinstance(layer.input, tf.Tensor | keras.KerasTensor):
                refuse_corrupting(layer, (np.shape(x)[1], *layer.input.shape[1:]))
        more = {f"noise {i}": tf.constant(value, self.dtype) for i, value in (noise or {}).items()}
        if sample_weight is not None:
            more["weight"] = tf.constant(sample_weight, self.dtype)
        with naming_part("a training step"):
            losses, correct = self._run(tf.constant(x, self.dtype), tf.constant(y), more)
            return losses.numpy(), correct.numpy()

    def trajectory(self, weights: list, x, y, steps: int, sample_weight=None,
                   noise=None) -> tuple[list, list]:
        """Train from `weights`, with a fresh optimizer, on the same batch `steps` times.

        Args:
            noise: for each step, by a layer's position, what it uses instead of drawing numbers.

        Returns:
            The weights after each step, as lists like `get_weights()`, and each step's loss.
        """
        self.model.set_weights(weights)
        self._forget()
        weight = None if sample_weight is None else np.asarray(sample_weight)[None]
        trajectory, losses = [], []
        for step in range(steps):
            given = noise[step] if noise else {}
            loss, _ = self.run(np.asarray(x)[None], np.asarray(y)[None], weight,
                               {i: np.asarray(value)[None] for i, value in given.items()})
            losses.append(float(loss[0]))
            trajectory.append([np.array(w) for w in self.model.get_weights()])
        return trajectory, losses

    def _forget(self) -> None:
        """Give the optimizer the state of a fresh one, whose sums need not start at zero."""
        optimizer = self.model.optimizer
        with precision(self.dtype):
            variables = self.model.trainable_variables
            fresh = fresh_optimizer(optimizer, variables, variables)
            fresh.build(variables)
        for variable, first in zip(optimizer.variables, fresh.variables):
            if variable.path != getattr(optimizer._learning_rate, "path", None):
                variable.assign(first.numpy())

    def _steps(self, x, y, more):
        steps = tf.shape(x)[0]
        losses = tf.TensorArray(self.dtype, steps)
        correct = tf.TensorArray(tf.int64, steps)
        for i in tf.range(steps):
            loss, hits = self._one(x[i], y[i], {name: value[i] for name, value in more.items()})
            losses = losses.write(i, loss)
            correct = correct.write(i, hits)
        return losses.stack(), correct.stack()

    def _step(self, x, y, more):
        model = self.model
        noise = noises.by_layer(self.layers, {i: more[f"noise {i}"] for i in range(len(self.layers))
                                              if f"noise {i}" in more})
        with precision(self.dtype):
            with tf.GradientTape() as tape, noises.given(noise):
                output = model(x, training=True)
                loss = model.compute_loss(x=x, y=y, y_pred=output, training=True,
                                          sample_weight=more.get("weight"))
            variables = model.trainable_variables
            gradients = tape.gradient(loss, [v.value for v in variables])
            model.optimizer.apply(summed(gradients, variables), variables)
        return loss, _hits(y, output)


def _hits(y, output):
    """How many samples were predicted right: their largest output is the label's."""
    labels = y if y.shape.rank < output.shape.rank else tf.argmax(y, axis=-1)
    hits = tf.equal(tf.argmax(output, axis=-1), tf.cast(labels, tf.int64))
    return tf.math.count_nonzero(hits)
