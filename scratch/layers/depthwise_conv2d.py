"""Depthwise convolution: each channel by itself; its products are in `depthwise.py`."""

from scratch.depthwise import Depthwise
from scratch.layers.arguments import positive
from scratch.layers.convolution import Convolution


class DepthwiseConv2D(Convolution):
    """Slides kernels over each channel by itself. A kernel is not flipped.

    Channel c becomes the channels c M to c M + M - 1, M being the multiplier.

    Weights: kernel (rows, columns, C, M), bias (C M,).

    Args:
        kernel_size: (rows, columns) of the kernel, or one number for both.
        strides: (rows, columns) from one window to the next, or one number for both.
        padding: 'valid' for none; 'same' for zeros around the image, as many as give the output
            shape below.
        depth_multiplier: M, how many kernels each channel has.
        data_format: 'channels_last', the default, or 'channels_first'.
        dilation_rate: distance between the pixels that a window covers, as (rows, columns) or one
            number.
        activation: the name of an activation, an `activations.Activation`, or the config of a
            layer that is one; None for none.
        use_bias: whether a bias is added.
        depthwise_initializer, bias_initializer: how the first weights are drawn, a name or an
            object of `scratch.initializers`.
        depthwise_regularizer, bias_regularizer: penalties on the weights, a name or an object of
            `scratch.regularizers`; None for none.
        depthwise_constraint, bias_constraint: what keeps the
            weights in bounds, a name or an object of `scratch.constraints`; None for none.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, OH, OW, C M); with channels_first (batch, C M, OH, OW).
        With padding 'valid', OH = (H - (rows - 1) dilation - 1) // stride + 1, and OW
        likewise; with 'same', OH = ceil(H / stride).

    Raises:
        ValueError: for arguments outside their range, or an image smaller than the kernel.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> layer = scratch.DepthwiseConv2D((1, 2), depthwise_initializer="ones")
        >>> layer(np.array([[1, 10], [2, 20], [3, 30]]).reshape(1, 1, 3, 2)).tolist()
        [[[[3.0, 30.0], [5.0, 50.0]]]]
    """

    takes_low_precision = True
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
        self.depthwise = Depthwise(self.windows, self.depth_multiplier)
        self.add_weight("kernel", (*self.kernel_size, channels, self.depth_multiplier),
                        self.initializers["kernel"])

    def correlate(self, image):
        # (N, H, W, C) -> (W', C, H', N)
        self._padded = self.depthwise.pad(image)
        # (W', C, H', N) -> (N, OH, OW, C M)
        return self.depthwise.multiply(self._padded, self.image_kernel())

    def correlate_backward(self, dz, wants_input_gradient):
        # (W', C, H', N) and (N, OH, OW, C M) -> (kh, kw, C, M)
        self.grads["kernel"] = self.as_given(self.depthwise.kernel_gradient(self._padded, dz))
        if not wants_input_gradient:
            return None
        # (N, OH, OW, C M) -> (N, H, W, C)
        return self.depthwise.input_gradient(dz, self.image_kernel())

    def get_config(self):
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}
