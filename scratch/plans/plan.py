"""A network planned for blocks of samples of one shape."""

import copy
from functools import partial
from typing import Any

import numpy as np

from scratch import side_by_side
from scratch.layers import Layer
from scratch.plans.planned import planner_of
from scratch.plans.workspace import Workspace


class Gradients:
    """The gradients of planned layers' weights, side by side in one vector.

    Args:
        layers: by position, those of a model that are planned.

    Attributes:
        vector: all of them.
        of_layer: by position, those of a layer by name: views into the vector.
    """

    def __init__(self, layers: dict[int, Layer]):
        weights = [(i, name, weight) for i, layer in layers.items()
                   for name, weight in layer.params.items() if name not in layer.non_trainable]
        views = side_by_side.zeros_like([weight for _, _, weight in weights])
        self.of_layer: dict[int, dict[str, np.ndarray]] = {i: {} for i in layers}
        for (i, name, _), view in zip(weights, views):
            self.of_layer[i][name] = view
        vector = side_by_side.joined(views) if views else None
        self.vector = np.zeros(0, np.float32) if vector is None else vector


class Plan:
    """A model planned for blocks of one shape.

    Args:
        model: whose weights it shares.
        shape: of a block, (n, ...).
        own: whether the loss, and layers that are not planned, are the model's own, which then
            remember what they have seen; or else copies of them, for another thread.
        planning: whether to plan layers at all.

    Attributes:
        twin: the model once more, with layers that are planned where that is possible.
        planned: which of them are, by position.
        gradients: those of the planned ones' weights.
    """

    def __init__(self, model, shape: tuple, own: bool, planning: bool = True):
        self._layers = list(model.layers)
        self._weights = [weight for layer in model.layers for weight in layer.params.values()]
        self._loss, self._own = model.loss, own
        steps = self._steps(model, shape[0], planning and can_plan(model))
        self.planned = [i for i, step in enumerate(steps) if step is not None]
        chosen = {i: model.layers[i] for i in self.planned}
        self.gradients = Gradients(chosen)
        self._total: Gradients | None = None
        for i, grads in self.gradients.of_layer.items():
            steps[i].take_gradients(grads)
        if own and not self.planned:
            self.twin = model
            return
        self.twin = copy.copy(model)
        self.twin.history = None  # which knows the model
        if self.planned:  # what comes has been looked at
            self.twin.as_input = partial(np.asarray, dtype=model.layers[0].dtype)
        self.twin.layers = [
            (layer if own else replicated(layer)) if step is None else step
            for layer, step in zip(model.layers, steps)]

    @staticmethod
    def _steps(model, samples: int, planning: bool) -> list[Any]:
        """Each layer planned, the last one first; None in the place of those that are not."""
        steps: list[Any] = [None] * len(model.layers)
        if not planning:
            return steps
        workspace = Workspace()
        read_by = _readers(model)
        # the only one that reads a layer; None where there are several, or it is an output
        readers = [each[0] if len(each) == 1 and each[0] >= 0 else None for each in read_by]
        tied = {layer.tied_to for layer in model.layers}
        twice = _of_two_gradients(model, read_by)
        for i, layer in reversed(list(enumerate(model.layers))):
            planner = None if layer.name in tied or i in twice else planner_of(layer)
            if planner is not None:
                reader = None if readers[i] is None else steps[readers[i]]
                steps[i] = planner(layer, samples, None if reader is None else reader.place,
                                   workspace)
        for before, reader in enumerate(readers):
            if reader is not None and steps[before] is not None and steps[reader] is not None:
                steps[reader].input_gradient_place = steps[before].gradient_place
        return steps

    def is_current(self, model) -> bool:
        """Whether the model still has the layers, with the weights, that this was made of."""
        weights = [weight for layer in model.layers for weight in layer.params.values()]
        return (self._loss is model.loss and self._layers == model.layers
                and all(map(_has_its_methods, [model, *model.layers]))
                and len(weights) == len(self._weights)
                and all(map(lambda a, b: a is b, weights, self._weights))
                and all(self.twin.layers[i].is_current() for i in self.planned))

    def take_loss(self, model) -> None:
        """The loss with its settings of now; a copy where another thread may run it, too."""
        self.twin.loss = model.loss if self._own else copy.copy(model.loss)

    def kept(self, output: np.ndarray) -> np.ndarray:
        """An output that the next block does not overwrite."""
        return output.copy() if self.planned else output

    def hand_out(self, layers: list[Layer]) -> None:
        """Give the layers the gradients of the block that has just been learned from."""
        if self.twin.layers is not layers:
            for layer, step in zip(layers, self.twin.layers):
                layer.grads = dict(step.grads)  # to which a penalty may be added

    def total(self) -> Gradients:
        """Room for the sum of the gradients of several blocks."""
        if self._total is None:
            self._total = Gradients({i: self._layers[i] for i in self.planned})
        return self._total


