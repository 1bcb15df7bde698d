"""All faults, family after family."""

from collections.abc import Iterator
from dataclasses import replace

from compare.evaluation.faults.accuracy_table import ACCURACY, CLOSE
from compare.evaluation.faults.families import (
    activations,
    convolution,
    convolution_gradients,
    dense,
    keras_side,
    losses,
    merging,
    noise,
    normalization,
    optimizers,
    other_convolutions,
    pairs,
    pooling,
    rectifiers,
    reshaping,
    training,
)
from compare.evaluation.faults.fault import Fault

FAMILIES = (convolution, convolution_gradients, other_convolutions, dense, pooling, reshaping,
            normalization, noise, rectifiers, activations, merging, losses, optimizers, training,
            keras_side, pairs)


def faults() -> Iterator[Fault]:
    """Every fault of the catalogue, the pairs last."""
    for family in FAMILIES:
        for fault in family.faults():
            yield replace(fault, learns=learns(fault.identifier))


def learns(identifier: str) -> bool | None:
    """Whether a network with that fault reaches the accuracy of one without; None if it was not
    measured."""
    if identifier not in ACCURACY:
        return None
    with_it, without = ACCURACY[identifier]
    return with_it >= without - CLOSE


def by_identifier() -> dict[str, Fault]:
    """Every fault under its identifier."""
    return {fault.identifier: fault for fault in faults()}


def chosen(parts: list[str] | None) -> list[Fault]:
    """The faults whose identifier is, or else contains, one of these; all for None.

    Raises:
        ValueError: for a part of no identifier.
    """
    every = by_identifier()
    if parts is None:
        return list(every.values())
    found = {}
    for part in parts:
        own = [part] if part in every else [name for name in every if part in name]
        if not own:
            raise ValueError("Expected a fault's identifier, or a part of some. "
                             f"Received: {part!r}")
        found.update({name: every[name] for name in own})
    return list(found.values())
