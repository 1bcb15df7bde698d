"""Depthwise convolution: each channel by itself; its products are in `depthwise.py`."""

from scratch.depthwise import Depthwise
from scratch.layers.arguments import positive
from scratch.layers.convolution import Convolution


class DepthwiseConv2D(Convolution):
    """`depth_multiplier` kernels for each channel of (batch, H, W, C); output (batch, OH, OW, C M).

    Channel c becomes the channels c M to c M + M - 1, M being the multiplier.

    Weights: kernel (kh, kw, C, M), bias (C M,). The kernel is not flipped.

    Raises:
        ValueError: for arguments outside their range, or an image smaller than the kernel.
        UnsupportedError: for constraints.
    """

    sample_by_sample = True
    arguments = {"kernel": "depthwise", "bias": "bias"}
    neutral = {"depthwise_constraint": (None,), "bias_constraint": (None,)}

    def __init__(self, kernel_size, strides=1, padding="valid", depth_multiplier=1,
                 data_format=None, dilation_rate=1, activation=None, use_bias=True, **kwargs):
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation,
                         use_bias, **kwargs)
        self.depth_multiplier = positive(depth_multiplier, "depth_multiplier", self)

    def output_channels(self, channels):
        return channels * self.depth_multiplier

    def add_weights(self, channels):
        self.depthwise = Depthwise(self.windows)
        self.add_weight("kernel", (*self.kernel_size, channels, self.depth_multiplier),
                        self.initializers["kernel"])

    def correlate(self, image):
        # (N, H, W, C) -> (W', C, H', N)
        self._padded = self.depthwise.pad(image)
        # (W', C, H', N) -> (N, OH, OW, C M)
        return self.depthwise.multiply(self._padded, self.kernel)

    def correlate_backward(self, dz, wants_input_gradient):
        # (W', C, H', N) and (N, OH, OW, C M) -> (kh, kw, C, M)
        self.grads["kernel"] = self.depthwise.kernel_gradient(self._padded, dz)
        # (N, OH, OW, C M) -> (N, H, W, C)
        return self.depthwise.input_gradient(dz, self.kernel) if wants_input_gradient else None

    def get_config(self):
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}
