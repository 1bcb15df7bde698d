"""Keras's default names: a class's own name in small letters, and a number for the next ones."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable


def snake_case(name: str) -> str:
    """A class's name as Keras turns it into a default name: MaxPooling2D -> max_pooling2d."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


class Names:
    """The names of a model's layers: those that are taken, and which one is given next."""

    def __init__(self, taken: Iterable[str] = ()):
        self._taken = set(taken)
        self._counts: Counter[str] = Counter()  # below these numbers everything is taken

    def __contains__(self, name: str | None) -> bool:
        return name in self._taken

    @staticmethod
    def given(layer) -> bool:
        """Whether a layer, or a model among layers, has its name from whoever made it."""
        return layer.name is not None and getattr(layer, "named", True)

    def give(self, layer) -> None:
        """Name a layer that has no name as Keras does, conv2d, conv2d_1 ...; its name is taken."""
        if layer.name is None or layer.name in self._taken:
            kind = type(layer).__name__.removesuffix("Operation")
            ending = getattr(layer, "name_ending", "")
            base = (layer.name or snake_case(kind)).removesuffix(ending)
            while (name := numbered(base, self._counts[base]) + ending) in self._taken:
                self._counts[base] += 1
            layer.name = name
        self._taken.add(layer.name)

    def give_piece(self, layer, cuts: dict, cut: Hashable) -> None:
        """Name a piece of a tensor, which has no name, as Keras's operation that makes all pieces
        of the same cut, and by its number.

        Args:
            cuts: the names of those operations so far, by what their pieces have in common.
        """
        if cut not in cuts:
            base = snake_case(type(layer).__name__.removesuffix("Operation"))
            while (whole := numbered(base, self._counts[base])) in self._taken:
                self._counts[base] += 1
            cuts[cut] = whole
            self._taken.add(whole)
        layer.name = cuts[cut] + layer.name_ending
        self._taken.add(layer.name)


def numbered(base: str, count: int) -> str:
    """The name of that number, counted from 0: conv2d, conv2d_1 ..."""
    return f"{base}_{count}" if count else base
