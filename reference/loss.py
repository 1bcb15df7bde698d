"""A compiled model's loss by itself, on any labels and outputs."""

import numpy as np

from reference.failures import naming_part
from reference.ops import array, ops_of, output_ops
from reference.quiet import tf
from reference.structures import form_of_outputs


def run_loss(model, y, seen, fused: bool, output: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(the loss without penalties, its gradient with respect to `seen`).

    Args:
        model: a compiled Keras model.
        y: labels, (batch, ...).
        seen: the network's output, or the last activation's input if `fused`.
        fused: whether the loss is computed from such logits.
        output: of which output, in the model's order; its loss is then without its weight.
    """
    ops = ops_of(model)
    with tf.GradientTape() as tape:
        x = tf.constant(seen)
        tape.watch(x)
        # the activation gives its output the logits along
        seen = ops[output_ops(model, ops)[output]].run([x]) if fused else x
        with naming_part("the loss"):
            value = _loss_of(model, output)(tf.constant(np.asarray(y)), seen, None)
    return array(value), array(tape.gradient(value, x))


def _loss_of(model, output: int):
    """The function of (labels, output, weights) that is the loss of one output."""
    form = form_of_outputs(model)
    if form is None:
        return model._compile_loss
    key = sorted(form)[output] if isinstance(form, dict) else output
    whole = model._compile_loss
    if not whole.built:  # Keras sorts the losses to the outputs when it first sees some
        whole.build(model.output, model.output)
    return next(loss for path, loss, _, _ in whole._flat_losses if path[0] == key)
