"""Checks of layer arguments, worded as Keras words them: what was expected, what came."""

import numbers


def positive(value, name: str, owner) -> int:
    """A whole number above zero."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value <= 0:
        raise ValueError(f"{owner}: expected {name} to be a positive integer. "
                         f"Received: {name}={value!r}")
    return int(value)


def pair(value, name: str, owner) -> tuple[int, int]:
    """One whole number for both image axes, or one for each: (rows, columns)."""
    values = (value, value) if isinstance(value, numbers.Integral) else value
    if not isinstance(values, (tuple, list)) or len(values) != 2:
        raise ValueError(f"{owner}: expected {name} to be an integer or a tuple of 2 integers. "
                         f"Received: {name}={value!r}")
    return tuple(positive(v, name, owner) for v in values)


def padding_name(value, owner) -> str:
    """'valid' or 'same', in any case."""
    if not isinstance(value, str) or value.lower() not in ("valid", "same"):
        raise ValueError(f"{owner}: expected padding to be 'valid' or 'same'. "
                         f"Received: padding={value!r}")
    return value.lower()


def image_shape(input_shape, owner) -> tuple[int, int, int]:
    """(H, W, C) of a batch of images; all three must be known."""
    if len(input_shape) != 4:
        raise ValueError(f"{owner}: expected images of shape (batch, height, width, channels). "
                         f"Received: input_shape={tuple(input_shape)}")
    if None in input_shape[1:]:
        raise ValueError(f"{owner}: expected the image's height, width and channels to be known. "
                         f"Received: input_shape={tuple(input_shape)}")
    return tuple(input_shape[1:])
