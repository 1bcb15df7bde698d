"""Oracles of activations made of straight pieces, inside a layer or as layers of their own.

Which piece counts at a kink is Keras's choice (TensorFlow's gradients), written out in the lists:
what holds below the first kink, at it, above it, and so on.
"""

from typing import Any

import numpy as np

from compare.oracle.base import Activation, judges
from compare.oracle.layers.piecewise import choose, held, same, scaled, shifted, together
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config


def is_short(number: float) -> bool:
    """Whether products of small whole numbers with this one are exact."""
    return float(number * 16).is_integer() and abs(number) <= 16


@judges(activation="linear")
class Linear(Activation):
    """The input as it is."""

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return x

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy, {}


@judges("ReLU", activation="relu")
class ReLU(Activation):
    """x between threshold and max_value, max_value beyond, slope * (x - threshold) below.

    y = a(x) + b(x), a(x) = min(x, max_value) above the threshold, b(x) = slope * (x - threshold)
    below; Keras rounds threshold and max_value to float32 in a, even in float64, and in b not.
    With a slope alone it is LeakyReLU, and with a max_value of 6 alone ReLU6, whose gradients at
    their kinks are others than those of the general formula.
    """

    operation = "max(x, 0)"
    masks = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        slope, threshold = config.get("negative_slope", 0.0), config.get("threshold", 0.0)
        highest = config.get("max_value")
        self.leaky = slope != 0 and highest is None and threshold == 0
        self.six = highest == 6 and threshold == 0
        self.given = slope, threshold
        self.lowest = float(np.float32(threshold))
        self.highest = None if highest is None else float(np.float32(highest))
        self.exact = all(is_short(n) for n in (slope, threshold, highest or 0))
        self.kinks = tuple(sorted({self.lowest, *([] if self.highest is None else [self.highest])}))
        self.blocks = not slope

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x = x
        self.slope, self.threshold = (held(number, x.rounding) for number in self.given)
        if self.leaky:  # which TensorFlow has in float32 always
            self.slope = np.float64(np.float32(self.slope))
        if self.highest is None:
            above = choose(x, [self.lowest], [0, 0, same])
        elif self.highest <= self.lowest:
            above = choose(x, [self.lowest], [0, 0, self.highest])
        else:
            above = choose(x, [self.lowest, self.highest], [0, 0, same, same, self.highest])
        if not self.slope:
            return above
        return together(above, choose(x, [self.threshold], [
            lambda x: scaled(shifted(x, -self.threshold), self.slope), 0, 0]))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = dy.flushed()
        passed, leaked = lambda x: dy, lambda x: scaled(dy, self.slope)
        if self.leaky:
            return choose(self.x, [0], [leaked, leaked, passed]), {}
        if self.highest is None:
            above = choose(self.x, [self.lowest], [0, 0, passed])
        elif self.highest <= self.lowest:
            above = Bounded(np.zeros(dy.shape), dy.rounding)
        else:
            above = choose(self.x, [self.lowest, self.highest],
                           [0, 0, passed, 0 if self.six else passed, 0])
        if not self.slope:
            return above, {}
        return together(above, choose(self.x, [self.threshold], [leaked, 0, 0])), {}


@judges("LeakyReLU", activation="leaky_relu")
class LeakyReLU(ReLU):
    """x above 0, slope * x elsewhere; 0.3 by default as a layer, 0.2 as an activation."""

    operation = "max(x, slope * x)"

    def __init__(self, config: Config) -> None:
        super().__init__({"negative_slope": config.get("negative_slope", 0.2)})


@judges(activation="relu6")
class ReLU6(ReLU):
    """min(max(x, 0), 6), which passes nothing back at 6."""

    operation = "min(max(x, 0), 6)"

    def __init__(self, config: Config) -> None:
        super().__init__({"max_value": 6})


