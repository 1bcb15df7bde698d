"""What a planned layer is, and which kinds of layer have one."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from scratch.layers import Layer
from scratch.plans.workspace import Workspace

Class = TypeVar("Class", bound="type[Planned]")


class Planned:
    """A layer's work for batches of one size: run like the layer itself, with the same results.

    What it returns is overwritten by the next batch.

    Args:
        layer: whose weights and settings it reads.
        samples: how many a batch has.
        place: where the output may go, an array of its shape; None for memory of its own.
        workspace: memory for what is needed only within one call.

    Attributes:
        grads: after `backward`, the gradients of the weights, as the layer's.
        place: where the layer before may write its output, which then need not be copied; or None.
        gradient_place: where the layer behind may write the gradient of this one's output; or None.
        input_gradient_place: where the input's gradient may go; set by the plan.
    """

    # as the network that runs it looks at a layer
    activity_regularizer = None
    masked_by = ()
    merges = False

    def __init__(self, layer: Layer, samples: int, place: np.ndarray | None,
                 workspace: Workspace):
        self.layer: Any = layer  # of the kind that is planned
        self.samples, self.workspace = samples, workspace
        self.name, self.policy, self.tied_to = layer.name, layer.policy, layer.tied_to
        self.dtype, self.output_shape = layer.dtype, layer.output_shape
        self.output_place = place
        self.place: np.ndarray | None = None
        self.gradient_place: np.ndarray | None = None
        self.input_gradient_place: np.ndarray | None = None
        self.grads: dict[str, np.ndarray] = {}

    @classmethod
    def can_plan(cls, layer: Layer) -> bool:
        """Whether the layer, of a kind that is planned, is so with its settings."""
        return True

    def take_gradients(self, grads: dict[str, np.ndarray]) -> None:
        """Write the gradients of the weights there, from now on."""
        self.grads = grads

    def is_current(self) -> bool:
        """Whether the layer is still as it was when this was made."""
        layer = self.layer
        return layer.activity_regularizer is None and KINDS[type(layer)][1].are_those_of(layer)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """As the layer's."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray, wants_input_gradient: bool = True) -> np.ndarray | None:
        """As the layer's."""
        raise NotImplementedError

    @property
    def logits_kind(self) -> str | None:
        return self.layer.logits_kind


class Methods:
    """All that can be called of a class, as it is now."""

    def __init__(self, kind: type[Layer]):
        self.names = {name for each in kind.__mro__ for name, value in vars(each).items()
                      if callable(value) and not name.startswith("__")}
        self._run = kind.forward, kind.backward
        self._all = self._found(kind)

    def _found(self, kind: type[Layer]) -> list:
        return [getattr(kind, name) for name in self.names]

    def are_those_of(self, layer: Layer) -> bool:
        """Whether the object has got no other since, nor its class others to run it by."""
        kind = type(layer)
        return self.names.isdisjoint(vars(layer)) and (kind.forward, kind.backward) == self._run

    def are_all_those_of(self, kind: type[Layer]) -> bool:
        """Whether the class has got no other since: a longer look, not for every step."""
        return self._found(kind) == self._all


# for each kind of layer what plans it, and the kind's own methods, which that stands for
KINDS: dict[type[Layer], tuple[type[Planned], Methods]] = {}


def plans(*kinds: type[Layer]) -> Callable[[Class], Class]:
    """Decorator of a class that plans layers of exactly these kinds, as their methods are now."""
    def enter(planned: Class) -> Class:
        for kind in kinds:
            KINDS[kind] = planned, Methods(kind)
        return planned
    return enter


def planner_of(layer: Layer) -> type[Planned] | None:
    """What plans such a layer; None for one that has to be run as it is.

    A subclass may do anything, and so may an object or a class one of whose methods was replaced.
    """
    if type(layer) not in KINDS:
        return None
    planned, methods = KINDS[type(layer)]
    if (layer.policy.low or layer.activity_regularizer is not None or layer.merges
            or layer.tied_to is not None or not methods.are_those_of(layer)
            or not methods.are_all_those_of(type(layer)) or not planned.can_plan(layer)):
        return None
    return planned
