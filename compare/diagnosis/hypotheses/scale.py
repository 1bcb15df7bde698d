"""A result that is off by a factor: which one, and what it equals.

Any single number, such as a loss, is off by *some* factor from what it should be. So a factor is a
cause only where it is the same one in every element and in everything that was run.
"""

import math
from typing import NamedTuple

import numpy as np

from compare.diagnosis.computation import LayerComputation, LossComputation, UpdateComputation
from compare.diagnosis.hypothesis import Variant
from compare.oracle.layers.operations import Reduction
from compare.oracle.running_error import Bounded

CLOSE = 2e-5  # relative; a factor so close to a known one is that one
ELEMENTS = 8  # of a single run, from which on one factor for all of them is no chance


class Factor(NamedTuple):
    """A factor as one run shows it, what `known_factors` it may be, and how far off it may be."""

    value: float
    names: tuple[str, ...]
    room: float
    elements: int


def scaled() -> list[Variant]:
    """The result is off by one factor."""
    def change(c, made):
        factor = factor_of(c, made).value
        return c.then(lambda r: Bounded(r.value * factor, r.rounding,
                                        r.bound * abs(factor)
                                        + 2 * r.rounding.unit * np.abs(r.value * factor)))

    return [Variant("scale", named_factor, change, cheap=True, agrees=one_factor)]


def factor_of(c, made) -> Factor:
    """The factor that takes the computation's result closest to what was made, made a known one
    if it is as good as that.

    Raises:
        ValueError: where there is none, or only 1, 0 or -1, which are other mistakes or none.
    """
    return measured(c, c.evaluate(), made, CLOSE)


def measured(c, right: Bounded, made: np.ndarray, room: float) -> Factor:
    """As `factor_of`, for any part of a result.

    Args:
        room: how far a factor may be off, relative.
    """
    value = right.value
    if value.shape != made.shape:
        raise ValueError("Expected a result of the same shape. Received: another")
    usable = np.isfinite(value) & np.isfinite(made)
    square = float((value[usable] ** 2).sum())
    if not square:
        raise ValueError("Expected a result other than zero. Received: zeros")
    factor = float((value[usable] * made[usable]).sum() / square)
    if min(abs(factor - known) for known in (0.0, 1.0, -1.0)) < 1e-9:
        raise ValueError(f"Expected a factor that changes something. Received: {factor}")
    known = {n: v for n, v in known_factors(c).items() if abs(v - factor) <= room * abs(v)}
    return Factor(next(iter(known.values()), factor), tuple(known), room,
                  int((value[usable] != 0).sum()))


def factors_of(steps, measure=factor_of) -> list[Factor]:
    """Those of all runs that show one."""
    found = []
    for c, made in steps:
        try:
            found.append(measure(c, made))
        except ValueError:
            continue
    return found


def one_factor(steps, measure=factor_of) -> bool:
    """Whether all runs show the same factor: the same known one, such as the size of the batch, or
    the same number in several runs, or in many elements where there is but one."""
    found = factors_of(steps, measure)
    if not found:
        return False
    if shared_names(found):
        return True
    largest, smallest = max(f.value for f in found), min(f.value for f in found)
    room = max(f.room * abs(f.value) for f in found)
    enough = len(found) > 1 or found[0].elements >= ELEMENTS
    return enough and largest - smallest <= 2 * room


def shared_names(found: list[Factor]) -> list[str]:
    """What the factor equals in every run."""
    first, *others = [factor.names for factor in found]
    return [name for name in first if all(name in names for names in others)]


def named_factor(steps, measure=factor_of) -> str:
    """What the factor is, and what it equals in everything that was observed."""
    found = factors_of(steps, measure)
    names = shared_names(found)
    return f"by {found[0].value:.6g}" + (f", which is {names[0]}" if names else "")


def known_factors(c) -> dict[str, float]:
    """Numbers that people forget, or use once too often, by what they are."""
    sizes = _sizes(c)
    found = {"2": 2.0, "1/2": 0.5}
    for name, size in sizes.items():
        if size and size != 1:
            found.setdefault(name, float(size))
            found.setdefault(f"1/{name}" if name.isalnum() else f"1/({name})", 1 / float(size))
    if sizes.get("N", 1) > 2:
        found.update({"N / 2": sizes["N"] / 2, "2 / N": 2 / sizes["N"]})
    names = [n for n in ("N", "H W") if sizes.get(n, 1) != 1]
    if len(names) == 2:
        product = float(sizes["N"] * sizes["H W"])
        found.update({"N H W": product, "1/(N H W)": 1 / product})
    for name, size in list(sizes.items()):
        if size and size > 1:
            found.setdefault(f"sqrt({name})", math.sqrt(size))
            found.setdefault(f"1/sqrt({name})", 1 / math.sqrt(size))
    found.update({"3": 3.0, "1/3": 1 / 3, "4": 4.0, "1/4": 0.25, "10": 10.0, "1/10": 0.1,
                  "ln 2": math.log(2), "1/ln 2": 1 / math.log(2), "255": 255.0,
                  "1/255": 1 / 255})
    return found


def _sizes(c) -> dict[str, float]:
    if isinstance(c, LossComputation):
        shape = np.shape(c.output)
        sizes = {"N": shape[0], "the number of classes": shape[-1],
                 "the number of losses": math.prod(shape[:-1]),
                 "N times the number of classes": math.prod(shape)}
        return sizes
    if isinstance(c, UpdateComputation):
        rate = c.config.get("learning_rate")
        return {"the learning rate": rate} if isinstance(rate, float) else {}
    return _layer_sizes(c)


def _layer_sizes(c: LayerComputation) -> dict[str, float]:
    x = c.value(c.x[0] if isinstance(c.x, tuple) else c.x)
    shape, config = np.shape(x), c.config
    sizes: dict[str, float] = {"N": shape[0]}
    if isinstance(c.x, tuple):
        sizes["the number of inputs"] = len(c.x)
    if len(shape) > 2:
        first = config.get("data_format") == "channels_first"
        outer = np.shape(c.value(c.dy)) if c.dy is not None else shape
        if len(outer) == len(shape):
            sizes["H W"] = math.prod(outer[2:] if first else outer[1:-1])
        sizes["H W of the input"] = math.prod(shape[2:] if first else shape[1:-1])
    for name in ("pool_size", "kernel_size", "strides", "size"):
        if isinstance(config.get(name), (tuple, list)):
            said = name.replace("_", " ").replace("pool size", "pool").replace("kernel size",
                                                                               "kernel")
            sizes[f"the {said}'s area"] = math.prod(config[name])
    sizes["the number of channels"] = shape[-1]
    if isinstance(c.layer, Reduction):
        sizes["the number that are put together"] = number = c.layer.number(shape)
        sizes["that number over N"] = number / shape[0]
    for name in ("filters", "units"):
        if config.get(name):
            sizes[f"the number of {name}"] = config[name]
    if config.get("rate"):
        sizes["1 - rate"] = 1 - config["rate"]
    if c.context.get("learning_rate"):
        sizes["the learning rate"] = c.context["learning_rate"]
    return sizes
