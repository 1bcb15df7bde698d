"""The middle of an image."""

from scratch.layers.framing import FramedImages, around_center, aspect_box


class CenterCrop(FramedImages):
    """The middle of each image, in training and at inference alike.

    Of an image that is too small along an axis, the largest part with the same aspect ratio, again
    of the middle, is brought to the size by bilinear interpolation (see `Resizing`).

    Args:
        height, width: of the part that is kept.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, height, width, C); with channels_first (batch, C, height, width).

    Raises:
        ValueError: for sizes below 1, or an input of another rank.

    Example:
        >>> x = np.arange(12.0).reshape(1, 3, 4, 1)
        >>> scratch.CenterCrop(1, 2)(x)[0, :, :, 0].tolist()
        [[5.0, 6.0]]
    """

    sample_by_sample = True
    takes_low_precision = True

    def frame(self, height, width):
        kept = self.height, self.width
        if height < self.height or width < self.width:
            kept = aspect_box(height, width, kept)
        return around_center(height, kept[0]), around_center(width, kept[1])
