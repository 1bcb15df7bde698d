"""A PyTorch module whose parts do not stand one for one for Keras's layers: its forward pass, with
every tensor in sight."""

from dataclasses import dataclass
from typing import Any

from compare.runtimes.graph import Node, Ran
from compare.tracing.trace import Trace

BATCH = "the batch"


@dataclass
class TorchForward:
    """A `compare.adapters.TorchNetwork`, as a file of another runtime is."""

    network: Any
    data_format = None

    @property
    def names(self) -> dict[str, str]:
        return dict(self.network.names)

    @property
    def title(self) -> str:
        return type(self.network.module).__name__

    def run(self, trace: Trace) -> Ran:
        """What it computes of a trace's batch, with its own weights."""
        import importlib.metadata

        from compare.adapters.pytorch.forward import watched

        recording, first = watched(self.network.module, trace.x)
        names = [f"{call.title}:{i}" for i, call in enumerate(recording.calls)]
        nodes = [Node(call.kind, call.title,
                      tuple(BATCH if k < 0 else names[k] for k in call.sources), (name,))
                 for name, call in zip(names, recording.calls)]
        arrays = {BATCH: trace.x, **dict(zip(names, recording.arrays))}
        return Ran(f"torch {importlib.metadata.version('torch')}", nodes, arrays, (BATCH,),
                   names[recording.end],
                   ["The PyTorch module is compared with its own weights."])

    def holds_weights_of(self, trace: Trace) -> bool:
        """Whether it has Keras's weights, so that its numbers can be compared."""
        from compare.adapters.pytorch.forward import holds_weights_of

        return self.network.weights == "compared" or (
            self.network.weights is None and holds_weights_of(self.network.module, trace))
