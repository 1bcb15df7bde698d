"""Mistakes in the activation inside a layer, seen from the gradients behind it.

Of an activation by itself the input's gradient is wrong. Inside a layer that can only be run whole,
that gradient is never shown: what is seen is what the layer makes of it, its input's gradient or a
weight's. So each hypothesis of the activation is tried on the activation, and what it gives is sent
on through the layer that lies before it.
"""

import numpy as np

from compare.diagnosis.computation import LayerComputation
from compare.diagnosis.hypotheses.activation_formulas import of_activation_formulas
from compare.diagnosis.hypotheses.activations import (
    APPROXIMATIONS,
    SOFTMAXES,
    activation_name,
    of_masks,
    of_presence,
    of_softmax,
    other,
)
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.running_error import Bounded
from compare.tracing.trace import WHOLE


def of_inner_activation(c) -> list[Variant]:
    """For the output or a gradient of a layer whose activation cannot be run apart from it."""
    if c.part != WHOLE or activation_name(c) in (None, "linear"):
        return []
    if c.tensor == "output":
        return [inside("activation-other", said, lambda c, f=function: other(c, "linear").then(f))
                for said, function in APPROXIMATIONS.items()]
    if not c.tensor.endswith("_gradient") or c.dy is None:
        return []
    alone, _ = apart(c)
    found = of_presence(alone)
    if isinstance(alone.activation, SOFTMAXES):
        found += of_softmax(alone)
    else:
        found += of_masks(alone)
        found += [inside("activation-other", "abs", lambda c: other(
            c, ("LeakyReLU", {"negative_slope": -1.0}))),
                  inside("activation-other", "abs", lambda c: c.changed(
                      own=lambda c: c.exact(c.dy) * c.exact(np.sign(c.x))))]
        found += of_activation_formulas(alone)
    return [_sent_on(variant) for variant in found]


def apart(c) -> tuple[LayerComputation, np.ndarray]:
    """(the computation of the activation's gradient by itself, how far rounding may have led its
    input away)."""
    first = c.oracle().oracles[0]
    z = first.forward(c.exact(c.x), {name: c.exact(w) for name, w in c.weights.items()})
    alone = LayerComputation(c.rounding, class_name="Activation",
                             config={"activation": c.config["activation"]},
                             tensor="input_gradient", x=z.value,
                             dy=np.asarray(c.value(c.dy), np.float64), training=c.training)
    return alone, np.broadcast_to(z.bound, z.shape)


def _sent_on(variant: Variant) -> Variant:
    """The variant of an activation, as one of the layer that it is inside."""
    def change(c, made):
        alone, off = apart(c)
        dz = variant.change(alone, None).evaluate()
        sides = np.where(np.arange(off.size).reshape(off.shape) % 2, off, -off)
        spread = [np.abs(variant.change(alone.changed(x=alone.x + each), None).evaluate().value
                         - dz.value) for each in (off, -off, sides)]
        wider = Bounded(dz.value, dz.rounding, dz.bound + np.max(spread, axis=0))
        return c.changed(part="", dy=wider)

    return Variant(variant.identifier, variant.detail, change)
