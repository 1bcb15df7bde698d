"""A file of another runtime, run on a trace's batch, as the arrays of Keras's layers."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compare.oracle.expected import oracle_of
from compare.oracle.running_error import Bounded, Rounding
from compare.runtimes import settings
from compare.runtimes.graph import Ran
from compare.runtimes.pairing import Makes, Pairing, Pairs
from compare.tracing.configs import layer_config
from compare.tracing.trace import Trace


@dataclass
class Read:
    """What came of it.

    Attributes:
        runtime: who computed it, with its version.
        arrays: by the names of the layers, as the file lays them out.
        misshapen: those of layers whose output has another shape in Keras.
        said: sentences for the report.
    """

    runtime: str
    arrays: dict[str, np.ndarray]
    misshapen: dict[str, np.ndarray]
    said: list[str] = field(default_factory=list)


def read(file: Any, trace: Trace, runs: list[Any] | None, data_format: str | None) -> Read:
    """Run a file or a function, and find which of its tensors is which layer's.

    Args:
        file: a `NetworkFile` or a `JaxFunction`.
        trace: recorded at inference, a part for each layer.
        runs: the reference's layers; None leaves the oracle's value in their place.
    """
    if not isinstance(trace.x, np.ndarray):
        raise ValueError("Expected a model with one input beside another runtime's network. "
                         f"Received one with {len(trace.x)}")
    data_format = data_format or file.data_format
    ran = file.run(trace)
    names = {layer: name for layer, name in file.names.items() if "/" not in layer}
    pairs = Pairing(trace, ran, makes(trace, runs), names, data_format).run()
    return Read(ran.runtime, pairs.arrays, pairs.misshapen, [*ran.said, *said(ran, trace, pairs)])


def makes(trace: Trace, runs: list[Any] | None) -> Makes:
    """What a layer of the reference makes of inputs, by its position."""
    def made(i: int, inputs: tuple[np.ndarray, ...]) -> np.ndarray:
        part = trace.parts[i]
        if runs is not None:
            given = inputs if isinstance(part.input, tuple) else inputs[0]
            return np.asarray(runs[i](given, None, part.weights, False)[0])
        rounding = Rounding.of(trace.dtype)
        rounding.bounds = False  # the values alone
        held = [Bounded(each, rounding) for each in inputs]
        weights = {name: Bounded(weight, rounding) for name, weight in part.weights.items()}
        right = oracle_of(trace, part).forward(
            held if isinstance(part.input, tuple) else held[0], weights)
        return right.value.astype(trace.dtype)

    return made


def said(ran: Ran, trace: Trace, pairs: Pairs) -> list[str]:
    """Sentences on who stands for whom, on what is no one's, and on settings that differ."""
    once: dict[str, str] = {}  # not again where a layer does nothing at inference
    for layer, tensor in pairs.tensors.items():
        if layer not in pairs.without and tensor not in once.values():
            once[layer] = tensor
    paired = [f"{layer} with {tensor.split(';')[0]}" for layer, tensor in once.items()]
    made = [f"Paired: {', '.join(paired)}."]
    if pairs.without:
        made.append(f"Nothing was found that stands for {', '.join(pairs.without)}.")
    differ = []
    sources: dict[int, tuple[str, ...]] = {-1: ran.inputs}
    for i, part in enumerate(trace.parts):
        read = tuple(name for source in trace.sources[i] for name in sources[source])
        found = pairs.tensors.get(part.name)
        sources[i] = read if found is None else (found,)
        if found is not None and part.name not in pairs.without:
            nodes = settings.nodes_of(ran, read, found)
            differ += [f"{part.name}: {words}" for words in settings.in_words(
                nodes, part, layer_config(trace, part.layer))]
    if differ:
        made.append(f"Settings that differ: {'; '.join(differ)}.")
    return made
