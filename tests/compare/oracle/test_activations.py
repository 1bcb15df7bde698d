"""The oracle's activations: the definitions' values, bounds that hold, and are not too wide.

Each bound has to hold for `scratch` and for Keras, in float32 and in float64: on sweeps with
everything in them (kinks and their neighbours, denormals, saturation), on whatever hypothesis
draws, and with errors in the input.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scratch
from compare.oracle.layers.softmax import softmax
from compare.oracle.registry import ACTIVATIONS, oracle_for
from compare.oracle.running_error import Bounded, Rounding
from tests.compare.support.activation_checks import KINKED, SHAPE, assert_inside, sweep, used
from tests.compare.support.oracle_checks import perturbed
from tests.draws import draws
from tests.scratch.support.activation_oracles import FUNCTIONS, KINKS
from tests.scratch.support.checks import DTYPES, EXAMPLES, real, whole

every_dtype = pytest.mark.parametrize("dtype", DTYPES)
LAYERS = [
    ("ReLU", {}), ("ReLU", dict(max_value=6)), ("ReLU", dict(max_value=2.5)),
    ("ReLU", dict(max_value=6, negative_slope=0.3)), ("ReLU", dict(threshold=1)),
    ("ReLU", dict(max_value=10, negative_slope=0.3, threshold=0.5)), ("ReLU", dict(max_value=0)),
    ("ReLU", dict(max_value=1, threshold=2)), ("ReLU", dict(negative_slope=0.3, threshold=0.7)),
    ("LeakyReLU", dict(negative_slope=0.3)), ("LeakyReLU", dict(negative_slope=2)),
    ("ELU", dict(alpha=0.7)), ("ELU", dict(alpha=2)),
    ("Softmax", dict(axis=1)), ("Softmax", dict(axis=[1, 2])),
]
CASES = [("Activation", dict(activation=name)) for name in ACTIVATIONS] + LAYERS
every_case = pytest.mark.parametrize(
    "class_name, config", CASES, ids=[config.get("activation") or f"{name}{config}"
                                      for name, config in CASES])


@pytest.fixture(autouse=True)
def quiet_numpy():
    """Bounds may be infinite here; `compare.check` is as silent about that."""
    with np.errstate(all="ignore"):
        yield


def by_oracle(class_name, config, x, dy):
    """The oracle's (y, dx) for arrays of the audited precision."""
    rounding = Rounding.of(x.dtype)
    oracle = oracle_for(class_name, config)
    y = oracle.forward(Bounded(x, rounding), {})
    return y, oracle.backward(Bounded(dy, rounding))[0]


def layer_of(library, class_name, config, dtype):
    return getattr(library, class_name)(**config, dtype=dtype)


def scratch_pass(class_name, config, x, dy):
    layer = layer_of(scratch, class_name, config, x.dtype.name)
    return layer.forward(x), layer.backward(dy)


def keras_pass(keras, class_name, config, x, dy):
    import tensorflow as tf

    layer, source = layer_of(keras.layers, class_name, config, x.dtype.name), tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        y = layer(source)
    return y.numpy(), tape.gradient(y, source, output_gradients=tf.constant(dy)).numpy()


@every_dtype
@every_case
def test_bounds_hold_over_all_sizes(keras, class_name, config, dtype):
    x = sweep(dtype)
    dy = real(2, x.shape).astype(dtype)
    results = by_oracle(class_name, config, x, dy)
    for side, arrays in (("scratch", scratch_pass(class_name, config, x, dy)),
                         ("keras", keras_pass(keras, class_name, config, x, dy))):
        for result, array, what in zip(results, arrays, ("y", "dx")):
            assert_inside(result, array, x, f"{side} {what}")


