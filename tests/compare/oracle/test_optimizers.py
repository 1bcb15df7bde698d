"""The oracle of the optimizers: its values are the papers', its bounds hold for both sides.

Values are held against the rules on plain numbers, one weight at a time; bounds against `scratch`
and Keras in float32, over several steps with the slots that the oracle itself carries along.
"""

import dataclasses
import math

import numpy as np
import pytest

import scratch
from compare.oracle.adaptive_optimizers import OPTIMIZERS, optimizer_for
from compare.oracle.learning_rates import rate_at
from compare.oracle.optimizers import alone
from compare.oracle.running_error import Bounded, Rounding
from reference.quiet import precision
from tests.scratch.support.checks import DTYPES, real
from tests.scratch.support.optimizer_cases import CASES, SCHEDULES, by_hand, ident

SHAPES = [(3, 4), (5,), ()]


def exact_update(name, config, weights, gradients, dtype):
    """The weights after the first step of a fresh optimizer."""
    return optimizer_for(name, config, dtype).step(weights, gradients)


def problem(seed, dtype, scale=1.0):
    """(weights, gradients) of three shapes; some gradients are zero."""
    weights = [real(seed + i, shape).astype(dtype) for i, shape in enumerate(SHAPES)]
    gradients = [(real(seed + 10 + i, shape) * scale).astype(dtype)
                 for i, shape in enumerate(SHAPES)]
    gradients[0][1] = 0
    return weights, gradients


def bounded(arrays, dtype):
    return [Bounded(array, Rounding.of(dtype)) for array in arrays]


def config_of(name, settings, dtype):
    """A full config; in float64 with the exact learning rate, as a float64 Keras keeps it."""
    config = scratch.optimizers.CLASSES[name.lower()](**settings).get_config()
    if dtype == "float64" and not isinstance(config["learning_rate"], dict):
        config["learning_rate"] = settings.get("learning_rate", config["learning_rate"])
    return config


@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_values_are_those_of_the_rules_on_plain_numbers(name, settings):
    weights, gradients = problem(1, "float64")
    config = config_of(name, settings, "float64")
    oracle = OPTIMIZERS[name.lower()](config, np.dtype("float64"))
    found = bounded(weights, "float64")
    for moved in by_hand(name, config, weights, [gradients] * 3):
        found = oracle.step(found, bounded(gradients, "float64"))
        for ours, theirs in zip(found, moved, strict=True):
            np.testing.assert_allclose(ours.value, theirs, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_without_bounds_the_values_are_the_same(name, settings):
    weights, gradients = problem(1, "float32")
    config = config_of(name, settings, "float32")
    whole, light = (OPTIMIZERS[name.lower()](config, np.dtype("float32")) for _ in range(2))
    light.rounding = dataclasses.replace(light.rounding, bounds=False)
    right = bounded(weights, "float32")
    found = [Bounded(weight, light.rounding) for weight in weights]
    for _ in range(3):
        right = whole.step(right, bounded(gradients, "float32"))
        found = light.step(found, [Bounded(gradient, light.rounding) for gradient in gradients])
        for ours, theirs in zip(found, right, strict=True):
            np.testing.assert_array_equal(ours.value, theirs.value)
            assert ours.error is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e9])
@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_scratch_stays_within_the_bounds(name, settings, scale, dtype):
    weights, gradients = problem(3, dtype, scale)
    if name == "Adafactor" and scale > 1:  # a row of zeros would underflow, and so it does in Keras
        gradients[0][1] = 1
    config = config_of(name, settings, dtype)
    optimizer = scratch.optimizers.get({"class_name": name, "config": config})
    exact = exact_update(name, config, bounded(weights, dtype), bounded(gradients, dtype),
                         np.dtype(dtype))
    made = [weight.copy() for weight in weights]
    optimizer.apply(gradients, made)
    for array, value, before in zip(made, exact, weights):
        assert (np.abs(array - value.value) <= value.bound).all()
        assert np.isfinite(value.bound).all()
        step = np.abs(value.value - before)
        # narrow: a few roundings of the weight, a few dozen of its step
        unit = float(np.finfo(dtype).eps)
        # Ftrl and ScheduleFreeAdamW work the weight out anew, out of two powers or two sequences
        kept = {"Ftrl": 150, "ScheduleFreeAdamW": 8}.get(name, 3)
        if name == "Muon":  # whose bound is one of the whole matrix
            step = np.full(step.shape, 150 * np.linalg.norm(step))
        often = 600 if name == "Adafactor" else 200  # whose step comes out of four means
        assert (value.bound <= kept * unit * np.abs(before) + often * unit * step + 1e-16).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_keras_stays_within_the_bounds(keras, name, settings, dtype):
    weights, gradients = problem(5, dtype)
    config = config_of(name, settings, "float32")
    optimizer = getattr(keras.optimizers, name).from_config(dict(config))  # Lamb has no name there
    variables = [keras.Variable(weight, dtype=dtype) for weight in weights]
    with precision(dtype if name == "Muon" else "float32"):  # which computes a root in the default
        optimizer.apply([keras.ops.convert_to_tensor(g, dtype) for g in gradients], variables)
    exact = exact_update(name, config, bounded(weights, dtype), bounded(gradients, dtype),
                         np.dtype(dtype))
    for variable, value in zip(variables, exact):
        assert (np.abs(variable.numpy().astype(float) - value.value) <= value.bound).all()


