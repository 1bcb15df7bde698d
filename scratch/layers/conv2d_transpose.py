"""Transposed convolution: the way back of a convolution, taken as the way forth."""

from scratch.grouped_lowering import lowering_for
from scratch.layers.arguments import not_negative, one_per_axis, positive
from scratch.layers.convolution import Convolution
from scratch.windows import plan_transposed_axis


class Conv2DTranspose(Convolution):
    """Each pixel adds its multiple of a kernel to the output: the way back of a convolution.

    It computes what a convolution of `filters` channels to C, from (OH, OW) pixels to (H, W), does
    to gradients. Strides of that convolution make the output larger.

    Weights: kernel (rows, columns, filters, C), bias (filters,).

    Args:
        filters: how many channels the output has.
        kernel_size: (rows, columns) of the kernel, or one number for both.
        strides: (rows, columns) by which neighbouring pixels' kernels lie apart in the output, or
            one number for both.
        padding: 'valid' for the whole of the kernels' sum; 'same' for the H * stride by W * stride
            pixels in its middle.
        output_padding: (rows, columns) added to the smallest output that strides leave open, less
            than the strides, or one number for both; None for Keras's choice.
        data_format: 'channels_last', the default, or 'channels_first'.
        dilation_rate: distance between the pixels that a window covers, as (rows, columns) or one
            number; above 1 it excludes strides above 1.
        activation: the name of an activation, an `activations.Activation`, or the config of a
            layer that is one; None for none.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: how the first weights are drawn, a name or an object
            of `scratch.initializers`.
        kernel_regularizer, bias_regularizer: penalties on the weights, a name or an object of
            `scratch.regularizers`; None for none.
        kernel_constraint, bias_constraint: what keeps the weights in bounds, a name or an object of
            `scratch.constraints`; None for none.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, OH, OW, filters); with channels_first (batch, filters, OH, OW). Without
        output_padding OH = H * stride with padding 'same', and with 'valid'
        OH = (H - 1) stride + max((rows - 1) dilation + 1, stride); OW likewise.

    Raises:
        ValueError: for arguments outside their range or that exclude each other, or an output
            from which no such convolution leads back.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> layer = scratch.Conv2DTranspose(1, 2, strides=2, kernel_initializer="ones")
        >>> layer(np.array([[1.0, 2.0]]).reshape(1, 1, 2, 1))[0, :, :, 0].tolist()
        [[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]
    """

    sample_by_sample = True
    takes_low_precision = True

    def __init__(self, filters, kernel_size, strides=1, padding="valid", output_padding=None,
                 data_format=None, dilation_rate=1, activation=None, use_bias=True, **kwargs):
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation,
                         use_bias, **kwargs)
        self.filters = positive(filters, "filters", self)
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = one_per_axis(output_padding, self.rank, "output_padding", self,
                                               not_negative)
            if any(p >= s for p, s in zip(self.output_padding, self.strides)):
                raise ValueError(f"{self}: expected output_padding to be less than strides. "
                                 f"Received: output_padding={self.output_padding}, "
                                 f"strides={self.strides}")
        self.refuse_strides_with_dilation()

    def plan(self, sizes):
        """The walks over the output, from which the layer takes the way back."""
        return [plan_transposed_axis(size, kernel, stride, self.padding, extra, dilation)
                for size, kernel, stride, extra, dilation in zip(
                    sizes, self.kernel_size, self.strides,
                    self.output_padding or (None,) * self.rank, self.dilation_rate)]

    def output_sizes(self, sizes):
        walks = self.plan(sizes)
        if any(walk.outputs != size for walk, size in zip(walks, sizes)):
            raise ValueError(
                f"{self}: no convolution leads back from its output. Expected output_padding of at "
                f"least 1 where the kernel is even and padding is 'same'. Received: "
                f"output_padding={self.output_padding}, kernel_size={self.kernel_size}, "
                f"dilation_rate={self.dilation_rate}")
        return [walk.size for walk in walks]

    def add_weights(self, channels):
        self.forth = lowering_for(self.windows.reversed(), channels, self.filters)
        self.back = lowering_for(self.windows, self.filters, channels)
        self.add_weight("kernel", (*self.kernel_size, self.filters, channels),
                        self.initializers["kernel"])

    def in_memory_order(self, name, weight):
        if name != "kernel":
            return weight
        return self.as_given(self.back.in_memory_order(self.as_image_kernel(weight)))

    def correlate(self, image):
        self._image = image
        # (N, H, W, C) -> (tiles, w kh C, OH N) -> (N, OH, OW, F)
        return self.forth.multiply(self.forth.lower(image), self.forth.turned(self.image_kernel()))

    def correlate_backward(self, dz, wants_input_gradient):
        # (N, OH, OW, F) -> (tiles, w kh F, H N)
        windows = self.back.lower(dz)
        # (tiles, w kh F, H N) and (N, H, W, C) -> (kh, kw, F, C)
        self.grads["kernel"] = self.as_given(self.back.kernel_gradient(windows, self._image))
        if not wants_input_gradient:
            return None
        # (tiles, w kh F, H N) -> (N, H, W, C)
        return self.back.multiply(windows, self.image_kernel())

    def get_config(self):
        return {**super().get_config(), "filters": self.filters,
                "output_padding": self.output_padding}
