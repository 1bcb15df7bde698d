"""Arithmetic of lower precision: what goes in or comes out rounded to float16 or bfloat16."""

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.diagnosis.computation import LayerComputation, UpdateComputation
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.running_error import Bounded, Rounding

# bits kept of a number, and its smallest normal one
FORMATS = {"float16": (11, 2.0**-14), "bfloat16": (8, 2.0**-126), "TF32": (11, 2.0**-126)}
BIASES = {"bias", "beta"}
CUT = " by cutting off bits"


def rounded(array, name: str) -> np.ndarray:
    """An array as a format of fewer bits holds it: to nearest, ties to even, or cut off."""
    array = np.asarray(array, np.float64)
    if name.endswith(CUT):
        mantissa, exponent = np.frexp(array)
        bits = FORMATS[name.removesuffix(CUT)][0]
        return np.ldexp(np.trunc(np.ldexp(mantissa, bits)), exponent - bits)
    if name == "float16":
        with np.errstate(over="ignore"):
            return array.astype(np.float16).astype(np.float64)
    mantissa, exponent = np.frexp(array)
    bits = FORMATS[name][0]
    return np.ldexp(np.rint(np.ldexp(mantissa, bits)), exponent - bits)


def of_rounded_numbers(c) -> list[Variant]:
    """Input, weights or upstream gradient rounded on the way in, or the result on the way out."""
    found: list[Variant] = []
    for name in (*FORMATS, f"bfloat16{CUT}"):
        found.append(Variant("low-precision", f"the result is rounded to {name}",
                             _of_result(name), cheap=True))
        if not isinstance(c, LayerComputation):
            continue
        everything = ["x", "weights", "dy"] if c.tensor != "output" else ["x", "weights"]
        factors = [["kernel"], ["x", "kernel"]] if BIASES & set(c.weights) else []
        for some in (everything, *[[one] for one in everything], *factors):
            if "weights" in some and not c.weights:
                continue
            said = {"x": "the input", "weights": "the weights", "dy": "the upstream gradient",
                    "kernel": "the kernel"}
            what = ("all that goes in" if some is everything else
                    "what is multiplied" if len(some) > 1 else said[some[0]])
            found.append(inside("low-precision", f"{what} is rounded to {name}",
                                lambda c, s=some, n=name: _coarse(c, s, n)))
        if c.dy is not None and len(everything) == 3:
            for other, word in (("x", "input"), ("weights", "weights")):
                found.append(inside("low-precision", f"{word} and upstream gradient are rounded to "
                                    f"{name}", lambda c, o=other, n=name: _coarse(c, [o, "dy"], n)))
    return found


def _rounded_result(result, name: str) -> Bounded:
    """Rounding may go either way where the result lies close to the middle of two numbers."""
    value = rounded(result.value, name)
    low = rounded(result.value - result.bound, name)
    high = rounded(result.value + result.bound, name)
    return Bounded(value, result.rounding, np.maximum(np.abs(high - value), np.abs(value - low)))


def _of_result(name: str) -> Callable:
    return lambda c, made: c.then(lambda result: _rounded_result(result, name))


def _coarse(c, fields, name: str):
    changes: dict[str, Any] = {}
    for what in fields:
        if what == "kernel":  # the weights but for what is added
            changes["weights"] = {n: w if n in BIASES or n == "noise" else rounded(w, name)
                                  for n, w in c.weights.items()}
            continue
        given = getattr(c, what)
        if isinstance(given, dict):
            changes[what] = {n: rounded(w, name) if n != "noise" else w for n, w in given.items()}
        elif isinstance(given, tuple):
            changes[what] = tuple(rounded(x, name) for x in given)
        else:
            changes[what] = rounded(c.value(given), name)
    return c.changed(**changes)


def inside_coarse_bound(observations) -> str:
    """The format whose own rounding would explain every observation, and nothing finer; '' if none.

    The difference has to look like rounding: it is there nearly everywhere, its signs balance, and
    it is about as large as that precision's roundings are. And the bound has to say something: one
    as large as the numbers themselves explains any mistake.
    """
    for name, (bits, tiny) in FORMATS.items():
        rounding = Rounding(2.0**-bits, tiny)
        rounded_ones = [seen for seen in observations if seen.fails and not seen.exactly]
        if rounded_ones and all(_noise(seen, rounding) for seen in rounded_ones):
            return name
    return ""


def _informative(computation, result: Bounded) -> bool:
    """Whether the bound is at most a quarter of the number, for most of them; of a weight, of the
    step that it makes, for a bound as wide as the step explains any rule."""
    value = result.value
    if isinstance(computation, UpdateComputation):
        value = value - np.asarray(computation.weights[computation.position], np.float64)
    present = value != 0
    return bool(present.any() and np.median(result.bound[present]
                                            / np.abs(value[present])) <= 0.25)


def _noise(seen, rounding: Rounding) -> bool:
    result = seen.right.changed(rounding=rounding).evaluate()
    if result.shape != seen.made.shape or not _informative(seen.right, result):
        return False
    off = seen.made - result.value
    if not np.isfinite(off).all() or (np.abs(off) > result.bound).any():
        return False
    present = result.value != 0
    count = max(int(present.sum()), 1)
    typical = rounding.unit * np.abs(result.value[present])
    touched = (np.abs(off[present]) > 0).mean() if present.any() else 0.0
    balance = abs(np.sign(off[present] * result.value[present]).sum()) / np.sqrt(count)
    return bool(touched > 0.6 and balance < 3.5 and count >= 12
                and np.median(np.abs(off[present])) > 0.1 * np.median(typical))
