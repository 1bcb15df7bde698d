"""One place where scratch is not Keras, on purpose."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """A declared difference; `tests/compare/evaluation/deviations/test_deviations.py` shows both sides of each.

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
    """

    name: str
    where: str
    keras: str
    ours: str
    why: str
    checks: str
    concerns: tuple[str, ...] = ()
    known_by: tuple[str, ...] = ()
