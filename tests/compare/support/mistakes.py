"""Layers, losses and optimizers with one mistake each: the ones people really make, and tiny ones.

Each class is right but for what its docstring says. `scaled` makes the tiny ones, of any size.
"""

import itertools

import numpy as np

import scratch
from tests.scratch.support import oracles


def scaled(base, tensor: str, factor: float):
    """A class like `base` whose `tensor` is multiplied by `factor`, rounded once at the end.

    Args:
        tensor: 'output', 'input_gradient', 'kernel_gradient' or 'bias_gradient'.
    """
    def times(array):
        return (array.astype(np.float64) * factor).astype(array.dtype)

    if not issubclass(base, scratch.layers.AffineLayer):
        class Plain(base):
            def forward(self, x, training=False):
                y = super().forward(x, training)
                return times(y) if tensor == "output" else y

            def backward(self, dy, wants_input_gradient=True):
                dx = super().backward(dy, wants_input_gradient)
                return times(dx) if tensor == "input_gradient" else dx

        return Plain

    class Affine(base):
        def affine(self, x):
            y = super().affine(x)
            return times(y) if tensor == "output" else y

        def affine_backward(self, dz, wants_input_gradient):
            dx = super().affine_backward(dz, wants_input_gradient)
            for name in self.grads:
                if tensor == f"{name}_gradient":
                    self.grads[name] = times(self.grads[name])
            return times(dx) if tensor == "input_gradient" and dx is not None else dx

    return Affine


class Kernel:
    """Lends a layer another kernel for as long as a block lasts."""

    def __init__(self, layer, kernel):
        self.layer, self.kernel = layer, kernel

    def __enter__(self):
        self.kept = self.layer.kernel.copy()
        self.layer.kernel[...] = self.kernel

    def __exit__(self, *_):
        self.layer.kernel[...] = self.kept


# Forward


class Flipped(scratch.Conv2D):
    """Convolves instead of correlating."""

    def affine(self, x):
        with Kernel(self, self.kernel[::-1, ::-1]):
            return super().affine(x)


class PaddedBefore(scratch.Conv2D):
    """The odd column of 'same' padding stands before the image, not after it."""

    def affine(self, x):
        shifted = np.zeros_like(x)
        shifted[:, :, 1:] = x[:, :, :-1]
        return super().affine(shifted)


class BorderColumnDropped(scratch.Conv2D):
    """The last column of the output stays zero."""

    def affine(self, x):
        y = super().affine(x)
        y[:, :, -1] = 0
        return y


class HalfPrecisionInside(scratch.Conv2D):
    """Inputs are rounded to float16 on the way."""

    def affine(self, x):
        return super().affine(x.astype("float16").astype(x.dtype))


class OneWeightOff(scratch.Conv2D):
    """A single weight is off by one part in a million."""

    def affine(self, x):
        kernel = self.kernel.copy()
        kernel[0, 1, -1, 2] *= 1 + 1e-6
        with Kernel(self, kernel):
            return super().affine(x)


class BiasDoubled(scratch.Dense):
    """The bias is added twice."""

    def affine(self, x):
        return super().affine(x) + self.bias


class BiasMissing(scratch.Conv2D):
    """The bias is not added."""

    def affine(self, x):
        return super().affine(x) - self.bias


class BiasMissesOneUnit(scratch.Dense):
    """One unit has no bias."""

    def affine(self, x):
        y = super().affine(x)
        y[..., 1] -= self.bias[1]
        return y


class SamplesSwapped(scratch.Dense):
    """The first two samples' outputs are mixed up."""

    def affine(self, x):
        y = super().affine(x)
        return np.concatenate([y[1:2], y[:1], y[2:]])


class PadsWithZero(scratch.MaxPooling2D):
    """Pads with zeros, which are larger than what is negative."""

    def forward(self, x, training=False):
        y = super().forward(x, training).copy()
        (kh, kw), inside = self.pool_size, walk(self, x)
        for i, j, pixels in inside:
            if len(pixels) < kh * kw:
                y[:, i, j] = np.maximum(y[:, i, j], 0)
        return y


class Averages(scratch.MaxPooling2D):
    """The mean of the largest and the smallest number of a window in place of the largest."""

    def forward(self, x, training=False):
        smallest = -super().forward(-x, training)
        return (super().forward(x, training) + smallest) / 2


