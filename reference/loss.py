"""A compiled model's loss by itself, on any labels and outputs."""

import numpy as np

from reference.failures import naming_part
from reference.ops import array, ops_of
from reference.quiet import tf


def run_loss(model, y, seen, fused: bool) -> tuple[np.ndarray, np.ndarray]:
    """(the loss without penalties, its gradient with respect to `seen`).

    Args:
        model: a compiled Keras model.
        y: labels, (batch, ...).
        seen: the network's output, or the last activation's input if `fused`.
        fused: whether the loss is computed from such logits.
    """
    with tf.GradientTape() as tape:
        x = tf.constant(seen)
        tape.watch(x)
        # the activation gives its output the logits along
        output = ops_of(model)[-1].run([x]) if fused else x
        with naming_part("the loss"):
            value = model._compile_loss(tf.constant(np.asarray(y)), output, None)
    return array(value), array(tape.gradient(value, x))
