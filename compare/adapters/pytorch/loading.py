"""Weights on their way between Keras's model and a module: compared, or copied.

A dense kernel behind a flattening has its rows in the order in which the module flattens its
images, channel by channel; Keras's are pixel by pixel. So they are permuted, as are the weights of
all that stands between the two.
"""

import copy
from typing import Any

import numpy as np
import torch

from compare.adapters.axis_order import AxisOrder
from compare.adapters.untouched import Seam
from compare.tracing.model_kinds import kind


class Loading:
    """A copy of a module with the weights that are to be compared.

    Args:
        module: stays as it is.
        model: the candidate, whose layers hold Keras's weights.
        weights: see `compare.from_torch`.
        items: for each wrapped layer (the layer, the module's path, (H, W, C) of the images that
            were flattened channel by channel before it, or None).

    Attributes:
        module: the copy.
        copied: whether it holds Keras's weights, copied; else its own.
        seams: of its own dense kernels, those whose rows are in Keras's order.
    """

    def __init__(self, module, model, weights: str | None, items: list[tuple]):
        self.items = [(layer, path, images) for layer, path, images in items if layer.params]
        self.positions = {id(layer): i for i, layer in enumerate(model.layers)}
        self.layers = model.layers
        self.module = copy.deepcopy(module).eval()
        self.seams: list[Seam] = []
        own = {id(layer): self._own(layer, path, images) for layer, path, images in self.items}
        loaded = any(np.array_equal(value, layer.params[name]) and np.ptp(value) > 0
                     for layer, *_ in self.items for name, value in own[id(layer)].items())
        self.copied = weights == "copied" or (weights is None and not loaded)
        if self.copied:
            self.seams = []
            for layer, path, images in self.items:
                self.put(self.module, layer, path, images)
            return
        for layer, *_ in self.items:
            for name, value in own[id(layer)].items():
                layer.params[name][...] = value

    def put(self, module, layer, path: str, images) -> None:
        """Keras's weights of one layer into a module that has it at this path."""
        target = module.get_submodule(path) if path in dict(module.named_modules()) else module
        for name, weight in layer.params.items():
            value = np.array(layer.foreign.weights.own(name, _turned(weight, name, images)))
            held = _tensor(target, layer, name)
            held.data = torch.tensor(value, dtype=held.dtype).reshape(held.shape)

    def mended(self, position: int) -> Any:
        """The module with the rows of the kernel of the layer at this position permuted."""
        module = copy.deepcopy(self.module)
        for layer, path, images in self.items:
            if self.positions.get(id(layer)) == position:
                self.put(module, layer, path, images)
        return module

    def _own(self, layer, path: str, images) -> dict[str, np.ndarray]:
        """The module's own weights of one layer, in Keras's layout and order."""
        found = {}
        obj = layer.how.own_object()
        for name, weight in layer.params.items():
            value = np.asarray(layer.foreign.weights.keras(
                name, layer.foreign.weights.pull(obj, name)), weight.dtype)
            if images is not None and name == "kernel" and np.array_equal(value, weight) and \
                    not np.array_equal(_turned(weight, name, images), weight):
                position = self.positions[id(layer)]
                self.seams.append(Seam(position, self._flattening(position), layer.name,
                                       tuple(images)))
            elif images is not None:
                value = _turned(value, name, images, back=True)
            found[name] = value
        return found

    def _flattening(self, position: int) -> str:
        """The name of the layer before it that flattens."""
        before = self.layers[:position]
        return next((layer.name for layer in reversed(before) if kind(layer) == "Flatten"),
                    before[-1].name)


def _turned(weight: np.ndarray, name: str, images, back: bool = False) -> np.ndarray:
    """A weight whose first axis is that of images flattened pixel by pixel, as one that is read
    channel by channel; or back."""
    if images is None or len(weight) != np.prod(images) or name == "bias":
        return weight
    order = AxisOrder(flattened=images)
    turn = order.to_keras if back else order.to_own
    rows = weight.reshape(len(weight), -1)
    return turn(rows.T).T.reshape(weight.shape)


def _tensor(module, layer, name: str) -> torch.Tensor:
    getter = layer.how.weights[name][0]
    path = getter.keywords["name"]
    held = module
    for part in path.split("."):
        held = getattr(held, part)
    return held
