"""The referee: what each layer is by definition, in float64, with a proved bound on rounding.

Every class takes a layer's Keras config and offers `forward(x, weights)`, then `backward(dy)`,
which returns the gradient with respect to x and those with respect to the weights. All arguments
and results are `Bounded`. Written from the definitions, not from `scratch` or Keras.
"""

import numpy as np

from compare.referee.bounded import LIBRARY_ULPS, Bounded, bilinear
from compare.referee.windows import Walk


class Referee:
    """Base: `exact` says that whole numbers go in and come out whole, with nothing rounded."""

    exact = True

    def __init__(self, config: dict):
        self.config = config

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        raise NotImplementedError

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        raise NotImplementedError

    def reductions(self, input_shape, output_shape) -> dict[str, int]:
        """How many products or values each element of a result adds up, by the result's name."""
        return {"output": 1, "input_gradient": 1}


class Conv2D(Referee):
    """y[n, p, q, f] = sum over i, j, c of x[n, p sh + i - top, q sw + j - left, c] w[i, j, c, f].
    """

    def forward(self, x, weights):
        self.x, self.kernel = x, weights["kernel"]
        self.walk = self._walk(x.shape)
        return bilinear(self._correlate, x, self.kernel, weights.get("bias"))

    def backward(self, dy):
        dx = bilinear(self._spread, dy, self.kernel)
        gradients = {"kernel": bilinear(self._collect, self.x, dy)}
        if self.config["use_bias"]:
            gradients["bias"] = dy.sum(axis=(0, 1, 2))
        return dx, gradients

    def _walk(self, shape):
        return Walk(shape[1:3], self.config["kernel_size"], self.config["strides"],
                    self.config["padding"])

    def reductions(self, input_shape, output_shape):
        (kh, kw), filters = self.config["kernel_size"], self.config["filters"]
        pixels = int(np.prod(output_shape[:3]))
        return {"output": kh * kw * input_shape[3] + 1,
                "input_gradient": self._walk(input_shape).overlap() * filters,
                "kernel_gradient": pixels, "bias_gradient": pixels}

    def _correlate(self, x, kernel):
        y = np.zeros((x.shape[0], *self.walk.outputs, kernel.shape[3]))
        for i, j in self.walk.offsets():
            out, pixels = self.walk.at(i, j)
            y[out] += x[pixels] @ kernel[i, j]  # (N, p, q, C) @ (C, F)
        return y

    def _spread(self, dy, kernel):
        dx = np.zeros(self.x.shape)
        for i, j in self.walk.offsets():
            out, pixels = self.walk.at(i, j)
            dx[pixels] += dy[out] @ kernel[i, j].T  # (N, p, q, F) @ (F, C)
        return dx

    def _collect(self, x, dy):
        gradient = np.zeros(self.kernel.shape)
        for i, j in self.walk.offsets():
            out, pixels = self.walk.at(i, j)
            gradient[i, j] = np.tensordot(x[pixels], dy[out], axes=([0, 1, 2], [0, 1, 2]))
        return gradient


class Dense(Referee):
    """y[..., u] = sum over i of x[..., i] w[i, u] + b[u]."""

    def forward(self, x, weights):
        self.x, self.kernel = x, weights["kernel"]
        return bilinear(np.matmul, x, self.kernel, weights.get("bias"))

    def backward(self, dy):
        dx = bilinear(lambda d, w: d @ w.T, dy, self.kernel)
        axes = list(range(len(dy.shape) - 1))
        gradients = {"kernel": bilinear(lambda x, d: np.tensordot(x, d, axes=(axes, axes)),
                                        self.x, dy)}
        if self.config["use_bias"]:
            gradients["bias"] = dy.sum(axis=tuple(axes))
        return dx, gradients

    def reductions(self, input_shape, output_shape):
        rows = int(np.prod(output_shape[:-1]))
        return {"output": input_shape[-1] + 1, "input_gradient": output_shape[-1],
                "kernel_gradient": rows, "bias_gradient": rows}


class MaxPooling2D(Referee):
    """The largest of each window; the gradient goes to its first maximum in row-major order."""

    def forward(self, x, weights):
        self.x = x = x.flushed()
        self.walk = Walk(x.shape[1:3], self.config["pool_size"], self.config["strides"],
                         self.config["padding"])
        self.values = self.walk.stack(x.value, -np.inf)  # (kh kw, N, OH, OW, C)
        self.errors = None if x.error is None else self.walk.stack(x.error, 0.0)
        error = None if self.errors is None else self.errors.max(axis=0)
        return Bounded(self.values.max(axis=0), x.rounding, error).flushed()

    def backward(self, dy):
        dy = dy.flushed()
        winner = self.values.argmax(axis=0)
        dx, magnitude, error = (np.zeros(self.x.shape) for _ in range(3))
        for k, (i, j) in enumerate(self.walk.offsets()):
            out, pixels = self.walk.at(i, j)
            won = (winner == k)[out]
            dx[pixels] += np.where(won, dy.value[out], 0.0)
            magnitude[pixels] += np.where(won, np.abs(dy.value[out]), 0.0)
            error[pixels] += np.where(won, dy.bound[out], 0.0)
            if self.errors is not None:
                possible = self._may_win(k)[out]
                error[pixels] += np.where(possible, np.abs(dy.value[out]) + dy.bound[out], 0.0)
        overlap = self.walk.overlap()
        if overlap > 1:
            error += dy.rounding.gamma(overlap) * (magnitude + error)
            error += overlap * dy.rounding.tiny  # partial sums, flushed to zero
        return Bounded(dx, dy.rounding, error).flushed(), {}

    def _may_win(self, k):
        """Where rounding of the input leaves open whether offset k holds the maximum."""
        winner = self.values.argmax(axis=0)
        highest = self.values + self.errors
        lowest_winner = (self.values - self.errors).max(axis=0)
        contested = (highest >= lowest_winner).sum(axis=0) > 1
        close = (highest[k] >= lowest_winner) & contested
        unequal = self.errors.max(axis=0) > 0  # equal exact values tie the same way on both sides
        return close & unequal & np.isfinite(self.values[k]) & (winner >= 0)

    def reductions(self, input_shape, output_shape):
        walk = Walk(input_shape[1:3], self.config["pool_size"], self.config["strides"],
                    self.config["padding"])
        return {"output": 1, "input_gradient": walk.overlap()}


