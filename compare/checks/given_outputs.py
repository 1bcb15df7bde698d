"""Each layer's output as somebody else's program wrote it, judged on that program's own input.

Nothing is run but the reference. What a layer should have put out follows from the array of the
layer before it, so that what its row shows is its own doing. Where a layer's array is missing, its
exact output and the bound on it are carried along to the next one that is there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from compare.checks import folded_norm
from compare.checks.array_layout import as_in_keras
from compare.checks.gate import Gate
from compare.checks.layerwise import set_observed
from compare.checks.row import Row, judge, mismatch
from compare.document import progress
from compare.oracle.expected import oracle_of
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.masks import mask_count, masks_of
from compare.tracing.trace import Part, Trace
from compare.tracing.types import Arrays, Weights
from scratch import several

# (x, dy, weights, training) -> (output, ...): one of the reference's layers
Run = Callable[[Arrays, None, Weights, bool], tuple[Any, ...]]
TOGETHER = "together with "  # how a row's note begins that names other layers
NONE: Mapping[str, np.ndarray] = MappingProxyType({})


@dataclass
class Judged:
    """What came of it.

    Attributes:
        rows: of each layer that has an array, and of the network's output.
        candidate: the arrays as a trace: on what each layer was judged, and what it put out.
        slack: by position, how much more than rounding in that layer alone was allowed.
        turned: how arrays were turned that lay otherwise than in Keras, by the layer's name.
    """

    rows: list[Row]
    candidate: Trace
    slack: dict[int, np.ndarray] = field(default_factory=dict)
    turned: dict[str, str] = field(default_factory=dict)


@dataclass
class Known:
    """A layer's output as far as it is known: the numbers, and what they may have been."""

    held: np.ndarray
    exact: Bounded
    through: tuple[str, ...] = ()  # layers without an array that it was carried through


def judged(reference: Trace, given: Weights, runs: list[Run] | None,
           data_format: str | None = None, precision: DTypeLike | None = None,
           misshapen: Mapping[str, np.ndarray] = NONE) -> Judged:
    """All layers, in order.

    Args:
        reference: a trace recorded at inference, a part for each layer.
        given: arrays by the layers' names; not all layers need have one.
        runs: the reference's layers; None leaves the oracle's value in their place.
        data_format: 'channels_first' or 'channels_last', as the arrays lie; None for whichever
            their shapes tell.
        precision: in which the arrays were computed; None for the reference's own, or float32 where
            that is float64 and an array is narrower.
        misshapen: by layer, arrays of another shape than its output has: these layers fail, and
            what is behind them is judged as if they had no array.

    Raises:
        ValueError: for an array of a shape that the layer's output does not have in either order.
    """
    computed = np.dtype(precision) if precision is not None else usual(reference, given)
    judging = _Judging(reference, given, runs, data_format, computed, misshapen)
    for i in progress.each(range(len(reference.parts)), f"Gate '{Gate.FORWARD}', layer by layer"):
        judging.judge_layer(i)
    return judging.whole()


