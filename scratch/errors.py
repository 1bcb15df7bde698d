"""The errors that have a meaning of their own; all else is a plain ValueError or TypeError."""


class UnsupportedError(ValueError):
    """A layer, or a setting that changes the mathematics, which this package does not implement.

    A ValueError, as Keras raises for arguments it cannot honour. It is always raised before any
    number is computed, so a network is either reproduced whole or refused by name.
    """


class NonFiniteLossError(FloatingPointError):
    """The training loss became NaN or infinite; the message says at which epoch and step."""
