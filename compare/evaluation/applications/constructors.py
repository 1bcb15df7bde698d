"""The constructors of keras.applications, each called for the smallest images that it takes."""

import inspect
from typing import Any

SIZES = (32, 71, 75, 96, 128, 224, 331)  # of images, from below; some networks need more than 32


def names() -> list[str]:
    """Of all constructors, in alphabetical order."""
    from reference.quiet import keras

    return sorted(name for name, thing in vars(keras.applications).items()
                  if inspect.isfunction(thing))


def smallest(name: str) -> tuple[Any, int]:
    """(the Keras model with new weights, the side of its images).

    Raises:
        ValueError: for a name that is none of theirs, or a network that takes none of `SIZES`.
    """
    from reference.quiet import keras

    if name not in names():
        raise ValueError(f"Expected a network of keras.applications: {', '.join(names())}. "
                         f"Received: {name!r}")
    refused: Exception | None = None
    for size in SIZES:
        try:
            made = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3))
            return made, size
        except ValueError as error:  # images too small for it
            refused = error
    raise ValueError(f"{name}: expected to take images of one of the sizes {SIZES}. "
                     f"Received: {refused}")
