"""Where a loss or a gradient that is not finite comes from: the batch, the weights, a layer, the
loss itself, or a layer on the way back.

Only looked for once it has happened, by running the layers of a copy one after the other.
"""

import copy

import numpy as np

from scratch.masks import taken
from scratch.several import each, mapped


def origin(model, x, y, sample_weight=None) -> str:
    """A sentence on the first number that is not finite, in the order of computation.

    Args:
        model: a built and compiled model, as it was before the step; it stays as it is.
        x, y, sample_weight: the step's batch.
    """
    x = mapped(np.asarray, model.grouped_inputs(x), model.dtype)
    given = [(what, array) for what, some in (("the input", x), ("the labels", y),
                                              ("sample_weight", sample_weight))
             for array in each(some)]
    for what, array in given:
        place = first_place(array)
        if place:
            return f"It comes from {what}, which {place} of the step's batch"
    for layer in model.layers:
        for name, weight in layer.params.items():
            place = first_place(weight)
            if place:
                return (f"It comes from the {name} of {layer}, which {place}: the gradient of an "
                        f"earlier step made it so{slower(model)}")
    copied = copy.deepcopy(model)
    with np.errstate(all="ignore"):
        found = by_layers(copied, x)
        if found:
            return found
        if not np.isfinite(copied.forward_and_loss(x, y, True, sample_weight)[1]):
            return ("It comes from the loss: all outputs are finite, and so large, or so near the "
                    f"end of what the loss is defined for, that {type(model.loss).__name__} or a "
                    f"penalty is not{slower(model)}")
        return on_the_way_back(copied, x, y, sample_weight)


def spoiled_gradient(model) -> str:
    """The first gradient of a weight that is not finite, of those that the layers hold."""
    for layer in model.layers:
        for name in layer.trainable_params:
            place = first_place(layer.grads[name])
            if place:
                return f"the gradient of the {name} of {layer} {place}"
    raise ValueError("expected a gradient that is not finite. Received: finite ones")


def by_layers(model, x) -> str:
    """The first layer whose output is not finite; '' if there is none. The layers are run."""
    outputs: list = [*model.layers, *reversed(each(x))]  # the last places: the model's inputs
    for i, layer in enumerate(model.layers):
        read = [outputs[j] for j in model.sources[i]]
        outputs[i] = layer.forward(taken(layer, read), True)
        place = first_place(outputs[i])
        if place:
            return (f"It comes from the forward pass: the output of {layer} {place}, from "
                    f"finite numbers{slower(model)}")
    return ""


def on_the_way_back(model, x, y, sample_weight) -> str:
    """The first layer that makes a gradient which is not finite; `model` is run."""
    found: list[str] = []

    def watched(layer, back):
        def backward(gradient, *arguments, **named):
            place = first_place(gradient)
            if place and not found:  # nothing before made it: the loss did, or a sum of gradients
                found.append(f"It comes from the loss's way back: the gradient that {layer} is "
                             f"given {place}")
            dx = back(gradient, *arguments, **named)
            of_inputs = dx if isinstance(dx, (list, tuple)) else [dx]
            for what, array in (*layer.grads.items(), *(("input", dx) for dx in of_inputs)):
                place = first_place(array)
                if place and not found:
                    found.append(f"It comes from the way back: the gradient of its {what} that "
                                 f"{layer} makes {place}, from finite numbers")
            return dx
        return backward

    for layer in model.layers:
        for name in ("backward", "backward_from_logits"):
            setattr(layer, name, watched(layer, getattr(layer, name)))
    model.loss_and_gradients(x, y, sample_weight=sample_weight)
    return (found[0] if found else "It comes from the penalty of a regularizer, or from the sum of "
            "several gradients") + slower(model)


def first_place(array) -> str:
    """'is nan at [3, 1]' for the first entry that is not finite; '' if there is none."""
    array = np.asarray(0 if array is None else array)
    if array.dtype.kind not in "fc" or np.isfinite(array).all():
        return ""
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    return f"is {array[index]} at {list(index)}"


def slower(model) -> str:
    """Advice, where the weights have been moved already."""
    if not model.optimizer.iterations:
        return ""
    return f"; a smaller learning rate than {model.optimizer.learning_rate:g} may help"
