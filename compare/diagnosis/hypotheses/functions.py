"""Mistakes of operations between layers that are functions of each number, or of a number and the
one that is given to them."""

import numpy as np

from compare.diagnosis.hypotheses.activation_formulas import computed
from compare.diagnosis.hypotheses.loss_formulas import magnitude
from compare.diagnosis.hypotheses.weight_gradients import of_passing_on
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.activation_operations import Clip
from compare.oracle.layers.functions_of_each import (
    Absolute,
    Exp,
    Log,
    Power,
    Rsqrt,
    Sqrt,
    Square,
)
from compare.oracle.layers.operations import Binary

OTHER, NUMBER, LIMITS = "function-other", "number-other", "clip-missing"
OF_EACH = (Absolute, Exp, Log, Power, Rsqrt, Sqrt, Square)
BINARY = ("AddOperation", "SubtractOperation", "MultiplyOperation", "TrueDivideOperation",
          "MaximumOperation", "MinimumOperation")
FUNCTIONS = {  # of complex numbers
    "x itself": lambda z: z, "x^2": lambda z: z * z, "x^3": lambda z: z**3,
    "x^4": lambda z: z**4, "|x|": magnitude, "-|x|": lambda z: -magnitude(z),
    "max(x, 0)": lambda z: np.where(np.real(z) > 0, z, 0), "2 x": lambda z: 2 * z,
    "3 x": lambda z: 3 * z, "exp(x)": np.exp, "2^x": lambda z: np.exp(z * np.log(2)),
    "10^x": lambda z: np.exp(z * np.log(10)), "exp(x) - 1": lambda z: np.exp(z) - 1,
    "exp(-x)": lambda z: np.exp(-z), "log(x)": np.log, "log(1 + x)": lambda z: np.log(1 + z),
    "log of base 2": lambda z: np.log(z) / np.log(2),
    "log of base 10": lambda z: np.log(z) / np.log(10),
    "log|x|": lambda z: np.log(magnitude(z)), "sqrt(x)": np.sqrt,
    "sqrt(|x|)": lambda z: np.sqrt(magnitude(z)), "1 / x": lambda z: 1 / z,
    "1 / sqrt(x)": lambda z: 1 / np.sqrt(z), "1 / x^2": lambda z: 1 / z**2,
}


def of_functions(c) -> list[Variant]:
    """Everything about exp, log, roots, squares, magnitudes, powers, clip, and numbers."""
    if isinstance(c.layer, Clip):
        return _of_limits(c)
    if isinstance(c.layer, Binary) and not isinstance(c.x, tuple):
        return _of_numbers(c)
    if not isinstance(c.layer, OF_EACH) or c.tensor not in ("output", "input_gradient"):
        return []
    back = c.tensor == "input_gradient"
    found = of_passing_on(c) + (_of_exponents(c) if isinstance(c.layer, Power) else [])
    found += [inside(OTHER, said, lambda c, f=function: c.changed(own=lambda c: computed(c, f)))
              for said, function in FUNCTIONS.items() if not (back and said == "x itself")]
    return found + (_of_slopes(c) if back else [])


def _of_slopes(c) -> list[Variant]:
    """The gradient times something else than the slope."""
    def times(said, factor):
        return inside(OTHER, f"dy times {said}", lambda c: c.changed(
            own=lambda c: c.exact(c.dy) * factor(c)))

    def output(c):
        return c.changed(own=None, tensor="output").evaluate()

    def x(c):
        return c.exact(c.x)

    def one(c):
        return c.exact(np.float64(1))

    ways = [("x", x), ("the output", output), ("twice the output", lambda c: output(c) * 2.0),
            ("the output's square", lambda c: output(c) * output(c)),
            ("half the output's square, negated", lambda c: output(c) * output(c) * -0.5),
            ("1 / the output", lambda c: one(c) / output(c)), ("1 / x", lambda c: one(c) / x(c)),
            ("1 / 2 x", lambda c: one(c) * 0.5 / x(c))]
    if isinstance(c.layer, Power):
        ways.append(("the exponent and the output", lambda c: output(c) * c.exact(
            np.float64(c.config["operands"][1]))))
    return [times(*way) for way in ways]


def _of_exponents(c) -> list[Variant]:
    own = float(c.config["operands"][1])
    others = dict.fromkeys([own - 1, own + 1, -own, 1 / own if own else 1.0, 2.0, 3.0, 0.5, 1.0])
    return [inside(NUMBER, f"the exponent {other:g}", lambda c, n=other: c.configured(
        operands=[None, n])) for other in others if other != own]


def _of_limits(c) -> list[Variant]:
    low, high = c.config["x_min"], c.config["x_max"]
    far = 3e38
    limits = {"not at all": (-far, far), "above alone": (-far, high), "below alone": (low, far)}
    if max(abs(low), abs(high)) > 0:
        size = max(abs(low), abs(high))
        limits.update({"to the larger limit on both sides": (-size, size),
                       "to the lower limit on both sides": (-abs(low), abs(low)),
                       "to the upper limit on both sides": (-abs(high), abs(high)),
                       "from 0 on": (0.0, high), "up to 0": (low, 0.0)})
    found = [inside(LIMITS, said, lambda c, a=a, b=b: c.configured(x_min=a, x_max=b))
             for said, (a, b) in limits.items() if (a, b) != (low, high) and a <= b]
    if c.tensor != "output":
        return found

    def ends(made) -> tuple[float, float]:
        return float(np.min(made)), float(np.max(made))

    return [*found, Variant(LIMITS, lambda steps: "from {:.6g} to {:.6g}".format(
        *ends(steps[0][1])), lambda c, made: c.configured(x_min=ends(made)[0],
                                                          x_max=ends(made)[1]))]


def _of_numbers(c) -> list[Variant]:
    """Another number, the two the other way round, or another operation with it."""
    own = c.config["operands"]
    number = float(next(n for n in own if n is not None))

    def with_number(n):
        return [None if operand is None else n for operand in own]

    found = of_passing_on(c)
    found.append(inside("inputs-swapped", "the number and the tensor",
                        lambda c: c.configured(operands=own[::-1])))
    if c.class_name in ("SubtractOperation", "TrueDivideOperation"):
        found.insert(0, inside("sign", "all of it", lambda c: c.then(lambda r: -r)))
    others = dict.fromkeys([-number, 0.0, 1.0, -1.0, 1 / number if number else 0.0, 2 * number,
                            number / 2])
    found += [inside(NUMBER, f"{other:g} in place of {number:g}", lambda c, n=other: c.configured(
        operands=with_number(n))) for other in others if other != number]
    found += [inside("merge-other", name.removesuffix("Operation"),
                     lambda c, n=name: c.changed(class_name=n))
              for name in BINARY if c.class_name != name]
    if c.tensor == "input_gradient" and c.class_name in (
            "MaximumOperation", "MinimumOperation"):
        found.append(inside("mask-missing", "the gradient passes everywhere",
                            lambda c: c.changed(own=lambda c: c.exact(c.dy))))
    return found
