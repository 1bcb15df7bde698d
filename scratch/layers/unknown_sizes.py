"""Shapes in which a size other than the batch's is left open, such as (None, None, None, 3).

A layer's shapes are worked out for two stand-ins in place of the open sizes; what differs between
the results is open, too. Both divide by 32, so that what is halved and doubled again fits.
"""

from collections.abc import Callable
from typing import Any

STAND_INS = (128, 160)


def has_unknown(shape) -> bool:
    """Whether a size other than the batch's is open."""
    return None in tuple(shape)[1:]


def filled(shape, size: int) -> tuple:
    """The shape with a size in place of the open ones; the batch's stays."""
    return (*shape[:1], *(size if n is None else n for n in shape[1:]))


def worked_out(compute: Callable, shapes) -> Any:
    """`compute(shapes)`, of a shape or a list of shapes, in which sizes may be open: a shape, or a
    list of them.

    Raises:
        ValueError: as `compute` does.
    """
    several = isinstance(shapes, list)
    if not any(map(has_unknown, shapes if several else [shapes])):
        return compute(shapes)
    one, other = (compute([filled(shape, size) for shape in shapes] if several
                          else filled(shapes, size)) for size in STAND_INS)
    if isinstance(one, list):
        return [_agreed(*pair) for pair in zip(one, other)]
    return _agreed(one, other)


def _agreed(one: tuple, other: tuple) -> tuple:
    return tuple(n if n == m else None for n, m in zip(one, other))
