"""Images partly erased, or augmented in several ways at random: at inference they stay."""

from scratch.layers.augmentation import (
    INTERPOLATIONS,
    UndrawnImages,
    factor_range,
    one_of,
)


class RandomErasing(UndrawnImages):
    """Images with one rectangle filled in.

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        factor: the probability, two numbers from 0 to 1, or one for 0 and that.
        scale: the rectangle's part of the image, likewise.
        fill_value: what it is filled with; None for noise.
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
        >>> bool((scratch.RandomErasing(0.2)(x) == x).all())
        True
    """

    def __init__(self, factor=1.0, scale=(0.02, 0.33), fill_value=None, value_range=(0, 255),
                 seed=None, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.settings = {
            "factor": factor_range(factor, "factor", (0, 1), self),
            "scale": factor_range(scale, "scale", (0, 1), self),
            "fill_value": fill_value,
            "value_range": value_range,
            "seed": seed,
        }


class RandAugment(UndrawnImages):
    """Images changed by some augmentations drawn from a list (Cubuk et al., RandAugment, 2020).

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        value_range: of the images' values, two numbers.
        num_ops: how many, one after the other.
        factor: how much, the least and the most from 0 to 1; one number for 0 and that.
        interpolation: 'bilinear' or 'nearest'.
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
        >>> bool((scratch.RandAugment()(x) == x).all())
        True
    """

    def __init__(self, value_range=(0, 255), num_ops=2, factor=0.5, interpolation="bilinear",
                 seed=None, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.settings = {
            "value_range": value_range,
            "num_ops": num_ops,
            "factor": factor_range(factor, "factor", (0, 1), self),
            "interpolation": one_of(interpolation, "interpolation", INTERPOLATIONS, self),
            "seed": seed,
        }


class AugMix(UndrawnImages):
    """Images mixed of some that were augmented (Hendrycks et al., AugMix, 2020).

    At inference images stay as they are. In training, too, of which `fit` warns: what Keras draws
    there is not computed here.

    Args:
        value_range: of the images' values, two numbers.
        num_chains: how many are mixed.
        chain_depth: how many augmentations each goes through.
        factor: how much, the least and the most from 0 to 1; one number for 0 and that.
        alpha: of the weights' distribution.
        all_ops: whether all augmentations take part.
        interpolation: 'bilinear' or 'nearest'.
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
        >>> bool((scratch.AugMix()(x) == x).all())
        True
    """

    def __init__(self, value_range=(0, 255), num_chains=3, chain_depth=3, factor=0.3, alpha=1.0,
                 all_ops=True, interpolation="bilinear", seed=None, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.settings = {
            "value_range": value_range,
            "num_chains": num_chains,
            "chain_depth": chain_depth,
            "factor": factor_range(factor, "factor", (0, 1), self),
            "alpha": alpha,
            "all_ops": all_ops,
            "interpolation": one_of(interpolation, "interpolation", INTERPOLATIONS, self),
            "seed": seed,
        }
