"""Several arrays that share their samples: the inputs of one model, its outputs, their labels.

`Several` is cut into batches and blocks as an array is, `x[rows]`, and is as long as it has
samples. A `Structure` says in which form a model's user hands such arrays over: a list, a tuple or
a dictionary. Inside, their order is Keras's: as in the list, or by the sorted keys of the
dictionary.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from scratch.errors import UnsupportedError


class Several:
    """Arrays with one sample in each row of each.

    Attributes:
        arrays: a tuple; None in the place of what is not there, such as the labels of an output
            without a loss.
    """

    __slots__ = ("arrays",)
    __iter__ = None  # neither over samples nor over arrays: say `.arrays`

    def __init__(self, arrays: Iterable[Any]) -> None:
        self.arrays = tuple(arrays)

    def __len__(self) -> int:
        return next((len(array) for array in self.arrays if array is not None), 0)

    def __getitem__(self, samples) -> "Several":
        """These samples of each."""
        return type(self)(None if array is None else array[samples] for array in self.arrays)

    def __repr__(self):
        return f"<Several of {', '.join(map(str, map(np.shape, self.arrays)))}>"


def each(value) -> tuple:
    """The arrays: those of a `Several`, or the one that it is."""
    return value.arrays if isinstance(value, Several) else (value,)


def mapped(function: Callable, value, *others) -> Any:
    """function(array, ...) of each array, or of the one that it is; None stays None.

    Args:
        others: as many arrays each, or one for all, handed to the function besides.
    """
    if not isinstance(value, Several):
        return None if value is None else function(value, *others)
    rest = [other.arrays if isinstance(other, Several) else [other] * len(value.arrays)
            for other in others]
    return Several([None if array is None else function(array, *more)
                    for array, *more in zip(value.arrays, *rest, strict=True)])


def joined(blocks: list) -> Any:
    """Blocks of samples one after the other, as arrays or as `Several`."""
    if isinstance(blocks[0], Several):
        return Several(map(np.concatenate, zip(*(block.arrays for block in blocks))))
    return np.concatenate(blocks)


class Structure:
    """In which form several tensors are handed over.

    Args:
        given: a list, a tuple or a dictionary of tensors.
        what: 'input' or 'output', for messages.
        owner: the model.

    Attributes:
        kind: list, tuple or dict.
        keys: of a dictionary, as they were given; None for the others.
        count: how many there are.

    Raises:
        UnsupportedError: for lists and dictionaries inside it.
    """

    def __init__(self, given, what: str, owner):
        self.kind = next(kind for kind in (dict, tuple, list) if isinstance(given, kind))
        self.keys = list(given) if self.kind is dict else None
        self.what, self.owner = what, str(owner)
        self.count = len(given)
        inside = given.values() if self.kind is dict else given
        if any(isinstance(value, (list, tuple, dict)) for value in inside):
            raise UnsupportedError(f"{owner}: expected the {what}s to be one list, tuple or "
                                   "dictionary of tensors. Received one with others inside: hand "
                                   "all of them over side by side.")

    def __eq__(self, other):
        return isinstance(other, Structure) and (self.kind, self.keys, self.count) == (
            other.kind, other.keys, other.count)

    @property
    def order(self) -> list:
        """The keys, or positions, in the order in which the tensors stand inside the model."""
        return sorted(self.keys) if self.keys is not None else list(range(self.count))

    def flat(self, given) -> list:
        """A dictionary or list of that form in the inner order.

        Raises:
            ValueError: for other keys, or another number.
        """
        if self.keys is not None and isinstance(given, dict):
            if set(given) != set(self.keys):
                raise ValueError(f"{self.owner}: expected {self.what}s named {self.order}. "
                                 f"Received: {list(given)}")
            return [given[key] for key in self.order]
        if isinstance(given, dict) or len(given) != self.count:
            of = list(given) if isinstance(given, dict) else len(given)
            raise ValueError(f"{self.owner}: expected {self.count} {self.what}s in a "
                             f"{self.kind.__name__}. Received: {of}")
        return list(given)

    def packed(self, values) -> Any:
        """Values in the inner order in the user's form."""
        values = list(values)
        if self.keys is not None:
            by_key = dict(zip(self.order, values, strict=True))
            return {key: by_key[key] for key in self.keys}
        return self.kind(values)


def grouped(given, structure: Structure | None, names: list[str]) -> Any:
    """What a user handed over as a model takes it: `Several` where the model has several.

    Args:
        given: arrays in the model's structure; a dictionary by the tensors' names also does for a
            list, and a list in the inner order for a dictionary.
        structure: the model's; None for a single tensor.
        names: of the tensors, in the inner order.

    Raises:
        ValueError: for other keys, another number, or one array where there should be several.
    """
    if isinstance(given, Several) and structure is not None:
        if len(given.arrays) == structure.count:
            return given
        given = list(given.arrays)
    if structure is None or given is None:
        return given
    if isinstance(given, dict) and structure.keys is None and set(names) <= set(given):
        return Several([given[name] for name in names])
    if structure.count == 1 and not isinstance(given, (list, tuple, dict)):
        return Several([given])
    if not isinstance(given, (list, tuple, dict)):
        raise ValueError(f"{structure.owner}: expected {structure.count} {structure.what}s in a "
                         f"{structure.kind.__name__}. Received: one {type(given).__name__} of "
                         f"shape {np.shape(given)}")
    return Several(structure.flat(given))