class Leaks(scratch.ReLU):
    """Lets one millionth of what is negative through."""

    def forward(self, x, training=False):
        y = super().forward(x, training)
        return np.where(x < 0, x * x.dtype.type(1e-6), y)


class ChannelsFirst(scratch.Flatten):
    """Takes the numbers channel by channel."""

    def forward(self, x, training=False):
        super().forward(x, training)
        return np.moveaxis(x, -1, 1).reshape(len(x), -1)


class WarmSoftmax(scratch.Softmax):
    """A temperature of 1.0001."""

    def forward(self, x, training=False):
        return super().forward(x / x.dtype.type(1.0001), training)


class OverAllSamples(scratch.Softmax):
    """Normalised over the whole batch."""

    def forward(self, x, training=False):
        super().forward(x, training)
        exponentials = np.exp(x - x.max())
        return exponentials / exponentials.sum() * x.dtype.type(len(x))


# Backward


class Overwrites(scratch.Conv2D):
    """Where windows overlap, the last one's gradient stands in place of the sum."""

    def affine_backward(self, dz, wants_input_gradient):
        dx = np.zeros_like(super().affine_backward(dz, True))
        (kh, kw), (sh, sw) = self.kernel_size, self.strides
        for i, j in itertools.product(range(dz.shape[1]), range(dz.shape[2])):  # 'valid'
            window = np.einsum("nf,ijcf->nijc", dz[:, i, j], self.kernel)
            dx[:, i * sh:i * sh + kh, j * sw:j * sw + kw] = window
        return dx


class GradientNotTurned(scratch.Conv2D):
    """The gradient goes back through the kernel unturned: its mirror image."""

    def affine_backward(self, dz, wants_input_gradient):
        super().affine_backward(dz, wants_input_gradient)
        kept = dict(self.grads)
        with Kernel(self, self.kernel[::-1, ::-1]):
            dx = super().affine_backward(dz, True)
        self.grads.update(kept)
        return dx


class GradientFlipped(scratch.Conv2D):
    """The kernel's gradient is flipped in both axes."""

    def affine_backward(self, dz, wants_input_gradient):
        dx = super().affine_backward(dz, wants_input_gradient)
        self.grads["kernel"] = self.grads["kernel"][::-1, ::-1].copy()
        return dx


class FirstSampleOnly(scratch.Conv2D):
    """The kernel's gradient is that of the first sample."""

    def affine_backward(self, dz, wants_input_gradient):
        first = np.zeros_like(dz)
        first[0] = dz[0]
        super().affine_backward(first, wants_input_gradient)
        kernel = self.grads["kernel"]
        dx = super().affine_backward(dz, wants_input_gradient)
        self.grads["kernel"] = kernel
        return dx


class BiasGradientMean(scratch.Conv2D):
    """The bias's gradient is a mean where a sum belongs."""

    def affine_backward(self, dz, wants_input_gradient):
        dx = super().affine_backward(dz, wants_input_gradient)
        self.grads["bias"] = dz.mean(axis=(0, 1, 2))
        return dx


class BiasGradientMissing(scratch.Dense):
    """The bias's gradient is zero."""

    def affine_backward(self, dz, wants_input_gradient):
        dx = super().affine_backward(dz, wants_input_gradient)
        self.grads["bias"] = np.zeros_like(self.grads["bias"])
        return dx


class DividedTwice(scratch.Dense):
    """The kernel's gradient is divided by the batch once more."""

    def affine_backward(self, dz, wants_input_gradient):
        dx = super().affine_backward(dz, wants_input_gradient)
        self.grads["kernel"] = self.grads["kernel"] / dz.dtype.type(len(dz))
        return dx


class UpdatedTooEarly(scratch.Dense):
    """The input's gradient goes back through weights that have made their step already."""

    def affine_backward(self, dz, wants_input_gradient):
        super().affine_backward(dz, wants_input_gradient)
        kept = dict(self.grads)
        with Kernel(self, self.kernel - self.kernel.dtype.type(1e-3) * self.grads["kernel"]):
            dx = super().affine_backward(dz, True)
        self.grads.update(kept)
        return dx


def walk(layer, x):
    """A pool's windows over images x, pixel by pixel."""
    return oracles.windows(x.shape[1:3], layer.pool_size, layer.strides, layer.padding)


