"""The oracle of the separable convolution, in which three numbers are multiplied."""

import math
from typing import Any

import numpy as np

from compare.oracle.base import judges
from compare.oracle.correlation import collect, correlate, spread
from compare.oracle.layers.convolution import Convolution
from compare.oracle.running_error import Bounded, bilinear

PIXEL = "nhwc,cf->nhwf"


@judges("SeparableConv2D")
class SeparableConv2D(Convolution):
    """y = sum over i, j, c, m of x[n, ., ., c] d[i, j, c, m] p[c m, f], plus a bias.

    The sum can be made in either of two ways: first x with the depthwise kernel d, pixel by pixel
    then with the pointwise kernel p; or first d with p, which makes the kernel of a plain
    convolution. Each result is bounded for both, and the larger bound holds.
    """

    factors = 3  # in each product of the sum
    outputs = ("filters", "depth_multiplier")

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        lay = self.layout
        self.x = Bounded(lay.image(x.value), x.rounding,
                         None if x.error is None else lay.image(x.error))
        self.depthwise, self.pointwise = (weights[name].rearranged(lay.kernel) for name in
                                          ("depthwise_kernel", "pointwise_kernel"))
        self.groups, self.walk = self.x.shape[3], self._walk(self.x.shape)
        self.between = bilinear(self._each_channel, self.x, self.depthwise)
        bias = weights.get("bias")
        y = either(bilinear(lambda b, p: np.einsum(PIXEL, b, p[0, 0]), self.between,
                            self.pointwise, bias),
                   bilinear(lambda x, k: correlate(self.walk, x, k), self.x, self._fused(), bias))
        return self._given(y)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        lay = self.layout
        bias = lay.sum_per_channel(dy)
        dy = Bounded(lay.image(dy.value), dy.rounding,
                     None if dy.error is None else lay.image(dy.error))
        between = bilinear(lambda d, p: np.einsum(PIXEL, d, p[0, 0].T), dy, self.pointwise)
        plain = bilinear(lambda x, d: collect(self.walk, x, d), self.x, dy)  # (kh, kw, C, F)
        dx = either(bilinear(self._each_channel_back, between, self.depthwise),
                    bilinear(lambda d, k: spread(self.walk, d, k), dy, self._fused()))
        depthwise = either(bilinear(self._gather_each_channel, self.x, between),
                           bilinear(unfuse_depthwise, plain, self.pointwise))
        pointwise = either(bilinear(lambda b, d: np.einsum("nhwc,nhwf->cf", b, d)[None, None],
                                    self.between, dy),
                           bilinear(unfuse_pointwise, plain, self.depthwise))
        gradients = {"depthwise_kernel": depthwise.rearranged(lay.given_kernel),
                     "pointwise_kernel": pointwise.rearranged(lay.given_kernel)}
        if self.config["use_bias"]:
            gradients["bias"] = bias
        return self._given(dx), gradients

    def _fused(self) -> Bounded:
        """The plain convolution's kernel, (kh, kw, C, F): kh kw times as many numbers as the
        layer's own weights, so it is made when it is asked for and not kept."""
        return bilinear(fuse, self.depthwise, self.pointwise)

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        source, result = map(self.layout.image_shape, (input_shape, output_shape))
        multiplier, pixels = self.config["depth_multiplier"], math.prod(result[:3])
        offsets = math.prod(self.config["kernel_size"])
        return {"output": offsets * source[3] * multiplier + 1,
                "input_gradient": self._walk(source).overlap() * multiplier * result[3],
                "depthwise_kernel_gradient": pixels * result[3],
                "pointwise_kernel_gradient": pixels * offsets, "bias_gradient": pixels}

    def _given(self, image: Bounded) -> Bounded:
        return Bounded(self.layout.given(image.value), image.rounding,
                       self.layout.given(image.bound))

    # the depthwise kernel (kh, kw, C, M) as one of C groups, (kh, kw, 1, C M)

    def _each_channel(self, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return correlate(self.walk, x, kernel.reshape(*kernel.shape[:2], 1, -1), self.groups)

    def _each_channel_back(self, dy: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return spread(self.walk, dy, kernel.reshape(*kernel.shape[:2], 1, -1), self.groups)

    def _gather_each_channel(self, x: np.ndarray, dy: np.ndarray) -> np.ndarray:
        gradient = collect(self.walk, x, dy, self.groups)
        return gradient.reshape(*gradient.shape[:2], self.groups, -1)


@judges("SeparableConv1D")
class SeparableConv1D(SeparableConv2D):
    """The same along one axis."""

    rank = 1


def fuse(depthwise: np.ndarray, pointwise: np.ndarray) -> np.ndarray:
    """(kh, kw, C, M) and (1, 1, C M, F) -> the plain convolution's kernel (kh, kw, C, F)."""
    return np.asarray(np.einsum("ijcm,cmf->ijcf", depthwise,
                                by_channel(pointwise, depthwise.shape[2])))


def unfuse_depthwise(plain: np.ndarray, pointwise: np.ndarray) -> np.ndarray:
    """A gradient (kh, kw, C, F) of the fused kernel -> that of the depthwise one."""
    return np.asarray(np.einsum("ijcf,cmf->ijcm", plain,
                                by_channel(pointwise, plain.shape[2])))


def unfuse_pointwise(plain: np.ndarray, depthwise: np.ndarray) -> np.ndarray:
    """A gradient (kh, kw, C, F) of the fused kernel -> that of the pointwise one."""
    gradient: np.ndarray = np.einsum("ijcf,ijcm->cmf", plain, depthwise)
    return gradient.reshape(1, 1, -1, gradient.shape[2])


def by_channel(pointwise: np.ndarray, channels: int) -> np.ndarray:
    """(1, 1, C M, F) -> (C, M, F)."""
    return pointwise.reshape(channels, -1, pointwise.shape[3])


def either(a: Bounded, b: Bounded) -> Bounded:
    """One value, computed in one way or in another: the larger of the two errors."""
    return Bounded(a.value, a.rounding, np.maximum(a.bound, b.bound + np.abs(a.value - b.value)))
