"""Oracles of convolutions whose output is one sum of products: all but the separable one."""

import math
from typing import Any

import numpy as np

from compare.oracle import correlation, term_counts
from compare.oracle.base import Oracle, judges
from compare.oracle.correlation import Products
from compare.oracle.data_format import Layout
from compare.oracle.running_error import Bounded, Product, bilinear
from compare.oracle.windows import Walk
from compare.tracing.types import Config


class Convolution(Oracle):
    """Base: a product of input and kernel that is linear in both, and a bias.

    A subclass says what `forth`, `back` and `gather` are, on images (N, H, W, C) and on kernels
    (kh, kw, ., .), or on volumes and theirs; each `by` the products of `correlation`, or by the
    numbers of their terms, `term_counts`. `bilinear` has the bound: each element is a sum of
    products in any order.
    """

    rank = 2
    wide = False  # whether its output is known to be added up in float32, see `low_precision.py`
    operation = "sums of products of input and kernel"
    window = "kernel_size"
    outputs: tuple[str, ...] = ("filters",)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.layout = Layout(self.rank, config.get("data_format", "channels_last"))

    def forth(self, by: Products, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """The output without the bias."""
        raise NotImplementedError

    def back(self, by: Products, dy: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """The gradient with respect to x."""
        raise NotImplementedError

    def gather(self, by: Products, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        """The gradient with respect to the kernel."""
        raise NotImplementedError

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        lay = self.layout
        self.x, self.kernel = x, weights["kernel"]
        self.walk = self._walk(lay.image_shape(x.shape))
        self.groups = self._groups(lay.image_shape(x.shape)[-1])

        def product(by: Products) -> Product:
            return lambda x, k: lay.given(self.forth(by, lay.image(x), lay.kernel(k)))

        return bilinear(product(correlation), x, self.kernel,
                        lay.beside_channels(weights.get("bias")), wide=self.wide,
                        count=product(term_counts))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        lay = self.layout

        def back(by: Products) -> Product:
            return lambda d, k: lay.given(self.back(by, lay.image(d), lay.kernel(k)))

        def gather(by: Products) -> Product:
            return lambda x, d: lay.given_kernel(self.gather(by, lay.image(x), lay.image(d)))

        dx = bilinear(back(correlation), dy, self.kernel, count=back(term_counts))
        kernel = bilinear(gather(correlation), self.x, dy, count=gather(term_counts))
        gradients = {"kernel": kernel}
        if self.config["use_bias"]:
            gradients["bias"] = lay.sum_per_channel(dy)
        return dx, gradients

    def _walk(self, image_shape: tuple[int, ...]) -> Walk:
        lay, config = self.layout, self.config
        return Walk(image_shape[1:-1], lay.per_axis(config["kernel_size"]),
                    lay.per_axis(config["strides"]), config["padding"], self._dilation())

    def _dilation(self) -> tuple[int, ...]:
        return self.layout.per_axis(self.config.get("dilation_rate", (1,) * self.rank))

    def _groups(self, channels: int) -> int:
        return 1


@judges("Conv2D")
class Conv2D(Convolution):
    """y[n, p, q, f] = b[f] +
    sum over i, j, c of x[n, p sh + i dh - top, q sw + j dw - left, c] k[i, j, c, f],
    where c runs over the channels of f's group.
    """

    wide = True

    def forth(self, by: Products, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return by.correlate(self.walk, x, kernel, self.groups)

    def back(self, by: Products, dy: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return by.spread(self.walk, dy, kernel, self.groups)

    def gather(self, by: Products, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        return by.collect(self.walk, x, dy, self.groups)

    def _groups(self, channels: int) -> int:
        return int(self.config.get("groups", 1))

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        source, result = map(self.layout.image_shape, (input_shape, output_shape))
        groups, pixels = self._groups(source[-1]), math.prod(result[:-1])
        return {"output": math.prod(self.config["kernel_size"]) * source[-1] // groups + 1,
                "input_gradient": self._walk(source).overlap() * result[-1] // groups,
                "kernel_gradient": pixels, "bias_gradient": pixels}


@judges("Conv1D")
class Conv1D(Conv2D):
    """The same along one axis."""

    paddings = ("valid", "same", "causal")
    rank = 1


@judges("Conv3D")
class Conv3D(Conv2D):
    """The same along three axes; in float16 TensorFlow adds up in it."""

    rank = 3
    wide = False


@judges("DepthwiseConv2D")
class DepthwiseConv2D(Conv2D):
    """A Conv2D with as many groups as channels; its kernel is written (kh, kw, C, multiplier). In
    float16 TensorFlow adds up in it."""

    outputs = ("depth_multiplier",)
    wide = False

    def forth(self, by: Products, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return super().forth(by, x, kernel.reshape(*kernel.shape[:2], 1, -1))

    def back(self, by: Products, dy: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return super().back(by, dy, kernel.reshape(*kernel.shape[:2], 1, -1))

    def gather(self, by: Products, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        gradient = super().gather(by, x, dy)  # (kh, kw, 1, C multiplier)
        return gradient.reshape(*gradient.shape[:2], self.groups, -1)

    def _groups(self, channels: int) -> int:
        return channels


@judges("DepthwiseConv1D")
class DepthwiseConv1D(DepthwiseConv2D):
    """The same along one axis."""

    rank = 1


@judges("Conv2DTranspose")
class Conv2DTranspose(Convolution):
    """The gradient of a Conv2D with respect to its input: y = spread(x), from C channels to F.

    The Conv2D in question goes from the output's pixels to the input's; with padding 'same' they
    are strides times as many, or, with `output_padding`, the fewest possible and so many more.
    """

    def forth(self, by: Products, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return by.spread(self.walk, x, kernel)

    def back(self, by: Products, dy: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return by.correlate(self.walk, dy, kernel)

    def gather(self, by: Products, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        return by.collect(self.walk, dy, x)

    def _walk(self, image_shape: tuple[int, ...]) -> Walk:
        lay, config, size = self.layout, self.config, []
        kernel, strides = lay.per_axis(config["kernel_size"]), lay.per_axis(config["strides"])
        extra = [*(config.get("output_padding") or (None,) * self.rank), None]
        for n, k, s, d, more in zip(image_shape[1:-1], kernel, strides, self._dilation(), extra):
            reach = (k - 1) * d + 1
            if more is not None:
                size.append((n - 1) * s + (reach % 2 if config["padding"] == "same" else reach)
                            + more)
            else:
                size.append(n * s if config["padding"] == "same"
                            else (n - 1) * s + max(reach, s))
        return Walk(tuple(size), kernel, strides, config["padding"], self._dilation())

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        source, result = map(self.layout.image_shape, (input_shape, output_shape))
        return {"output": self._walk(source).overlap() * source[-1] + 1,
                "input_gradient": math.prod(self.config["kernel_size"]) * result[-1],
                "kernel_gradient": math.prod(source[:-1]), "bias_gradient": math.prod(result[:-1])}


@judges("Conv1DTranspose")
class Conv1DTranspose(Conv2DTranspose):
    """The same along one axis."""

    rank = 1


@judges("Conv3DTranspose")
class Conv3DTranspose(Conv2DTranspose):
    """The same along three axes."""

    rank = 3