@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_bounds_hold_step_after_step(name, settings):
    """With the slots that the oracle carries along, errors and all."""
    weights, _ = problem(7, "float32")
    config = config_of(name, settings, "float32")
    oracle = OPTIMIZERS[name.lower()](config, np.dtype("float32"))
    optimizer = scratch.optimizers.get({"class_name": name, "config": config})
    made, exact = [w.copy() for w in weights], bounded(weights, "float32")
    for step in range(6):
        gradients = problem(20 + step, "float32")[1]
        optimizer.apply(gradients, made)
        exact = oracle.step(exact, bounded(gradients, "float32"))
        for array, value in zip(made, exact):
            assert (np.abs(array - value.value) <= value.bound).all(), f"step {step + 1}"
            assert (value.bound < 1e-3 * (1 + np.abs(value.value))).all()


WRONG = {
    "epsilon inside the root": ("Adam", dict(epsilon=1e-3),
                                lambda w, g, lr: w - lr * g / np.sqrt(g * g + 1e-3)),
    "no correction of the start": ("Adam", {}, lambda w, g, lr: w - lr * 0.1 * g
                                   / (np.sqrt(0.001 * g * g) + 1e-7)),
    "epsilon outside the root": ("RMSprop", dict(epsilon=1e-3), lambda w, g, lr: w - lr * g
                                 / (np.sqrt(0.1 * g * g) + 1e-3)),
    "no initial accumulator": ("Adagrad", {}, lambda w, g, lr: w - lr * g / np.sqrt(g * g + 1e-7)),
    "decay through the gradient": ("SGD", dict(weight_decay=0.1, momentum=0.9, nesterov=True),
                                   lambda w, g, lr: w - 1.9 * lr * (g + 0.1 * w)),
    "decay without the rate": ("AdamW", dict(weight_decay=0.1), lambda w, g, lr: 0.9 * w
                               - lr * g / (np.abs(g) + 1e-7 / np.sqrt(0.001))),
    "norm of each instead of all": ("SGD", dict(global_clipnorm=0.5), lambda w, g, lr: w
                                    - lr * g * min(1, 0.5 / np.linalg.norm(g))),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_usual_mistakes_are_outside_the_bounds(mistake):
    name, settings, wrong = WRONG[mistake]
    weights, gradients = problem(9, "float32")
    gradients = [gradient + np.float32(0.1) for gradient in gradients]
    config = config_of(name, {"learning_rate": 0.125, **settings}, "float32")
    exact = exact_update(name, config, bounded(weights, "float32"), bounded(gradients, "float32"),
                         np.dtype("float32"))
    outside = [np.abs(wrong(w.astype(float), g.astype(float), 0.125) - value.value) > value.bound
               for w, g, value in zip(weights, gradients, exact)]
    assert sum(found.sum() for found in outside) > sum(found.size for found in outside) / 2


def test_a_bound_holds_where_rounding_decides_whether_to_clip():
    """A norm within rounding of the limit: both ways of going on are within the bound."""
    rng = np.random.default_rng(0)
    weight = np.zeros(200, np.float32)
    for _ in range(50):
        gradient = rng.standard_normal(200).astype(np.float32)
        limit = math.sqrt(math.fsum(float(g) ** 2 for g in gradient))
        for key in ("clipnorm", "global_clipnorm"):
            config = config_of("SGD", {"learning_rate": 1.0, key: limit}, "float32")
            exact, = exact_update("SGD", config, bounded([weight], "float32"),
                                  bounded([gradient], "float32"), np.dtype("float32"))
            for norm in (np.float32(limit * (1 - 1e-6)), np.float32(limit * (1 + 1e-6))):
                made = -gradient * np.float32(limit) / max(norm, np.float32(limit))
                assert (np.abs(made - exact.value) <= exact.bound).all()


@pytest.mark.parametrize("schedule", SCHEDULES, ids=ident)
def test_learning_rates_stay_within_the_bounds(keras, schedule):
    name, settings = schedule
    ours = getattr(scratch.optimizers.schedules, name)(**settings)
    theirs = getattr(keras.optimizers.schedules, name)(**settings)
    config = scratch.optimizers.schedules.serialize(ours)
    for step in [0, 1, 2, 3, 5, 6, 7, 10, 11, 12, 20, 21, 29, 30, 31, 64, 100, 1000]:
        exact = rate_at(config, step, Rounding.of("float32"))
        assert abs(float(ours(step)) - exact.value) <= exact.bound, step
        assert abs(float(theirs(step)) - exact.value) <= exact.bound, step
        assert exact.bound < 3e-6, step


@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_one_weight_alone_goes_as_among_the_others(name, settings):
    """Unless a step depends on all gradients: then there is no such optimizer."""
    weights, gradients = (bounded(arrays, "float32") for arrays in problem(4, "float32", 8.0))
    whole = optimizer_for(name, config_of(name, settings, "float32"), "float32")
    assert whole.joins_weights == (settings.get("global_clipnorm") is not None)
    if whole.joins_weights:
        return
    whole.decays, whole.names = [True, False, True], ["a/kernel", "b/bias", "c/embeddings"]
    whole.constraints = [{"class_name": "NonNeg", "config": {}}, None, None]
    parted = [alone(whole, k) for k in range(3)]
    together, apart = weights, weights
    for _ in range(3):
        together = whole.step(together, gradients)
        apart = [one.step([w], [g])[0] for one, w, g in zip(parted, apart, gradients)]
        for a, b in zip(together, apart):
            np.testing.assert_array_equal(a.value, b.value)
            np.testing.assert_array_equal(a.bound, b.bound)
