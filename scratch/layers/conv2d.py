"""Two-dimensional convolution (correlation, as in Keras); its products are in `lowering.py`."""

from scratch.grouped_lowering import GroupedLowering
from scratch.layers.arguments import positive
from scratch.layers.convolution import Convolution
from scratch.lowering import Lowering


class Conv2D(Convolution):
    """Slides `filters` kernels over an image (batch, H, W, C); output (batch, OH, OW, filters).

    With `groups`, each group of filters sees a group of the channels. `dilation_rate` is the
    distance between the pixels that a window covers.

    Weights: kernel (kh, kw, C / groups, filters), bias (filters,). The kernel is not flipped.

    Raises:
        ValueError: for arguments outside their range or that exclude each other, channels that
            cannot be grouped, or an image smaller than the kernel.
        UnsupportedError: for constraints.
    """

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
        self.forth = self._lowering(self.windows, self.filters)
        self.back = self._lowering(self.windows.reversed(), channels)
        self.add_weight("kernel", (*self.kernel_size, channels // self.groups, self.filters),
                        self.initializers["kernel"])
        self.params["kernel"] = self.as_given(self.forth.in_memory_order(self.image_kernel))

    def _lowering(self, windows, filters):
        if self.groups == 1:
            return Lowering(windows, filters)
        return GroupedLowering(windows, filters, self.groups)

    @property
    def image_kernel(self):
        """The kernel as one for images: (kh, kw, C / groups, filters)."""
        return self.kernel

    def as_given(self, kernel):
        """A kernel for images in the shape of this layer's own."""
        return kernel

    def correlate(self, image):
        # (N, H, W, C) -> (tiles, w kh C, OH N), the windows' contents laid out for products; with
        # groups one of C / groups channels for each
        self._windows = self.forth.lower(image)
        # (tiles, w kh C, OH N) -> (N, OH, OW, F)
        return self.forth.multiply(self._windows, self.image_kernel)

    def correlate_backward(self, dz, wants_input_gradient):
        # (tiles, w kh C, OH N) and (N, OH, OW, F) -> (kh, kw, C / groups, F)
        gradient = self.forth.kernel_gradient(self._windows, dz)
        self.grads["kernel"] = self.as_given(gradient)
        if not wants_input_gradient:
            return None
        # what went forth from C channels to F comes back from F to C through the turned kernel:
        # (kh, kw, C / groups, F) -> (kh, kw, F / groups, C)
        turned = self.back.turned(self.image_kernel)
        # (N, OH, OW, F) -> (tiles, w kh F, H N) -> (N, H, W, C)
        return self.back.multiply(self.back.lower(dz), turned)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "groups": self.groups}
