"""One place where scratch is not Keras, on purpose."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """A declared difference; the tests of this package show both sides of each.

    Attributes:
        name: by which checks, tests and tables refer to it.
        where: the layer, argument or situation, as a reader would look for it.
        keras: what Keras does there, with TensorFlow on a CPU.
        ours: what scratch does.
        why: the reason.
        checks: what `parity check` and `parity fuzz` make of it.
        concerns: 'Layer', 'Layer.argument', 'losses.Class.argument', 'method.argument' and the
            like, for the tables of what is supported.
        known_by: modules whose code goes by it, and names it.
        onednn: TensorFlow has two sets of CPU kernels (see `reference.kernels`). True if Keras
            differs with oneDNN's only, False if only without them, None if with either. float64
            is always computed without. With the others Keras does what scratch does.
    """

    name: str
    where: str
    keras: str
    ours: str
    why: str
    checks: str
    concerns: tuple[str, ...] = ()
    known_by: tuple[str, ...] = ()
    onednn: bool | None = None

    def holds(self, onednn: bool) -> bool:
        """Whether Keras differs where the layer runs on oneDNN's kernels, or on the others."""
        return self.onednn is None or self.onednn == onednn

    @property
    def kernels(self) -> str:
        """With which of TensorFlow's kernels it holds, '' for all."""
        if self.onednn is None:
            return ""
        if self.onednn:
            return "those of oneDNN only, which compute float32 where TensorFlow turns them on"
        return "all but those of oneDNN, with which Keras does what scratch does"
