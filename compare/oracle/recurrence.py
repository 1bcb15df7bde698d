"""Sums of products and of other terms in whatever order, and arrays put side by side."""

from collections.abc import Sequence

import numpy as np

from compare.oracle.running_error import Bounded, bilinear


def beside(arrays: Sequence[Bounded], axis: int) -> Bounded:
    """Arrays put one behind the other along an axis."""
    first = arrays[0]
    if all(each.error is None for each in arrays):
        return Bounded(np.concatenate([each.value for each in arrays], axis), first.rounding)
    return Bounded(np.concatenate([each.value for each in arrays], axis), first.rounding,
                   np.concatenate([each.bound for each in arrays], axis))


def at_step(x: Bounded, t: int) -> Bounded:
    """One step (batch, features) of a sequence (batch, steps, features)."""
    return x.rearranged(lambda a: a[:, t])


def columns(x: Bounded, start: int, stop: int) -> Bounded:
    """Some columns of a matrix."""
    return x.rearranged(lambda a: a[:, start:stop])


def turned(x: Bounded) -> Bounded:
    """The transpose of a matrix."""
    return x.rearranged(np.transpose)


def collected(products: Sequence[tuple[Bounded, Bounded]], terms: Sequence[Bounded] = ()
              ) -> Bounded:
    """The sum of matrix products and of other matrices, all of whose terms may be added up in any
    order, also across the products.

    Args:
        products: pairs (N, K_i), (K_i, U).
        terms: further (N, U), or (U,) for the same in every row.
    """
    rows, width = products[0][0].shape[0], products[0][1].shape[1]
    inner = sum(a.shape[1] for a, _ in products)
    spread = [term.rearranged(lambda a: np.broadcast_to(a, (rows, width))) for term in terms]
    left = beside([*[a for a, _ in products], *spread], 1)
    one = Bounded(np.ones((len(terms), width)), left.rounding)
    right = beside([*[b for _, b in products], *([one] if terms else [])], 0)

    def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        y = a[:, :inner] @ b[:inner]
        for i in range(len(terms)):
            y = y + a[:, inner + i * width:inner + (i + 1) * width] * b[inner + i]
        return np.asarray(y)

    return bilinear(product, left, right)


def added(terms: list[Bounded]) -> Bounded:
    """The sum of some arrays of one shape in any order."""
    if len(terms) == 1:
        return terms[0]
    stacked = beside([term.reshape(1, *term.shape) for term in terms], 0)
    return stacked.sum(axis=0)
