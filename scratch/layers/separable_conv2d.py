"""Separable convolution: first each channel by itself, then all channels of each pixel together."""

from scratch.depthwise import Depthwise
from scratch.layers.arguments import positive
from scratch.layers.convolution import Convolution
from scratch.lowering import Lowering
from scratch.windows import plan_windows


class SeparableConv2D(Convolution):
    """A depthwise convolution, then one of 1 x 1 pixels that mixes the channels.

    Weights: depthwise_kernel (rows, columns, C, M), pointwise_kernel (1, 1, C M, filters), bias
    (filters,), M being the multiplier. Strides and dilation are those of the first convolution.

    Args:
        filters: how many channels the output has.
        kernel_size: (rows, columns) of the kernel, or one number for both.
        strides: (rows, columns) from one window to the next, or one number for both.
        padding: 'valid' for none; 'same' for zeros around the image, as many as give the output
            shape below.
        data_format: 'channels_last', the default, or 'channels_first'.
        dilation_rate: distance between the pixels that a window covers, as (rows, columns) or one
            number.
        depth_multiplier: M, how many kernels each channel has in the first convolution.
        activation: the name of an activation, an `activations.Activation`, or the config of a
            layer that is one; None for none.
        use_bias: whether a bias is added.
        depthwise_initializer, pointwise_initializer, bias_initializer: how the first weights are
            drawn, a name or an object of `scratch.initializers`.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer: penalties on the weights, a
            name or an object of `scratch.regularizers`; None for none.
        depthwise_constraint, pointwise_constraint, bias_constraint: what keeps the
            weights in bounds, a name or an object of `scratch.constraints`; None for none.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, OH, OW, filters); with channels_first (batch, filters, OH, OW).
        With padding 'valid', OH = (H - (rows - 1) dilation - 1) // stride + 1, and OW
        likewise; with 'same', OH = ceil(H / stride).

    Raises:
        ValueError: for arguments outside their range, or an image smaller than the kernel.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> layer = scratch.SeparableConv2D(1, (1, 2), depthwise_initializer="ones",
        ...                                 pointwise_initializer="ones")
        >>> layer(np.array([[1, 10], [2, 20], [3, 30]]).reshape(1, 1, 3, 2)).tolist()
        [[[[33.0], [55.0]]]]
    """

    sample_by_sample = True
    takes_low_precision = True
    arguments = {"depthwise_kernel": "depthwise", "pointwise_kernel": "pointwise", "bias": "bias"}
    neutral = {"depthwise_constraint": (None,), "pointwise_constraint": (None,),
               "bias_constraint": (None,)}

    def __init__(self, filters, kernel_size, strides=1, padding="valid", data_format=None,
                 dilation_rate=1, depth_multiplier=1, activation=None, use_bias=True, **kwargs):
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation,
                         use_bias, **kwargs)
        self.filters = positive(filters, "filters", self)
        self.depth_multiplier = positive(depth_multiplier, "depth_multiplier", self)

    def add_weights(self, channels):
        between = channels * self.depth_multiplier
        pixels = plan_windows(*self.windows.output_size, (1, 1), (1, 1), "valid")
        self.depthwise = Depthwise(self.windows, self.depth_multiplier)
        self.forth = Lowering(pixels, self.filters)
        self.back = Lowering(pixels.reversed(), between)
        self.add_weight("depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier),
                        self.initializers["depthwise_kernel"])
        self.add_weight("pointwise_kernel", (*[1] * self.rank, between, self.filters),
                        self.initializers["pointwise_kernel"])

    def in_memory_order(self, name, weight):
        if name != "pointwise_kernel":
            return weight
        return self.as_given(self.forth.in_memory_order(self.as_image_kernel(weight)))

    @property
    def depthwise_kernel(self):
        return self.params["depthwise_kernel"]

    @property
    def pointwise_kernel(self):
        return self.params["pointwise_kernel"]

    def correlate(self, image):
        # (N, H, W, C) -> (W', C, H', N) -> (N, OH, OW, C M)
        self._padded = self.depthwise.pad(image)
        between = self.depthwise.multiply(self._padded, self.image_kernel("depthwise_kernel"))
        # (N, OH, OW, C M) -> (tiles, t C M, OH N) -> (N, OH, OW, F)
        self._windows = self.forth.lower(between)
        return self.forth.multiply(self._windows, self.image_kernel("pointwise_kernel"))

    def correlate_backward(self, dz, wants_input_gradient):
        # (1, 1, C M, F) -> (1, 1, F, C M)
        turned = self.back.turned(self.image_kernel("pointwise_kernel"))
        # (N, OH, OW, F) -> (tiles, t F, OH N) -> (N, OH, OW, C M)
        between = self.back.multiply(self.back.lower(dz), turned)
        # (W', C, H', N) and (N, OH, OW, C M) -> (kh, kw, C, M)
        depthwise = self.depthwise.kernel_gradient(self._padded, between)
        # (tiles, t C M, OH N) and (N, OH, OW, F) -> (1, 1, C M, F)
        pointwise = self.forth.kernel_gradient(self._windows, dz)
        self.grads["depthwise_kernel"] = self.as_given(depthwise)
        self.grads["pointwise_kernel"] = self.as_given(pointwise)
        if not wants_input_gradient:
            return None
        # (N, OH, OW, C M) -> (N, H, W, C)
        return self.depthwise.input_gradient(between, self.image_kernel("depthwise_kernel"))

    def get_config(self):
        return {**super().get_config(), "filters": self.filters,
                "depth_multiplier": self.depth_multiplier}
