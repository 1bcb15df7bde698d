"""A result that is off by a factor: which one, and what it equals."""

import math

import numpy as np

from compare.diagnosis.computation import LayerComputation, LossComputation, UpdateComputation

CLOSE = 2e-5  # relative; a factor so close to a known one is that one


def factor_of(c, made) -> float:
    """The factor that takes the computation's result closest to what was made, made a known one
    if it is as good as that.

    Raises:
        ValueError: where there is none, or only 1, 0 or -1, which are other mistakes or none.
    """
    right = c.evaluate().value
    if right.shape != made.shape:
        raise ValueError("Expected a result of the same shape. Received: another")
    usable = np.isfinite(right) & np.isfinite(made)
    square = float((right[usable] ** 2).sum())
    if not square:
        raise ValueError("Expected a result other than zero. Received: zeros")
    factor = float((right[usable] * made[usable]).sum() / square)
    if min(abs(factor - known) for known in (0.0, 1.0, -1.0)) < 1e-9:
        raise ValueError(f"Expected a factor that changes something. Received: {factor}")
    return next((value for value in known_factors(c).values() if _close(value, factor)), factor)


def named_factor(steps) -> str:
    """What the factor is, and what it equals in everything that was observed."""
    factors = [_or_none(c, made) for c, made in steps]
    present = [factor for factor in factors if factor is not None]
    names = None
    for (c, _), factor in zip(steps, factors):
        if factor is not None:
            fitting = [n for n, value in known_factors(c).items() if _close(value, factor)]
            names = fitting if names is None else [n for n in names if n in fitting]
    said = f"by {present[0]:.6g}"
    return said + (f", which is {names[0]}" if names else "")


def _or_none(c, made):
    try:
        return factor_of(c, made)
    except ValueError:
        return None


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= CLOSE * abs(b)


def known_factors(c) -> dict[str, float]:
    """Numbers that people forget, or use once too often, by what they are."""
    sizes = _sizes(c)
    found = {"2": 2.0, "1/2": 0.5}
    for name, size in sizes.items():
        if size and size != 1:
            found.setdefault(name, float(size))
            found.setdefault(f"1/{name}" if name.isalnum() else f"1/({name})", 1 / float(size))
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
    for name in ("filters", "units"):
        if config.get(name):
            sizes[f"the number of {name}"] = config[name]
    if config.get("rate"):
        sizes["1 - rate"] = 1 - config["rate"]
    if c.context.get("learning_rate"):
        sizes["the learning rate"] = c.context["learning_rate"]
    return sizes
