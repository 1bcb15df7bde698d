"""Where the first NaN or infinity of a trace arose, and from which operation."""

import numpy as np

from compare.judged import tensors_of
from compare.trace import Part, Trace

OPERATIONS = {
    "Conv2D": "sums of products of input and kernel",
    "Dense": "sums of products of input and kernel",
    "MaxPooling2D": "maxima of windows", "Softmax": "exp, a sum and a division",
    "softmax": "exp, a sum and a division", "ReLU": "max(x, 0)", "relu": "max(x, 0)",
    "Flatten": "a change of shape",
}


def first_nonfinite(trace: Trace) -> str:
    """A sentence on the first value that is not finite, in the order of computation; '' if none."""
    for part in trace.parts:
        for name, weight in part.weights.items():
            if not np.isfinite(weight).all():
                return f"{_place(part, name, weight)}, a weight."
        if not np.isfinite(part.output).all():
            return _sentence(part, "output", part.output, part.input)
    if trace.loss is not None and not np.isfinite(trace.loss):
        return f"loss is {trace.loss}, from finite outputs: exp and log of the cross-entropy."
    for part in reversed(trace.parts):
        for name, array in tensors_of(part).items():
            if name != "output" and not np.isfinite(array).all():
                return _sentence(part, name, array, part.output_gradient)
    return ""


def _sentence(part: Part, tensor: str, array, source) -> str:
    origin = "finite" if source is None or np.isfinite(source).all() else "non-finite"
    operation = OPERATIONS.get(part.part) or OPERATIONS.get(part.class_name, part.class_name)
    return f"{_place(part, tensor, array)}, from {origin} numbers: {operation}."


def _place(part: Part, tensor: str, array) -> str:
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    return f"{part.name} {tensor} at {list(index)} is {array[index]}"
