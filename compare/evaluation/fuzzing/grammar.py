"""What a layer may be drawn with: values for each argument, and which combinations exist.

The rules are Keras's own and those of its CPU kernels, written down where they hold, so that
nothing has to be tried and caught.
"""

from collections.abc import Callable
from dataclasses import dataclass

VOLUMES, VOLUME, IMAGE, SEQUENCE, VECTOR = 5, 4, 3, 2, 1  # ranks of a sample


@dataclass(frozen=True)
class Derived:
    """A value that depends on the input's shape; `label` names it in the coverage table."""

    label: str
    value: Callable[[tuple], object]  # of the sample's shape


@dataclass(frozen=True)
class Entry:
    """One layer class.

    Attributes:
        ranks: of samples it takes.
        arguments: values by argument, the default first.
        fits: (arguments, sample shape, data_format) -> whether Keras on a CPU can do it.
        inputs: how many inputs, 2 for merging layers.
        dtypes: arguments -> the precisions that Keras has kernels for.
        classes: the argument that says how many classes the input's numbers name; such a layer
            stands first. '' where inputs are any numbers.
        stands_first: whether it does so, too, although its inputs are any numbers.
    """

    ranks: tuple[int, ...]
    arguments: dict[str, tuple]
    fits: Callable = lambda arguments, shape, data_format: True
    inputs: int = 1
    dtypes: Callable = lambda arguments: ("float32", "float64")
    classes: str = ""
    stands_first: bool = False


def label(value) -> str:
    """A value as the coverage table names it."""
    if isinstance(value, Derived):
        return value.label
    if isinstance(value, dict):
        inner = ", ".join(f"{k}={v}" for k, v in value.get("config", {}).items()
                          if k not in ("name", "dtype", "trainable", "seed"))
        return f"{value.get('class_name')}({inner})"
    return str(value)


def space(shape: tuple, data_format: str) -> tuple:
    """The sizes of the axes that are not channels."""
    return tuple(shape[:-1] if data_format == "channels_last" else shape[1:])


def channels(shape: tuple, data_format: str) -> int:
    return shape[-1] if data_format == "channels_last" else shape[0]


def each(value, axes: int) -> tuple:
    """One number for every axis."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes
