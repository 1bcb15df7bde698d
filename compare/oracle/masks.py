"""Masks in oracles: ones and zeros, (batch, steps), as a second input of layers that use them."""

from typing import Any

import numpy as np

from compare.oracle.running_error import Bounded


def parted(x: Any) -> tuple[Bounded, np.ndarray | None]:
    """(the input, whether each step counts), of an input alone or with its mask."""
    if not isinstance(x, (list, tuple)):
        return x, None
    return x[0], x[1].value != 0


def with_mask(dx: Bounded, counts: np.ndarray | None) -> Any:
    """The input's gradient, with that of the mask, zeros, if there is one."""
    return dx if counts is None else [dx, Bounded(np.zeros(counts.shape), dx.rounding)]


def of_attention(x: Any) -> tuple[tuple[Bounded, Bounded, Bounded], bool, Any]:
    """((query, value, key), whether the key is one of its own, (the queries' mask, the keys') or
    None), of what an attention reads."""
    own, masks = (x[:-2], tuple(x[-2:])) if len(x) > 3 else (x, None)
    query, value, *key = own
    return (query, value, key[0] if key else value), bool(key), masks


def without_gradient(masks: Any) -> list[Bounded]:
    """The gradients of an attention's masks, zeros."""
    return [Bounded(np.zeros(mask.shape), mask.rounding) for mask in masks or ()]


def admitted_of_attention(x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Numbers drawn for what an attention reads: of masks only whether they are positive, and the
    first key counts always."""
    if len(x) < 4:
        return x
    queries, keys = (np.asarray(mask > 0, mask.dtype) for mask in x[-2:])
    keys[:, :1] = 1
    return (*x[:-2], queries, keys)


def chosen(counts: np.ndarray, a: Bounded, b: Bounded) -> Bounded:
    """a where the mask is true, for a step that counts or an image that is changed, else b."""
    return Bounded(np.where(counts, a.value, b.value), a.rounding,
                   np.where(counts, a.bound, b.bound))


def admitted(x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """Numbers drawn for the input and its mask: of a mask only whether they are positive, and the
    first step counts always."""
    mask = np.asarray(x[1] > 0, x[1].dtype)
    mask[:, :1] = 1
    return (x[0], mask, *x[2:])
