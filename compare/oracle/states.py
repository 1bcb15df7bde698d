"""States in oracles of recurrent layers: those they begin with, and what they put out beside their
output, all in one array: each sample's states and then its outputs in a row."""

import math
from typing import Any

import numpy as np

from compare.oracle import masks
from compare.oracle.recurrence import beside, columns
from compare.oracle.running_error import Bounded
from compare.tracing.configs import INITIAL_STATES
from compare.tracing.types import Config


def count(config: Config) -> int:
    """On how many initial states the layer is called."""
    return int(config.get(INITIAL_STATES, 0))


def parted(x: Any, config: Config) -> tuple[Bounded, list[Bounded], np.ndarray | None]:
    """(the input, the initial states, whether each step counts or None), of what a layer reads."""
    if not isinstance(x, (list, tuple)):
        return x, [], None
    own = 1 + count(config)
    return x[0], list(x[1:own]), None if len(x) == own else x[own].value != 0


def admitted(x: tuple[np.ndarray, ...], config: Config) -> tuple[np.ndarray, ...]:
    """Numbers drawn for what a layer reads: of a mask only whether they are positive, and the first
    step counts always."""
    own = 1 + count(config)
    if len(x) == own:
        return x
    return (*x[:own], masks.admitted((x[0], x[own]))[1])


def side_by_side(outputs: list[Bounded], states: list[Bounded]) -> Bounded:
    """All in one array, (N, numbers); a single output as it is."""
    if len(outputs) == 1 and not states:
        return outputs[0]
    rows = [each.reshape(each.shape[0], math.prod(each.shape[1:])) for each in (*states, *outputs)]
    return beside(rows, 1)


def apart(dy: Bounded, shapes: list[tuple[int, ...]], widths: list[int]
          ) -> tuple[list[Bounded], list[Bounded]]:
    """(the outputs, the states) of one array, or their gradients.

    Args:
        shapes: of the outputs.
        widths: of the states that are put out, (N, width) each.
    """
    if len(shapes) == 1 and not widths:
        return [dy], []
    found, at = [], 0
    for shape in (*((dy.shape[0], width) for width in widths), *shapes):
        size = math.prod(shape[1:])
        found.append(columns(dy, at, at + size).reshape(*shape))
        at += size
    return found[len(widths):], found[:len(widths)]
