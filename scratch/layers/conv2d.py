"""Two-dimensional convolution (correlation, as in Keras) as one matrix product per batch."""

from scratch import activations
from scratch.layers.base import AffineLayer
from scratch.layers.arguments import pair, padding_name, positive, image_shape
from scratch.windows import Windows


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
        windows = Windows(height, width, self.kernel_size, self.strides, self.padding)
        if min(windows.output_size) < 1:
            raise ValueError(
                f"{self}: the image is smaller than the kernel. Expected at least "
                f"{self.kernel_size} pixels with padding 'valid'. Received: {(height, width)}."
            )
        return (input_shape[0], *windows.output_size, self.filters)

    def build(self, input_shape):
        super().build(input_shape)
        height, width, channels = self.input_shape[1:]
        self.windows = Windows(height, width, self.kernel_size, self.strides, self.padding)
        self.add_weight("kernel", (*self.kernel_size, channels, self.filters),
                        self.initializers["kernel"])
        if self.use_bias:
            self.add_weight("bias", (self.filters,), self.initializers["bias"])

    def affine(self, x):
        # every window laid out as a row: (N OH OW, kh kw C)
        view = self.windows.view(self.windows.pad(x))
        self._shape = view.shape
        self._rows = view.reshape(-1, self.kernel.size // self.filters)
        # (N OH OW, kh kw C) @ (kh kw C, filters)
        z = self._rows @ self.kernel.reshape(-1, self.filters)
        if self.use_bias:
            z += self.bias
        return z.reshape(*self._shape[:3], self.filters)

    def affine_backward(self, dz, wants_input_gradient):
        dz = dz.reshape(-1, self.filters)  # (N OH OW, filters)
        self.grads["kernel"] = (self._rows.T @ dz).reshape(self.kernel.shape)
        if self.use_bias:
            self.grads["bias"] = dz.sum(axis=0)
        if not wants_input_gradient:
            return None
        # each window's share of the input gradient, added back where the window lay
        shares = dz @ self.kernel.reshape(-1, self.filters).T  # (N OH OW, kh kw C)
        return self.windows.scatter_add(shares.reshape(self._shape))

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size,
                "strides": self.strides, "padding": self.padding}
