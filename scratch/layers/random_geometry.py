"""Images seen from the side or pulled out of shape at random: at inference they stay."""

from scratch.layers.augmentation import (
    FILL_MODES,
    INTERPOLATIONS,
    UndrawnImages,
    factor_range,
    one_of,
)


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