class Totals:
    """The sums of the gradients of several blocks."""

    def __init__(self) -> None:
        self._planned: Any = None  # Gradients, once a block was planned
        self._others: dict[int, dict[str, np.ndarray]] = {}
        self._unreached: set[int] = set()

    def add(self, plan: Plan) -> None:
        """Those of a block that a plan has just learned from."""
        if plan.planned and self._planned is None:
            self._planned = plan.total()
            self._planned.vector[...] = plan.gradients.vector
        elif plan.planned:
            self._planned.vector += plan.gradients.vector
        of_layer = plan.gradients.of_layer
        self._unreached |= {i for i in of_layer if not plan.twin.layers[i].grads}
        _add(self._others, {i: layer.grads for i, layer in enumerate(plan.twin.layers)
                            if i not in of_layer})

    def add_total(self, other: "Totals") -> None:
        """Those of another share of the batch."""
        if self._planned is None:
            self._planned = other._planned
        elif other._planned is not None:
            self._planned.vector += other._planned.vector
        _add(self._others, other._others)
        self._unreached |= other._unreached

    def hand_out(self, layers: list[Layer]) -> None:
        """Give each layer its own; none to one on which no loss depends."""
        grads = {} if self._planned is None else {
            i: {} if i in self._unreached else dict(own)  # to which a penalty may be added
            for i, own in self._planned.of_layer.items()}
        _add(grads, self._others)  # of blocks that were not planned
        for i, own in grads.items():
            layers[i].grads = own


def _add(sums: dict[int, dict[str, np.ndarray]], more: dict[int, dict[str, np.ndarray]]) -> None:
    for i, grads in more.items():
        before = sums.get(i)
        # a dictionary of its own: the layer goes on writing into the one it has
        sums[i] = {name: gradient if before is None else before[name] + gradient
                   for name, gradient in grads.items()}


def can_plan(model) -> bool:
    """Whether layers of the model may be planned: one input, not rounded, no masks that the loss
    needs, run as the networks here are run, and with no other layers than those here: those may
    keep what they are given."""
    policy = model.input_layer.requested_policy
    return (model.inputs_as is None and not model.has_open_sizes and not model.has_output_masks
            and (policy is None or not policy.low)
            and _has_its_methods(model) and all(map(_has_its_methods, model.layers))
            and all(getattr(type(model), method).__module__.startswith("scratch.")
                    for method in ("forward", "backward"))
            and all(type(layer).__module__.startswith("scratch.") for layer in model.layers))


def _has_its_methods(thing) -> bool:
    """Whether a layer or a model is run by the methods of its class, and by no others."""
    own = vars(thing)
    return "forward" not in own and "backward" not in own


def replicated(layer: Layer) -> Layer:
    """The same layer, with the same weights, that remembers another pass."""
    twin = copy.copy(layer)
    twin.grads = {}
    return twin


def _readers(model) -> list[list[int]]:
    """For each layer all that read it; -1: it is an output."""
    readers: list[list[int]] = [[] for _ in model.layers]
    for i, sources in enumerate(model.sources):
        for source in sources:
            if source >= 0:
                readers[source].append(i)
    for end in model.ends:
        readers[end].append(-1)
    return readers


def _of_two_gradients(model, readers: list[list[int]]) -> set[int]:
    """Layers that may be run back twice in a step: from the logits for a loss, and from the
    output for what else reads it."""
    return {i for i, read_by in enumerate(readers)
            if -1 in read_by and len(read_by) > 1 and model.layers[i].logits_kind is not None}
