"""The oracle of a layer that computes in float16 or bfloat16: casts where Keras casts.

What comes in is float32 that is rounded to the layer's precision: by rule, to nearest, so that an
exact number is cast exactly. What comes out is rounded to it, too. In between every operation is
judged as of the low precision, whose unit roundoff u is 2^-11 (float16) or 2^-8 (bfloat16): whether
a kernel adds up in it or in float32 differs from one to the next. Measured with TensorFlow 2.21 on
a CPU, in units of the last place of the result (0.5: added up in float32, rounded once):

    kernel                                  oneDNN             TensorFlow's own
                                            float16, bfloat16  float16, bfloat16
    matrix products, up to 9,000 terms      0.5, 0.5           0.5, 1.0 (cut off, not rounded)
    convolution, up to 17,500 terms         0.5, 0.5           0.5, 0.5
    its gradients, of 572 terms             9.5, 0.5           9.5, 9.9
    depthwise convolution                   3.0, 0.5           3.0, 3.1
    average pooling                         5.4, 0.5           5.4, 5.0
    sums and means                          12, 0.5            12, 0.5
    the bias's gradient, of 572 terms       0.4, 30            0.4, -
    einsum, of 900 terms                    28, 0.5            28, 50
    einsum's gradients, of 8 terms          1.9, 0.5           1.9, 1.1 (cut off)

So products that are wide on every row (`bilinear(..., wide=True)`) are bounded as sums in float32
and two roundings of the result, and all others as sums in the low precision, in any order: that is
wide, but holds for either way. Numbers of float16 below its smallest normal one are kept, not
flushed; the smallest of all, 2^-24, is what one rounding there costs at most.

Where Keras itself casts to float32 and back (`Oracle.in_float32`) all between the casts is judged
as of float32: the normalizations but that to unit length, and the look-up in a table that is kept
in float32. Batch, layer and group normalization do not cast their weights, either, and of the last
two Keras does not cast the input: it has to be of their precision already.
"""

from functools import cache
from typing import Any

import numpy as np

from compare.oracle.base import Oracle
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.types import Config
from scratch import precision
from scratch.layers import LAYERS

FLOAT32 = "float32"
UNCAST = "uncast"  # in a mistaken layer's config: what of 'x' and 'weights' it does not cast


def policy_of(config: Config) -> precision.Policy:
    """The policy in a layer's config; that of float32 where it says none."""
    given = config.get("dtype")
    return precision.Policy(FLOAT32) if given is None else precision.get(given)


def unit_of(config: Config) -> float:
    """The unit roundoff of what a layer with that config puts out."""
    return Rounding.of(policy_of(config).compute).unit


class LowPrecision(Oracle):
    """What turns a layer's oracle into that of the layer in a low precision: see `in_precision`."""

    policy: precision.Policy
    casts = True  # its weights
    inner: Rounding  # of all between the casts; one, as it takes note of what overflows

    def _cast_weight(self, name: str, weight: Bounded, inner: Rounding) -> Bounded:
        if name != "noise" and "weights" in self.config.get(UNCAST, ()):
            return Bounded(weight.value, inner, weight.error)
        if self.casts or name == "noise":
            return cast(weight, self.policy.compute, inner)
        return cast(weight, self.policy.variable, inner)  # as it is kept

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Bounded:
        first = x[0] if isinstance(x, list) else x
        self.outer = first.rounding
        self.inner = inner = Rounding.of(FLOAT32 if self.in_float32 else self.policy.compute)
        given = {name: self._cast_weight(name, w, inner) for name, w in weights.items()}
        uncast = self.reads_classes or "x" in self.config.get(UNCAST, ())
        taken = FLOAT32 if uncast else self.policy.compute
        cast_x = ([cast(each, taken, inner) for each in x] if isinstance(x, list)
                  else cast(x, taken, inner))
        y = self._left(super().forward(cast_x, given), self.policy.compute)
        self.updated = {name: self._left(value, self.policy.variable)
                        for name, value in self.updated.items()}
        return y

    def backward(self, dy: Bounded) -> tuple[Any, dict[str, Bounded]]:
        dx, gradients = super().backward(cast(dy, self.policy.compute, self.inner))
        lowered = self.policy.compute if self.casts else self.policy.variable
        made = ([self._left(each, self.policy.compute) for each in dx] if isinstance(dx, list)
                else self._left(dx, self.policy.compute))
        return made, {name: self._left(value, lowered) for name, value in gradients.items()}

    def arriving(self, gradient: Bounded) -> Bounded:
        """A reader's gradient passes through the cast of what it reads."""
        own = Rounding.of(self.policy.compute)
        return Bounded(gradient.value, gradient.rounding, rounded_once(gradient, own))

    def _left(self, made: Bounded, lowered: str) -> Bounded:
        """A result, rounded once more if it was computed in another precision than it leaves in."""
        self.outer.overflows |= self.inner.overflows
        self.outer.overflows_low |= self.inner.overflows
        if not self.in_float32 or lowered not in precision.LOW:
            return Bounded(made.value, self.outer, made.error)
        if made.error is None:
            return Bounded(precision.rounded(made.value, lowered), self.outer)
        return Bounded(made.value, self.outer, rounded_once(made, Rounding.of(lowered)))


def rounded_once(made: Bounded, rounding: Rounding) -> np.ndarray:
    """How far a result may be off once it is rounded, in any way, to another precision."""
    size = np.abs(made.value) + made.bound
    return np.asarray(made.bound + 2 * rounding.unit * size + rounding.tiny)


def cast(given: Bounded, name: str, rounding: Rounding) -> Bounded:
    """A number cast to a precision: exactly, to the nearest, as far as it is known itself.

    Args:
        name: of the precision.
        rounding: by which it is judged from there on.
    """
    value = precision.rounded(given.value, name)
    if given.error is None:
        return Bounded(value, rounding)
    known = given.error == 0
    error = np.where(known, 0.0, rounded_once(given, Rounding.of(name))
                     + np.abs(np.nan_to_num(value - given.value)))
    return Bounded(value, rounding, error)


@cache
def _class_of(cls: type[Oracle]) -> type[Oracle]:
    return type(f"LowPrecision{cls.__name__}", (LowPrecision, cls), {"__module__": __name__})


def in_precision(cls: type[Oracle], config: Config, policy: precision.Policy,
                 class_name: str = "") -> Oracle:
    """An oracle of that class for a layer of that policy."""
    if not policy.low:
        return cls(config)
    oracle = _class_of(cls)(config)  # type: ignore[arg-type]  # classes are hashable
    assert isinstance(oracle, LowPrecision)
    oracle.policy = policy
    oracle.casts = getattr(LAYERS.get(class_name), "casts_weights", True)
    return oracle
