"""Sliding windows: where a kernel or a pool lands on an image.

Convolution and pooling are the same walk: a window of (kh, kw) pixels moves over the image in
strides of (sh, sw). The walk along rows and the walk along columns are independent of each other,
so this module describes one axis at a time. Over a volume there is a third walk, along its depth.
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
    dilation: int = 1  # distance between the pixels of one window; above 1, it skips some

    @property
    def reach(self) -> int:
        """Pixels from a window's first to its last."""
        return (self.kernel - 1) * self.dilation + 1

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
        """Where the pixels lie on the padded axis: (padded) -> (size)."""
        return slice(self.before, self.before + self.span, self.spacing)

    def positions(self, k: int) -> slice:
        """Where the k-th pixel of every window lies on the padded axis: (padded) -> (outputs)."""
        start = k * self.dilation
        return slice(start, start + self.stride * (self.outputs - 1) + 1, self.stride)

    def reversed(self) -> "Axis":
        """The walk that gradients take back: over the outputs, spread by the stride, to the inputs.

        An input pixel at p met the k-th number of a window wherever that window began at
        p - k * dilation; on the way back it therefore looks at `kernel` outputs, the last first.
        The padding is such that one window, of stride 1, begins for every input pixel.
        """
        before = self.reach - 1 - self.before
        after = self.size - 1 + self.before - self.stride * (self.outputs - 1)
        return Axis(self.outputs, self.kernel, 1, before, after, self.size, spacing=self.stride,
                    dilation=self.dilation)


def plan_axis(size: int, kernel: int, stride: int, padding: str, dilation: int = 1) -> Axis:
    """Keras's arithmetic for one axis, with padding 'valid', 'same' or 'causal'.

    'same' gives ceil(size / stride) outputs and puts the odd pixel of padding after the image.
    'causal' gives as many, and puts so much before it that no window looks ahead.
    """
    reach = (kernel - 1) * dilation + 1
    if padding == "valid":
        return Axis(size, kernel, stride, 0, 0, (size - reach) // stride + 1, dilation=dilation)
    outputs = math.ceil(size / stride)
    total = max((outputs - 1) * stride + reach - size, 0)
    before = reach - 1 if padding == "causal" else total // 2
    return Axis(size, kernel, stride, before, max(total - before, 0), outputs, dilation=dilation)


def plan_transposed_axis(size: int, kernel: int, stride: int, padding: str,
                         output_padding: int | None = None, dilation: int = 1) -> Axis:
    """The walk of which a transposed convolution over `size` pixels is the way back.

    It goes over the transposed convolution's output. How long that is does not follow from the
    input, of which a stride above 1 has forgotten it: Keras takes the shortest of whole strides,
    or else adds `output_padding` to the shortest possible.
    """
    reach = (kernel - 1) * dilation + 1
    if output_padding is None:
        length = size * stride if padding == "same" else (size - 1) * stride + max(reach, stride)
    else:
        length = (size - 1) * stride + output_padding + (reach % 2 if padding == "same" else reach)
    return plan_axis(length, kernel, stride, padding, dilation)


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


class VolumeWindows(NamedTuple):
    """The walk over a whole volume: along its depth, and over each of its slices."""

    depth: Axis
    slices: Windows

    def reversed(self) -> "VolumeWindows":
        """The walk that gradients take back, from the outputs to the inputs."""
        return VolumeWindows(self.depth.reversed(), self.slices.reversed())


def windows_along(walks: list[Axis]) -> Windows | VolumeWindows:
    """The walk over what has these one to three axes; a sequence is an image one pixel wide."""
    if len(walks) == 3:
        return VolumeWindows(walks[0], Windows(*walks[1:]))
    return Windows(walks[0], walks[1] if len(walks) == 2 else plan_axis(1, 1, 1, "valid"))


def plan_windows(height: int, width: int, kernel: tuple, strides: tuple, padding: str,
                 dilation: tuple = (1, 1)) -> Windows:
    """The windows of an image (height, width) for one kernel size, stride and padding."""
    return Windows(plan_axis(height, kernel[0], strides[0], padding, dilation[0]),
                   plan_axis(width, kernel[1], strides[1], padding, dilation[1]))
