"""A fault of one layer written in one line, as the families' tables have them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from compare.evaluation.faults.fault import LOSS, OPTIMIZER, TRAINING, Fault, Place
from scratch.naming import snake_case

PHASES = {"output": "forward", "input_gradient": "input gradient"}
OF_MODELS = {LOSS: "loss", OPTIMIZER: "optimizer"}  # the attribute that holds them


def single(family, identifier, sentence, network, layer, tensor, cause, inject, also=(),
           phase=None, **settings) -> Fault:
    """One fault in one place.

    Args:
        inject: a function of the layer, the loss, the optimizer or, in training, the model.
        phase: what the tensor's name does not tell.
        settings: other fields of `Fault`.
    """
    if phase is None:
        phase = PHASES.get(tensor.split("_gradient_")[0].rstrip("_0123456789"),
                           "weight gradient" if tensor.endswith("_gradient") else "forward")
    place = Place(layer, tensor, cause, tuple(also))
    return Fault(identifier, family, sentence, phase, (place,), network, At(layer, inject),
                 **settings)


def of_layers(table: Iterable[tuple], family: str | None = None) -> Iterator[Fault]:
    """Faults of layers that bear their class's name in snake case.

    Args:
        table: lines of (class name, name, sentence, network), and what follows the layer in
            `single`.
        family: of all of them; None for each class's own.
    """
    for class_name, name, sentence, network, *rest in table:
        layer = snake_case(class_name)
        yield single(family or class_name, f"{layer.replace('_', '-')}-{name}", sentence, network,
                     layer, *rest)


def of_operations(table: Iterable[tuple]) -> Iterator[Fault]:
    """Faults of operations between layers, of the first of its class in its network.

    Args:
        table: lines of (class name without its ending, name, sentence, network), and what follows
            the layer in `single`.
    """
    for kind, name, sentence, network, *rest in table:
        class_name = f"{kind}Operation"
        layer = next(node.arguments["name"] for node in network.nodes
                     if node.class_name == class_name)
        yield single("Operations", f"{snake_case(class_name).replace('_', '-')}-{name}", sentence,
                     network, layer, *rest)


@dataclass(frozen=True)
class At:
    """The injection of a model, given that of one of its parts.

    Attributes:
        layer: a layer's name, or `LOSS`, `OPTIMIZER`, `TRAINING`.
        change: a function of the layer, the loss, the optimizer or, in training, the model.
    """

    layer: str
    change: Callable

    def __call__(self, model) -> None:
        if self.layer == TRAINING:
            self.change(model)
        elif self.layer in OF_MODELS:
            self.change(getattr(model, OF_MODELS[self.layer]))
        else:
            self.change(model.get_layer(self.layer))
