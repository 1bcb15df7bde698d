"""Weights that lie side by side in memory are moved together: a call for many in place of one each.

Only by rules that treat each number by itself, which come to the same.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from scratch import side_by_side


class Slots(list):
    """What an optimizer remembers of each weight: an array for each, side by side where it can be.

    By a number one of them; by a slice the vector of several that are neighbours.
    """

    def __init__(self, arrays=()):
        super().__init__(arrays)
        self._joined: dict[tuple, np.ndarray | None] = {}

    @classmethod
    def zeros_like(cls, variables: Sequence[np.ndarray]) -> "Slots":
        """Zeros for each of the weights, in its memory order."""
        return cls(side_by_side.zeros_like(variables))

    def __getitem__(self, position: Any) -> Any:
        if not isinstance(position, slice):
            return super().__getitem__(position)
        vector = self.joined(position)
        assert vector is not None, "runs are of neighbours"
        return vector

    def joined(self, run: slice) -> np.ndarray | None:
        """The vector of these; None if they are no neighbours."""
        key = run.start, run.stop
        if key not in self._joined:
            self._joined[key] = side_by_side.joined(super().__getitem__(run))
        return self._joined[key]

    def __setitem__(self, position, array) -> None:
        self[position][...] = array  # which stays where it is

    def __reduce__(self):
        # in a copy the arrays may be no neighbours any more
        return type(self), (list(self),)


class Flat:
    """Arrays as vectors, neighbours as one; kept, for steps are alike."""

    def __init__(self) -> None:
        self._arrays: list[np.ndarray] = []
        self._vectors: list[np.ndarray] = []

    def __reduce__(self):
        return type(self), ()  # a copy is of other arrays

    def vectors(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """All their numbers, in any order."""
        if not _same(self._arrays, arrays):
            self._arrays = list(arrays)
            runs = side_by_side.runs(arrays)
            self._vectors = [side_by_side.flat(arrays[run]) for run in runs]
            if not all(np.may_share_memory(vector, arrays[run.start])
                       for vector, run in zip(self._vectors, runs)):
                self._arrays = []  # a copy does not follow its array
        return self._vectors


class Places:
    """Places for results, one for each of some arrays, side by side; kept, for steps are alike."""

    def __init__(self) -> None:
        self._looks: list[tuple] = []
        self._places: list[np.ndarray] = []

    def __reduce__(self):
        return type(self), ()  # a copy writes elsewhere

    def like(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """A place for each of these, of its shape, dtype and order in memory; the same ones as
        last time for arrays that look the same."""
        looks = [(array.shape, array.strides, array.dtype) for array in arrays]
        if looks != self._looks:
            self._looks, self._places = looks, side_by_side.zeros_like(arrays)
        return self._places


class Runs:
    """How a step's gradients and weights are cut into parts; kept, for steps are alike."""

    def __init__(self) -> None:
        self._lists: tuple[list, list] | None = None
        self._parts: list[tuple] = []

    def __reduce__(self):
        return type(self), ()  # a copy is of other weights

    def pairs(self, arrays: list, others: list) -> list[tuple[np.ndarray, np.ndarray]]:
        """(array, other) of two lists alike, neighbours in both as vectors: views to write into."""
        parts = self.parts(arrays, others, range(len(arrays)), [])
        return [(array, other) for array, other, _ in parts]

    def parts(self, gradients: list, variables: list, positions: Sequence[int],
              slots: list[Slots]) -> list[tuple[np.ndarray, np.ndarray, Any]]:
        """(gradient, weight, position) of vectors of neighbours, or of single ones.

        Args:
            gradients, variables: of the step, alike in dtype and shape.
            positions: of each one's slots.
            slots: all kinds of them.
        """
        if self._lists is None or not all(map(_same, self._lists, (gradients, variables))):
            self._lists = list(gradients), list(variables)
            self._parts = list(_parts(gradients, variables, list(positions), slots))
        return self._parts


def _same(kept: list, arrays: list) -> bool:
    return len(kept) == len(arrays) and all([a is b for a, b in zip(kept, arrays)])


def _parts(gradients, variables, positions, slots) -> Iterator[tuple]:
    for run in side_by_side.runs(gradients, variables):
        at = slice(positions[run.start], positions[run.start] + run.stop - run.start)
        consecutive = positions[run] == list(range(at.start, at.stop))
        if run.stop - run.start > 1 and consecutive and all(
                kind.joined(at) is not None for kind in slots):
            yield (side_by_side.joined(gradients[run]), side_by_side.joined(variables[run]), at)
        else:
            yield from zip(gradients[run], variables[run], positions[run])
