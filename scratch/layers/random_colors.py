"""Images of other colours at random: at inference they stay as they are."""

from scratch.layers.augmentation import UndrawnImages, factor_range, two_numbers


class RandomHue(UndrawnImages):
    """Images of other hues.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        factor: how much, the least and the most from 0 to 1; one number for 0 and that.
        value_range: of the images' values, two numbers.
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
        >>> bool((scratch.RandomHue(0.2)(x) == x).all())
        True
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.settings = {
            "factor": factor_range(factor, "factor", (0, 1), self),
            "value_range": value_range,
            "seed": seed,
        }


class RandomSaturation(UndrawnImages):
    """Images with more colour or less.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        factor: how much, the least and the most from -1 to 1; one number for its negative and that.
        value_range: of the images' values, two numbers.
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
        >>> bool((scratch.RandomSaturation(0.2)(x) == x).all())
        True
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.settings = {
            "factor": factor_range(factor, "factor", (-1, 1), self),
            "value_range": two_numbers(value_range, "value_range", self),
            "seed": seed,
        }


class RandomColorDegeneration(UndrawnImages):
    """Images with less colour, as far as grey.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        factor: how much, the least and the most from -1 to 1; one number for its negative and that.
        value_range: of the images' values, two numbers.
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
        >>> bool((scratch.RandomColorDegeneration(0.2)(x) == x).all())
        True
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.settings = {
            "factor": factor_range(factor, "factor", (-1, 1), self),
            "value_range": two_numbers(value_range, "value_range", self),
            "seed": seed,
        }


class RandomColorJitter(UndrawnImages):
    """Images of other brightness, contrast, saturation and hue, one after the other.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        value_range: of the images' values, two numbers.
        brightness_factor, contrast_factor, saturation_factor, hue_factor: as of RandomBrightness,
            RandomContrast, RandomSaturation and RandomHue; None for those that are left out.
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
        >>> bool((scratch.RandomColorJitter(hue_factor=0.2)(x) == x).all())
        True
    """

    def __init__(self, value_range=(0, 255), brightness_factor=None, contrast_factor=None,
                 saturation_factor=None, hue_factor=None, seed=None, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        for name, factor, bounds in (("brightness_factor", brightness_factor, (-1, 1)),
                                     ("contrast_factor", contrast_factor, (0, 1)),
                                     ("saturation_factor", saturation_factor, (-1, 1)),
                                     ("hue_factor", hue_factor, (0, 1))):
            if factor is not None:
                factor_range(factor, name, bounds, self)
        self.settings = {
            "value_range": value_range,
            "brightness_factor": brightness_factor,
            "contrast_factor": contrast_factor,
            "saturation_factor": saturation_factor,
            "hue_factor": hue_factor,
            "seed": seed,
        }


class RandomPosterization(UndrawnImages):
    """Images of fewer shades.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        factor: how many bits a value keeps, the least and the most from 1 to 8; one number
            for 1 and that.
        value_range: of the images' values, two numbers.
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
        >>> bool((scratch.RandomPosterization(4)(x) == x).all())
        True
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.settings = {
            "factor": factor_range(factor, "factor", (1, 8), self),
            "value_range": two_numbers(value_range, "value_range", self),
            "seed": seed,
        }
