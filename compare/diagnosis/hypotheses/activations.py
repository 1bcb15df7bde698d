"""Mistakes in activations: missing, applied twice, another one; masks from the wrong numbers."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.base import Activation, Chain, Oracle
from compare.oracle.layers.softmax import LogSoftmax, Softmax
from compare.oracle.registry import ACTIVATIONS, LAYERS
from compare.oracle.running_error import Bounded
from compare.tracing.trace import WHOLE

SOFTMAXES = (Softmax, LogSoftmax)


def activation_name(c) -> str | None:
    """The activation that is computed, or the class of the layer that is one; None for none."""
    if issubclass(LAYERS.get(c.class_name, Oracle), Activation):
        return c.class_name
    named = c.config.get("activation")
    if c.part not in ("", WHOLE) and not isinstance(named, dict):
        named = c.part
    if c.class_name != "Activation" and c.part == "":
        return None
    return named["class_name"] if isinstance(named, dict) else named or "linear"


def other(c, named):
    """The computation with another activation: a name, or (class, settings)."""
    if isinstance(named, tuple):
        named = {"class_name": named[0], "config": named[1]}
    if c.part == WHOLE:
        return c.configured(activation=named)
    return c.changed(class_name="Activation", part="", config={"activation": named})


def alone(c):
    """The activation's oracle after its forward pass, and its input as `Bounded`."""
    oracle, x = c.oracle(), c.exact(c.x)
    weights = {name: c.exact(w) for name, w in c.weights.items()}
    if isinstance(oracle, Chain):
        x = oracle.oracles[0].forward(x, weights)
        oracle = oracle.oracles[1]
    return oracle, x, weights


def of_presence(c) -> list[Variant]:
    """Left out, or done twice."""
    name, right = activation_name(c), c.activation
    soft = isinstance(right, SOFTMAXES)

    def twice(c):
        def again(result):
            oracle, _, weights = alone(c)
            return oracle.forward(result, weights)

        return c.then(again)

    if c.tensor == "output":
        return [inside("activation-missing", f"no {name}", lambda c: other(c, "linear")),
                inside("softmax-twice" if soft else "activation-twice", name or "", twice)]
    if c.tensor != "input_gradient" or c.part == WHOLE:
        return []
    missing = ("softmax-jacobian-missing" if soft
               else "mask-missing" if right.masks else "activation-missing")

    def squared(c):
        oracle, x, weights = alone(c)
        oracle.forward(x, weights)
        return oracle.backward(oracle.backward(c.exact(c.dy))[0])[0]

    def chained(c):
        first, x, weights = alone(c)
        second = c.oracle()
        second.forward(first.forward(x, weights), weights)
        return first.backward(second.backward(c.exact(c.dy))[0])[0]

    found = [inside(missing, "the gradient passes as it comes",
                    lambda c: c.changed(own=lambda c: c.exact(c.dy)))]
    named = "softmax-twice" if soft else "activation-twice"
    return found + [inside(named, "its gradient is applied twice",
                           lambda c: c.changed(own=squared)),
                    inside(named, "the gradient of having it twice",
                           lambda c: c.changed(own=chained))]


