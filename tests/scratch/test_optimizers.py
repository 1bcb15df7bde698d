"""SGD: the sequences of weights that its formulas give, worked out by hand."""

import numpy as np
import pytest

import scratch
from tests.scratch.checks import DTYPES

NUMBERS = [dict(learning_rate=-1), dict(learning_rate=float("nan")),
           dict(learning_rate=float("inf")), dict(momentum=-0.1), dict(momentum=1.1),
           dict(momentum=float("nan"))]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("settings, expected", [
    (dict(), [0.9, 0.8, 0.7]),
    (dict(momentum=0.9), [0.9, 0.71, 0.439]),
    (dict(momentum=0.9, nesterov=True), [0.81, 0.539, 0.1951]),
])
def test_three_steps_from_1_with_gradient_1(settings, expected, dtype):
    optimizer = scratch.SGD(0.1, **settings)
    weight, gradient = np.ones((2, 3), dtype), np.ones((2, 3), dtype)
    for step, value in enumerate(expected):
        assert optimizer.iterations == step
        optimizer.apply([gradient], [weight])
        np.testing.assert_allclose(weight, value, rtol=8 * np.finfo("float32").eps)
    assert weight.dtype == dtype and (gradient == 1).all()


@pytest.mark.parametrize("settings", [dict(), dict(momentum=0.5),
                                      dict(momentum=0.5, nesterov=True)])
def test_each_weight_follows_its_own_gradients(settings):
    """Steps of powers of two, exact in float32, against the formulas on plain numbers."""
    shapes = [(2, 3), (3,), ()]
    rng = np.random.default_rng(4)
    weights = [np.asarray(rng.integers(-8, 9, shape), "float32") for shape in shapes]
    expected = [weight.astype(float) for weight in weights]
    velocity = [np.zeros(shape) for shape in shapes]
    optimizer = scratch.SGD(0.25, **settings)
    beta, nesterov = settings.get("momentum", 0), settings.get("nesterov", False)
    for _ in range(4):
        gradients = [np.asarray(rng.integers(-8, 9, shape), "float32") for shape in shapes]
        optimizer.apply(gradients, weights)
        for i, gradient in enumerate(gradients):
            velocity[i] = beta * velocity[i] - 0.25 * gradient
            expected[i] += beta * velocity[i] - 0.25 * gradient if nesterov else velocity[i]
    for weight, value in zip(weights, expected):
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight, value)


def test_rate_and_momentum_are_rounded_to_float32_even_for_float64_weights():
    """As in Keras; everything else is computed in the weights' precision."""
    rate, beta = float(np.float32(0.1)), float(np.float32(0.9))
    weight, gradient = np.array([1.0]), np.array([1.0])
    optimizer = scratch.SGD(0.1, momentum=0.9)
    optimizer.apply([gradient], [weight])
    assert weight[0] == 1 - rate
    optimizer.apply([gradient], [weight])
    assert weight[0] == pytest.approx(1 - rate - (beta * rate + rate), rel=1e-15)


def test_a_step_is_computed_in_the_weights_precision():
    """0.1 is not a float32: rate and product are rounded to float32, as in Keras."""
    weight = np.random.default_rng(1).standard_normal(100).astype("float32")
    gradient = np.random.default_rng(2).standard_normal(100).astype("float32")
    expected = [w - g * np.float32(0.1) for w, g in zip(weight, gradient)]  # float32 scalars
    scratch.SGD(0.1).apply([gradient], [weight])
    np.testing.assert_array_equal(weight, expected)


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError):
        scratch.SGD().apply([np.ones(2)], [np.ones(2), np.ones(2)])


@pytest.mark.parametrize("arguments", NUMBERS, ids=str)
def test_numbers_out_of_range_are_refused(arguments):
    (key, value), = arguments.items()
    with pytest.raises(ValueError, match=f"SGD: expected {key} .*Received: {key}={value}"):
        scratch.SGD(**arguments)


@pytest.mark.parametrize("settings", [
    dict(weight_decay=0.1), dict(clipnorm=1.0), dict(clipvalue=1.0), dict(global_clipnorm=1.0),
    dict(use_ema=True), dict(gradient_accumulation_steps=2), dict(loss_scale_factor=2.0),
    dict(decay=0.1), dict(learning_rate={"class_name": "ExponentialDecay", "config": {}}),
    dict(learning_rate=lambda: 0.1)], ids=lambda settings: next(iter(settings)))
def test_settings_that_change_the_step_are_refused_by_name(settings):
    (key, _), = settings.items()
    with pytest.raises(scratch.UnsupportedError, match=f"SGD does not support .*{key}"):
        scratch.SGD(**settings)


def test_get_knows_names_objects_and_configs():
    optimizer = scratch.SGD(0.5, momentum=0.25, nesterov=True)
    assert scratch.optimizers.get(optimizer) is optimizer
    # Keras keeps a rate in float32; a config's is taken as it is
    assert scratch.optimizers.get("sgd").learning_rate == float(np.float32(0.01))
    exact = scratch.optimizers.get({"class_name": "SGD", "config": {"learning_rate": 0.01}})
    assert exact.learning_rate == 0.01
    again = scratch.optimizers.get(scratch.optimizers.serialize(optimizer))
    assert (again.learning_rate, again.momentum, again.nesterov) == (0.5, 0.25, True)


@pytest.mark.parametrize("identifier", ["adam", None, 3, {"class_name": "Adam", "config": {}}])
def test_optimizers_that_are_not_known_are_refused(identifier):
    with pytest.raises(scratch.UnsupportedError, match="not supported. Expected one of: sgd"):
        scratch.optimizers.get(identifier)