class _Judging:
    """The walk along the graph; the arguments are those of `judged`.

    Attributes:
        found: the rows so far.
        known: of each layer what stands for its output.
        chain: of each layer the exact output of the exact chain, from the batch on.
        rooms: how far an array may be off for being written in a coarser precision, by position.
    """

    def __init__(self, reference: Trace, given: Weights, runs: list[Run] | None,
                 data_format: str | None, computed: np.dtype, misshapen: Mapping[str, np.ndarray]
                 ) -> None:
        self.reference, self.given, self.runs = reference, given, runs
        self.data_format, self.computed, self.misshapen = data_format, computed, misshapen
        self.found = Judged([], reference)
        self.sources = [Known(x, read_in(x, computed)) for x in several.each(reference.x)]
        self.known: list[Known] = []
        self.chain: list[Bounded] = []
        self.parts: list[Part] = []
        self.rooms: dict[int, Bounded] = {}

    def judge_layer(self, i: int) -> None:
        """The next layer: its row, if it has an array, and what the ones behind it read."""
        part = self.reference.parts[i]
        read, along = self._read(i)
        right = self._exact(i, read, along)
        held = tuple(value.held for value in read)
        inputs: Arrays = held if isinstance(part.input, tuple) else held[0]
        expected = np.asarray(right.value.astype(self.reference.dtype) if self.runs is None else
                              self.runs[i](inputs, None, part.weights, False)[0])
        through = tuple(dict.fromkeys(name for value in read for name in value.through))
        self.parts.append(replace(part, input=inputs, output=expected))
        if part.layer in self.misshapen:
            self.found.rows.append(mismatch(Gate.FORWARD, part.layer, "output",
                                            self.misshapen[part.layer], expected))
        if part.layer in self.given:
            self._judge_array(i, held, expected, right, through)
        else:
            self.known.append(Known(expected, right, (*through, part.layer)))

    def whole(self) -> Judged:
        """All rows, those of the network's outputs behind the layers'."""
        reference = self.reference
        for k, end in enumerate(reference.ends):
            if end in self.rooms:
                name = f"output_{k + 1}" if len(reference.ends) > 1 else "output"
                self.found.rows.append(_of_network(
                    name, self.parts[end].output, reference.parts[end].output, self.chain[end],
                    self.rooms[end]))
        self.found.candidate = replace(reference, producer="given arrays", parts=self.parts)
        return self.found

    def _known(self, source: int) -> Known:
        return self.known[source] if source >= 0 else self.sources[-1 - source]

    def _in_chain(self, source: int) -> Bounded:
        return self.chain[source] if source >= 0 else self.sources[-1 - source].exact

    def _read(self, i: int) -> tuple[list[Known], list[Bounded]]:
        """What a layer reads: (what stands for it, the same in the exact chain), masks last."""
        reference = self.reference
        read = [self._known(k) for k in reference.sources[i]]
        along = [self._in_chain(k) for k in reference.sources[i]]
        own = len(read) - mask_count(reference, i)
        for k, mask in enumerate(masks_of(reference, i, [each.value for each in along[own:]]), own):
            along[k] = Bounded(mask, along[k].rounding)
            read[k] = Known(mask.astype(reference.dtype), along[k])
        return read, along

    def _exact(self, i: int, read: list[Known], along: list[Bounded]) -> Bounded:
        """What a layer makes of what it reads, bound and all; adds that of the exact chain."""
        reference, part = self.reference, self.reference.parts[i]
        weights = {name: read_in(w, self.computed) for name, w in part.weights.items()}
        right = _forward(reference, part, [value.exact for value in read], weights)
        self.chain.append(_forward(reference, part, along, weights))
        if folded_norm.folds(reference, i) and self.known[reference.sources[i][0]].through:
            ahead = reference.sources[reference.sources[i][0]][0]
            right = folded_norm.widened(reference, i, right, self._known(ahead).exact)
            self.chain[i] = folded_norm.widened(reference, i, self.chain[i], self._in_chain(ahead))
        return right

    def _judge_array(self, i: int, held: tuple[np.ndarray, ...], expected: np.ndarray,
                     right: Bounded, through: tuple[str, ...]) -> None:
        """The row of a layer that has an array, which the layers behind it read."""
        reference, part, found = self.reference, self.reference.parts[i], self.found
        before = [turned for k in reference.sources[i] if k >= 0
                  for turned in [found.turned.get(reference.parts[k].layer)] if turned]
        array, turned = as_in_keras(self.given[part.layer], part, expected, self.data_format,
                                    bool(before))
        if turned:
            found.turned[part.layer] = turned
        room = self.rooms[i] = written(array, self.computed, reference.dtype)
        alone = _forward(reference, part, [Bounded(value, right.rounding) for value in held],
                         {name: Bounded(w, right.rounding) for name, w in part.weights.items()})
        found.slack[i] = np.maximum(right.bound - alone.bound, 0.0) + room.bound
        row = judge(Gate.FORWARD, part.layer, "output", array, expected,
                    Bounded(right.value, right.rounding, right.bound + room.bound))
        set_observed(row, array, expected, part.output)
        row.local, row.inherited = row.inherited, row.local  # its own share is against `expected`
        behind = f"{TOGETHER}{', '.join(through)}, of which there is no array" * bool(through)
        row.note = "; ".join(filter(None, (row.note, behind, turned)))
        found.rows.append(row)
        self.parts[-1] = replace(self.parts[-1], output=array)
        finite = bool(np.isfinite(array).all())
        self.known.append(Known(array.astype(reference.dtype), room) if finite
                          else Known(expected, right, (*through, part.layer)))


def usual(reference: Trace, given: Weights) -> np.dtype:
    """The precision in which arrays were most likely computed."""
    own = np.dtype(reference.dtype)
    narrower = any(array.dtype.itemsize < own.itemsize for array in given.values())
    return np.dtype(np.float32) if own == np.float64 and narrower else own


def read_in(array: np.ndarray, computed: np.dtype) -> Bounded:
    """A batch or weights as the program had them: rounded to its precision, if that is coarser."""
    coarser = np.finfo(computed).eps > np.finfo(array.dtype).eps
    return Bounded(array, Rounding.of(computed), rounded(array, computed) if coarser else None)


def written(array: np.ndarray, computed: np.dtype, dtype: DTypeLike) -> Bounded:
    """An array as the program had it before it was stored, perhaps in a coarser precision.

    Args:
        dtype: the reference's, in which it goes on from the array.
    """
    value = array.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        bound = np.nan_to_num(np.abs(value - array.astype(dtype)), nan=0.0, posinf=0.0)
    if np.finfo(array.dtype).eps > np.finfo(computed).eps:
        bound = bound + rounded(array, array.dtype)
    return Bounded(value, Rounding.of(computed), bound)


def rounded(array: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """How far rounding to a precision may have led: half a unit in the last place."""
    info = np.finfo(dtype)
    unit = float(info.eps) / 2
    size = np.abs(array.astype(np.float64))
    return np.where(np.isfinite(size), unit / (1 - unit) * size, 0.0) \
        + float(info.smallest_subnormal) / 2


def _forward(reference: Trace, part: Part, x: list[Bounded], weights: dict[str, Bounded]
             ) -> Bounded:
    oracle = oracle_of(reference, part)
    return oracle.forward(x if isinstance(part.input, tuple) else x[0], weights)


def _of_network(name: str, array: np.ndarray, theirs: np.ndarray, right: Bounded, room: Bounded
                ) -> Row:
    """The row for the array of one of the network's outputs, as it follows from the batch."""
    row = judge(Gate.WHOLE_NETWORK, "network", name, array, theirs,
                Bounded(right.value, right.rounding, right.bound + room.bound))
    if row.passed and (row.unjudged or row.allowed == np.inf):
        row.note = "not judged: no bound holds this deep; what counts is each layer by itself"
    return row