def of_masks(c) -> list[Variant]:
    """A gradient let through where it should be stopped, or decided by other numbers."""
    name, right = activation_name(c), c.activation
    if c.tensor != "input_gradient" or c.part == WHOLE or isinstance(right, SOFTMAXES):
        return []
    found = []

    def of(identifier, detail, function):
        found.append(inside(identifier, detail, lambda c: c.changed(own=function)))

    if right.masks:
        of("mask-inverted", "what should be stopped passes, and the other way round", inverted)
    of("mask-wrong-tensor", "it is decided by the gradient that comes in",
       lambda c: evaluated(c, c.dy))
    of("mask-wrong-tensor", "it is taken at the output in place of the input",
       lambda c: evaluated(c, alone_output(c)))
    for step in (1, -1):
        of("mask-wrong-tensor", "it is another sample's",
           lambda c, step=step: evaluated(c, np.roll(c.x, step, axis=0)))
    of("mask-wrong-tensor", "the gradient is multiplied by the input", times_input)
    of("mask-wrong-tensor", "the gradient is multiplied by the output",
       lambda c: c.exact(c.dy) * alone_bounded(c))
    if name == "sigmoid":
        of("mask-wrong-tensor", "x (1 - x), of the input in place of the output",
           lambda c: c.exact(c.dy) * c.exact(c.x) * (c.exact(np.float64(1)) - c.exact(c.x)))
    if name != "tanh":
        of("mask-wrong-tensor", "1 - y of the output y",
           lambda c: c.exact(c.dy) * (c.exact(np.float64(1)) - alone_bounded(c)))
    else:
        of("mask-wrong-tensor", "1 - x^2, of the input in place of the output",
           lambda c: c.exact(c.dy) * (c.exact(np.float64(1)) - c.exact(c.x) * c.exact(c.x)))
    if right.kinks:
        for share, what in ((1.0, "the gradient passes"), (0.0, "the gradient is stopped"),
                            (0.5, "half of the gradient passes")):
            of("activation-kink", f"at a kink {what}", lambda c, s=share: at_kinks(c, s))
        for kinks in dict.fromkeys([tuple(right.kinks), *[(kink,) for kink in right.kinks]]):
            for steeper, what in ((True, "steeper"), (False, "flatter")):
                of("activation-kink", f"at {' and '.join(f'{k:g}' for k in kinks)} the slope is "
                   f"that of the {what} side",
                   lambda c, k=kinks, steeper=steeper: beside_kinks(c, k, steeper))
        for side, what in ((-1, "lower"), (1, "upper")):  # as PyTorch's PReLU has it at 0
            of("activation-kink", f"at a kink the slope is that of the {what} side",
               lambda c, side=side: on_one_side(c, side))
    return found


def alone_bounded(c) -> Bounded:
    oracle, x, weights = alone(c)
    return oracle.forward(x, weights)


def alone_output(c) -> np.ndarray:
    return alone_bounded(c).value


def evaluated(c, x) -> Bounded:
    """The gradient at another input."""
    oracle = c.oracle()
    oracle.forward(c.exact(x), {name: c.exact(w) for name, w in c.weights.items()})
    return oracle.backward(c.exact(c.dy))[0]


def inverted(c) -> Bounded:
    """dy less what should pass of it."""
    dy, right = c.exact(c.dy), c.changed(own=None).evaluate()
    return Bounded(dy.value - right.value, dy.rounding, right.bound)


def times_input(c) -> Bounded:
    return c.exact(c.dy) * c.exact(c.x)


def at_kinks(c, share: float) -> Bounded:
    """The right gradient, but that share of it where the input is exactly at a kink."""
    right = c.changed(own=None).evaluate()
    value = np.where(np.isin(c.x, c.activation.kinks), share * np.asarray(c.dy, np.float64),
                     right.value)
    return Bounded(value, right.rounding, right.bound)


def on_one_side(c, side: int) -> Bounded:
    """The gradient with the slope below (-1) or above (1) wherever the input is at a kink."""
    x = np.asarray(c.x, np.float64)
    return evaluated(c, np.where(np.isin(x, c.activation.kinks), x + side * 2.0**-10, x))


def beside_kinks(c, kinks: tuple, steeper: bool) -> Bounded:
    """The gradient with the slope of one side of a kink wherever the input is exactly at one."""
    x = np.asarray(c.x, np.float64)
    at = np.isin(x, kinks)
    below, above = (evaluated(c, np.where(at, x + side * 2.0**-10, x)) for side in (-1, 1))
    first = (np.abs(below.value) > np.abs(above.value)) == steeper
    return Bounded(np.where(first, below.value, above.value), below.rounding,
                   np.maximum(below.bound, above.bound))


def of_settings(c) -> list[Variant]:
    """A rectifier one of whose settings is ignored."""
    if activation_name(c) != "ReLU" or c.class_name != "ReLU":
        return []
    return [inside("activation-other", f"ReLU without {key}",
                   lambda c, k=key, p=plain: c.configured(**{k: p}))
            for key, plain in (("max_value", None), ("negative_slope", 0.0), ("threshold", 0.0))
            if c.config.get(key) not in (plain, None)]


