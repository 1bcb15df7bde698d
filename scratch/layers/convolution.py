"""What convolutions share: their arguments, their shapes, and how images come in and go out.

Inside, every input is a batch of images (N, H, W, C), or of volumes (N, D, H, W, C). Channels that
stand first are turned last where they come in, and a sequence (batch, steps, channels) is an image
one pixel wide: its steps are rows, along which memory is laid out.
"""

import numpy as np

from scratch import activations
from scratch.layers.affine import AffineLayer
from scratch.layers.arguments import one_per_axis, padding_name
from scratch.layers.data_format import (
    data_format_name,
    from_channels_last,
    shape_from_channels_last,
    sizes_and_channels,
    to_channels_last,
)
from scratch.lowering import Lowering
from scratch.volume_lowering import slices_of
from scratch.windows import plan_axis, windows_along


class Convolution(AffineLayer):
    """Base of the convolutions; a subclass says what its products are.

    Attributes:
        rank: the number of spatial axes, 3 for volumes, 2 for images, 1 for sequences.
        paddings: the names of padding that the layer knows.
        takes_images: whether inputs come as (N, H, W, C), or (N, D, H, W, C), already.
        filters: the number of output channels, where it is an argument.
        windows: once built, the walk over the image or the volume.
    """

    rank = 2
    filters: int
    paddings: tuple[str, ...] = ("valid", "same")

    def __init__(self, kernel_size, strides, padding, data_format, dilation_rate, activation,
                 use_bias, **kwargs):
        super().__init__(activations.get(activation), use_bias, **kwargs)
        self.kernel_size = one_per_axis(kernel_size, self.rank, "kernel_size", self)
        self.strides = one_per_axis(strides, self.rank, "strides", self)
        self.padding = padding_name(padding, self, self.paddings)
        self.data_format = data_format_name(data_format, self)
        self.takes_images = self.rank > 1 and self.data_format == "channels_last"
        self.dilation_rate = one_per_axis(dilation_rate, self.rank, "dilation_rate", self)

    def refuse_strides_with_dilation(self) -> None:
        """Raises ValueError where Keras does: strides and dilation, each above 1 on any axis."""
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(f"{self}: expected strides or dilation_rate to be 1. Received: "
                             f"strides={self.strides}, dilation_rate={self.dilation_rate}")

    def output_channels(self, channels: int) -> int:
        """How many channels come out if so many come in."""
        return self.filters

    def add_weights(self, channels: int) -> None:
        """Make the kernels, and prepare their products, for so many input channels."""
        raise NotImplementedError

    def correlate(self, image: np.ndarray) -> np.ndarray:
        """The output without the bias, (N, OH, OW, F), in memory of its own."""
        raise NotImplementedError

    def correlate_backward(self, dz: np.ndarray, wants_input_gradient: bool) -> np.ndarray | None:
        """Gradients of `correlate`: of the kernels into `grads`, of the image as a result."""
        raise NotImplementedError

    def plan(self, sizes) -> list:
        """The walk along each spatial axis of an input of these sizes."""
        return [plan_axis(size, kernel, stride, self.padding, dilation) for
                size, kernel, stride, dilation in zip(sizes, self.kernel_size, self.strides,
                                                      self.dilation_rate)]

    def output_sizes(self, sizes) -> list[int]:
        """The output's spatial sizes for an input of these.

        Raises:
            ValueError: if no window fits into the input.
        """
        walks = self.plan(sizes)
        if min(walk.outputs for walk in walks) < 1:
            raise ValueError(
                f"{self}: the image is smaller than the kernel. Expected at least "
                f"{tuple(walk.reach for walk in walks)} pixels with padding 'valid'. "
                f"Received: {tuple(sizes)}.")
        return [walk.outputs for walk in walks]

    def compute_output_shape(self, input_shape):
        *sizes, channels = sizes_and_channels(input_shape, self.rank, self.data_format, self)
        return shape_from_channels_last((input_shape[0], *self.output_sizes(sizes),
                                         self.output_channels(channels)), self.data_format)

    def build(self, input_shape):
        super().build(input_shape)
        *sizes, channels = sizes_and_channels(input_shape, self.rank, self.data_format, self)
        self.windows = windows_along(self.plan(sizes))
        self.add_weights(channels)
        if self.use_bias:
            self.add_weight("bias", (self.output_channels(channels),), self.initializers["bias"])

    def as_image(self, x: np.ndarray) -> np.ndarray:
        """The layer's input or output as (N, H, W, C), or (N, D, H, W, C): a view."""
        if self.takes_images:
            return x
        x = to_channels_last(x, self.data_format)
        # (N, L, C) -> (N, L, 1, C)
        return x if self.rank > 1 else x[:, :, None]

    def from_image(self, y: np.ndarray) -> np.ndarray:
        """The other way round."""
        if self.takes_images:
            return y
        # (N, OL, 1, F) -> (N, OL, F)
        return from_channels_last(y if self.rank > 1 else y[:, :, 0], self.data_format)

    def image_kernel(self, name: str = "kernel") -> np.ndarray:
        """The layer's own kernel of that name as one for images or volumes."""
        return self.as_image_kernel(self.params[name])

    def as_image_kernel(self, kernel: np.ndarray) -> np.ndarray:
        """A kernel of this layer's own shape as one for images or volumes: ((kd,) kh, kw, ., .)."""
        # (k, ., .) -> (k, 1, ., .)
        return kernel if self.rank > 1 else kernel[:, None]

    def as_given(self, kernel: np.ndarray) -> np.ndarray:
        """A kernel for images, or its gradient, in the shape of this layer's own."""
        # (k, 1, ., .) -> (k, ., .)
        return kernel if self.rank > 1 else kernel[:, 0]

    def affine(self, x):
        z = self.correlate(self.as_image(x))
        if self.use_bias:
            z += self.bias
        return self.from_image(z)

    def affine_backward(self, dz, wants_input_gradient):
        dz = self.as_image(dz)
        dx = self.correlate_backward(dz, wants_input_gradient)
        if self.use_bias:
            self.grads["bias"] = Lowering.bias_gradient(dz if self.rank < 3 else slices_of(dz))
        return None if dx is None else self.from_image(dx)

    def get_config(self):
        return {"activity_regularizer": None, **super().get_config(),
                "kernel_size": self.kernel_size, "strides": self.strides, "padding": self.padding,
                "data_format": self.data_format, "dilation_rate": self.dilation_rate}
