"""Where the first NaN or infinity of a trace arose, and from which operation."""

from collections.abc import Iterable

import numpy as np

from compare.oracle.expected import known_oracle_of
from compare.tracing.trace import Part, Trace


def first_nonfinite(trace: Trace) -> str:
    """A sentence on the first value that is not finite, in the order of computation; '' if none."""
    for part in trace.parts:
        for name, weight in part.weights.items():
            if not np.isfinite(weight).all():
                return f"{_place(part, name, weight)}, a weight."
        if not np.isfinite(part.output).all():
            return _sentence(trace, part, "output", part.output, part.inputs)
    if trace.loss is not None and not np.isfinite(trace.loss):
        return f"loss is {trace.loss}, from finite outputs: {_loss(trace)}."
    for part in reversed(trace.parts):
        for name, array in part.results.items():
            if name != "output" and not np.isfinite(array).all():
                return _sentence(trace, part, name, array, [part.output_gradient])
    return ""


def _loss(trace: Trace) -> str:
    loss = trace.compile_config.get("loss")
    name = str(loss["class_name"] if isinstance(loss, dict) else loss)
    if "entropy" in name.lower():
        return "exp and log of the cross-entropy"
    return f"the arithmetic of {name}"


def _sentence(trace: Trace, part: Part, tensor: str, array: np.ndarray,
              sources: Iterable[np.ndarray | None]) -> str:
    finite = all(source is None or np.isfinite(source).all() for source in sources)
    origin = "finite" if finite else "non-finite"
    oracle = known_oracle_of(trace, part)
    operation = (oracle and oracle.operation) or part.class_name
    return f"{_place(part, tensor, array)}, from {origin} numbers: {operation}."


def _place(part: Part, tensor: str, array: np.ndarray) -> str:
    index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    return f"{part.name} {tensor} at {list(index)} is {array[index]}"