@every_dtype
@every_case
@given(data=st.data())
@settings(EXAMPLES, max_examples=draws(10))
def test_bounds_hold_for_whatever_is_drawn(class_name, config, dtype, data):
    width = np.dtype(dtype).itemsize * 8
    numbers = (st.floats(-40, 40, width=width) | st.floats(-1, 1, width=width)
               | st.sampled_from(KINKED).map(lambda k: float(np.dtype(dtype).type(k))))
    x, dy = (np.array(data.draw(st.lists(numbers, min_size=12, max_size=12)),
                      dtype).reshape(1, *SHAPE) for _ in range(2))
    for result, array, what in zip(by_oracle(class_name, config, x, dy),
                                   scratch_pass(class_name, config, x, dy), ("y", "dx")):
        assert_inside(result, array, x, what)


@every_case
def test_bounds_are_no_more_than_ten_times_too_wide(keras, class_name, config):
    """Of what is allowed in float32 for ordinary numbers, one side comes to use a tenth or more."""
    x = (3 * real(1, (400, *SHAPE))).astype("float32")
    dy = real(2, x.shape).astype("float32")
    results = by_oracle(class_name, config, x, dy)
    sides = (scratch_pass(class_name, config, x, dy),
             keras_pass(keras, class_name, config, x, dy))
    for result, what, *arrays in zip(results, ("y", "dx"), *sides):
        if result.bound.any():
            share = max(used(result, array).max() for array in arrays)
            assert share >= 0.1, f"{what}: only {share:.3f} of the bound is ever used"
        # and nowhere is it out of all proportion
        scale = np.abs(result.value) + (1 + np.abs(x)) * (1 if what == "y" else 1 + np.abs(dy))
        if "softmax" in str(config) or class_name == "Softmax":
            scale = scale + np.abs(dy).sum(axis=(1, 2), keepdims=True) * (1 + np.abs(x))
        assert (result.bound <= 100 * result.rounding.unit * scale).all(), what


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_the_definitions(name):
    x = sweep("float64")
    x = x[(np.abs(x) < 40).all(axis=(1, 2))]
    y, _ = by_oracle("Activation", {"activation": name}, x, np.ones_like(x))
    exact = np.vectorize(FUNCTIONS[name], otypes=[float])(x)
    np.testing.assert_allclose(y.value, exact, rtol=3e-13, atol=3e-14)
    assert_inside(y, exact, x, "the definition")


@every_dtype
@pytest.mark.parametrize("name, at", KINKS, ids=str)
def test_at_a_kink_the_gradient_is_tensorflows_and_nothing_is_left_open(name, at, dtype):
    x = np.full((1, *SHAPE), at, dtype)
    dy = np.full_like(x, 3)
    _, dx = by_oracle("Activation", {"activation": name}, x, dy)
    expected = 3 * float(np.dtype(dtype).type(KINKS[name, at]))
    np.testing.assert_allclose(dx.value, np.full(x.shape, expected), rtol=3e-7)
    assert (dx.bound <= 60 * dx.rounding.unit).all()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("size", [1e-9, 1e-4, 0.3])
@every_case
def test_errors_of_the_input_are_carried_along(class_name, config, size):
    """Any input within its error, and any gradient, gives a result within the result's bound."""
    rounding = Rounding.of("float32")
    for seed in range(12):
        rng = np.random.default_rng(seed)
        shape = (3, *SHAPE)
        x = whole(seed, shape, 7) / 2 if seed % 2 else 3 * real(seed, shape)
        dy = real(seed + 1, shape)
        errors = [1e-15 + size * rng.random(shape) for _ in range(2)]
        oracle = oracle_for(class_name, config)
        y = oracle.forward(Bounded(x, rounding, errors[0]), {})
        dx, _ = oracle.backward(Bounded(dy, rounding, errors[1]))
        for _ in range(3):
            moved = [perturbed(array, error, rng) for array, error in zip((x, dy), errors)]
            exact = oracle_for(class_name, config)
            y2 = exact.forward(Bounded(moved[0], rounding), {})
            dx2, _ = exact.backward(Bounded(moved[1], rounding))
            assert_inside(y, y2.value, x, f"y, seed {seed}")
            assert_inside(dx, dx2.value, x, f"dx, seed {seed}")


