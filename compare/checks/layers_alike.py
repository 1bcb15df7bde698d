"""Layers of one network that are the same function of the same shapes, told by their settings.

Deep networks repeat their layers: of 156 in MobileNetV2, 61 are different ones. What the oracle and
Keras make of numbers that are drawn for a layer holds for all that are like it, and is worked out
once. The candidate's own layers are all run: that two of them have the same settings does not say
that somebody wrote them alike.
"""

import json
from collections.abc import Sequence
from typing import Any

from compare.tracing.configs import layer_config
from compare.tracing.trace import Part, Trace

# In a config, but not part of what a layer computes from the weights that it is given.
ASIDE = {"name", "module", "registered_name", "build_config", "kernel_initializer",
         "bias_initializer", "depthwise_initializer", "pointwise_initializer", "beta_initializer",
         "gamma_initializer", "moving_mean_initializer", "moving_variance_initializer"}


def groups(trace: Trace, runs: Sequence[Any] | None = None) -> list[list[int]]:
    """The positions of all parts, those that are alike together; each group in ascending order,
    the groups in that of their first.

    Args:
        runs: the reference's function for each part; two are alike if they have the same `kind`,
            and one whose kind is None or missing is like no other. None if there are none.
    """
    found: dict[Any, list[int]] = {}
    for i, part in enumerate(trace.parts):
        theirs: Any = "none" if runs is None else getattr(runs[i], "kind", None)
        found.setdefault(i if theirs is None else (kind(trace, part), theirs), []).append(i)
    return list(found.values())


def kind(trace: Trace, part: Part) -> tuple[Any, ...]:
    """All that the oracle of a part, and the numbers that are drawn for it, depend on."""
    config = {key: value for key, value in layer_config(trace, part.layer).items()
              if key not in ASIDE}
    return (part.class_name, part.part, json.dumps(config, sort_keys=True, default=repr),
            isinstance(part.input, tuple), tuple(x.shape[1:] for x in part.inputs),
            part.output.shape[1:], tuple((name, w.shape) for name, w in part.weights.items()),
            None if part.noise is None else (part.noise.shape, len(part.output)),
            part.inference is None, part.output_gradient is None, part.input_gradient is None)
