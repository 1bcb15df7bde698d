"""Activations whose formula is another one, each with the slope that belongs to it.

The slope is taken by the complex step, as for `loss_formulas`; what rounding may do is measured by
the size of the result and by how much it changes with the input.
"""

import numpy as np

from compare.diagnosis.hypotheses.activations import activation_name, alone, evaluated
from compare.diagnosis.hypotheses.loss_formulas import STEP, magnitude
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.running_error import Bounded
from compare.tracing.trace import WHOLE

ROUNDINGS = 32
SCALE = float(np.sqrt(2 / np.pi))  # of what is taken for GELU's error function


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _erf_to_seven_digits(z):
    """Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26."""
    size = magnitude(z)
    t = 1 / (1 + 0.3275911 * size)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (
        -1.453152027 + t * 1.061405429))))
    return np.sign(np.real(z)) * (1 - series * np.exp(-size * size))


def _gelu_by_tanh(cubic, scale=SCALE):
    return lambda z: z / 2 * (1 + np.tanh(scale * (z + cubic * z**3)))


def _selu(scale, alpha):
    def function(z):
        below = alpha * (np.exp(np.where(np.real(z) > 0, 0, z)) - 1)
        return scale * np.where(np.real(z) > 0, z, below)

    return function


def _softplus(beta, threshold=np.inf):
    """PyTorch's: log(1 + e^(beta z)) / beta, and z where beta z is above the threshold."""
    def function(z):
        size = magnitude(beta * z)
        soft = (np.where(np.real(z) > 0, beta * z, 0) + np.log(1 + np.exp(-size))) / beta
        return np.where(np.real(beta * z) > threshold, z, soft)

    return function


def _steep(factor):
    return lambda z: z * _sigmoid(factor * z)


# x g(x): what of its slope g(x) + x g'(x) is left where the other factor counts as a constant
GATES = {"silu": _sigmoid, "swish": _sigmoid,
         "gelu": lambda z: (1 + _erf_to_seven_digits(z / np.sqrt(2))) / 2}

FORMULAS = {  # by activation: (how it differs, function of complex numbers)
    "gelu": [
        ("an error function that is right to seven digits",
         lambda z: z / 2 * (1 + _erf_to_seven_digits(z / np.sqrt(2)))),
        ("approximated by tanh", _gelu_by_tanh(0.044715)),
        *((f"approximated by tanh, with {cubic} in place of 0.044715", _gelu_by_tanh(cubic))
          for cubic in (0.044, 0.0447, 0.045, 0.04, 0.44715, 0.0044715, 0.447, 0.04715, 0.044175)),
        *((f"approximated by tanh, with {said} in place of sqrt(2 / pi)",
           _gelu_by_tanh(0.044715, scale)) for said, scale in (
               ("0.8", 0.8), ("0.7978", 0.7978), ("0.79788", 0.79788), ("2 / pi", 2 / np.pi),
               ("sqrt(pi / 2)", np.sqrt(np.pi / 2)), ("sqrt(2) / pi", np.sqrt(2) / np.pi))),
        ("approximated by sigmoid(1.702 z)", _steep(1.702)),
        ("erf(z) for erf(z / sqrt 2)", lambda z: z / 2 * (1 + _erf_to_seven_digits(z)))],
    "selu": [
        ("1.05 and 1.67 for its constants", _selu(1.05, 1.67)),
        ("1.0507 and 1.6733 for its constants", _selu(1.0507, 1.6733)),
        ("without the scale", _selu(1.0, 1.6732632423543772)),
        ("without alpha", _selu(1.0507009873554805, 1.0))],
    "tanh": [
        ("1.7159 tanh(2 z / 3)", lambda z: 1.7159 * np.tanh(2 * z / 3)),
        ("tanh(z / 2)", lambda z: np.tanh(z / 2))],
    "sigmoid": [("sigmoid(-z)", lambda z: _sigmoid(-z)),
                ("sigmoid(2 z)", lambda z: _sigmoid(2 * z)),
                ("(1 + z / (1 + |z|)) / 2", lambda z: (1 + z / (1 + magnitude(z))) / 2)],
    "silu": [(f"z sigmoid({factor} z)", _steep(factor)) for factor in (1.702, 2, 0.5)],
    "softplus": [*((f"log(1 + exp({beta} z)) / {beta}", _softplus(beta))
                   for beta in (2, 0.5, 3, 5, 10)),
                 *((f"z itself above a threshold of {threshold}", _softplus(1, threshold))
                   for threshold in (1, 2, 3, 5, 10))],
    "mish": [("z tanh(sigmoid(z))", lambda z: z * np.tanh(_sigmoid(z))),
             ("z tanh(z)", lambda z: z * np.tanh(z))],
}


