"""Images turned, moved, zoomed or bent at random: at inference they stay as they are."""

from scratch.layers.augmentation import (
    FILL_MODES,
    INTERPOLATIONS,
    UndrawnImages,
    factor_range,
    one_of,
)


class RandomTranslation(UndrawnImages):
    """Images moved up or down and sideways, by a part of their height and width.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        height_factor, width_factor: the smallest and the largest part, from -1 to 1; one number for
            its negative and that.
        fill_mode: what lies beyond an image: 'reflect', 'wrap', 'constant' or 'nearest'.
        interpolation: 'bilinear' or 'nearest'.
        seed: in Keras of the draws.
        fill_value: what lies beyond an image with the fill_mode 'constant'.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, or an input of another rank.

    Example:
        >>> x = np.ones((2, 4, 3, 3))
        >>> bool((scratch.RandomTranslation(0.2, 0.1)(x) == x).all())
        True
    """

    def __init__(self, height_factor, width_factor, fill_mode="reflect",
                 interpolation="bilinear", seed=None, fill_value=0.0, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        for name, factor in (("height_factor", height_factor), ("width_factor", width_factor)):
            factor_range(factor, name, (-1, 1), self)
        self.settings = {
            "height_factor": height_factor,
            "width_factor": width_factor,
            "fill_mode": one_of(fill_mode, "fill_mode", FILL_MODES, self),
            "interpolation": one_of(interpolation, "interpolation", INTERPOLATIONS, self),
            "seed": seed,
            "fill_value": fill_value,
        }


class RandomRotation(UndrawnImages):
    """Images turned about their middle, by a part of a whole turn.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        factor: the smallest and the largest part, from -1 to 1; one number for its negative and
            that.
        fill_mode: what lies beyond an image: 'reflect', 'wrap', 'constant' or 'nearest'.
        interpolation: 'bilinear' or 'nearest'.
        seed: in Keras of the draws.
        fill_value: what lies beyond an image with the fill_mode 'constant'.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, or an input of another rank.

    Example:
        >>> x = np.ones((2, 4, 3, 3))
        >>> bool((scratch.RandomRotation(0.2)(x) == x).all())
        True
    """

    def __init__(self, factor, fill_mode="reflect", interpolation="bilinear", seed=None,
                 fill_value=0.0, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.settings = {
            "factor": factor_range(factor, "factor", (-1, 1), self),
            "fill_mode": one_of(fill_mode, "fill_mode", FILL_MODES, self),
            "interpolation": one_of(interpolation, "interpolation", INTERPOLATIONS, self),
            "seed": seed,
            "fill_value": fill_value,
        }


class RandomZoom(UndrawnImages):
    """Images made larger or smaller about their middle.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        height_factor, width_factor: how much of the height and the width more or less is seen, the
            least and the most; one number for its negative and that. None for the width's: as
            the height's.
        fill_mode: what lies beyond an image: 'reflect', 'wrap', 'constant' or 'nearest'.
        interpolation: 'bilinear' or 'nearest'.
        seed: in Keras of the draws.
        fill_value: what lies beyond an image with the fill_mode 'constant'.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, or an input of another rank.

    Example:
        >>> x = np.ones((2, 4, 3, 3))
        >>> bool((scratch.RandomZoom(0.2)(x) == x).all())
        True
    """

    def __init__(self, height_factor, width_factor=None, fill_mode="reflect",
                 interpolation="bilinear", seed=None, fill_value=0.0, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        for name, factor in (("height_factor", height_factor), ("width_factor", width_factor)):
            if factor is not None or name == "height_factor":
                factor_range(factor, name, (-1, 1), self)
        self.settings = {
            "height_factor": height_factor,
            "width_factor": width_factor,
            "fill_mode": one_of(fill_mode, "fill_mode", FILL_MODES, self),
            "interpolation": one_of(interpolation, "interpolation", INTERPOLATIONS, self),
            "seed": seed,
            "fill_value": fill_value,
        }


class RandomShear(UndrawnImages):
    """Images sheared along the rows, the columns, or both.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        x_factor, y_factor: the least and the most, from 0 to 1; one number for its negative and
            that.
        interpolation: 'bilinear' or 'nearest'.
        fill_mode: what lies beyond an image: 'reflect', 'wrap', 'constant' or 'nearest'.
        fill_value: what lies beyond an image with the fill_mode 'constant'.
        data_format: 'channels_last', the default, or 'channels_first'.
        seed: in Keras of the draws.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, or an input of another rank.

    Example:
        >>> x = np.ones((2, 4, 3, 3))
        >>> bool((scratch.RandomShear(0.2)(x) == x).all())
        True
    """

    def __init__(self, x_factor=0.0, y_factor=0.0, interpolation="bilinear", fill_mode="reflect",
                 fill_value=0.0, data_format=None, seed=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.settings = {
            "x_factor": _shear(x_factor, "x_factor", self),
            "y_factor": _shear(y_factor, "y_factor", self),
            "fill_mode": one_of(fill_mode, "fill_mode", FILL_MODES, self),
            "interpolation": one_of(interpolation, "interpolation", INTERPOLATIONS, self),
            "seed": seed,
            "fill_value": fill_value,
        }


class RandomPerspective(UndrawnImages):
    """Images seen from the side.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        factor: the probability, two numbers from 0 to 1, or one for 0 and that.
        scale: how far a corner moves, from 0 to 1.
        interpolation: 'bilinear' or 'nearest'.
        fill_value: what lies beyond an image with the fill_mode 'constant'.
        seed: in Keras of the draws.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, or an input of another rank.

    Example:
        >>> x = np.ones((2, 4, 3, 3))
        >>> bool((scratch.RandomPerspective(0.5)(x) == x).all())
        True
    """

    def __init__(self, factor=1.0, scale=1.0, interpolation="bilinear", fill_value=0.0, seed=None,
                 data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        factor_range(scale, "scale", (0, 1), self)
        self.settings = {
            "factor": factor_range(factor, "factor", (0, 1), self),
            "scale": scale,
            "interpolation": one_of(interpolation, "interpolation", INTERPOLATIONS, self),
            "fill_value": fill_value,
            "seed": seed,
        }


class RandomElasticTransform(UndrawnImages):
    """Images pulled out of shape, each pixel a little elsewhere.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        factor: the probability, two numbers from 0 to 1, or one for 0 and that.
        scale: how far, likewise.
        interpolation: 'bilinear' or 'nearest'.
        fill_mode: as of RandomRotation, or 'mirror'.
        fill_value: what lies beyond an image with the fill_mode 'constant'.
        value_range: of the images' values, two numbers.
        seed: in Keras of the draws.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        As the input.

    Raises:
        ValueError: for settings that Keras refuses, or an input of another rank.

    Example:
        >>> x = np.ones((2, 4, 3, 3))
        >>> bool((scratch.RandomElasticTransform(0.5)(x) == x).all())
        True
    """

    def __init__(self, factor=1.0, scale=1.0, interpolation="bilinear", fill_mode="reflect",
                 fill_value=0.0, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.settings = {
            "factor": factor_range(factor, "factor", (0, 1), self),
            "scale": factor_range(scale, "scale", (0, 1), self),
            "interpolation": one_of(interpolation, "interpolation", INTERPOLATIONS, self),
            "fill_mode": one_of(fill_mode, "fill_mode", (*FILL_MODES, "mirror"), self),
            "fill_value": fill_value,
            "value_range": value_range,
            "seed": seed,
        }


def _shear(value, name, owner) -> tuple:
    """(lowest, highest) of a shear, which lies as far below 0 as above if it is one number."""
    low, high = factor_range(value, name, (0, 1), owner)
    return (low, high) if isinstance(value, (tuple, list)) else (-high, high)
