"""A network of another runtime that was run once, with every tensor between its nodes in sight."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Node:
    """One node of a file's graph.

    Attributes:
        op: what it computes, by the runtime's name: 'Conv', 'CONV_2D', 'dot_general'.
        title: what people know it by.
        reads: names of the tensors that it reads; constants are among them.
        makes: names of the tensors that it gives.
        settings: its attributes by the runtime's names.
    """

    op: str
    title: str
    reads: tuple[str, ...]
    makes: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.title!r} ({self.op})"


@dataclass
class Ran:
    """All that came of a pass.

    Attributes:
        runtime: who computed it, with its version.
        nodes: in the order in which they ran.
        arrays: by the tensors' names, as the runtime laid them out, the batch's among them; no
            constants.
        inputs: the names of the tensors that hold the batch.
        output: that of the tensor that is the network's result.
        said: sentences for the report.
    """

    runtime: str
    nodes: list[Node]
    arrays: dict[str, np.ndarray]
    inputs: tuple[str, ...]
    output: str
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.maker = {name: i for i, node in enumerate(self.nodes) for name in node.makes}

    def behind(self, sources: tuple[str, ...], most: int) -> list[str]:
        """Tensors that depend on some others, in the order in which they were made; at most so
        many."""
        reached = set(sources)
        found: list[str] = []
        for node in self.nodes:
            if reached.isdisjoint(node.reads):
                continue
            reached.update(node.makes)
            found += [name for name in node.makes if name in self.arrays]
            if len(found) >= most:
                break
        return found

    def node_of(self, tensor: str) -> Node | None:
        """The node that gives a tensor; None for the network's input."""
        return self.nodes[self.maker[tensor]] if tensor in self.maker else None
