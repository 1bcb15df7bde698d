"""Which array of a function's params is which of Keras's weights, and how it lies there.

Equal numbers tell; then names, 'gamma' or 'scale'; then the shape, in the order in which the
function first uses them.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.adapters.axis_order import AxisOrder
from compare.adapters.kernel_layouts import squeezed
from compare.runtimes.jax_functions.program import Constant, Program

ALIASES = {
    "kernel": ("kernel", "w", "weight", "weights"), "bias": ("bias", "b", "offset"),
    "gamma": ("gamma", "scale", "g", "weight"), "beta": ("beta", "bias", "b", "offset", "shift"),
    "moving_mean": ("mean", "moving_mean", "running_mean", "mu"),
    "moving_variance": ("var", "variance", "moving_variance", "running_var", "sigma2"),
}


@dataclass(frozen=True)
class Stored:
    """One of Keras's weights among the params.

    Attributes:
        value: its number in a `Program`.
        path: where it is, such as "['conv']['w']".
        shape, own: in Keras, and there.
        axes: Keras's axes of more than one, in the order in which they lie there.
        images: (H, W, C) if the rows of this kernel are those of images flattened channel by
            channel; else None.
    """

    value: int
    path: str
    shape: tuple[int, ...]
    own: tuple[int, ...]
    axes: tuple[int, ...]
    images: tuple[int, ...] | None = None

    def to_own(self, weight: np.ndarray) -> np.ndarray:
        """Keras's weight as the function has it."""
        weight = _rows(weight, self.images, AxisOrder.to_own)
        moved = weight.reshape(squeezed(self.shape))
        if len(self.axes) == moved.ndim:
            moved = moved.transpose(self.axes)
        return np.ascontiguousarray(moved).reshape(self.own)

    def to_keras(self, own: np.ndarray) -> np.ndarray:
        """The other way round."""
        sizes = squeezed(self.shape)
        if len(self.axes) == len(sizes):
            own = np.reshape(own, [sizes[axis] for axis in self.axes]).transpose(
                np.argsort(self.axes))
        return _rows(np.ascontiguousarray(own).reshape(self.shape), self.images,
                     AxisOrder.to_keras)


def _rows(weight: np.ndarray, images, turn) -> np.ndarray:
    """A kernel, each row of which belongs to one number of a flattened image, in another order."""
    if images is None:
        return weight
    flat = weight.reshape(len(weight), -1)
    return turn(AxisOrder(flattened=images), flat.T).T.reshape(weight.shape)


def stored(program: Program, params: dict[int, Any], weights: dict[tuple[str, str], np.ndarray],
           names: dict[str, str]) -> dict[tuple[str, str], Stored]:
    """All of Keras's weights, by layer and name.

    Args:
        params: the function's arrays by their numbers.
        weights: Keras's.
        names: paths that were told, by 'layer/weight'.

    Raises:
        ValueError: for a weight that is nowhere, or an array of the params that is none.
    """
    found: dict[tuple[str, str], Stored] = {}
    paths = {value: path for path, value in program.leaves.items() if value != program.x}
    free = _in_order_of_use(program, list(paths))
    rounds = (_told(names, paths), _equal(params), _called(paths), _alike)
    for fits in rounds:
        for key, weight in weights.items():
            if key in found:
                continue
            for value in free:
                own = np.asarray(params[value])
                if fits(key, weight, value, own) and _possible(weight, own):
                    found[key] = Stored(value, paths[value], weight.shape, own.shape,
                                        _axes(program, value, weight, own))
                    free.remove(value)
                    break
    missing = [f"{layer}/{name}" for layer, name in weights if (layer, name) not in found]
    if missing:
        raise ValueError(f"Expected an array in params for each of Keras's weights. Received none "
                         f"for {', '.join(missing)}")
    if free:
        raise ValueError("Expected a weight of Keras's for each array in params. Received none for "
                         f"{', '.join(paths[value] for value in free)}")
    return found


def _told(names: dict[str, str], paths: dict[int, str]):
    return lambda key, weight, value, own: names.get("/".join(key)) == paths[value]


def _equal(params: dict[int, Any]):
    return lambda key, weight, value, own: weight.size > 1 and np.ptp(weight) > 0 and \
        any(True for _ in _equal_axes(weight, own))


def _called(paths: dict[int, str]):
    def fits(key, weight, value, own) -> bool:
        pieces = [piece.strip("'\"") for piece in paths[value].strip("[].").replace(
            "][", ".").replace("].", ".").split(".")]
        return pieces[-1].lower() in ALIASES.get(key[1], (key[1],)) and (
            key[0] in pieces or key[1] not in ("gamma", "beta", "bias", "kernel"))

    return fits


def _alike(key, weight, value, own) -> bool:
    return True


def _possible(weight: np.ndarray, own: np.ndarray) -> bool:
    return sorted(squeezed(weight.shape)) == sorted(squeezed(own.shape)) or (
        weight.size == own.size and weight.ndim > 1 and own.ndim > 1)


def _in_order_of_use(program: Program, values: list[int]) -> list[int]:
    used: list[int] = []
    for step in program.steps:
        used += [read for read in step.reads
                 if not isinstance(read, Constant) and read in values and read not in used]
    return used + [value for value in values if value not in used]


def _ways(weight: np.ndarray, own: np.ndarray):
    """Orders of Keras's axes in which a weight would have this shape."""
    sizes = squeezed(weight.shape)
    for axes in itertools.permutations(range(len(sizes))):
        if tuple(sizes[axis] for axis in axes) == squeezed(own.shape):
            yield axes


def _equal_axes(weight: np.ndarray, own: np.ndarray):
    moved = weight.reshape(squeezed(weight.shape))
    for axes in _ways(weight, own):
        if np.array_equal(moved.transpose(axes), own.reshape(squeezed(own.shape))):
            yield axes


def _axes(program: Program, value: int, weight: np.ndarray, own: np.ndarray) -> tuple[int, ...]:
    """In which order a weight's axes lie: as its numbers tell, then as what reads it does."""
    ways = list(_ways(weight, own))
    if not ways:
        return ()
    equal = next(_equal_axes(weight, own), None)
    if equal is not None or len(ways) == 1:
        return ways[0] if equal is None else equal
    reader = next((step for step in program.steps if value in step.reads), None)
    numbers: Any = None if reader is None else reader.equation.params.get("dimension_numbers")
    rank = weight.ndim - 2
    if reader is not None and reader.op == "conv_general_dilated" and 1 not in weight.shape:
        axes = [0] * weight.ndim
        for axis, at in zip((rank + 1, rank, *range(rank)), numbers.rhs_spec):
            axes[at] = axis
        return tuple(axes)
    if reader is not None and reader.op in ("dot_general", "transpose") and weight.ndim == 2:
        turned = reader.op == "transpose" or (
            reader.reads[1] == value and tuple(numbers[0][1]) == (1,))
        return (1, 0) if turned else (0, 1)
    return ways[0]
