"""What regularizers add to loss and gradients, by definition and with bounds on rounding.

A penalty is l1 sum |x| + l2 sum x^2, of a weight that is trained or, divided by the size of the
batch, of a layer's output; or one on pairs of rows (`orthogonality.py`). Both factors count as
float32, whatever the precision: Keras casts a Python number by way of it.
"""

from typing import Any

import numpy as np

from compare.oracle import orthogonality
from compare.oracle.running_error import Bounded
from compare.tracing.configs import layer_config, of_weight
from compare.tracing.trace import Part, Trace
from compare.tracing.types import Config

DEFAULT = 0.01  # Keras's, where a config names a regularizer without its factors


def total(terms: list[Bounded]) -> Bounded:
    """The sum of some arrays of one shape, in any order."""
    if len(terms) == 1:
        return terms[0]
    values = np.stack([term.value for term in terms])
    errors = np.stack([term.bound for term in terms])
    return Bounded(values, terms[0].rounding, errors).sum(axis=0)


def penalty(regularizer: Any, x: Bounded) -> Bounded:
    """l1 sum |x| + l2 sum x^2, or that of orthogonality."""
    if is_orthogonal(regularizer):
        return orthogonality.penalty(regularizer["config"], x)
    l1, l2 = factors(regularizer)
    parts = []
    if l1:
        parts.append(Bounded(np.abs(x.value), x.rounding, x.error).sum() * l1)
    if l2:
        parts.append((x * x).sum() * l2)
    return total(parts) if parts else Bounded(0.0, x.rounding)


def gradient(regularizer: Any, x: Bounded) -> Bounded:
    """l1 sign x + 2 l2 x; where rounding or a flush to zero leaves the sign open, so is the first.
    """
    if is_orthogonal(regularizer):
        return orthogonality.gradient(regularizer["config"], x)
    l1, l2 = factors(regularizer)
    x = x.flushed()
    parts: list[Bounded] = []
    if l1:
        sign = np.sign(x.value)
        open_ = l1 * np.maximum(np.sign(x.value + x.bound) - sign,
                                sign - np.sign(x.value - x.bound))
        parts.append(Bounded(l1 * sign, x.rounding, open_ if open_.any() else None))
    if l2:
        parts.append((x * l2) * 2.0)
    return total(parts) if parts else Bounded(np.zeros(x.shape), x.rounding)


def is_orthogonal(regularizer: Any) -> bool:
    return isinstance(regularizer, dict) and (
        regularizer.get("class_name") == "OrthogonalRegularizer")


def factors(regularizer: Any) -> tuple[float, float]:
    """(l1, l2) of a regularizer's name or Keras config.

    Raises:
        ValueError: for any other regularizer than these two and their sum.
    """
    name, config = regularizer, None
    if isinstance(regularizer, dict):
        name, config = regularizer.get("class_name"), regularizer.get("config")
    known = {"l1": ("l1",), "l2": ("l2",), "l1l2": ("l1", "l2"), "l1_l2": ("l1", "l2")}
    if str(name).lower() not in known:
        raise ValueError(f"Expected a regularizer l1, l2 or l1_l2. Received: {regularizer!r}")
    given = dict.fromkeys(known[str(name).lower()], DEFAULT) if config is None else config
    l1, l2 = (float(np.float32(given.get(key) or 0.0)) for key in ("l1", "l2"))
    return l1, l2


def regularizer_of(config: Config, weight: str) -> Any:
    """What a layer's config says of a weight's regularizer, None for none.

    The argument is named after the weight ('bias_regularizer'), without its 'kernel' where there
    are several ('depthwise_regularizer'); that of a depthwise kernel is always named so.
    """
    if not config.get("trainable", True):
        return None
    _, config, weight = of_weight("", config, weight)
    weight = weight.rpartition("/")[2]  # of a projection inside the layer
    for name in (weight, weight.removesuffix("_kernel"), *["depthwise"] * (weight == "kernel")):
        if config.get(f"{name}_regularizer") is not None:
            return config[f"{name}_regularizer"]
    return None


def of_part(trace: Trace, part: Part, weights: dict[str, Bounded]) -> dict[str, Bounded]:
    """The penalties' gradients with respect to a part's weights, by the weights' names; none for a
    further call of a layer."""
    if part.tied_to is not None:
        return {}
    config = layer_config(trace, part.layer)
    return {name: gradient(regularizer_of(config, name), weight)
            for name, weight in weights.items() if regularizer_of(config, name) is not None}


def of_weights(trace: Trace, weights: list[dict[str, Bounded]]) -> list[Bounded]:
    """The penalty on each weight that has one; `weights` are those of each part."""
    found = []
    for part, held in zip(trace.parts, weights):
        if part.tied_to is not None:
            continue
        config = layer_config(trace, part.layer)
        found += [penalty(regularizer_of(config, name), weight) for name, weight in held.items()
                  if regularizer_of(config, name) is not None]
    return found


def activity_regularizer(trace: Trace, i: int) -> Any:
    """The regularizer of a part's output, None for none; of a layer's parts only the last has one.
    """
    inner = i + 1 < len(trace.parts) and trace.parts[i + 1].layer == trace.parts[i].layer
    config = layer_config(trace, trace.parts[i].layer)
    if trace.parts[i].class_name == "ActivityRegularization":  # whose factors are its arguments
        return {"class_name": "L1L2", "config": {"l1": config["l1"], "l2": config["l2"]}}
    return None if inner else config.get("activity_regularizer")


def of_outputs(trace: Trace, outputs: list[Bounded]) -> list[Bounded]:
    """The penalty on each output that has one; `outputs` are those of each part."""
    return [penalty(activity_regularizer(trace, i), output) / float(output.shape[0])
            for i, output in enumerate(outputs) if activity_regularizer(trace, i) is not None]


def output_gradient(trace: Trace, i: int, output: Bounded) -> list[Bounded]:
    """The gradient of the penalty on a part's output: a list of one, or of none."""
    regularizer = activity_regularizer(trace, i)
    if regularizer is None:
        return []
    return [gradient(regularizer, output) / float(output.shape[0])]
