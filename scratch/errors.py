"""The errors that have a meaning of their own; all else is a plain ValueError or TypeError."""

import math

MOST = 1500  # characters of a message: it may quote a file that says anything
LEFT_OUT = " [...] "


class UnsupportedError(ValueError):
    """A layer, or a setting that changes the mathematics, which this package does not implement.

    A ValueError, as Keras raises for arguments it cannot honour. It is always raised before any
    number is computed, so a network is either reproduced whole or refused by name.
    """


class OwnClassError(UnsupportedError):
    """A class or a Lambda of somebody's own, for which no counterpart was given."""


class NonFiniteLossError(FloatingPointError):
    """The training loss, or the gradient of a weight, became NaN or infinite.

    No weight has been changed by that step.

    Attributes:
        loss: the loss; a finite one where a gradient is meant.
        origin: a sentence on where it comes from.
        what: what is not finite, such as 'the loss became nan'.
    """

    def __init__(self, message: str, loss: float = math.nan, origin: str = "",
                 what: str = "the loss is not finite"):
        super().__init__(message)
        self.loss, self.origin, self.what = loss, origin, what


def shortened(message: object, most: int = MOST) -> str:
    """A message of bounded length: the middle of a longer one is left out."""
    text = str(message)
    if len(text) <= most:
        return text
    half = (most - len(LEFT_OUT)) // 2
    return text[:half] + LEFT_OUT + text[-half:]
