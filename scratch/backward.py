"""Gradients on their way back through the layers of a network."""

from scratch import low_precision, regularization
from scratch.layers import Layer


def added(gradient, share):
    """The sum of two gradients, each of which may be None."""
    if gradient is None or share is None:
        return share if gradient is None else gradient
    return gradient + share


def add_tied_gradients(layers: list[Layer]) -> None:
    """Add the gradients of weights that are used again to those of the layer's first call."""
    first = {layer.name: layer for layer in layers}
    for layer in layers:
        if layer.tied_to is not None:
            begun = first[layer.tied_to]
            begun.grads = {name: added(begun.grads.get(name), layer.grads.get(name))
                           for name in {**begun.grads, **layer.grads}}


def back_through(layer: Layer, gradient, wants_input_gradient: bool, of_logits=None):
    """`layer.backward`, `backward_from_logits`, or the sum of the two, in the layer's precision;
    with the gradient of its activity's penalty.

    Args:
        gradient: of its output; None where there is none.
        of_logits: of the input of its activation, where a loss is computed from that; or None.
    """
    if layer.activity_regularizer is not None:
        assert layer.last_output is not None, "forward keeps it"
        gradient = added(gradient, regularization.activity_gradient(layer.activity_regularizer,
                                                                    layer.last_output))
    if of_logits is None:
        return low_precision.backward(layer, gradient, wants_input_gradient)
    dx = low_precision.backward(layer, of_logits, wants_input_gradient, "backward_from_logits")
    if gradient is None:
        return dx
    # the loss's gradient begins at the softmax's input, all others at its output
    grads = dict(layer.grads)
    more = low_precision.backward(layer, gradient, wants_input_gradient)
    layer.grads = {name: grads[name] + layer.grads[name] for name in grads}
    return None if dx is None or more is None or not wants_input_gradient else dx + more
