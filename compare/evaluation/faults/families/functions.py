"""Faults of operations between layers that are functions of each number."""

import numpy as np

from compare.evaluation.faults.families.making import of_operations
from compare.evaluation.faults.injection import activation, input_gradient, output, patched
from compare.evaluation.faults.networks import VECTOR, around
from scratch import activations

OUT, DX = "output", "input_gradient"
OTHER, LIMITS, NUMBER = "function-other", "clip-missing", "number-other"


def of(kind, **settings):
    return around(f"{kind}Operation", VECTOR, batch=3, **settings)


EXP, SQUARE, ABSOLUTE = of("Exp"), of("Square"), of("Absolute")
ABOVE_ZERO = [("SoftplusOperation", {}), ("AddOperation", {"operands": [None, 0.25]})]
LOG, SQRT, RSQRT = (of(kind, between=ABOVE_ZERO) for kind in ("Log", "Sqrt", "Rsqrt"))
TAKEN, OVER, LEAST = (of(kind, operands=operands) for kind, operands in (
    ("Subtract", [0.5, None]), ("TrueDivide", [None, 3.0]), ("Maximum", [None, 0.25])))
PLUS, TIMES = of("Add", operands=[None, 3.0]), of("Multiply", operands=[None, 0.25])
CUBE = of("Power", operands=[None, 3])
CLIP = of("Clip", x_min=-0.5, x_max=0.25)
GELU = of("Gelu", approximate=True)
ELU, LEAKY = of("Elu", alpha=0.5), of("LeakyRelu", negative_slope=0.1)
SOFTMAX = around("SoftmaxOperation", batch=3, axis=-1)
RELU6, NEGATIVE = of("Relu6"), of("Negative")


def made(function):
    """The output is another function of the input."""
    return output(lambda layer, y, x: function(x))


def sloped(function):
    """The gradient is another function (dy, x, y)."""
    return lambda layer: patched(layer, slope=lambda self, right, dy, x, y: function(dy, x, y))


def sent(function):
    """The gradient is a function of dx and dy."""
    return input_gradient(lambda layer, dx, dy: function(dx, dy))


def everywhere(dx, dy):
    return dy


