"""The weights of a layer or of a model, spelled as in Keras: to look at, to take, to give."""

from collections.abc import Sequence
from typing import Any

import numpy as np


class HoldsWeights:
    """Base of layers and models: a subclass says where its weights are."""

    dtype: Any

    def _held(self) -> list[tuple[Any, str]]:
        """(layer, name of one of its weights) for all weights, in Keras's order."""
        raise NotImplementedError

    def _require_weights(self, action: str) -> None:
        """Raises a ValueError if the weights are not made yet."""
        raise NotImplementedError

    @property
    def weights(self) -> list[np.ndarray]:
        """All weights, kernel before bias: the arrays themselves, not copies."""
        return [layer.params[name] for layer, name in self._held()]

    @property
    def trainable_weights(self) -> list[np.ndarray]:
        """Those that an optimizer changes."""
        return [layer.params[name] for layer, name in self._held()
                if name in layer.trainable_params]

    @property
    def non_trainable_weights(self) -> list[np.ndarray]:
        """Those that no optimizer changes, such as moving averages, and frozen ones."""
        return [layer.params[name] for layer, name in self._held()
                if name not in layer.trainable_params]

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, layer by layer, kernel before bias."""
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights: Sequence) -> None:
        """Take over values as `get_weights` gives them, in the precision that is there.

        Raises:
            ValueError: for another number of arrays, or another shape; nothing is changed then.
        """
        self._require_weights("set_weights")
        own = self._held()
        weights = [np.asarray(weight, self.dtype) for weight in weights]
        if len(weights) != len(own):
            raise ValueError(f"{self}: expected {len(own)} weights. Received: {len(weights)}")
        for (layer, name), weight in zip(own, weights):
            if weight.shape != layer.params[name].shape:
                raise ValueError(f"{layer}: expected {name} of shape {layer.params[name].shape}. "
                                 f"Received: {weight.shape}")
        for (layer, name), weight in zip(own, weights):
            layer.take_weight(name, weight)
