"""A trace of some of a network's layers, one after the other, as if they were the whole network."""

from dataclasses import replace
from typing import Any

from compare.tracing.configs import layer_config
from compare.tracing.trace import Trace


def stretch(trace: Trace, names: tuple[str, ...]) -> Trace:
    """The part of a trace that belongs to these layers.

    Its batch is what the first of them read, its upstream gradient the one that reached the last.
    Where they end the network and there are labels, it has these and the loss, but no optimizer.

    Args:
        trace: of a network of which the layers follow one another.
        names: of the layers, in order; each is called once.

    Raises:
        ValueError: for layers that do not follow one another, that add a penalty to the loss or
            its gradients, or that draw at random.
    """
    positions = [i for i, part in enumerate(trace.parts) if part.layer in names]
    first, last = positions[0], positions[-1]
    parts = trace.parts[first:last + 1]
    said = f"Expected layers=... with layers that {{}}. Received: {', '.join(names)}"
    if positions != list(range(first, last + 1)) or any(
            trace.sources[i] != (i - 1,) for i in positions[1:]) or any(
            i in sources for i in positions[:-1] for sources in trace.sources[last + 1:]):
        raise ValueError(said.format("follow one another"))
    if any(part.noise is not None for part in parts):
        raise ValueError(said.format("draw nothing at random"))
    if any(value is not None for part in parts
           for key, value in layer_config(trace, part.layer).items() if "regularizer" in key):
        raise ValueError(said.format("have no penalties"))
    moved = [part.inference is not None for part in parts]
    ends = last == len(trace.parts) - 1 and trace.y is not None
    named: dict[str, Any] = {
        "y": trace.y, "compile_config": {**trace.compile_config, "optimizer": None}} if ends else {
        "y": None, "loss": None, "loss_gradient": None, "fused": False, "sample_weight": None,
        "compile_config": {}}
    return replace(
        trace, x=parts[0].input, parts=list(parts), sources=[], ends=[], terms=(), runs={},
        inference=parts[-1].inference if moved[-1] and not any(moved[:-1]) else None,
        **named)
