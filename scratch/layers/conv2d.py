"""Two-dimensional convolution (correlation, as in Keras); its products are in `lowering.py`."""

from scratch.grouped_lowering import lowering_for
from scratch.layers.arguments import positive
from scratch.layers.convolution import Convolution


class Conv2D(Convolution):
    """Slides kernels over images, one for each filter. A kernel is not flipped.

    Weights: kernel (rows, columns, C / groups, filters), bias (filters,).

    Args:
        filters: how many kernels, and channels of the output.
        kernel_size: (rows, columns) of the kernel, or one number for both.
        strides: (rows, columns) from one window to the next, or one number for both.
        padding: 'valid' for none; 'same' for zeros around the image, as many as give the output
            shape below.
        data_format: 'channels_last', the default, or 'channels_first'.
        dilation_rate: distance between the pixels that a window covers, as (rows, columns) or one
            number; above 1 it excludes strides above 1.
        groups: into how many parts channels and filters are divided; each part of the filters sees
            its part of the channels.
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
        (batch, OH, OW, filters); with channels_first (batch, filters, OH, OW).
        With padding 'valid', OH = (H - (rows - 1) dilation - 1) // stride + 1, and OW
        likewise; with 'same', OH = ceil(H / stride).

    Raises:
        ValueError: for arguments outside their range or that exclude each other, channels that
            cannot be grouped, or an image smaller than the kernel.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> layer = scratch.Conv2D(1, (2, 3), kernel_initializer="ones")
        >>> layer(np.arange(12.0).reshape(1, 3, 4, 1))[0, :, :, 0].tolist()  # sums of 2 by 3 pixels
        [[18.0, 24.0], [42.0, 48.0]]
        >>> scratch.Conv2D(6, 5, strides=2, padding="same")(np.ones((4, 28, 27, 1))).shape
        (4, 14, 14, 6)
    """

    takes_low_precision = True
    sample_by_sample = True

    def __init__(self, filters, kernel_size, strides=1, padding="valid", data_format=None,
                 dilation_rate=1, groups=1, activation=None, use_bias=True, **kwargs):
        super().__init__(kernel_size, strides, padding, data_format, dilation_rate, activation,
                         use_bias, **kwargs)
        self.filters = positive(filters, "filters", self)
        self.groups = positive(groups, "groups", self)
        if self.filters % self.groups:
            raise ValueError(f"{self}: expected filters to be a multiple of groups. Received: "
                             f"filters={self.filters}, groups={self.groups}")
        self.refuse_strides_with_dilation()

    def add_weights(self, channels):
        if channels % self.groups:
            raise ValueError(f"{self}: expected the input's channels to be a multiple of groups. "
                             f"Received: {channels} channels, groups={self.groups}")
        self.forth = lowering_for(self.windows, channels, self.filters, self.groups)
        self.back = lowering_for(self.windows.reversed(), self.filters, channels,
                                 self.groups)
        self.add_weight("kernel", (*self.kernel_size, channels // self.groups, self.filters),
                        self.initializers["kernel"])

    def in_memory_order(self, name, weight):
        if name != "kernel":
            return weight
        return self.as_given(self.forth.in_memory_order(self.as_image_kernel(weight)))

    def correlate(self, image):
        # (N, H, W, C) -> (tiles, w kh C, OH N), the windows' contents laid out for products; with
        # groups one of C / groups channels for each
        self._windows = self.forth.lower(image)
        # (tiles, w kh C, OH N) -> (N, OH, OW, F)
        return self.forth.multiply(self._windows, self.image_kernel())

    def correlate_backward(self, dz, wants_input_gradient):
        # (tiles, w kh C, OH N) and (N, OH, OW, F) -> (kh, kw, C / groups, F)
        gradient = self.forth.kernel_gradient(self._windows, dz)
        self.grads["kernel"] = self.as_given(gradient)
        if not wants_input_gradient:
            return None
        # what went forth from C channels to F comes back from F to C through the turned kernel:
        # (kh, kw, C / groups, F) -> (kh, kw, F / groups, C)
        turned = self.back.turned(self.image_kernel())
        # (N, OH, OW, F) -> (tiles, w kh F, H N) -> (N, H, W, C)
        return self.back.multiply(self.back.lower(dz), turned)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "groups": self.groups}
