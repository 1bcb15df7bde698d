"""Where a loss that is not finite comes from: the batch, the weights, a layer, or the loss itself.

Only looked for once it has happened, by running the layers of a copy one after the other.
"""

import copy

import numpy as np


def origin(model, x, y, sample_weight=None) -> str:
    """A sentence on the first number that is not finite, in the order of computation.

    Args:
        model: a built and compiled model, as it was before the step; it stays as it is.
        x, y, sample_weight: the step's batch.
    """
    x = np.asarray(x, model.dtype)
    for what, array in (("the input", x), ("the labels", y), ("sample_weight", sample_weight)):
        place = first_place(array)
        if place:
            return f"It comes from {what}, which {place} of the step's batch"
    for layer in model.layers:
        for name, weight in layer.params.items():
            place = first_place(weight)
            if place:
                return (f"It comes from the {name} of {layer}, which {place}: the gradient of an "
                        f"earlier step made it so{slower(model)}")
    return by_layers(copy.deepcopy(model), x)


def by_layers(model, x) -> str:
    """The first layer whose output is not finite, or the loss; `model` and its layers are run."""
    outputs: list = [*model.layers, x]  # the last place, -1, is the model's input
    with np.errstate(all="ignore"):
        for i, layer in enumerate(model.layers):
            read = [outputs[j] for j in model.sources[i]]
            outputs[i] = layer.forward(read if layer.merges else read[0], True)
            place = first_place(outputs[i])
            if place:
                return (f"It comes from the forward pass: the output of {layer} {place}, from "
                        f"finite numbers{slower(model)}")
    return ("It comes from the loss: all outputs are finite, and so large, or so near the end of "
            f"what the loss is defined for, that {type(model.loss).__name__} or a penalty is not"
            f"{slower(model)}")


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
