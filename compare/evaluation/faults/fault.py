"""What a fault is: where it sits, what it does, what it is called, and how it is put in."""

from collections.abc import Callable
from dataclasses import dataclass

from compare.evaluation.fuzzing.specification import Specification

LOSS, OPTIMIZER, TRAINING = "loss", "optimizer", "training"  # places that are no layers
# diagnoses for what no closed catalogue of hypotheses holds
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Place:
    """Where a fault has to be found, and under which name.

    Attributes:
        layer: a layer's name, or `LOSS`, `OPTIMIZER`, `TRAINING`.
        tensor: 'output', 'input_gradient', 'kernel_gradient', 'value', 'kernel' ...; '' for any, of
            what changes every weight.
        cause: the diagnosis that names it.
        also: diagnoses that say the same, since on these shapes they are the same computation.
    """

    layer: str
    tensor: str
    cause: str
    also: tuple[str, ...] = ()

    @property
    def causes(self) -> tuple[str, ...]:
        return (self.cause, *self.also)


@dataclass(frozen=True)
class Fault:
    """One fault, or two at once.

    Attributes:
        identifier: unique, in lower case with hyphens.
        family: the table's row that it counts in.
        sentence: what it does.
        phase: 'forward', 'input gradient', 'weight gradient', 'moving statistics', 'inference',
            'loss', 'update' or 'training'.
        places: one, or one for each of two faults.
        network: the clean network.
        inject: a function of that network (or, on Keras's side, of its twin) that puts it in.
        side: 'candidate' or 'reference'.
        steps: of training in lockstep; 0 where a single pass has to show it.
        cancels: whether the two leave the network's output as it is.
        learns: whether the benchmark's accuracy is reached all the same: True or False where it was
            measured (see `compare.evaluation.faults.accuracy_table`), None where it was not.
    """

    identifier: str
    family: str
    sentence: str
    phase: str
    places: tuple[Place, ...]
    network: Specification
    inject: Callable
    side: str = "candidate"
    steps: int = 0
    cancels: bool = False
    learns: bool | None = None

    @property
    def is_pair(self) -> bool:
        return len(self.places) > 1


@dataclass(frozen=True)
class Variant:
    """The same mathematics in another form, which rounds in another way: no fault.

    Attributes:
        identifier: unique, in lower case with hyphens.
        family: what it is a variant of.
        sentence: the form.
        network: the clean network.
        inject: a function of that network that puts the form in.
        steps: of training in lockstep.
    """

    identifier: str
    family: str
    sentence: str
    network: Specification
    inject: Callable
    steps: int = 5
