"""One-dimensional convolution: that of an image one pixel wide."""

from scratch.layers.conv2d import Conv2D


class Conv1D(Conv2D):
    """Slides `filters` kernels over sequences (batch, steps, C); output (batch, OL, filters).

    With padding 'causal' an output sees its own step and earlier ones only.

    Weights: kernel (k, C / groups, filters), bias (filters,). The kernel is not flipped.

    Raises:
        ValueError: for arguments outside their range or that exclude each other, channels that
            cannot be grouped, or a sequence shorter than the kernel.
        UnsupportedError: for constraints.
    """

    sample_by_sample = True
    rank = 1
    paddings = ("valid", "same", "causal")

    @property
    def image_kernel(self):
        # (k, C / groups, F) -> (k, 1, C / groups, F)
        return self.kernel[:, None]

    def as_given(self, kernel):
        # (k, 1, C / groups, F) -> (k, C / groups, F)
        return kernel[:, 0]
