"""Keras's default names: a class's own name in small letters."""

import re


def snake_case(name: str) -> str:
    """A class's name as Keras turns it into a default name: MaxPooling2D -> max_pooling2d."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