class Flatten(Referee):
    """The same numbers in one row per sample, row-major."""

    def forward(self, x, weights):
        self.shape = x.shape
        return x.reshape(x.shape[0], int(np.prod(x.shape[1:])))

    def backward(self, dy):
        return dy.reshape(self.shape), {}


class Linear(Referee):
    """The input as it is."""

    def forward(self, x, weights):
        return x

    def backward(self, dy):
        return dy, {}


class ReLU(Referee):
    """max(x, 0), which passes nothing back at 0."""

    def forward(self, x, weights):
        self.x = x = x.flushed()
        y = np.maximum(x.value, 0.0)
        if x.error is None:
            return Bounded(y, x.rounding)
        above = np.maximum(x.value + x.error, 0.0) - y
        below = y - np.maximum(x.value - x.error, 0.0)
        return Bounded(y, x.rounding, np.maximum(above, below)).flushed()

    def backward(self, dy):
        dx = dy.where(self.x.value > 0)
        if self.x.error is None:
            return dx, {}
        open_ = (np.abs(self.x.value) <= self.x.error) & (self.x.error > 0)  # the sign is open
        error = np.where(open_, np.abs(dy.value) + dy.bound, dx.bound)
        return Bounded(dx.value, dy.rounding, error), {}


class Softmax(Referee):
    """exp(x - max) / sum exp(x - max)."""

    exact = False

    def forward(self, x, weights):
        self.axis = self.config.get("axis", -1)
        self.y = softmax(x, self.axis)
        return self.y

    def backward(self, dy):
        weighted = (dy * self.y).sum(axis=self.axis, keepdims=True)
        return self.y * (dy - weighted), {}

    def reductions(self, input_shape, output_shape):
        classes = input_shape[self.axis]
        return {"output": classes, "input_gradient": classes}


def softmax(x: Bounded, axis: int) -> Bounded:
    """Softmax with the largest value taken off first, as a quotient or as exp of a log-softmax.

    The shift is one and the same number for a whole row, so an error in it cancels; it is
    therefore taken as exact, and only the subtraction rounds. exp(x - shift - log sum) rounds two
    more subtractions, of numbers as large as |x - shift| and log sum, whose errors exp turns into
    relative ones; the bound has room for them, so that either formula passes.
    """
    shift = Bounded(x.value.max(axis=axis, keepdims=True), x.rounding)
    shifted = x - shift
    exponentials = shifted.exp()
    sums = exponentials.sum(axis=axis, keepdims=True)
    quotient = exponentials / sums
    exponent = 2 * np.abs(shifted.value) + (4 + 2 * LIBRARY_ULPS) * np.log(sums.value)
    slack = quotient.value * np.expm1(x.rounding.unit * exponent)
    return Bounded(quotient.value, x.rounding, quotient.bound + slack)


class Chain(Referee):
    """One referee after another: a layer and the activation inside it."""

    def __init__(self, referees):
        super().__init__({})
        self.referees = referees
        self.exact = all(referee.exact for referee in referees)

    def forward(self, x, weights):
        first, *rest = self.referees
        y = first.forward(x, weights)
        for referee in rest:
            y = referee.forward(y, {})
        return y

    def backward(self, dy):
        gradients = {}
        for referee in reversed(self.referees):
            dy, gradients = referee.backward(dy)
        return dy, gradients

    def reductions(self, input_shape, output_shape):
        return self.referees[0].reductions(input_shape, output_shape)


LAYERS = {"Conv2D": Conv2D, "Dense": Dense, "MaxPooling2D": MaxPooling2D, "Flatten": Flatten,
          "ReLU": ReLU, "Softmax": Softmax}
ACTIVATIONS = {"relu": ReLU, "softmax": Softmax, "linear": Linear}


def referee_for(class_name: str, config: dict, part: str = "") -> Referee:
    """The referee of a layer, of the activation `part` inside it, or of both if part is 'whole'.

    Raises:
        ValueError: for a layer or an activation that has none.
    """
    activation = config.get("activation", "linear")
    named = (activation if part == "whole" or class_name == "Activation" else part) or "linear"
    if class_name not in {*LAYERS, "Activation"} or named not in ACTIVATIONS:
        raise ValueError(f"Expected a layer that has a referee: {', '.join(LAYERS)}, with one of "
                         f"the activations {', '.join(ACTIVATIONS)}. Received: {class_name} "
                         f"{config.get('name')!r} with {named!r}")
    if part == "whole":
        return Chain([LAYERS[class_name](config), ACTIVATIONS[config["activation"]]({})])
    if part:
        return ACTIVATIONS[part]({})
    if class_name == "Activation":
        return ACTIVATIONS[config["activation"]]({})
    return LAYERS[class_name](config)
