"""Where in an HDF5 file Keras keeps a layer's variables.

    layers/conv2d/vars/0       the first layer of class Conv2D: kernel, then bias (1)
    layers/conv2d_1/vars/0     the second one
    layers/functional/layers/conv2d/vars/0     one of a model that stands among the layers
    layers/time_distributed/layer/layers/conv2d/vars/0     one of a model on every step

The names in the file count the layers of each class; a layer's own name is a mere attribute. What
is called more than once is there once, where it comes first.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from scratch.layer_config import MODELS
from scratch.layers import Layer
from scratch.naming import numbered, snake_case
from scratch.operations import Operation

LAYERS = "layers"  # the group that holds them
LAYERS_2_12 = "_layer_checkpoint_dependencies"  # what Keras 2.12 called it


class Place(NamedTuple):
    """Where a layer's or a model's variables are.

    Attributes:
        path: such as layers/conv2d.
        unit: the layer or the model.
        parts: the places of what stands in a model; None for a layer.
    """

    path: str
    unit: Any
    parts: list["Place"] | None

    def layers(self) -> Iterator[tuple[str, Any]]:
        """(path, layer) of the layer, or of each in the model."""
        if self.parts is None:
            yield self.path, self.unit
        for part in self.parts or ():
            yield from part.layers()


def places_of(model, inside: str = "", met: set[int] | None = None,
              group: str = LAYERS) -> list[Place]:
    """The places of a model's layers: layers/conv2d, layers/conv2d_1 ..., in its order.

    Args:
        inside: the path of the model itself.
        met: by `id`, what has a place already, and gets no second one.
        group: what the group of a model's layers is called.
    """
    counts: Counter[str] = Counter()
    met = set() if met is None else met
    places = []
    for unit in model.units:
        if isinstance(unit, Operation):
            continue  # which Keras does not count among the layers
        stepwise = getattr(unit, "on_every_step", None)
        known = unit.saved_as()["class_name"] if stepwise is not None else next(
            (name for name, kind in MODELS.items() if type(unit) is kind), None)
        base = snake_case(known or type(unit).__name__)
        path = f"{inside}{group}/{numbered(base, counts[base])}"
        counts[base] += 1
        key = id(unit.params) if isinstance(unit, Layer) else id(unit)
        if key not in met:
            met.add(key)
            if stepwise is not None:
                path = f"{path}/layer"
            parts = None if isinstance(unit, Layer) else places_of(
                stepwise or unit, f"{path}/", met, group)
            places.append(Place(path, unit, parts))
    return places
