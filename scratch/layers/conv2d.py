"""Two-dimensional convolution (correlation, as in Keras); its products are in `lowering.py`."""

from scratch import activations
from scratch.layers.base import AffineLayer
from scratch.layers.arguments import pair, padding_name, positive, image_shape
from scratch.lowering import Lowering
from scratch.windows import plan_windows


class Conv2D(AffineLayer):
    """Slides `filters` kernels over an image (batch, H, W, C); output (batch, OH, OW, filters).

    Weights: kernel (kh, kw, C, filters), bias (filters,). The kernel is not flipped.

    Raises:
        ValueError: for arguments outside their range, or an image smaller than the kernel.
        UnsupportedError: for channels_first, dilation, groups, regularizers or constraints.
    """

    neutral = {
        "data_format": ("channels_last", None), "dilation_rate": ((1, 1), 1), "groups": (1,),
        "kernel_regularizer": (None,), "bias_regularizer": (None,), "activity_regularizer": (None,),
        "kernel_constraint": (None,), "bias_constraint": (None,),
    }

    def __init__(self, filters, kernel_size, strides=(1, 1), padding="valid", activation=None,
                 use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
                 **kwargs):
        super().__init__(activations.get(activation), use_bias, kernel_initializer,
                         bias_initializer, **kwargs)
        self.filters = positive(filters, "filters", self)
        self.kernel_size = pair(kernel_size, "kernel_size", self)
        self.strides = pair(strides, "strides", self)
        self.padding = padding_name(padding, self)

    def compute_output_shape(self, input_shape):
        height, width, _ = image_shape(input_shape, self)
        windows = plan_windows(height, width, self.kernel_size, self.strides, self.padding)
        if min(windows.output_size) < 1:
            raise ValueError(
                f"{self}: the image is smaller than the kernel. Expected at least "
                f"{self.kernel_size} pixels with padding 'valid'. Received: {(height, width)}."
            )
        return (input_shape[0], *windows.output_size, self.filters)

    def build(self, input_shape):
        super().build(input_shape)
        height, width, channels = self.input_shape[1:]
        windows = plan_windows(height, width, self.kernel_size, self.strides, self.padding)
        self.forth = Lowering(windows, self.filters)
        self.back = Lowering(windows.reversed(), channels)
        self.add_weight("kernel", (*self.kernel_size, channels, self.filters),
                        self.initializers["kernel"])
        self.params["kernel"] = self.forth.in_memory_order(self.kernel)
        if self.use_bias:
            self.add_weight("bias", (self.filters,), self.initializers["bias"])

    def affine(self, x):
        self._windows = self.forth.lower(x)  # their contents, laid out for products
        z = self.forth.multiply(self._windows, self.kernel)  # (N, OH, OW, filters)
        if self.use_bias:
            z += self.bias
        return z

    def affine_backward(self, dz, wants_input_gradient):
        self.grads["kernel"] = self.forth.kernel_gradient(self._windows, dz)
        if self.use_bias:
            self.grads["bias"] = self.forth.bias_gradient(dz)
        if not wants_input_gradient:
            return None
        # what went forth from C channels to F comes back from F to C through the turned kernel
        turned = self.kernel[::-1, ::-1].swapaxes(2, 3)  # (kh, kw, F, C)
        return self.back.multiply(self.back.lower(dz), turned)  # (N, H, W, C)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size,
                "strides": self.strides, "padding": self.padding}
