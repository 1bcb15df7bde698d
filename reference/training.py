"""Trains a Keras model on exactly the batches it is handed, in that order, as fast as it goes.

Keras's `fit` at batch 1 spends most of its time between steps. Here many steps run inside one
compiled TensorFlow function: forward, the compiled loss, gradients, the model's own optimizer.
"""

import numpy as np

from reference.quiet import precision, tf
from reference.model import model_dtype


class StepRunner:
    """Runs training steps of one compiled model, many in a single call.

    Args:
        model: a built and compiled `keras.Sequential`.
        jit_compile: let XLA compile each step, which pays for larger batches.
    """

    def __init__(self, model, jit_compile: bool = False):
        self.model = model
        self.jit_compile = jit_compile
        self.dtype = model_dtype(model)
        model.optimizer.build(model.trainable_variables)
        self._run = tf.function(self._steps, reduce_retracing=True)
        self._one = tf.function(self._step, jit_compile=True) if jit_compile else self._step

    def run(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Train on x (steps, batch, ...) and y (steps, batch, ...), one step after the other.

        Returns:
            The loss of each step, before its update, and how many of its samples were predicted
            right: two arrays (steps,).
        """
        losses, correct = self._run(tf.constant(x, self.dtype), tf.constant(y))
        return losses.numpy(), correct.numpy()

    def trajectory(self, weights: list, x, y, steps: int) -> tuple[list, list]:
        """Train from `weights`, with a fresh optimizer, on the same batch `steps` times.

        Returns:
            The weights after each step, as lists like `get_weights()`, and each step's loss.
        """
        self.model.set_weights(weights)
        for variable in self.model.optimizer.variables:
            if variable.path != self.model.optimizer._learning_rate.path:
                variable.assign(np.zeros(variable.shape))
        trajectory, losses = [], []
        for _ in range(steps):
            loss, _ = self.run(np.asarray(x)[None], np.asarray(y)[None])
            losses.append(float(loss[0]))
            trajectory.append([np.array(w) for w in self.model.get_weights()])
        return trajectory, losses

    def _steps(self, x, y):
        steps = tf.shape(x)[0]
        losses = tf.TensorArray(self.dtype, steps)
        correct = tf.TensorArray(tf.int64, steps)
        for i in tf.range(steps):
            loss, hits = self._one(x[i], y[i])
            losses = losses.write(i, loss)
            correct = correct.write(i, hits)
        return losses.stack(), correct.stack()

    def _step(self, x, y):
        model = self.model
        with precision(self.dtype), tf.GradientTape() as tape:
            output = model(x, training=True)
            loss = model.compute_loss(x=x, y=y, y_pred=output, training=True)
        variables = model.trainable_variables
        gradients = tape.gradient(loss, [v.value for v in variables])
        model.optimizer.apply(gradients, variables)
        labels = y if y.shape.rank < output.shape.rank else tf.argmax(y, axis=-1)
        hits = tf.equal(tf.argmax(output, axis=-1), tf.cast(labels, tf.int64))
        return loss, tf.math.count_nonzero(hits)