@judges("PReLU")
class PReLU(Activation):
    """max(x, 0) + alpha * min(x, 0), which passes nothing back at 0."""

    operation = "max(x, 0) + alpha * min(x, 0)"
    kinks = (0,)
    masks = True

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x, self.alpha = x, weights["alpha"]
        self.below = choose(x, [0], [same, 0, 0])
        return together(choose(x, [0], [0, 0, same]), self._where_below(self.alpha * self.below))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = dy.flushed()
        dx = choose(self.x, [0], [lambda x: dy * self.alpha, 0, lambda x: dy])
        axes = self._summed(dy.shape)
        dalpha = self._where_below(dy * self.below).sum(axis=axes, keepdims=True)
        return dx, {"alpha": dalpha.reshape(self.alpha.shape)}

    def _where_below(self, product: Bounded) -> Bounded:
        """Without the rounding of products with an exact 0."""
        support = self.below.support() > 0
        return Bounded(np.where(support, product.value, 0.0), product.rounding,
                       np.where(support, product.bound, 0.0))

    def _summed(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The batch, and the axes along which alpha is shared."""
        return (0, *(i + 1 for i, n in enumerate(self.alpha.shape) if n == 1 and shape[i + 1] > 1))

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        shared = self.config.get("shared_axes") or ()
        terms = int(np.prod([input_shape[axis] for axis in (0, *shared)]))
        return {"output": 1, "input_gradient": 1, "alpha_gradient": terms}


@judges(activation="hard_sigmoid")
class HardSigmoid(Activation):
    """min(max(x + 3, 0), 6) / 6; nothing passes where x + 3, as rounded, is 0 or 6.

    x / 6 + 1/2 is the same: 3 roundings of x / 6, if that is a product with a rounded 1/6, and of
    the sum, which next to -3 is much smaller than its terms.
    """

    operation = "min(max(x + 3, 0), 6) / 6"
    kinks = (-3, 3)
    masks = True
    exact = False

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x, self.shifted = x, shifted(x, 3.0)
        hard = choose(self.shifted, [0, 6], [0, 0, same, 6, 6]) / 6
        inside = (self.shifted.value > 0) & (self.shifted.value < 6)
        in_sixths = x.rounding.gamma(3) * (np.abs(x.value) / 6 + 0.5)
        self.hard = Bounded(hard.value, x.rounding, np.where(
            inside, np.maximum(hard.bound, in_sixths), hard.bound))
        return self.hard

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return self.inside(dy / 6), {}

    def inside(self, dy: Bounded) -> Bounded:
        return choose(self.shifted, [0, 6], [0, 0, lambda x: dy, 0, 0])


@judges(activation="hard_silu")
class HardSiLU(HardSigmoid):
    """x times the hard sigmoid of x."""

    operation = "x times the hard sigmoid of x"
    masks = False

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return super().forward(x, weights) * x

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy * self.hard + self.inside(dy * self.x / 6), {}


@judges(activation="hard_tanh")
class HardTanh(Activation):
    """x from -1 to 1, at both of which everything passes back, and the nearer of the two beyond."""

    operation = "min(max(x, -1), 1)"
    kinks = (-1, 1)
    masks = True

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x = x
        return choose(x, [-1, 1], [-1, -1, same, 1, 1])

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = dy.flushed()
        return choose(self.x, [-1, 1], [0, *[lambda x: dy] * 3, 0]), {}


@judges(activation="hard_shrink")
class HardShrink(Activation):
    """x beyond -0.5 and 0.5; 0 between them and at both."""

    operation = "a choice between x and 0"
    kinks = (-0.5, 0.5)
    masks = True

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x = x
        return choose(x, [-0.5, 0.5], [same, 0, 0, 0, same])

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = dy.flushed()
        return choose(self.x, [-0.5, 0.5], [lambda x: dy, 0, 0, 0, lambda x: dy]), {}


@judges(activation="soft_shrink")
class SoftShrink(HardShrink):
    """x + 0.5 below -0.5, x - 0.5 above 0.5, 0 between."""

    operation = "x moved towards 0"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x = x
        return choose(x, [-0.5, 0.5], [lambda x: shifted(x, 0.5), 0, 0, 0,
                                       lambda x: shifted(x, -0.5)])


@judges(activation="sparse_sigmoid")
class SparseSigmoid(Activation):
    """0 up to -1, (x + 1) / 2 to 1, then 1; nothing passes back at -1 and 1."""

    operation = "min(max(x + 1, 0), 2) / 2"
    kinks = (-1, 1)
    masks = True

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x = x
        return choose(x, [-1, 1], [0, 0, lambda x: scaled(shifted(x, 1.0), 0.5), 1, 1])

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return choose(self.x, [-1, 1], [0, 0, lambda x: scaled(dy, 0.5), 0, 0]), {}


@judges(activation="sparse_plus")
class SparsePlus(Activation):
    """0 up to -1, (x + 1)^2 / 4 to 1, then x; its slope has no jump."""

    operation = "0, (x + 1)^2 / 4 or x"
    kinks = (-1, 1)
    exact = False

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x = x
        return choose(x, [-1, 1], [0, 0, lambda x: self._risen(x).through(
            np.square, lambda low, high: 2 * high, 4) * 0.25, same, same])

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = dy.flushed()
        return choose(self.x, [-1, 1], [0, 0, lambda x: dy * self._risen(x) * 0.5,
                                        lambda x: dy, lambda x: dy]), {}

    def _risen(self, x: Bounded) -> Bounded:
        return shifted(x, 1.0)
