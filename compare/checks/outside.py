"""Layers that scratch does not have, judged all the same beside a live Keras model.

Keras's own layer in float64 then stands in for the oracle, and trials for the proof; every row that
leans on it says so by its kind.
"""

import functools
from typing import Any

from compare.checks.gate import Gate
from compare.checks.row import Row
from compare.oracle.expected import known_oracle_of
from compare.tracing.configs import path_of
from compare.tracing.trace import Part, Trace
from scratch.errors import UnsupportedError

PERTURBED = "perturbed"


def attach(reference: Trace, twin: Any, whole: frozenset[int]) -> None:
    """Have a trace know how its layers without an oracle are run.

    Args:
        twin: the live Keras model that the trace is of.
        whole: positions of layers that are run with the activation inside them.

    Raises:
        ValueError: for a layer that cannot be made anew in float64.
    """
    import reference as keras_side

    for part, op in zip(reference.parts, keras_side.ops_of(twin, whole)):
        if known_oracle_of(reference, part) is None:
            reference.runs[key(part)] = (
                functools.partial(keras_side.run_outside, keras_side.in_float64(op)),
                functools.partial(keras_side.run_outside, op))


def require_oracles(reference: Trace) -> None:
    """That each layer of a trace can be judged.

    Raises:
        UnsupportedError: for one that only a live Keras model can judge, which is not there.
    """
    for part in reference.parts:
        if key(part) not in reference.runs and known_oracle_of(reference, part) is None:
            raise UnsupportedError(
                f"Layer {part.name!r} is of class {part.class_name}, which is not among what "
                "scratch has: only Keras's own can be its oracle. Expected the live Keras model as "
                "the reference. Received another model, or a trace")


def key(part: Part) -> tuple[str, str]:
    """By what a trace knows how to run a part."""
    return path_of(part.layer), part.part


def mark(rows: list[Row], reference: Trace) -> None:
    """Give rows whose bound is not proved their kind."""
    if not reference.runs:
        return
    parts = [part for part in reference.parts if key(part) in reference.runs]
    names = {part.name for part in parts}
    moved = {(part.name, name) for part in parts
             for name in part.updated.keys() - part.weight_gradients.keys()}
    for row in rows:
        if row.kind == "componentwise" and (
                row.gate in (Gate.WHOLE_NETWORK, Gate.LOCKSTEP)
                or (row.gate is Gate.UPDATE and (row.layer, row.tensor) in moved)
                or (row.gate.single_layer and row.layer in names)):
            row.kind = PERTURBED


def notes(reference: Trace) -> list[str]:
    """A sentence on each layer that is its own oracle."""
    return [f"{part.name} ({part.class_name}) is not among what scratch has: Keras's own in "
            "float64 is its oracle, and what rounding may do to it is not proved but tried out; it "
            "is not probed with other numbers."
            for part in reference.parts if key(part) in reference.runs and part.tied_to is None]
