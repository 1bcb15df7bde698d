"""The weights of a layer: made, given new numbers, counted; which are trained, where a file has
them."""

import numpy as np

from scratch import initializers, precision, side_by_side
from scratch.weights import HoldsWeights


class LayerWeights(HoldsWeights):
    """The weights of one layer, by name."""

    # Weights that no optimizer changes, such as moving statistics.
    non_trainable: tuple[str, ...] = ()
    # Those of them that a forward pass in training leaves alone, too, such as adapted statistics.
    constants: tuple[str, ...] = ()
    # Where Keras stores weights that are named 'part/name': by the part, the group in a file.
    inner_groups: dict[str, str] = {}

    # What the last forward pass in training has overwritten, by the weights' names.
    _before: dict[str, np.ndarray] = {}

    params: dict[str, np.ndarray]
    policy: precision.Policy
    tied_to: str | None
    _flags: dict

    def add_weight(self, name: str, shape: tuple, initializer) -> None:
        """Make a weight; `initializers.undrawn` makes one that has no numbers yet."""
        weight = initializer(shape, self.dtype)
        drawn = not initializers.is_undrawn(weight)
        if drawn:
            weight = precision.rounded(weight, self.policy.variable)
            if side_by_side.has_place(weight):
                weight = weight.copy()  # by itself, until a model gives it a place
        self.params[name] = self.in_memory_order(name, weight) if drawn else weight

    def in_memory_order(self, name: str, weight: np.ndarray) -> np.ndarray:
        """The same weight, its numbers in memory in the order that the layer's products like."""
        return weight

    def take_weight(self, name: str, value: np.ndarray) -> None:
        """Give a weight new numbers, of its shape: in place, or its first ones if none were drawn.
        """
        value = precision.rounded(np.asarray(value, self.dtype), self.policy.variable)
        if initializers.is_undrawn(self.params[name]):
            self.params[name] = self.in_memory_order(name, np.array(value, self.dtype, order="C"))
        else:
            self.params[name][...] = value

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change the weights; the same at all calls of the layer."""
        return self._flags["trainable"]

    @trainable.setter
    def trainable(self, value) -> None:
        self._flags["trainable"] = value

    @property
    def trainable_params(self) -> dict[str, np.ndarray]:
        """The weights that an optimizer changes: none if the layer is not trainable, or tied."""
        if not self.trainable or self.tied_to is not None:
            return {}
        if not self.non_trainable:
            return self.params
        return {name: w for name, w in self.params.items() if name not in self.non_trainable}

    def take_back_statistics(self) -> None:
        """Undo what the last forward pass in training has changed in the weights, if anything."""
        for name, before in self._before.items():
            self.params[name][...] = before
        self._before = {}

    @property
    def moved_by_passes(self) -> tuple[str, ...]:
        """The weights that a forward pass in training itself changes, such as moving statistics."""
        if not self.trainable:
            return ()
        return tuple(name for name in self.non_trainable if name not in self.constants)

    def count_params(self) -> int:
        """The number of weights; those of a tied call count at the first one."""
        if self.tied_to is not None:
            return 0
        return sum(weight.size for weight in self.params.values())

    def file_groups(self) -> dict[str, list[str]]:
        """The names of the weights by the group that holds them in a file, in the layer's own."""
        found: dict[str, list[str]] = {"": []}
        for name in self.params:
            found.setdefault(self.file_group(name), []).append(name)
        return found

    def file_group(self, weight: str) -> str:
        """Where Keras keeps a weight in a file, in the layer's own group: '', or '/query_dense'."""
        part = weight.rpartition("/")[0]
        return f"/{self.inner_groups[part]}" if part else ""

    def _held(self):
        return [(self, name) for name in self.params]
