"""A scale of the loss at which no gradient overflows in float16, as training comes to it.

`LossScaleOptimizer` begins with 32768. Where a gradient then overflows, Keras makes no step and
halves the scale, until none does. Of gradients that are infinite or NaN on both sides nothing can
be said; so the two are checked as training would find them after those steps.
"""

import copy
from typing import Any

import numpy as np

from compare.tracing.ops import untouched_generator
from compare.tracing.types import Network

SMALLEST = 2.0**-14  # where that overflows, too, it is not the scale's fault
# Kernels add up in float16 what the candidate adds up in float32, which may overflow half-way.
ROOM = 0.25


def fitted(model: Network, twin: Network, x: Any, y: Any, sample_weight: Any
           ) -> tuple[Network, Network, list[str]]:
    """The two, and a sentence if a gradient of the candidate overflows at their optimizers' first
    scale: then they are copies with a smaller one.

    Args:
        model: a compiled scratch model.
        twin: a compiled Keras model.
    """
    first = getattr(model.optimizer, "initial_scale", None)
    if first is None or not model.low or getattr(twin.optimizer, "initial_scale", None) != first:
        return model, twin, []
    trial = copy.deepcopy(model)
    scale = first
    with untouched_generator(), np.errstate(all="ignore"):
        while scale > SMALLEST and not _finite(trial, scale, x, y, sample_weight):
            scale /= 2
    if scale in (first, SMALLEST):
        return model, twin, []
    scale *= ROOM
    import reference

    model = copy.deepcopy(model)  # whose moving statistics have not moved
    _scale_by(model, scale)
    return model, reference.with_loss_scale(twin, scale), [
        f"The loss is scaled by {scale:g}. At {first:g}, with which training begins, a gradient "
        "overflows in float16: Keras then makes no step and halves the scale."]


def _finite(trial: Network, scale: float, x: Any, y: Any, sample_weight: Any) -> bool:
    """Whether all gradients are, of the loss scaled so."""
    _scale_by(trial, scale)
    trial.loss_and_gradients(x, y, sample_weight=sample_weight)
    return all(np.isfinite(gradient).all()
               for layer in trial.layers for gradient in layer.grads.values())


def _scale_by(model: Network, scale: float) -> None:
    model.optimizer.initial_scale, model.optimizer.dynamic_scale = scale, np.float32(scale)
