"""The activations once more, number by number, from Python's math module and the definitions."""

import math

import numpy as np

from tests.scratch.support.oracles import Sums


def softplus(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def clip(x, low, high):
    return min(max(x, low), high)


def exponential_less_one(x):
    return x if x > 0 else math.expm1(x)


def selu(x):
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return scale * (x if x > 0 else alpha * math.expm1(x))


def gelu(x):
    """With the square root of 1/2 as float32 holds it, which is what TensorFlow takes."""
    return 0.5 * x * math.erfc(-x * 0.707106769084930419921875)


def sparse_plus(x):
    return 0.0 if x <= -1 else x if x >= 1 else (x + 1)**2 / 4


FUNCTIONS = {
    "linear": lambda x: x,
    "relu": lambda x: max(x, 0.0),
    "relu6": lambda x: clip(x, 0.0, 6.0),
    "leaky_relu": lambda x: x if x > 0 else 0.20000000298023223876953125 * x,  # float32's 0.2
    "elu": exponential_less_one,
    "selu": selu,
    "celu": exponential_less_one,
    "gelu": gelu,
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * math.tanh(softplus(x)),
    "sigmoid": sigmoid,
    "hard_sigmoid": lambda x: clip(x + 3, 0.0, 6.0) / 6,
    "hard_silu": lambda x: x * clip(x + 3, 0.0, 6.0) / 6,
    "log_sigmoid": lambda x: -softplus(-x),
    "tanh": math.tanh,
    "hard_tanh": lambda x: clip(x, -1.0, 1.0),
    "tanh_shrink": lambda x: x - math.tanh(x),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + abs(x)),
    "squareplus": lambda x: (x + math.sqrt(x * x + 4)) / 2,
    "exponential": math.exp,
    "hard_shrink": lambda x: x if abs(x) > 0.5 else 0.0,
    "soft_shrink": lambda x: math.copysign(abs(x) - 0.5, x) if abs(x) > 0.5 else 0.0,
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": lambda x: clip((x + 1) / 2, 0.0, 1.0),
}

# Where the slope jumps or turns a corner, and what TensorFlow passes back there of a gradient of 1.
KINKS = {
    ("relu", 0): 0, ("relu6", 0): 0, ("relu6", 6): 0, ("leaky_relu", 0): 0.20000000298023224,
    ("elu", 0): 1, ("selu", 0): 1.0507009873554805, ("celu", 0): 2, ("hard_sigmoid", -3): 0,
    ("hard_sigmoid", 3): 0, ("hard_silu", -3): 0, ("hard_silu", 3): 1, ("hard_tanh", -1): 1,
    ("hard_tanh", 1): 1, ("hard_shrink", -0.5): 0, ("hard_shrink", 0.5): 0,
    ("soft_shrink", -0.5): 0, ("soft_shrink", 0.5): 0, ("sparse_plus", -1): 0,
    ("sparse_plus", 1): 1, ("softsign", 0): 1, ("sparse_sigmoid", -1): 0, ("sparse_sigmoid", 1): 0,
}


def slope(name, x, step=1e-5):
    """The function's derivative at x by central differences, good to about 1e-9; None at a kink."""
    function = FUNCTIONS[name]
    if any(name == kinked and abs(x - at) <= 2 * step for kinked, at in KINKS):
        return None
    return (8 * (function(x + step) - function(x - step))
            - (function(x + 2 * step) - function(x - 2 * step))) / (12 * step)


def prelu(x, alpha, dy):
    """Sums of y, dx and dalpha; alpha's axes of size 1 are shared."""
    y, dx, dalpha = Sums(x.shape), Sums(x.shape), Sums(alpha.shape)
    for at in np.ndindex(*x.shape):
        own = tuple(i if n > 1 else 0 for i, n in zip(at[1:], alpha.shape))
        if x[at] > 0:
            y.add(at, x[at])
            dx.add(at, dy[at])
        elif x[at] < 0:
            y.add(at, alpha[own] * x[at])
            dx.add(at, alpha[own] * dy[at])
            dalpha.add(own, x[at] * dy[at])
    return y, dx, dalpha