def of_others(c) -> list[Variant]:
    """Another activation, or the same with other settings."""
    name, found = activation_name(c), []

    def say(detail, named):
        found.append(inside("activation-other", detail, lambda c: other(c, named)))

    # where two are the same on all numbers, such as elu and celu, the shorter name is the commoner
    for known in ("relu", *sorted(ACTIVATIONS, key=lambda known: (len(known), known))):
        if known not in (name, "linear") and not (known == "relu" and name == "ReLU"):
            say(known, known)
    if name != "gelu" and c.part != WHOLE:
        found.append(inside("activation-other", "gelu, made of 1 + erf", _lossy_gelu))
    for slope in (0.01, 0.1, 0.2, 0.3, 0.25, 0.001):
        say(f"leaky_relu with negative_slope {slope}", ("LeakyReLU", {"negative_slope": slope}))
    for alpha in (0.1, 0.2, 0.3, 0.5, 2.0):
        say(f"elu of alpha {alpha}", ("ELU", {"alpha": alpha}))
    for most in (1.0, 6.0, 20.0):
        say(f"relu up to {most:g}", ("ReLU", {"max_value": most}))
    found.append(Variant("activation-other", lambda steps: _leaky_name(_slope(*steps[0])), _leaky))
    for most in KEPT if c.part != WHOLE else ():
        found.append(inside("activation-other", f"its input is kept within {most}",
                            lambda c, m=most: c.changed(x=np.clip(c.value(c.x), -m, m))))
    if c.tensor == "output" and c.part != WHOLE:
        for detail, function in APPROXIMATIONS.items():
            found.append(inside("activation-other", detail, lambda c, f=function: c.changed(
                own=lambda c: f(c.exact(c.x)))))
    return found


def _lossy_gelu(c):
    """As PyTorch has it: 1 + erf is off by a unit beside 1, however small it is."""
    def loosened(right: Bounded) -> Bounded:
        size = np.abs(np.asarray(c.x, np.float64))
        if c.tensor != "output":
            size = np.abs(np.asarray(c.dy, np.float64)) * (1 + size)
        return Bounded(right.value, right.rounding, right.bound + right.rounding.gamma(4) * size)

    return other(c, "gelu").then(loosened)


def _slope(c, made) -> float:
    """The slope below zero that was used."""
    if c.part == WHOLE:
        raise ValueError("Expected an activation by itself. Received: a whole layer")
    below = np.asarray(c.x) < 0
    base = np.asarray(c.x if c.tensor == "output" else c.dy, np.float64)[below]
    if not base.any() or made.shape != np.shape(c.x):
        raise ValueError("Expected numbers below zero. Received: none")
    slope = float(np.float32((base * made[below]).sum() / (base * base).sum()))
    if abs(slope - 1) < 1e-6:
        raise ValueError("Expected a slope that changes something. Received: 1")
    return slope


def _leaky_name(slope: float) -> str:
    return "abs" if slope == -1 else f"leaky_relu with negative_slope {slope:.6g}"


def _leaky(c, made):
    return other(c, ("LeakyReLU", {"negative_slope": _slope(c, made)}))


APPROXIMATIONS = {
    "hard_sigmoid as min(max(0.2 x + 0.5, 0), 1)": lambda x: (x * 0.2 + 0.5).clip(0.0, 1.0),
    "the absolute value": lambda x: Bounded(np.abs(x.value), x.rounding, x.error),
    "the square": lambda x: x * x,
    "min(x, 0)": lambda x: x.clip(-np.inf, 0.0),
}


KEPT = (5, 10, 15, 20, 30, 50, 60, 80, 88, 100, 500, 700)  # from -n to n, lest exp overflow
EPSILONS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)


def _with_epsilon(c, axes, epsilon: float) -> Bounded:
    """A softmax whose denominator has something added."""
    x = c.exact(c.x)
    shifted = x - c.exact(x.value.max(axis=axes, keepdims=True))
    exponentials = shifted.exp()
    return exponentials / (exponentials.sum(axis=axes, keepdims=True) + epsilon)


