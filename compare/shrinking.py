"""Ways to make a failing case smaller: fewer samples, pixels, channels, features or units.

Each way cuts the input, the gradient that comes in and the weights along one axis, consistently,
and says which of the layer's arguments change with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from compare.referee.windows import Walk


@dataclass
class Case:
    """One step and what it is run on.

    Attributes:
        class_name, part, config: which layer or activation, with which arguments.
        x, dy: its input, and the gradient that comes in.
        weights: by name.
        changes: arguments that differ from the original layer's, such as fewer filters.
    """

    class_name: str
    part: str
    config: dict
    x: np.ndarray
    dy: np.ndarray
    weights: dict[str, np.ndarray]
    changes: dict = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many numbers it takes to write the case down."""
        return self.x.size + self.dy.size + sum(w.size for w in self.weights.values())


def smaller(case: Case) -> Iterator[Case]:
    """Cases cut along one axis, the smallest remainder of each axis first."""
    for cut, length in ways(case):
        for size in sizes(length):
            for start in sorted({0, (length - size) // 2, length - size}):
                remainder = cut(slice(start, start + size))
                if remainder.dy.size:  # an image smaller than the window leaves no output
                    yield remainder


def sizes(length: int) -> list[int]:
    """Remainders to try for an axis: 1, 2, 3 ... and then in larger steps."""
    return sorted({n for n in (1, 2, 3, 4, 5, 6, 8, 11, 16, 23, 32, 64, 128, 256, length // 2,
                               length - 1) if 0 < n < length})


def ways(case: Case) -> list:
    """(function of a slice -> smaller case, length of the axis) for every axis of the case."""
    found = [(lambda cut: _both(case, 0, cut), len(case.x))]
    if case.part not in ("", "whole") or case.class_name in ("ReLU", "Softmax", "Activation"):
        found += [(lambda cut, axis=axis: _both(case, axis, cut), case.x.shape[axis])
                  for axis in range(1, case.x.ndim)]
    elif case.class_name == "Conv2D":
        found += [(lambda cut: _image(case, 1, cut), case.x.shape[1]),
                  (lambda cut: _image(case, 2, cut), case.x.shape[2]),
                  (lambda cut: _inputs(case, 2, cut), case.x.shape[3]),
                  (lambda cut: _outputs(case, "filters", cut), case.dy.shape[3])]
    elif case.class_name == "MaxPooling2D":
        found += [(lambda cut: _image(case, 1, cut), case.x.shape[1]),
                  (lambda cut: _image(case, 2, cut), case.x.shape[2]),
                  (lambda cut: _both(case, 3, cut), case.x.shape[3])]
    elif case.class_name == "Dense":
        found += [(lambda cut: _inputs(case, 0, cut), case.x.shape[-1]),
                  (lambda cut: _outputs(case, "units", cut), case.dy.shape[-1])]
    elif case.class_name == "Flatten":
        found += [(lambda cut, axis=axis: _flat(case, axis, cut), case.x.shape[axis])
                  for axis in range(1, case.x.ndim)]
    return found


def _at(axis: int, cut: slice) -> tuple:
    return (*[slice(None)] * axis, cut)


def _both(case: Case, axis: int, cut: slice) -> Case:
    """An axis that input and output have in common."""
    return replace(case, x=case.x[_at(axis, cut)], dy=case.dy[_at(axis, cut)])


def _image(case: Case, axis: int, cut: slice) -> Case:
    """Rows or columns of pixels; the output shrinks with them."""
    x = case.x[_at(axis, cut)]
    kernel = case.config.get("kernel_size") or case.config["pool_size"]
    walk = Walk(x.shape[1:3], kernel, case.config["strides"], case.config["padding"])
    rows, columns = walk.outputs
    return replace(case, x=x, dy=case.dy[:, :max(rows, 0), :max(columns, 0)])


def _inputs(case: Case, axis: int, cut: slice) -> Case:
    """Input channels or features: the last axis of x, `axis` of the kernel."""
    weights = {**case.weights, "kernel": case.weights["kernel"][_at(axis, cut)]}
    return replace(case, x=case.x[..., cut], weights=weights)


def _outputs(case: Case, argument: str, cut: slice) -> Case:
    """Filters or units: the last axis of the gradient and of every weight."""
    changed = {argument: cut.stop - cut.start}
    return replace(case, dy=case.dy[..., cut], config={**case.config, **changed},
                   weights={name: weight[..., cut] for name, weight in case.weights.items()},
                   changes={**case.changes, **changed})


def _flat(case: Case, axis: int, cut: slice) -> Case:
    dy = case.dy.reshape(case.x.shape)[_at(axis, cut)]
    return replace(case, x=case.x[_at(axis, cut)], dy=dy.reshape(len(dy), -1))