TABLE = [
    ("Add", "number-missing", "the number is not added", PLUS, OUT, NUMBER, made(lambda x: x)),
    ("Add", "number-negated", "the number is taken off", PLUS, OUT, NUMBER,
     made(lambda x: x - 3)),
    ("Multiply", "number-divided", "divided by the number", TIMES, OUT, "scale",
     made(lambda x: x / 0.25), (NUMBER,)),
    ("Multiply", "number-dx", "the gradient is not multiplied by the number", TIMES, DX,
     "gradient-passed-on", sent(everywhere), ("scale",)),
    ("Subtract", "number-other-way", "the number is taken off the tensor", TAKEN, OUT, "sign",
     made(lambda x: x - 0.5), ("inputs-swapped",)),
    ("Subtract", "number-dx-sign", "the gradient is not negated", TAKEN, DX, "sign",
     sent(everywhere), ("gradient-passed-on",)),
    ("TrueDivide", "number-other-way", "the number is divided by the tensor", OVER, OUT,
     "inputs-swapped", made(lambda x: 3 / x)),
    ("TrueDivide", "number-dx-product", "the gradient is multiplied by the number", OVER, DX,
     "scale", sent(lambda dx, dy: dy * 3), (NUMBER,)),
    ("Maximum", "number-smaller", "the smaller of the two", LEAST, OUT, "merge-other",
     made(lambda x: np.minimum(x, 0.25))),
    ("Maximum", "number-zero", "never below 0, not the number", LEAST, OUT, NUMBER,
     made(lambda x: np.maximum(x, 0)), ("activation-other",)),
    ("Maximum", "number-dx-everywhere", "the gradient passes where the number is larger", LEAST, DX,
     "mask-missing", sent(everywhere), ("gradient-passed-on", "merge-other")),
    ("Negative", "dx-sign", "the gradient is not negated", NEGATIVE, DX, "sign", sent(everywhere),
     ("gradient-passed-on",)),
    ("Clip", "above-alone", "only what is too large is clipped", CLIP, OUT, LIMITS,
     made(lambda x: np.minimum(x, 0.25))),
    ("Clip", "not-at-all", "nothing is clipped", CLIP, OUT, LIMITS, made(lambda x: x)),
    ("Clip", "symmetric", "clipped to the same limit on both sides", CLIP, OUT, LIMITS,
     made(lambda x: np.clip(x, -0.5, 0.5))),
    ("Clip", "dx-everywhere", "the gradient passes beyond the limits", CLIP, DX, "mask-missing",
     sent(everywhere), (LIMITS, "gradient-passed-on")),
    ("Exp", "base", "powers of 2 in place of e", EXP, OUT, OTHER, made(np.exp2)),
    ("Exp", "less-one", "exp(x) - 1", EXP, OUT, OTHER, made(np.expm1)),
    ("Exp", "dx-passed-on", "the gradient is not multiplied by exp(x)", EXP, DX,
     "gradient-passed-on", sloped(lambda dy, x, y: dy), ("activation-missing",)),
    ("Exp", "dx-times-x", "the gradient is multiplied by x", EXP, DX, OTHER,
     sloped(lambda dy, x, y: dy * x), ("mask-wrong-tensor",)),
    ("Log", "base", "the logarithm of base 2", LOG, OUT, OTHER, made(np.log2), ("scale",)),
    ("Log", "plus-one", "log(1 + x)", LOG, OUT, OTHER, made(np.log1p)),
    ("Log", "dx-times-x", "the gradient is multiplied by x, not divided", LOG, DX, OTHER,
     sloped(lambda dy, x, y: dy * x), ("mask-wrong-tensor",)),
    ("Log", "dx-of-output", "the gradient is divided by the logarithm", LOG, DX, OTHER,
     sloped(lambda dy, x, y: dy / y)),
    ("Sqrt", "square", "the square, not the root", SQRT, OUT, OTHER, made(np.square)),
    ("Sqrt", "dx-without-half", "the gradient lacks the half", SQRT, DX, "scale",
     sloped(lambda dy, x, y: dy / y), (OTHER,)),
    ("Sqrt", "dx-of-input", "the gradient is divided by x, not by its root", SQRT, DX, OTHER,
     sloped(lambda dy, x, y: dy / 2 / x)),
    ("Rsqrt", "root", "the root, not its reciprocal", RSQRT, OUT, OTHER, made(np.sqrt)),
    ("Rsqrt", "reciprocal", "1 / x, without the root", RSQRT, OUT, OTHER,
     made(lambda x: 1 / x)),
    ("Rsqrt", "dx-sign", "the gradient is not negated", RSQRT, DX, "sign",
     sloped(lambda dy, x, y: dy / 2 * y**3)),
    ("Rsqrt", "dx-squared", "the gradient has the square of the output, not its cube", RSQRT, DX,
     OTHER, sloped(lambda dy, x, y: -dy / 2 * y**2)),
    ("Square", "absolute", "the magnitude in place of the square", SQUARE, OUT, OTHER,
     made(np.abs)),
    ("Square", "cube", "the third power", SQUARE, OUT, OTHER, made(lambda x: x**3)),
    ("Square", "dx-without-two", "the gradient lacks the 2", SQUARE, DX, "scale",
     sloped(lambda dy, x, y: dy * x), (OTHER,)),
    ("Square", "dx-of-output", "the gradient is multiplied by the square", SQUARE, DX, OTHER,
     sloped(lambda dy, x, y: dy * 2 * y), ("mask-wrong-tensor",)),
    ("Absolute", "as-it-is", "the sign stays", ABSOLUTE, OUT, OTHER, made(lambda x: x)),
    ("Absolute", "rectified", "what is negative becomes 0", ABSOLUTE, OUT, OTHER,
     made(lambda x: np.maximum(x, 0)), ("activation-other",)),
    ("Absolute", "dx-passed-on", "the gradient is not multiplied by the sign", ABSOLUTE, DX,
     "gradient-passed-on", sloped(lambda dy, x, y: dy)),
    ("Absolute", "dx-at-zero", "at 0 the gradient passes", ABSOLUTE, DX, "activation-kink",
     sloped(lambda dy, x, y: np.where(x < 0, -dy, dy))),
    ("Absolute", "dx-rectified", "the gradient of negative numbers is lost", ABSOLUTE, DX, OTHER,
     sloped(lambda dy, x, y: dy * (x > 0))),
    ("Power", "square", "the second power in place of the third", CUBE, OUT, NUMBER,
     made(np.square), (OTHER,)),
    ("Power", "product", "times the exponent in place of to its power", CUBE, OUT, "merge-other",
     made(lambda x: 3 * x), (OTHER,)),
    ("Power", "dx-without-exponent", "the gradient lacks the exponent", CUBE, DX, "scale",
     sloped(lambda dy, x, y: dy * x * x)),
    ("Power", "dx-same-power", "the exponent does not go down by one", CUBE, DX, OTHER,
     sloped(lambda dy, x, y: dy * 3 * x**3)),
    ("Gelu", "exact", "the error function, not the approximation", GELU, OUT, "activation-other",
     made(activations.get("gelu").function)),
    ("Gelu", "steeper", "the sigmoid of 1.702 x", GELU, OUT, "activation-other",
     made(lambda x: x / (1 + np.exp(-1.702 * x)))),
    ("Elu", "alpha", "alpha is 1", ELU, OUT, "activation-other",
     made(lambda x: np.where(x > 0, x, np.expm1(x)))),
    ("LeakyRelu", "slope", "the slope is another one", LEAKY, OUT, "activation-other",
     made(lambda x: np.where(x > 0, x, 0.2 * x))),
    ("Softmax", "axis", "along the columns, not the channels", SOFTMAX, OUT, "softmax-axis",
     made(lambda x: np.exp(x) / np.exp(x).sum(2, keepdims=True))),
    ("Softmax", "dx-diagonal", "of the Jacobian the diagonal alone", SOFTMAX, DX,
     "softmax-jacobian-missing", activation(slope=lambda dy, z, y: dy * y * (1 - y))),
    ("Relu6", "relu", "nothing is cut off at 6", RELU6, OUT, "activation-other",
     made(lambda x: np.maximum(x, 0))),
]


def faults():
    """All of them."""
    return of_operations(TABLE)
