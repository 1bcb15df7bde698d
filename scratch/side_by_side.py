"""Arrays that lie side by side in one vector, so that one call reaches all of them."""

from collections.abc import Sequence

import numpy as np


def zeros_like(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Zeros like each of the arrays, in its memory order: side by side wherever neighbours in the
    list share a dtype."""
    views: list[np.ndarray] = []
    start = 0
    while start < len(arrays):
        dtype = arrays[start].dtype
        stop = start
        while stop < len(arrays) and arrays[stop].dtype == dtype:
            stop += 1
        vector = np.zeros(sum(array.size for array in arrays[start:stop]), dtype)
        place = 0
        for array in arrays[start:stop]:
            views.append(shaped_like(vector[place:place + array.size], array))
            place += array.size
        start = stop
    return views


def copies(arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The same numbers, side by side."""
    views = zeros_like(arrays)
    for view, array in zip(views, arrays):
        view[...] = array
    return views


def has_place(array: np.ndarray) -> bool:
    """Whether the array is part of a vector already."""
    return isinstance(array.base, np.ndarray) and array.base.ndim == 1


def shaped_like(part: np.ndarray, array: np.ndarray) -> np.ndarray:
    """A part of a vector as a view of an array's shape, its axes in memory in that one's order."""
    order = memory_order(array)
    inverse = sorted(range(array.ndim), key=order.__getitem__)
    return part.reshape([array.shape[axis] for axis in order]).transpose(inverse)


def memory_order(array: np.ndarray) -> list[int]:
    """The axes of an array, that with the largest step in memory first."""
    return sorted(range(array.ndim), key=lambda axis: (-array.strides[axis], axis))


def joined(arrays: Sequence[np.ndarray]) -> np.ndarray | None:
    """The vector that the arrays make up in this order, a view; None if they are no neighbours."""
    first = arrays[0]
    owner = first.base
    if not isinstance(owner, np.ndarray) or owner.ndim != 1 or not owner.flags.c_contiguous:
        return None
    place = begin = (first.ctypes.data - owner.ctypes.data) // owner.itemsize
    for array in arrays:
        at = array.ctypes.data - owner.ctypes.data
        if (array.base is not owner or array.dtype != owner.dtype or at != place * owner.itemsize
                or not array.transpose(memory_order(array)).flags.c_contiguous):
            return None
        place += array.size
    return owner[begin:place]


def flat(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """The numbers of neighbours, or of a single array, as a vector: a view if that is possible."""
    if len(arrays) > 1:
        vector = joined(arrays)
        assert vector is not None, "they are neighbours"
        return vector
    return arrays[0].transpose(memory_order(arrays[0])).reshape(-1)


def runs(*lists: Sequence[np.ndarray]) -> list[slice]:
    """All positions of lists of equal length, cut into runs as long as can be in which each list's
    arrays are neighbours, and lie in memory alike."""
    found: list[slice] = []
    start = 0
    for i in range(1, len(lists[0]) + 1):
        if i == len(lists[0]) or not _follow(lists, i):
            found.append(slice(start, i))
            start = i
    return found


def _follow(lists, i: int) -> bool:
    """Whether the arrays at i lie behind those before them, in each list alike."""
    return (all(joined(arrays[i - 1:i + 1]) is not None for arrays in lists)
            and all(_alike([arrays[j] for arrays in lists]) for j in (i - 1, i)))


def _alike(arrays: list[np.ndarray]) -> bool:
    first = arrays[0]
    return all(array.shape == first.shape and array.strides == first.strides for array in arrays)