def of_softmax(c) -> list[Variant]:
    """Along another axis, at another temperature, or with part of its Jacobian only."""
    name = activation_name(c)
    if not isinstance(c.activation, Softmax):
        return []
    rank = np.ndim(c.x)
    found = []
    own = c.config.get("axis", -1) if name == "Softmax" else -1
    own_axes = tuple(a % rank for a in (own if isinstance(own, (list, tuple)) else [own]))
    if c.part != WHOLE or c.tensor == "output":  # layers with one inside keep the number of axes
        axes = [(a,) for a in range(rank)] + [tuple(range(rank)), tuple(range(1, rank))]
        for along in dict.fromkeys(axes):
            if along and along != own_axes:
                said = "over the batch" if along == (0,) else f"along axes {along}"
                found.append(inside("softmax-axis", said, lambda c, a=along: other(
                    c, ("Softmax", {"axis": list(a)}))))
        if 0 not in own_axes:
            def scaled(c):
                n = float(np.shape(c.x)[0])
                c = other(c, ("Softmax", {"axis": list(range(np.ndim(c.x)))}))
                return c.then(lambda r: r * n)

            found.append(inside("softmax-axis", "over the whole batch, times N", scaled))
    if c.tensor == "output" and c.part != WHOLE:
        found += [inside("epsilon", f"{e:g} is added to the denominator", lambda c, e=e: c.changed(
            own=lambda c: _with_epsilon(c, own_axes, e))) for e in EPSILONS]
        found.append(inside("activation-other", "the logarithms of the softmax", lambda c:
                            c.changed(own=lambda c: _logarithms(c, own_axes))))
        found.append(inside("activation-other", "not divided by the sum", lambda c: c.changed(
            own=lambda c: (c.exact(c.x) - c.exact(np.float64(1)) * np.max(
                c.x, axis=own_axes, keepdims=True).astype(np.float64)).exp())))
        found.append(Variant("scale", lambda s: f"of the input, by {_heat(*s[0], own_axes):.6g}",
                             lambda c, made: c.changed(x=c.x * _heat(c, made, own_axes))))
    if c.tensor != "input_gradient" or c.part == WHOLE:
        return found

    def of(detail, function):
        found.append(inside("softmax-jacobian-missing", detail, lambda c: c.changed(own=lambda c:
                            function(c.exact(c.dy), alone_bounded(c)))))

    found.append(inside("activation-other", "of the logarithms, dy - y sum(dy)", lambda c:
                        c.changed(own=lambda c: c.exact(c.dy) - alone_bounded(c) * c.exact(
                            c.dy).sum(axis=own_axes, keepdims=True))))
    one = c.exact(np.float64(1))
    of("its diagonal alone, y (1 - y)", lambda dy, y: dy * y * (one - y))
    of("y alone", lambda dy, y: dy * y)
    of("dy less its weighted mean, not times y",
       lambda dy, y: dy - (dy * y).sum(axis=own_axes, keepdims=True))
    of("y (dy - sum dy)", lambda dy, y: y * (dy - dy.sum(axis=own_axes, keepdims=True)))
    of("y (dy + sum dy y): the sum is added",
       lambda dy, y: y * (dy + (dy * y).sum(axis=own_axes, keepdims=True)))
    of("its sum goes over the samples",
       lambda dy, y: y * (dy - (dy * y).sum(axis=0, keepdims=True)))
    of("y times y (1 - y)", lambda dy, y: dy * y * y * (one - y))
    return found


def _heat(c, made, axes) -> float:
    """What the logits were multiplied by, found from their logarithms."""
    if made.min() <= 0:
        raise ValueError("Expected probabilities above 0. Received: others")
    log, x = np.log(made), np.asarray(c.x, np.float64)
    log, x = (a - a.mean(axis=axes, keepdims=True) for a in (log, x))
    return float((log * x).sum() / (x * x).sum())


def of_activations(c) -> list[Variant]:
    """Everything about an activation, by itself or inside a layer that can only be run whole."""
    name = activation_name(c)
    if name is None or name not in {*ACTIVATIONS, *LAYERS}:
        return []
    if isinstance(c.activation, SOFTMAXES):
        return of_softmax(c) + of_presence(c) + of_others(c)
    return of_presence(c) + of_settings(c) + of_masks(c) + of_others(c)


def _logarithms(c, axes: tuple[int, ...]) -> Bounded:
    """z - log(sum of exp z), where z are the logits less the largest of them."""
    z = c.exact(c.x) - np.max(c.x, axis=axes, keepdims=True).astype(np.float64)
    return z - z.exp().sum(axis=axes, keepdims=True).log()
