"""Steps of a sequence that are left out."""

import numbers

import numpy as np

from scratch.layers.base import Layer


class Masking(Layer):
    """Steps all of whose numbers are `mask_value` are masked: zeros here, and left out by the
    layers behind that use masks, see `scratch.masks`.

    Args:
        mask_value: a number.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, steps, features), or of any other rank; a mask is over the last axis.

    Output shape:
        As the input.

    Raises:
        TypeError: if mask_value is no number.

    Example:
        >>> layer = scratch.Masking(mask_value=-1.0)
        >>> x = np.array([[[-1.0, -1.0], [-1.0, 2.0]]])
        >>> layer(x).tolist(), layer.compute_mask(x).tolist()
        ([[[0.0, 0.0], [-1.0, 2.0]]], [[False, True]])
    """

    sample_by_sample = True
    takes_low_precision = True
    makes_masks = True

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        if isinstance(mask_value, bool) or not isinstance(mask_value, numbers.Real):
            raise TypeError(f"{self}: expected mask_value to be a number. "
                            f"Received: mask_value={mask_value!r:.100}")
        self.mask_value = mask_value

    def compute_mask(self, x):
        """(N, T, D) -> (N, T): whether any of a step's numbers is another one."""
        return (x != self.rounded(np.asarray(self.mask_value, x.dtype))).any(axis=-1)

    def forward(self, x, training=False):
        self._mask = self.compute_mask(x)[..., None]
        return np.where(self._mask, x, x.dtype.type(0))

    def backward(self, dy, wants_input_gradient=True):
        return np.where(self._mask, dy, dy.dtype.type(0))

    def get_config(self):
        return {**super().get_config(), "mask_value": self.mask_value}
