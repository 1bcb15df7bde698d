"""The masks of a layer, which say what steps count: read beside its inputs, made, handed on."""

from typing import Any

import numpy as np


class HasMasks:
    """Takes the masks that come with its inputs, or makes one, or hands one on."""

    # Whether it takes the masks that come with its inputs, as more of them, and what made these;
    # whether it makes one by `compute_mask`, or hands one on that it has used.
    uses_masks = False
    masked_by: tuple = ()
    expects_mask: tuple[str, Any] | None = None  # what a config says of it
    makes_masks = False
    hands_masks_on = False
    # Of a layer that uses masks: whether it reads several inputs, each with its mask; whether that
    # of the third counts, too; whether Keras takes them off its inputs.
    calls_with_several = False
    uses_mask_of_key = False
    takes_masks_off = False
    # How many inputs a layer reads that reads masks behind them, if not several by their nature.
    own_inputs = 1

    merges: bool
    input_shape: Any

    @property
    def called_on_list(self) -> bool:
        """Whether a call names several inputs; a mask comes by itself."""
        return self.merges and (self.calls_with_several or self.own_inputs > 1
                                or not self.masked_by)

    def take_masks(self, makers: tuple) -> None:
        """Read masks beside the input from now on, made by these layers; () for no mask."""
        own = self.own_inputs
        if not makers and self.masked_by and isinstance(self.input_shape, list):
            self.input_shape = self.input_shape[:own] if own > 1 else self.input_shape[0]
        if makers and (isinstance(self.input_shape, tuple) or
                       (self.input_shape is not None and len(self.input_shape) == own)):
            self.input_shape = None  # it is built for no mask
        self.masked_by, self.merges = makers, bool(makers) or own > 1

    def unmasked(self, reads: tuple[int, ...]) -> tuple[int, ...]:
        """What it reads without what masks are made of."""
        return reads[:self.own_inputs]

    def compute_mask(self, x: np.ndarray) -> np.ndarray:
        """Which steps count, (batch, steps), of a layer that makes masks."""
        raise NotImplementedError
