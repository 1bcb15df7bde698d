"""Weights that several calls of a layer use: what each call gives adds up to their gradient; and
weights that two traces have in common."""

from collections.abc import Sequence

import numpy as np

from compare.tracing.trace import Part


def held_once(parts: Sequence[Part]) -> dict[tuple[str, str], np.ndarray]:
    """Each weight by the layer and its name, once: at the first call of its layer."""
    return {(part.layer, name): weight for part in parts if part.tied_to is None
            for name, weight in part.weights.items()}


def learned(parts: Sequence[Part]) -> list[tuple[int, str]]:
    """(number of the part, name of the weight) of each weight that is trained, once: at the first
    call of its layer."""
    return [(i, name) for i, part in enumerate(parts) for name in part.weight_gradients
            if part.tied_to is None and name in part.weights
            and np.shape(part.weight_gradients[name]) == np.shape(part.weights[name])]


def total_gradient(parts: Sequence[Part], i: int, name: str) -> np.ndarray:
    """The gradient of a weight, over all calls of the layer whose first one is part i."""
    gradient = parts[i].weight_gradients[name]
    for part in parts[i + 1:]:
        if part.tied_to == parts[i].layer and name in part.weight_gradients:
            gradient = gradient + part.weight_gradients[name]
    return gradient


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays hold the same numbers to the bit, -0 and NaN included."""
    return (a.dtype == b.dtype and a.shape == b.shape
            and np.array_equal(a.view(f"u{a.itemsize}"), b.view(f"u{b.itemsize}")))


def share(parts: Sequence[Part], others: Sequence[Part]) -> None:
    """Have the parts of one trace hold the arrays of another's where a weight is the same in both,
    to the bit: so the two take the memory of one."""
    for part, other in zip(parts, others):
        for name, weight in part.weights.items():
            if name in other.weights and same_bits(weight, other.weights[name]):
                part.weights[name] = other.weights[name]
