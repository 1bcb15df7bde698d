"""What a weight that is not Keras's is instead: the same numbers in another order, or another's."""

import itertools
from collections.abc import Iterator

import numpy as np

from compare.checks.gate import Gate
from compare.checks.row import Row
from compare.diagnosis.finding import Cause, Finding
from compare.tracing.trace import Part, Trace


def found_elsewhere(row: Row, candidate: Trace, reference: Trace) -> Finding | None:
    """The finding on a weight that differs; None for one that tells nothing."""
    if row.gate is not Gate.WEIGHTS:
        return None
    mine = _part(candidate, row.layer)
    theirs = _part(reference, row.layer)
    if mine is None or theirs is None or row.tensor not in mine.weights or \
            row.tensor not in theirs.weights:
        return None
    own, right = mine.weights[row.tensor], theirs.weights[row.tensor]
    if own.size != right.size or np.ptp(own) == 0:
        return None
    cause = next((cause for cause, weight in _explained(row, own, right, reference)
                  if weight.size == own.size and np.array_equal(weight.reshape(own.shape), own)),
                 None)
    return None if cause is None else Finding(row.layer, row.tensor, "candidate", (cause,),
                                              before=row.used, after=0.0)


def _part(trace: Trace, name: str) -> Part | None:
    return next((part for part in trace.parts if part.name == name), None)


def _explained(row: Row, own: np.ndarray, right: np.ndarray, reference: Trace
               ) -> Iterator[tuple[Cause, np.ndarray]]:
    """What the weight may be instead, and what it is called."""
    yield from _in_another_order(right)
    yield from _rows_in_another_order(row, right, reference)
    yield Cause("specification", "it is Keras's, rounded to float16"), right.astype(
        np.float16).astype(own.dtype)
    for part in reference.parts:
        for name, weight in part.weights.items():
            if (part.name, name) != (row.layer, row.tensor):
                whose = "" if part.name == row.layer else f" of {part.name}"
                identifier = "gamma-beta-swapped" if not whose and {name, row.tensor} == {
                    "gamma", "beta"} else "specification"
                yield Cause(identifier, f"it holds the {name}{whose}"), weight


def _in_another_order(right: np.ndarray) -> Iterator[tuple[Cause, np.ndarray]]:
    rank = right.ndim
    if rank < 2:
        return
    spatial = tuple(range(rank - 2))
    for count in range(1, len(spatial) + 1):
        for axes in itertools.combinations(spatial, count):
            yield Cause("kernel-flipped", f"along axes {axes}"), np.flip(right, axes)
    for axes in itertools.islice(itertools.permutations(range(rank)), 1, None):
        moved = right.transpose(axes)
        identifier = "transposed-weights" if rank == 2 else "kernel-transposed" \
            if rank == 4 and axes == (1, 0, 2, 3) else "kernel-layout"
        said = f"its axes {axes} of Keras's"
        if moved.shape == right.shape:
            yield Cause(identifier, said), moved
        yield Cause("kernel-layout", f"{said}, reshaped to {right.shape}"), \
            np.ascontiguousarray(moved).reshape(right.shape)


def _rows_in_another_order(row: Row, right: np.ndarray, reference: Trace
                           ) -> Iterator[tuple[Cause, np.ndarray]]:
    """The rows of a kernel behind a flattening, by the axes of the images."""
    images: tuple[int, ...] = ()
    for part in reference.parts:
        if part.name == row.layer:
            break
        if part.class_name == "Flatten" and part.inputs[0].ndim > 2:
            images = part.inputs[0].shape[1:]
    if right.ndim != 2 or not images or int(np.prod(images)) != len(right):
        return
    rows = right.reshape(*images, -1)
    for axes in itertools.islice(itertools.permutations(range(len(images))), 1, None):
        said = f"its rows belong to images with their axes in the order {axes}"
        yield Cause("flatten-order", said), rows.transpose(*axes, len(images)).reshape(right.shape)
        back = rows.reshape(*(images[axis] for axis in axes), -1)
        yield Cause("flatten-order", f"{said}, taken back"), back.transpose(
            *np.argsort(axes), len(images)).reshape(right.shape)
