"""One object in a list of layers that stands for several of Keras's: a flattening and a dense layer
in one, a convolution with padding of its own, a dense layer and its softmax.

In the network that the list makes, this project's own layers stand at its places. The object itself
is run on what the reference handed to the first of them, and judged as a network in one class is.
"""

from dataclasses import dataclass

from compare.adapters.conventions import Conventions


@dataclass(frozen=True)
class Place:
    """What stands in the list for one of an object's layers.

    Attributes:
        how: the object's `Conventions`.
    """

    how: Conventions


@dataclass(frozen=True)
class Span:
    """An object and the names of the layers that it stands for, in order."""

    how: Conventions
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """For people: 'flatten + dense'."""
        return " + ".join(self.names)


def spread(items: list) -> list:
    """The list with a `Place` for each of the layers that an object stands for."""
    return [each for item in items for each in (
        [Place(item)] * item.layers if isinstance(item, Conventions) and item.layers else [item])]


def spans(items: list, names: list[str]) -> list[Span]:
    """The objects that stand for several layers.

    Args:
        items: one for each layer, as `spread` makes them.
        names: of the layers.
    """
    found: list[Span] = []
    for i, item in enumerate(items):
        if isinstance(item, Place) and not (i and items[i - 1] is item):
            found.append(Span(item.how, tuple(names[i:i + (item.how.layers or 1)])))
    return found
