"""Images brought to one size."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers.framing import FramedImages, around_center, aspect_box
from scratch.layers.resampling import KINDS

INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5", "area")


class Resizing(FramedImages):
    """Every image brought to height by width, in training and at inference alike.

    Each new pixel is read from where its middle lies in the old image: between the two nearest
    pixels along rows, then along columns; from the nearest one alone; or by a cubic through the
    four nearest.

    Args:
        height, width: of the images that come out.
        interpolation: 'bilinear', 'nearest' or 'bicubic'; no other is supported.
        crop_to_aspect_ratio: whether as much is cut off first, around the middle, as keeps the
            image from being stretched.
        pad_to_aspect_ratio: whether it gets a border of `fill_value` instead; where that is an odd
            number of pixels, one is left out, as in Keras.
        fill_mode: 'constant'; Keras has no other.
        fill_value: of the border.
        antialias: False; no other is supported, except with 'nearest', which it leaves alone.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, height, width, C); with channels_first (batch, C, height, width).

    Raises:
        ValueError: for sizes below 1, an input of another rank, another fill_mode, or both cropping
            and padding.
        UnsupportedError: for another interpolation, or antialias.

    Example:
        >>> x = np.array([[0.0, 4.0]]).reshape(1, 1, 2, 1)
        >>> scratch.Resizing(1, 4)(x).ravel().tolist()
        [0.0, 1.0, 3.0, 4.0]
        >>> scratch.Resizing(1, 4, interpolation="nearest")(x).ravel().tolist()
        [0.0, 0.0, 4.0, 4.0]
    """

    sample_by_sample = True
    takes_low_precision = True

    def __init__(self, height, width, interpolation="bilinear", crop_to_aspect_ratio=False,
                 pad_to_aspect_ratio=False, fill_mode="constant", fill_value=0.0, antialias=False,
                 data_format=None, **kwargs):
        super().__init__(height, width, data_format, **kwargs)
        self.interpolation = self._supported(interpolation, bool(antialias))
        self.antialias = bool(antialias)
        self.crop_to_aspect_ratio = bool(crop_to_aspect_ratio)
        self.pad_to_aspect_ratio = bool(pad_to_aspect_ratio)
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ValueError(f"{self}: expected at most one of crop_to_aspect_ratio and "
                             "pad_to_aspect_ratio. Received: both")
        if fill_mode != "constant":
            raise ValueError(f"{self}: expected fill_mode to be 'constant'. "
                             f"Received: fill_mode={fill_mode!r}")
        self.fill_mode, self.fill_value = fill_mode, float(fill_value)
        self.take_policy(self.policy)

    def take_policy(self, policy):
        self.require_linear(vars(self).get("interpolation", "nearest"), policy)
        super().take_policy(policy)

    def _supported(self, interpolation, antialias: bool) -> str:
        if interpolation not in INTERPOLATIONS:
            raise ValueError(f"{self}: expected interpolation to be one of "
                             f"{', '.join(INTERPOLATIONS)}. Received: "
                             f"interpolation={interpolation!r}")
        if interpolation not in KINDS:
            raise UnsupportedError(f"{self} does not support interpolation={interpolation!r}. "
                                   f"Expected: one of {', '.join(KINDS)}.")
        if antialias and interpolation != "nearest":
            raise UnsupportedError(f"{self} does not support antialias=True with "
                                   f"interpolation={interpolation!r}. Expected: antialias=False.")
        return interpolation

    def frame(self, height, width):
        to = self.height, self.width
        if self.crop_to_aspect_ratio:
            high, wide = aspect_box(height, width, to, np.float32)
            return around_center(height, high), around_center(width, wide)
        if self.pad_to_aspect_ratio:
            high = int(np.float32(width * to[0]) / np.float32(to[1]))
            wide = int(np.float32(height * to[1]) / np.float32(to[0]))
            rows, columns = max(0, high - height) // 2, max(0, wide - width) // 2
            return (rows, rows), (columns, columns)
        return (0, 0), (0, 0)

    def get_config(self):
        return {**super().get_config(), "interpolation": self.interpolation,
                "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
                "pad_to_aspect_ratio": self.pad_to_aspect_ratio, "fill_mode": self.fill_mode,
                "fill_value": self.fill_value, "antialias": self.antialias}
