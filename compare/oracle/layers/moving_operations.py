"""Oracles of the operations between layers that put numbers elsewhere: nothing is computed on the
way there, and on the way back a number's copies are added up.

Each says by `moved` which of the input's numbers stands at each place of the output; both ways
follow from that.
"""

from functools import partial
from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.layers.activations import is_short
from compare.oracle.running_error import Bounded, added_up
from compare.tracing.types import Config

NOWHERE = -1  # of a border's numbers


class Moving(Oracle):
    """Base: what comes out are numbers that go in, each once, several times or not at all."""

    operation = "a change of place or shape"
    border = 0.0

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        """An array of the input's shape as it comes out; a border is `NOWHERE`."""
        raise NotImplementedError

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.shape = x.shape
        self.places = self.moved(np.arange(x.value.size).reshape(x.shape))
        inside, border = self.places != NOWHERE, float(x.rounding.nearest(self.border))

        def taken(array: np.ndarray, other: float) -> np.ndarray:
            return np.where(inside, array.ravel()[self.places], other)

        return Bounded(taken(x.value, border), x.rounding,
                       None if x.error is None else taken(x.error, 0.0))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        inside = self.places != NOWHERE
        places, size = self.places[inside], int(np.prod(self.shape))

        def gathered(array: np.ndarray) -> np.ndarray:
            return np.bincount(places, array[inside], size).reshape(self.shape)

        if np.bincount(places, minlength=size).max(initial=0) <= 1:
            return Bounded(gathered(dy.value), dy.rounding,
                           None if dy.error is None else gathered(dy.error)), {}
        dy = dy.flushed()
        return added_up(gathered(dy.value), gathered(np.abs(dy.value)), gathered(dy.bound),
                        gathered(dy.support()), dy.rounding), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        places = self.moved(np.arange(int(np.prod(input_shape))).reshape(input_shape))
        return {"output": 1, "input_gradient": int(np.bincount(places[places != NOWHERE]).max())}


@judges("TransposeOperation")
class Transpose(Moving):
    """Axis i of the output is axis axes[i] of the input."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        return np.transpose(numbers, self.config.get("axes"))


@judges("SwapaxesOperation")
class Swapaxes(Moving):
    """Two axes change places."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        return np.swapaxes(numbers, self.config["axis1"], self.config["axis2"])


@judges("MoveaxisOperation")
class Moveaxis(Moving):
    """Some axes moved to other places."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        return np.moveaxis(numbers, self.config["source"], self.config["destination"])


@judges("ExpandDimsOperation")
class ExpandDims(Moving):
    """Axes of length 1 put in."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        return np.expand_dims(numbers, self.config["axis"])


@judges("SqueezeOperation")
class Squeeze(Moving):
    """Axes of length 1 taken out."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        axis = self.config.get("axis")
        if axis is None:
            axis = [i for i, n in enumerate(numbers.shape) if n == 1 and i]
        return np.squeeze(numbers, tuple(axis) if isinstance(axis, (list, tuple)) else axis)


@judges("GetItemOperation")
class GetItem(Moving):
    """The numbers at some indices."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        key = self.config["key"]
        return np.asarray(numbers[tuple(map(index, key if isinstance(key, list) else [key]))])


def index(entry: Any) -> Any:
    """One index of those in a config."""
    if not isinstance(entry, dict):
        return entry
    return ... if entry["class_name"] == "__ellipsis__" else slice(
        *(entry["config"].get(name) for name in ("start", "stop", "step")))


@judges("SplitOperation")
class Split(Moving):
    """One of several parts of an axis."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        parts = np.split(numbers, self.config["indices_or_sections"], self.config["axis"])
        return np.asarray(parts[self.config["place"]])


@judges("UnstackOperation")
class Unstack(Moving):
    """What lies at one place of an axis."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        return np.asarray(np.take(numbers, self.config["place"], self.config["axis"]))


@judges("PadOperation")
class Pad(Moving):
    """A border of one number, or of what lies inside, mirrored."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.border = config.get("constant_values") or 0.0
        self.exact = is_short(self.border)

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        mode = self.config.get("mode", "constant")
        fill: dict[str, Any] = {"constant_values": NOWHERE} if mode == "constant" else {}
        return np.pad(numbers, self.config["pad_width"], mode, **fill)


@judges("RollOperation")
class Roll(Moving):
    """Everything moved along some axes, what leaves at one end coming in at the other."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        return np.roll(numbers, self.config["shift"], self.config["axis"])


@judges("FlipOperation")
class Flip(Moving):
    """Some axes read from their ends."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        axis = self.config["axis"]
        return np.flip(numbers, tuple(axis) if isinstance(axis, list) else axis)


@judges("TileOperation")
class Tile(Moving):
    """The input several times side by side."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        return np.tile(numbers, self.config["repeats"])


@judges("RepeatOperation")
class Repeat(Moving):
    """Every number several times in a row."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        return np.asarray(np.repeat(numbers, self.config["repeats"], self.config["axis"]))


@judges("DepthToSpaceOperation")
class DepthToSpace(Moving):
    """A pixel's channels become a block of pixels, row by row."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        first, b = self.config.get("data_format") == "channels_first", self.config["block_size"]
        images = np.moveaxis(numbers, 1, -1) if first else numbers
        parts = np.split(images, b * b, axis=-1)  # of each pixel of a block its channels
        n, height, width, channels = parts[0].shape
        made = np.empty((n, height * b, width * b, channels), numbers.dtype)
        for i, part in enumerate(parts):
            made[:, i // b::b, i % b::b] = part
        return np.moveaxis(made, -1, 1) if first else made


@judges("SpaceToDepthOperation")
class SpaceToDepth(Moving):
    """A block of pixels becomes the channels of one pixel, row by row."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        first, b = self.config.get("data_format") == "channels_first", self.config["block_size"]
        images = np.moveaxis(numbers, 1, -1) if first else numbers
        made = np.concatenate([images[:, i::b, j::b] for i in range(b) for j in range(b)], axis=-1)
        return np.moveaxis(made, -1, 1) if first else made


@judges("ExtractPatchesOperation")
class ExtractPatches(Moving):
    """At each place of a grid the pixels of a patch, as channels. Keras takes a convolution for it,
    whose kernel is an identity."""

    def moved(self, numbers: np.ndarray) -> np.ndarray:
        (high, wide), (down, right) = self.config["size"], self.config["strides"]
        _, height, width, _ = numbers.shape
        return np.stack([np.stack([
            numbers[:, top:top + high, left:left + wide].reshape(len(numbers), -1)
            for left in range(0, width - wide + 1, right)], axis=1)
            for top in range(0, height - high + 1, down)], axis=1)

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return super().forward(x.flushed(), weights)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return super().backward(dy.flushed())


@judges("StackOperation")
class Stack(Oracle):
    """Inputs side by side along a new axis."""

    operation = "a change of place or shape"
    merges = True

    def forward(self, x: list[Bounded], weights: dict[str, Bounded]) -> Bounded:
        self.count = len(x)
        return Bounded(np.stack([a.value for a in x], self.config["axis"]), x[0].rounding,
                       np.stack([a.bound for a in x], self.config["axis"]))

    def backward(self, dy: Bounded) -> tuple[list[Bounded], dict[str, Bounded]]:
        return [dy.rearranged(partial(np.take, indices=i, axis=self.config["axis"]))
                for i in range(self.count)], {}
