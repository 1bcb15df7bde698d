"""Faults of compare's own catalogue, put where a test wants them; and some of any size.

What a test expects of a fault stands in the test itself, and is never asked of the catalogue.
"""

import numpy as np

from compare.evaluation.faults.catalogue import by_identifier
from compare.evaluation.faults.families.making import At
from compare.evaluation.faults.injection import gradient, input_gradient, output

EVERY = by_identifier()


def put(part, *faults):
    """A layer, a loss, an optimizer or a model, with faults in it.

    Args:
        faults: identifiers of the catalogue, whichever network it has them in, or functions of
            the part, such as those of `compare.evaluation.faults.injection`.
    """
    for fault in faults:
        change_of(fault)(part)
    return part


def change_of(fault):
    """The function of a layer, loss, optimizer or model that puts it in."""
    return EVERY[fault].inject.change if isinstance(fault, str) else fault


def spoiled(model, **faults):
    """The model with faults in some parts: spoiled(model, conv="conv2d-kernel-flipped").

    Args:
        faults: what `put` takes, by the layer's name, or by 'loss', 'optimizer' or 'training'.
    """
    for name, fault in faults.items():
        At(name, change_of(fault))(model)
    return model


def scaled(tensor: str, factor: float):
    """A fault of a layer: `tensor` is multiplied by `factor`, rounded once at the end.

    Args:
        tensor: 'output', 'input_gradient', 'kernel_gradient' or that of another weight.
    """
    def times(layer, array, other):
        return array.astype(np.float64) * factor

    if tensor == "output":
        return output(times)
    if tensor == "input_gradient":
        return input_gradient(times)
    return gradient(tensor.removesuffix("_gradient"), times)