STRAIGHT = [("Activation", {"activation": "relu6"}), ("Activation", {"activation": "hard_tanh"}),
            ("Activation", {"activation": "hard_shrink"}),
            ("Activation", {"activation": "soft_shrink"}),
            ("Activation", {"activation": "sparse_sigmoid"}),
            ("ReLU", dict(max_value=3, threshold=1)), ("LeakyReLU", dict(negative_slope=0.25)),
            ("ReLU", dict(max_value=2, negative_slope=0.5, threshold=1))]


@pytest.mark.parametrize("class_name, config", STRAIGHT, ids=str)
def test_on_whole_numbers_straight_ones_are_exact(keras, class_name, config):
    assert oracle_for(class_name, config).exact
    x, dy = (whole(seed, (9, *SHAPE), 8).astype("float32") for seed in (1, 2))
    found = by_oracle(class_name, config, x, dy)
    for arrays in (scratch_pass(class_name, config, x, dy),
                   keras_pass(keras, class_name, config, x, dy)):
        for result, array in zip(found, arrays):
            np.testing.assert_array_equal(array, result.value)


@pytest.mark.parametrize("class_name, config", [
    ("ReLU", dict(negative_slope=0.3)), ("ReLU", dict(threshold=0.7)),
    ("ReLU", dict(max_value=0.1)), ("LeakyReLU", {}), ("ELU", {}), ("Softmax", {}),
    *(("Activation", dict(activation=name)) for name in ("leaky_relu", "gelu", "hard_sigmoid"))])
def test_what_rounds_on_whole_numbers_says_so(class_name, config):
    assert not oracle_for(class_name, config).exact


def test_a_layer_inside_a_layer_is_judged_by_its_own_config():
    inner = {"class_name": "LeakyReLU", "config": {"name": "relu", "negative_slope": 0.5}}
    config = {"name": "top", "units": 3, "use_bias": False, "activation": inner}
    x, dy = whole(1, (3, 4)), whole(2, (3, 4))
    part = oracle_for("Dense", config, "relu")  # parts are called by their names
    y = part.forward(Bounded(x, Rounding.of("float32")), {})
    np.testing.assert_array_equal(y.value, np.where(x > 0, x, x / 2))
    np.testing.assert_array_equal(part.backward(Bounded(dy, Rounding.of("float32")))[0].value,
                                  np.where(x > 0, dy, dy / 2))
    both = oracle_for("Dense", config, "whole")
    kernel = whole(3, (4, 3))
    y = both.forward(Bounded(x, Rounding.of("float32")),
                     {"kernel": Bounded(kernel, Rounding.of("float32"))})
    z = x @ kernel
    np.testing.assert_array_equal(y.value, np.where(z > 0, z, z / 2))
    alone = oracle_for("Activation", {"name": "act", "activation": inner})
    np.testing.assert_array_equal(
        alone.forward(Bounded(x, Rounding.of("float32")), {}).value, np.where(x > 0, x, x / 2))
    with pytest.raises(ValueError, match="'top' with.*Custom"):
        oracle_for("Dense", {**config, "activation": {"class_name": "Custom", "config": {}}}, "c")
    with pytest.raises(ValueError, match="'top' with 'glu'"):
        oracle_for("Dense", {**config, "activation": "glu"}, "glu")


@pytest.mark.parametrize("error", [1.0, 1e3, np.inf])
def test_a_share_stays_one_however_far_its_logits_may_be_off(error):
    """Between 0 and 1, but where nothing is known of a logit."""
    x = np.random.default_rng(0).standard_normal((4, 5))
    bound = np.zeros(x.shape)
    bound[1:] = error
    found = softmax(Bounded(x, Rounding.of("float32"), bound), -1)
    assert np.isinf(found.bound[1:]).all() if np.isinf(error) else found.bound.max() < 1.01
    assert found.bound[0].max() < 1e-6
    if np.isfinite(error):
        moved = np.exp(np.linspace(-1, 1, 5) * error - error)  # as far as they may be
        shares = moved / moved.sum()
        assert (np.abs(shares - found.value[1:]) <= found.bound[1:]).all()
