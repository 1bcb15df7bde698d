"""Which of an object's arrays is which of Keras's weights, and in which order of axes it has it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compare.adapters.kernel_layouts import Layout, keras_order, squeezed


@dataclass(frozen=True)
class Parameter:
    """One of Keras's weights in somebody's object.

    Attributes:
        layer, name: as in Keras: 'dense', 'kernel'.
        class_name: of the layer.
        shape: in Keras.
        place: where the object keeps it, see `compare.adapters.accessors`.
        layout: the order of its axes, see `compare.adapters.kernel_layouts`; None for Keras's.
        images: (H, W, C), if a dense kernel's rows belong to images that are flattened channel by
            channel; None where they lie as Keras has them.
        held: the shape that the object's array has.
    """

    layer: str
    name: str
    class_name: str
    shape: tuple[int, ...]
    place: Any = None
    layout: Any = None
    images: tuple[int, ...] | None = None
    held: tuple[int, ...] | None = None

    @property
    def path(self) -> str:
        """As in Keras: 'dense/kernel'."""
        return f"{self.layer}/{self.name}"

    def own(self, weight: np.ndarray) -> np.ndarray:
        """The weight as the object has it, a copy."""
        if self.images is not None:
            rows = weight.reshape(*self.images, -1)
            weight = np.moveaxis(rows, -2, 0).reshape(weight.shape)
        made = Layout(self.layout, self.class_name).to_own(weight)
        return np.array(made if self.held is None else made.reshape(self.held), order="C")

    def keras(self, own: np.ndarray) -> np.ndarray:
        """An array of the object's, the weight or its gradient, as Keras has it; as it came if it
        has another size."""
        if own.size != np.prod(self.shape, dtype=int) or \
                self.held is not None and squeezed(own.shape) != squeezed(self.held):
            return own
        layout = Layout(self.layout, self.class_name)
        if layout.axes is not None:
            own = layout.to_keras(own, self.shape)
        made = own.reshape(self.shape)
        if self.images is not None:
            *sizes, channels = self.images
            rows = made.reshape(channels, *sizes, -1)
            made = np.moveaxis(rows, 0, -2).reshape(self.shape)
        return made

    def said(self) -> str:
        """Where it is and how it lies, for people."""
        how = f", in the order {self.layout}" if self.layout else ""
        rows = ", its rows channel by channel" if self.images else ""
        place = self.place if isinstance(self.place, str) else "what the function gets"
        return f"{self.path} is {place}{how}{rows}"

    def ways(self, place: Any, shape: tuple[int, ...], images: tuple[int, ...] | None = None
             ) -> Iterator["Parameter"]:
        """All ways in which an array of that shape could be the weight, Keras's own first.

        Args:
            images: (H, W, C) of the images that are flattened before it, if there are any.
        """
        for layout in _layouts(self.class_name, self.name, len(self.shape)):
            for rows in (None, images) if images and self.name == "kernel" else (None,):
                way = replace(self, place=place, layout=layout, images=rows, held=None)
                made = way.own(np.broadcast_to(np.float32(0), self.shape)).shape
                if squeezed(made) == squeezed(shape):
                    yield replace(way, held=tuple(shape))


def _layouts(class_name: str, name: str, rank: int) -> list:
    """The orders of axes in use for a weight, Keras's own, None, first."""
    order = keras_order(class_name)
    if rank < 2:
        return [None]
    if len(order) != rank or "kernel" not in name:
        return [None, (1, 0)] if rank == 2 else [None]
    if rank == 2:
        return [None, "OI"]
    sizes = order.replace("I", "").replace("O", "")
    orders = [f"OI{sizes}", f"IO{sizes}", f"O{sizes}I", f"I{sizes}O", f"O(I{sizes})",
              f"O({sizes}I)", f"({sizes}I)O", f"(I{sizes})O", f"{sizes}OI", f"{sizes}IO"]
    return [None, *(each for each in orders if each != order)]
