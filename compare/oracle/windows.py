"""Where a window lands on an image, from Keras's definition: the oracle's own copy of that rule.

Nothing here is shared with `scratch`, so that a mistake there cannot hide by being made twice.
"""

import math

import numpy as np


class Walk:
    """A window of `kernel` pixels moving over an image, or a volume, axis by axis.

    Args:
        size: (H, W) of the image; (D, H, W) of a volume.
        kernel, strides: (rows, columns), or (planes, rows, columns).
        padding: 'valid', 'same', or 'causal', which is all before the image.
        dilation: distance between the pixels of a window, one for each axis; None for 1.
    """

    def __init__(self, size: tuple[int, ...], kernel: tuple[int, ...], strides: tuple[int, ...],
                 padding: str, dilation: tuple[int, ...] | None = None) -> None:
        self.size, self.kernel, self.strides = tuple(size), tuple(kernel), tuple(strides)
        self.dilation = tuple(dilation or (1,) * len(self.size))
        self.outputs, self.before = [], []
        for n, k, s, d in zip(size, kernel, strides, self.dilation):
            reach = (k - 1) * d + 1  # pixels from the first of a window to its last
            if padding == "valid":
                self.outputs.append((n - reach) // s + 1)
                self.before.append(0)
            else:
                count = -(-n // s)
                self.outputs.append(count)
                self.before.append(reach - 1 if padding == "causal"
                                   else max((count - 1) * s + reach - n, 0) // 2)

    def offsets(self) -> list[tuple[int, ...]]:
        """Every position (i, j) inside the window, in row-major order."""
        return list(np.ndindex(*self.kernel))

    def overlap(self) -> int:
        """The largest number of windows that cover one pixel.

        Along an axis those are windows that begin k d pixels before it and a multiple of s from
        the first: every s / gcd(s, d)-th k.
        """
        return math.prod(-(-k // (s // math.gcd(s, d)))
                         for k, s, d in zip(self.kernel, self.strides, self.dilation))

    def _reach(self, axis: int, offset: int) -> tuple[slice, slice]:
        """Which outputs see a real pixel at this offset, and which pixels those are."""
        stride, before = self.strides[axis], self.before[axis]
        first = max(0, -(-(before - offset) // stride))
        last = min(self.outputs[axis] - 1, (self.size[axis] - 1 + before - offset) // stride)
        count = max(last - first + 1, 0)
        start = first * stride + offset - before
        return (slice(first, first + count),
                slice(start, start + (count - 1) * stride + 1 if count else start, stride))

    def at(self, *offset: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """((output rows, output columns), (image rows, image columns)) that meet at offset (i, j).

        Outputs whose window has padding at (i, j) are left out: padding adds nothing. Both are for
        arrays with the batch in front.
        """
        met = [self._reach(axis, i * step)
               for axis, (i, step) in enumerate(zip(offset, self.dilation))]
        return (slice(None), *[out for out, _ in met]), (slice(None), *[seen for _, seen in met])

    def stack(self, image: np.ndarray, padding_value: float) -> np.ndarray:
        """(kh kw, N, OH, OW, C): for each offset what the outputs' windows hold there."""
        n, channels = image.shape[0], image.shape[-1]
        held = np.full((len(self.offsets()), n, *self.outputs, channels), padding_value)
        for k, offset in enumerate(self.offsets()):
            out, pixels = self.at(*offset)
            held[k][out] = image[pixels]
        return held