def of_gates(c) -> list[Variant]:
    """For x g(x): a gradient in which one of the two factors counts as a constant."""
    name = activation_name(c)
    if name not in GATES or c.tensor != "input_gradient" or c.part == WHOLE:
        return []
    return [inside("gradient-part-missing", "the slope of g in x g(x) is left out",
                   lambda c: c.changed(own=lambda c: _gate(c, GATES[name]))),
            inside("gradient-part-missing", "of x g(x) only the slope of g is there",
                   lambda c: c.changed(own=lambda c: _less_gate(c, GATES[name])))]


def of_activation_formulas(c) -> list[Variant]:
    """Other formulas, and other slopes."""
    name = activation_name(c)
    formulas = FORMULAS.get(str(name).lower().removesuffix("operation"), ())
    found = [inside("activation-other", f"{name}: {said}", lambda c, f=function: c.changed(
        own=lambda c: computed(c, f))) for said, function in formulas]
    if c.tensor != "input_gradient" or c.part == WHOLE:
        return found
    if name == "tanh":
        one = np.float64(1)
        found.append(inside("activation-other", "the slope is 1 - y in place of 1 - y^2",
                            lambda c: c.changed(own=lambda c: c.exact(c.dy) * (
                                c.exact(one) - _output(c)))))
    for least in (2.0**-10, -2.0**-10):  # what is taken for -z where z is 0
        found.append(inside("mask-inverted", "the slope is that of -z in place of z",
                            lambda c, least=least: c.changed(own=lambda c: evaluated(
                                c, np.where(c.x == 0, least, -np.asarray(c.x))))))
    return found


def _gate(c, function) -> Bounded:
    dy, z = c.exact(c.dy), alone(c)[1]
    made = np.real(function(z.value + 0j))
    room = z.rounding.gamma(ROUNDINGS) * np.abs(dy.value)
    return Bounded(dy.value * made, z.rounding, room + z.rounding.tiny)


def _less_gate(c, function) -> Bounded:
    right, gate = c.changed(own=None).evaluate(), _gate(c, function)
    return Bounded(right.value - gate.value, right.rounding, right.bound + gate.bound)


def _output(c) -> Bounded:
    oracle, x, weights = alone(c)
    return oracle.forward(x, weights)


def computed(c, function) -> Bounded:
    """The formula's output or, of an activation by itself, its gradient."""
    if c.part == WHOLE and c.tensor != "output":
        raise ValueError("Expected an output, or an activation by itself. Received: a gradient")
    z = alone(c)[1]
    moved = function(z.value + 1j * STEP)
    value, slope = np.real(moved), np.imag(moved) / STEP
    gamma = z.rounding.gamma(ROUNDINGS)
    if c.tensor == "output":
        # 1 + tanh and the like lose digits where they come close to 0
        inner = z.rounding.gamma(1) * np.minimum(np.abs(z.value), 1) / 2
        room = (gamma * (np.abs(value) + np.abs(slope * z.value)) + inner
                + np.abs(slope) * z.bound)
        return Bounded(value, z.rounding, room + z.rounding.tiny)
    dy = np.asarray(c.dy, np.float64)
    return Bounded(dy * slope, z.rounding, gamma * np.abs(dy) * (np.abs(slope) + 1))
