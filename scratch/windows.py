"""Sliding windows: where a kernel or a pool lands on an image.

Convolution and pooling are the same walk: a window of (kh, kw) pixels moves over the image in
strides of (sh, sw). The walk along rows and the walk along columns are independent of each other,
so this module describes one axis at a time.
"""

import math
from typing import NamedTuple


class Axis(NamedTuple):
    """The walk along one image axis: `size` pixels, of which a window covers `kernel`."""

    size: int
    kernel: int
    stride: int
    before: int  # padding before the first pixel
    after: int  # padding after the last
    outputs: int  # how many positions the window takes
    spacing: int = 1  # distance between neighbouring pixels; above 1, zeros lie between them

    @property
    def span(self) -> int:
        """Pixels from the first to the last, the zeros between them counted."""
        return (self.size - 1) * self.spacing + 1

    @property
    def padded(self) -> int:
        """`span` with its padding."""
        return self.before + self.span + self.after

    @property
    def pixels(self) -> slice:
        """Where the pixels lie on the padded axis."""
        return slice(self.before, self.before + self.span, self.spacing)

    def positions(self, k: int) -> slice:
        """Where the k-th pixel of every window lies on the padded axis."""
        return slice(k, k + self.stride * (self.outputs - 1) + 1, self.stride)

    def reversed(self) -> "Axis":
        """The walk that gradients take back: over the outputs, spread by the stride, to the inputs.

        An input pixel at p met the k-th number of a window wherever that window began at p - k;
        on the way back it therefore looks at `kernel` outputs, the last first. The padding is such
        that one window, of stride 1, begins for every input pixel.
        """
        before = self.kernel - 1 - self.before
        after = self.size - 1 + self.before - self.stride * (self.outputs - 1)
        return Axis(self.outputs, self.kernel, 1, before, after, self.size, spacing=self.stride)


def plan_axis(size: int, kernel: int, stride: int, padding: str) -> Axis:
    """Keras's arithmetic for one axis, with padding 'valid' or 'same'.

    'same' gives ceil(size / stride) outputs and puts the odd pixel of padding after the image.
    """
    if padding == "valid":
        return Axis(size, kernel, stride, 0, 0, (size - kernel) // stride + 1)
    outputs = math.ceil(size / stride)
    total = max((outputs - 1) * stride + kernel - size, 0)
    return Axis(size, kernel, stride, total // 2, total - total // 2, outputs)


class Windows(NamedTuple):
    """The walk over a whole image."""

    rows: Axis
    columns: Axis

    @property
    def output_size(self) -> tuple[int, int]:
        return self.rows.outputs, self.columns.outputs

    def reversed(self) -> "Windows":
        """The walk that gradients take back, from the outputs to the inputs."""
        return Windows(self.rows.reversed(), self.columns.reversed())


def plan_windows(height: int, width: int, kernel: tuple, strides: tuple, padding: str) -> Windows:
    """The windows of an image (height, width) for one kernel size, stride and padding."""
    return Windows(plan_axis(height, kernel[0], strides[0], padding),
                   plan_axis(width, kernel[1], strides[1], padding))
