"""Augmentation of images: what the Random layers have in common, and those that are not drawn here.

At inference all of them hand images through. In training some draw here what Keras's draw
(`DrawnImages`); of the others the images pass unchanged (`UndrawnImages`), of which `fit` warns.
"""

import numbers
import warnings

import numpy as np

from scratch.layers.base import Layer
from scratch.layers.data_format import data_format_name, sizes_and_channels
from scratch.layers.noise import RandomLayer

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")


class OfImages(Layer):
    """Base of all: they are called in training, and an image stays as large as it is."""

    called_in_training = True
    neutral = {"bounding_box_format": (None,)}
    data_format: str

    def compute_output_shape(self, input_shape):
        sizes_and_channels(input_shape, 2, self.data_format, self)
        return tuple(input_shape)

    def get_config(self):
        config = {**super().get_config(), "data_format": self.data_format}
        del config["bounding_box_format"]  # which Keras leaves out
        return config


class DrawnImages(OfImages, RandomLayer):
    """Base of the augmentations that draw for each image.

    Args:
        data_format: 'channels_last', the default, or 'channels_first'.
        seed: see `RandomLayer`.
    """

    active = True

    def __init__(self, seed=None, data_format=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.data_format = data_format_name(data_format, self)

    @property
    def image_axes(self) -> tuple[int, int]:
        """Those of the rows and of the columns of a batch."""
        return (1, 2) if self.data_format == "channels_last" else (2, 3)

    def _require_draws(self, noise: np.ndarray, images: int, draws: int) -> None:
        """Noise of so many numbers of an image, not of its channels, for so many images."""
        if noise.ndim != 4 or noise.shape[0] not in (1, images) or noise.shape[1:] != (1, 1, draws):
            raise ValueError(f"{self}: expected noise of shape {(images, 1, 1, draws)}. "
                             f"Received: noise of shape {noise.shape}")


class UndrawnImages(OfImages):
    """Base of the augmentations whose draws are not computed here.

    Args:
        data_format: 'channels_last', the default, or 'channels_first'.
        settings: by Keras's names, of what would be drawn; they are kept for the config.
    """

    sample_by_sample = True
    undrawn = True

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format_name(data_format, self)
        self.settings: dict = {}

    def forward(self, x, training=False):
        return x

    def backward(self, dy, wants_input_gradient=True):
        return dy

    def get_config(self):
        return {**super().get_config(), **self.settings}


def warn_of_undrawn(layers: list) -> None:
    """A warning that names the layers whose draws are not computed, if there are any."""
    names = [str(layer) for layer in layers if isinstance(layer, UndrawnImages)]
    if names:
        warnings.warn(f"Images pass unchanged in training through {', '.join(names)}: what Keras "
                      "draws there is not computed. Augment the images before they are handed in.",
                      stacklevel=3)


def factor_range(value, name: str, bounds: tuple, owner) -> tuple:
    """(lowest, highest) of a factor, as Keras writes it: of one number from its negative, or from
    the lower bound, to itself.

    Raises:
        ValueError: for what is neither a number nor two, or beyond the bounds.
    """
    low, high = bounds
    numeric = _is_number(value) and low <= value <= high
    if numeric:
        return max(-abs(value), low), abs(value)
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(map(_is_number, value)) \
            and value[0] <= high and value[1] >= low:
        return tuple(sorted(value))
    raise ValueError(f"{owner}: expected {name} to be a number from {low} to {high}, or two. "
                     f"Received: {name}={value!r}")


def mean_probability(factor: tuple) -> float:
    """What a probability is on average that is drawn evenly between a factor's two ends, each of
    them brought within 0 to 1."""
    low, high = (min(max(end, 0.0), 1.0) for end in factor)
    return (low + high) / 2


def two_numbers(value, name: str, owner) -> list:
    """[lowest, highest] of a range of values, in this order."""
    if not isinstance(value, (tuple, list)) or len(value) != 2 or not all(map(_is_number, value)):
        raise ValueError(f"{owner}: expected {name} to be two numbers. Received: {name}={value!r}")
    return sorted(value)


def one_of(value, name: str, choices: tuple, owner):
    """The value, if it is one of the choices."""
    if value not in choices:
        raise ValueError(f"{owner}: expected {name} to be one of {', '.join(map(repr, choices))}. "
                         f"Received: {name}={value!r}")
    return value


def _is_number(value) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
