"""Axes of an input by their numbers, and sums and means along them."""

import numbers

import numpy as np


def summed(x: np.ndarray, axes: tuple) -> np.ndarray:
    """The sum over `axes`, which are kept with size 1.

    One axis after the other: sums of few terms round less than a single one of them all.
    """
    # (N, H, W, C) -> (1, H, W, C) -> (1, 1, W, C) -> (1, 1, 1, C) where axes is (0, 1, 2)
    for axis in axes:
        x = x.sum(axis=axis, keepdims=True)
    return x


def average(x: np.ndarray, axes: tuple) -> np.ndarray:
    """The mean over `axes`, which are kept with size 1."""
    total = summed(x, axes)
    return total / (x.size // total.size)


def whole_axis(axis, owner) -> int:
    """An axis, counted from the front or, below zero, from the back."""
    if isinstance(axis, bool) or not isinstance(axis, numbers.Integral):
        raise TypeError(f"{owner}: expected axis to be an integer. Received: axis={axis!r}")
    return int(axis)


def axis_of(axis: int, shape: tuple, owner) -> int:
    """The axis counted from the front: any of the input's but the batch, and of known size."""
    rank = len(shape)
    if not -rank <= axis < rank or axis % rank == 0 or shape[axis] is None:
        raise ValueError(f"{owner}: expected an axis of the input other than the batch, of known "
                         f"size. Received: axis={axis}, input_shape={tuple(shape)}")
    return axis % rank


def whole_axes(axis, owner) -> int | list[int]:
    """One axis, or a list of them."""
    if isinstance(axis, (list, tuple)):
        return [whole_axis(each, owner) for each in axis]
    return whole_axis(axis, owner)


def distinct_axes(axis: int | list[int], shape: tuple, owner) -> tuple[int, ...]:
    """The axes counted from the front, in the order of their sorted numbers as given.

    Raises:
        ValueError: for axes that the input lacks, the batch's, or one named twice.
    """
    named = sorted(axis) if isinstance(axis, list) else [axis]
    axes = tuple(axis_of(each, shape, owner) for each in named)
    if not axes or len(set(axes)) < len(axes):
        raise ValueError(f"{owner}: expected one axis or more, each named once. "
                         f"Received: axis={axis}, input_shape={tuple(shape)}")
    return axes