class PixelByPixel(scratch.MaxPooling2D):
    """No mistake yet: sends each window's gradient back by `send`, to the first maximum."""

    def forward(self, x, training=False):
        self._seen = x
        return super().forward(x, training)

    def backward(self, dy, wants_input_gradient=True):
        x = self._seen
        dx = np.zeros_like(x)
        for i, j, pixels in walk(self, x):
            for n, c in itertools.product(range(len(x)), range(x.shape[3])):
                values = np.array([x[n, row, column, c] for _, _, row, column in pixels])
                places = [(n, row, column, c) for _, _, row, column in pixels]
                self.send(dx, places, np.flatnonzero(values == values.max()), dy[n, i, j, c])
        return dx

    def send(self, dx, places, largest, gradient):
        dx[places[largest[0]]] += gradient


class LastMaximum(PixelByPixel):
    """A tie's gradient goes to the last maximum."""

    def send(self, dx, places, largest, gradient):
        dx[places[largest[-1]]] += gradient


class SharesTies(PixelByPixel):
    """A tie's gradient is shared equally by all the maxima."""

    def send(self, dx, places, largest, gradient):
        for k in largest:
            dx[places[k]] += gradient / len(largest)


class PoolOverwrites(PixelByPixel):
    """Where windows overlap, the last one's gradient stands in place of the sum."""

    def send(self, dx, places, largest, gradient):
        dx[places[largest[0]]] = gradient


class MaskFromGradient(scratch.ReLU):
    """The mask is taken from the gradient that comes in."""

    def backward(self, dy, wants_input_gradient=True):
        return dy * (dy > 0)


class PassesAtZero(scratch.ReLU):
    """Passes the gradient at exactly 0."""

    def backward(self, dy, wants_input_gradient=True):
        return dy * (self._z >= 0)


class GradientChannelsFirst(scratch.Flatten):
    """The gradient is put back channel by channel."""

    def backward(self, dy, wants_input_gradient=True):
        n, height, width, channels = self._shape
        return np.moveaxis(dy.reshape(n, channels, height, width), 1, -1)


class NoJacobian(scratch.Softmax):
    """Hands the gradient on as it comes."""

    def backward(self, dy, wants_input_gradient=True):
        return dy


class DiagonalJacobian(scratch.Softmax):
    """Takes the Jacobian for a diagonal: y (1 - y)."""

    def backward(self, dy, wants_input_gradient=True):
        super().backward(dy)
        return dy * self._y * (1 - self._y)


# Losses


class Loss(scratch.SparseCategoricalCrossentropy):
    """Base: a loss needs a name of its own."""

    def __init__(self, **settings):
        super().__init__(**{**settings, "name": "mistaken"})


class Sum(Loss):
    """The sum over the batch, not its mean."""

    def forward(self, y_true, y_pred, from_logits=None):
        return super().forward(y_true, y_pred, from_logits) * y_pred.dtype.type(len(y_pred))


class GradientNotDivided(Loss):
    """The gradient lacks 1/N."""

    def backward(self):
        return super().backward() * self._gradient.dtype.type(len(self._gradient))


class GradientDividedTwice(Loss):
    """The gradient has 1/N twice."""

    def backward(self):
        return super().backward() / self._gradient.dtype.type(len(self._gradient))


class Smoothed(Loss):
    """The gradient aims at labels of 1 - 1e-6."""

    def backward(self):
        gradient = super().backward()
        return gradient * gradient.dtype.type(1 - 1e-5)


class TwoIsTheBase(Loss):
    """Logarithms to the base 2."""

    def forward(self, y_true, y_pred, from_logits=None):
        return super().forward(y_true, y_pred, from_logits) / y_pred.dtype.type(np.log(2))


# Optimizers


class WrongSign(scratch.SGD):
    """Climbs."""

    def apply(self, gradients, variables):
        super().apply([-g for g in gradients], variables)


class DecaysWeights(scratch.SGD):
    """Shrinks every weight by one part in a million."""

    def apply(self, gradients, variables):
        super().apply(gradients, variables)
        for variable in variables:
            variable *= variable.dtype.type(1 - 1e-6)


class RateOff(scratch.SGD):
    """The rate is off by one part in a thousand."""

    def apply(self, gradients, variables):
        super().apply([g * g.dtype.type(1.001) for g in gradients], variables)


class HalfStep(scratch.SGD):
    """The first variable it is given moves half as far."""

    def apply(self, gradients, variables):
        super().apply([gradients[0] * gradients[0].dtype.type(0.5), *gradients[1:]], variables)
