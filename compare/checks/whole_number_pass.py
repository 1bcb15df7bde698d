"""Whole numbers for a network of which only the whole can be run: nothing is rounded on the way
from its input to its output and back, so nothing may differ.

Small integers are drawn for batch, weights and upstream gradient. That every partial sum is exact,
in whatever order, the oracles tell: with exact inputs their bound on a sum is at least u times the
sum of absolute products, which has to stay below the number up to which all integers are exact.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from compare.checks.integer_probe import whole_up_to
from compare.checks.one_class import NETWORK, Key, Right, ends_in_logits
from compare.oracle.expected import oracle_of
from compare.oracle.network import along_the_graph
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.trace import Part, Trace
from scratch.several import Several, each

LARGEST = 2  # small, so that equal values are common
SHARES = (0.8, 0.3, 0.1, 0.03)  # of a kernel's numbers that are not zero: the first that will do


class WholeNumbers(Right):
    """What a network should make of whole numbers, exactly.

    Args:
        trace: of the pass on these numbers.
        exact: what comes of them.
        logits: whether the trace ends before a last softmax or sigmoid.
    """

    def __init__(self, trace: Trace, exact: dict[Key, np.ndarray], logits: bool) -> None:
        self.trace = trace
        if logits:
            exact = {(NETWORK, "logits") if key == (NETWORK, "output") else key: array
                     for key, array in exact.items()}
        rounding = Rounding.of(trace.dtype)
        self.exact = {key: Bounded(array, rounding) for key, array in exact.items()}
        self.given: dict[Key, Any] = {key: array.astype(trace.dtype)
                                      for key, array in exact.items()}


def drawn(trace: Trace, seed: int = 0) -> WholeNumbers | None:
    """A pass of the trace's network, less a last softmax or sigmoid, on whole numbers; None where
    its layers do not compute them exactly.

    Args:
        trace: of a network of one output.
    """
    logits = ends_in_logits(trace)
    end = len(trace.parts) - logits
    parts = trace.parts[:end]
    if not parts or not all(oracle_of(trace, part).exact for part in parts) or any(
            part.noise is not None for part in parts) or trace.dtype not in ("float32", "float64"):
        return None
    for share in SHARES:
        rng = np.random.default_rng(seed)
        begun = replace(
            trace, x=_admitted(trace, rng),
            parts=[_with_integers(part, share, rng, trace.dtype) for part in parts],
            sources=[*trace.sources[:end]], ends=[end - 1], terms=(), runs={}, y=None, loss=None,
            loss_gradient=None, fused=False, sample_weight=None, inference=None, compile_config={})
        begun.parts[-1] = replace(begun.parts[-1], output_gradient=_integers(
            rng, parts[-1].output.shape, 1.0, trace.dtype))
        found = _passed(begun)
        if found is not None:
            results, exact = found
            return WholeNumbers(_filled(begun, results), exact, logits)
    return None


def _integers(rng: np.random.Generator, shape: tuple[int, ...], share: float, dtype: Any
              ) -> np.ndarray:
    drawn = rng.integers(-LARGEST, LARGEST, shape, endpoint=True)
    return np.where(rng.random(shape) < share, drawn, 0).astype(dtype)


def _admitted(trace: Trace, rng: np.random.Generator) -> Any:
    """Inputs as what the parts that read them can be fed: class numbers to look up, say."""
    arrays = [_integers(rng, x.shape, 1.0, trace.dtype) for x in each(trace.x)]
    for part, sources in zip(trace.parts, trace.sources):
        for source in sources:
            if source < 0:
                arrays[-1 - source] = oracle_of(trace, part).admitted(arrays[-1 - source])
    return Several(arrays) if isinstance(trace.x, Several) else arrays[0]


def _with_integers(part: Part, share: float, rng: np.random.Generator, dtype: Any) -> Part:
    return replace(part, weights={
        name: _integers(rng, weight.shape, share if weight.ndim > 1 else 1.0, dtype)
        for name, weight in part.weights.items()})


def _passed(trace: Trace) -> tuple[dict[tuple[Any, ...], np.ndarray], dict[Key, np.ndarray]] | None:
    """(every result on the way, the network's by layer and tensor); None if one is too large."""
    unit = Rounding.of(trace.dtype).unit
    results: dict[tuple[Any, ...], np.ndarray] = {}
    sizes = [0.0]

    def settled(key: tuple[Any, ...], result: Bounded) -> Bounded:
        results[key] = result.value
        sizes.append(float(np.max(result.bound, initial=0.0)) / unit)
        sizes.append(float(np.max(np.abs(result.value), initial=0.0)))
        return Bounded(result.value, result.rounding)

    right = along_the_graph(trace, settled)
    values = {key: result.value for key, result in right.items()}
    if not max(sizes) < whole_up_to(trace.dtype) or not all(
            np.array_equal(value, np.round(value)) for value in values.values()):
        return None
    return results, values


def _filled(trace: Trace, results: dict[tuple[Any, ...], np.ndarray]) -> Trace:
    """The trace with these results in it."""
    def of(key: tuple[Any, ...]) -> Any:
        return results[key].astype(trace.dtype) if key in results else None

    parts = []
    for i, (part, sources) in enumerate(zip(trace.parts, trace.sources)):
        read = tuple(each(trace.x)[-1 - source] if source < 0 else of((source, "output"))
                     for source in sources)
        sent = tuple(of((i, f"input_gradient_{k}")) for k in range(len(sources)))
        several = isinstance(part.input, tuple)
        parts.append(replace(
            part, input=read if several else read[0], output=of((i, "output")), inference=None,
            updated={}, output_gradient=of((i, "output_gradient")),
            input_gradient=sent if several else sent[0],
            weight_gradients={name: of((i, f"{name}_gradient")) for name in part.weights
                              if (i, f"{name}_gradient") in results}))
    return replace(trace, parts=parts)
