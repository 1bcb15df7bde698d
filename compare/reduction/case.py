"""Ways to make a failing case smaller: fewer samples, pixels, channels, features or units.

Each way cuts the input along one axis, or a layer's filters or units, and everything that hangs on
it: how large the weights and the output are then, a layer of that class says when it is built for
the smaller input. So every layer can be cut wherever its arguments allow it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from compare.oracle.registry import oracle_for
from compare.tracing.model_kinds import KINDS


@dataclass
class Case:
    """One op and what it is run on.

    Attributes:
        class_name, part, config: which layer or activation, with which arguments.
        x, dy: its input (a tuple for a layer that merges), and the gradient that comes in.
        weights: by name; a random layer's 'noise' is among them.
        changes: arguments that differ from the original layer's, such as fewer filters.
        training: whether it is run as in training.
    """

    class_name: str
    part: str
    config: dict
    x: np.ndarray | tuple
    dy: np.ndarray
    weights: dict[str, np.ndarray]
    changes: dict = field(default_factory=dict)
    training: bool = True

    @property
    def inputs(self) -> tuple:
        """The inputs as a tuple, also where there is one."""
        return self.x if isinstance(self.x, tuple) else (self.x,)

    def having(self, inputs: tuple, **changed) -> "Case":
        """The same case with other inputs."""
        return replace(self, x=inputs if isinstance(self.x, tuple) else inputs[0], **changed)

    @property
    def size(self) -> int:
        """How many numbers it takes to write the case down."""
        return (sum(x.size for x in self.inputs) + self.dy.size
                + sum(w.size for w in self.weights.values()))


def smaller(case: Case) -> Iterator[Case]:
    """Cases cut along one axis, the smallest remainder of each axis first."""
    for way, length in ways(case):
        for size in sizes(length):
            for start in sorted({0, (length - size) // 2, length - size}):
                remainder = way(slice(start, start + size))
                if remainder is not None and remainder.dy.size:  # too small for any output
                    yield remainder


def sizes(length: int) -> list[int]:
    """Remainders to try for an axis: 1, 2, 3 ... and then in larger ops."""
    return sorted({n for n in (1, 2, 3, 4, 5, 6, 8, 11, 16, 23, 32, 64, 128, 256, length // 2,
                               length - 1) if 0 < n < length})


def ways(case: Case) -> list[tuple[Callable, int]]:
    """(function of a slice -> smaller case or None, length of the axis) for all that can be cut."""
    found: list[tuple[Callable, int]] = [(lambda cut: _samples(case, cut), len(case.dy))]
    inputs = case.inputs
    shared = min(x.ndim for x in inputs)
    found += [(lambda cut, axis=axis: _inputs(case, axis, cut, range(len(inputs))),
               inputs[0].shape[axis])
              for axis in range(1, shared) if len({x.shape[axis] for x in inputs}) == 1]
    if len(inputs) > 1:
        found += [(lambda cut, axis=axis, i=i: _inputs(case, axis, cut, [i]), x.shape[axis])
                  for i, x in enumerate(inputs) for axis in range(1, x.ndim)]
    if case.part in ("", "whole"):
        found += [(lambda cut, name=name: _outputs(case, name, cut), case.config[name])
                  for name in oracle_for(case.class_name, case.config, case.part).outputs
                  if isinstance(case.config.get(name), int)]
    return found


def _at(axis: int, cut: slice) -> tuple:
    return (*[slice(None)] * axis, cut)


def _samples(case: Case, cut: slice) -> Case:
    weights = dict(case.weights)
    if "noise" in weights and weights["noise"].shape[:1] == (len(case.dy),):
        weights["noise"] = weights["noise"][cut]
    return case.having(tuple(x[cut] for x in case.inputs), dy=case.dy[cut], weights=weights)


def _inputs(case: Case, axis: int, cut: slice, which) -> Case | None:
    """Some of the inputs cut along an axis other than the batch."""
    inputs = tuple(x[_at(axis, cut)] if i in which else x for i, x in enumerate(case.inputs))
    length = case.inputs[which[0]].shape[axis]
    if case.part not in ("", "whole"):  # an activation: the axis is the output's, too
        return case.having(inputs, dy=case.dy[_at(axis, cut)])
    return _fitted(case.having(inputs), cut, length)


def _outputs(case: Case, argument: str, cut: slice) -> Case | None:
    """Fewer filters or units."""
    changed = {argument: cut.stop - cut.start}
    return _fitted(replace(case, config={**case.config, **changed},
                           changes={**case.changes, **changed}), cut, case.config[argument])


def _fitted(case: Case, cut: slice, length: int) -> Case | None:
    """The case with weights and gradient cut to what the layer has for such inputs.

    Args:
        cut: what was taken of an axis of that length; other axes are cut at their ends.

    Returns None where the layer cannot take such inputs, or would need more than there is.
    """
    shapes: list = [(None, *x.shape[1:]) for x in case.inputs]
    try:
        layer = KINDS[case.class_name].from_config(case.config)
        layer.build(shapes if isinstance(case.x, tuple) else shapes[0])
    except (ValueError, TypeError, KeyError):
        return None
    wanted = {name: weight.shape for name, weight in layer.params.items()}
    if "noise" in case.weights:
        noise = case.weights["noise"].shape
        oracle = oracle_for(case.class_name, case.config, case.part)
        wanted["noise"] = noise if oracle.of_images else tuple(
            min(pair) for pair in zip(noise, case.inputs[0].shape))
    weights = {name: _cropped(weight, wanted[name], cut, length) if name in wanted else None
               for name, weight in case.weights.items()}
    dy = _cropped(case.dy, (len(case.dy), *layer.output_shape[1:]), cut, length)
    kept = {name: weight for name, weight in weights.items() if weight is not None}
    if dy is None or len(kept) < len(weights):
        return None
    return replace(case, dy=dy, weights=kept)


def _cropped(array: np.ndarray, shape: tuple, cut: slice, length: int) -> np.ndarray | None:
    """An array cut to a shape; None if it is too small, or has other axes."""
    if array.ndim != len(shape) or any(n > m for n, m in zip(shape, array.shape)):
        return None
    return array[tuple(cut if (m, n) == (length, cut.stop - cut.start) else slice(n)
                       for n, m in zip(shape, array.shape))]
