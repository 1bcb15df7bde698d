"""Numbers of float16 and bfloat16, held in float32 arrays; and what a layer casts."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scratch
from scratch import precision
from scratch.precision import Policy, rounded
from tests.draws import draws

BITS = {"float16": (11, -24, 15), "bfloat16": (8, -133, 127)}  # bits, smallest 2^n, largest 2^n


def nearest(value: float, name: str) -> float:
    """By the definition, in rational numbers: to nearest, ties to even."""
    bits, lowest, highest = BITS[name]
    exact = Fraction(value)
    if exact == 0:
        return 0.0
    exponent = math.floor(math.log2(abs(exact)))
    while Fraction(2) ** exponent > abs(exact):
        exponent -= 1
    while Fraction(2) ** (exponent + 1) <= abs(exact):
        exponent += 1
    step = Fraction(2) ** max(exponent - bits + 1, lowest)
    made = round(exact / step) * step  # Python's round is to even
    largest = (2 - Fraction(2) ** (1 - bits)) * Fraction(2) ** highest
    return math.copysign(math.inf, value) if abs(made) > largest else float(made)


@pytest.mark.parametrize("name", BITS)
@settings(max_examples=draws(200), deadline=None, derandomize=True, database=None)
@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_rounding_is_to_nearest_ties_to_even(name, value):
    if name == "bfloat16" and 0 < abs(value) < 2.0**-126:
        return  # denormals of float32
    made = rounded(np.array([value], np.float32), name)
    assert made.dtype == np.float32 and made[0] == nearest(value, name)


@pytest.mark.parametrize("name", BITS)
def test_nan_infinity_ties_and_any_order_in_memory(name):
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0], np.float32)
    np.testing.assert_array_equal(rounded(x, name), x)
    bits = BITS[name][0]
    even, odd = 1 + 2.0**-bits, 1 + 3 * 2.0**-bits  # halfway between two numbers
    assert rounded(np.float32([even, odd]), name).tolist() == [1, 1 + 4 * 2.0**-bits]
    grid = np.arange(12, dtype=np.float32).reshape(3, 4).T[::-1] / 7
    kept = grid.copy()
    np.testing.assert_array_equal(rounded(grid, name), rounded(np.ascontiguousarray(grid), name))
    np.testing.assert_array_equal(grid, kept)


def test_beyond_65504_float16_is_infinite():
    assert rounded(np.float32([65504, 65519, 65520, -70000]), "float16").tolist() == [
        65504, 65504, np.inf, -np.inf]


@pytest.mark.parametrize("given_policy, name", [
    ("mixed_float16", "mixed_float16"), (np.float16, "float16"), (np.dtype("float64"), "float64"),
    ({"class_name": "DTypePolicy", "config": {"name": "bfloat16"}}, "bfloat16")])
def test_policies_by_name_dtype_and_dictionary(given_policy, name):
    assert precision.get(given_policy) == Policy(name)


def test_what_a_policy_says():
    mixed, pure = Policy("mixed_bfloat16"), Policy("float16")
    assert (mixed.compute, mixed.variable, mixed.low, mixed.mixed) == (
        "bfloat16", "float32", True, True)
    assert (pure.compute, pure.variable, pure.low, pure.mixed) == (
        "float16", "float16", True, False)
    assert Policy("float64").held == np.float64 and mixed.held == np.float32


@pytest.mark.parametrize("layer", [
    lambda: scratch.layers.LSTM(2, dtype="mixed_float16"),
    lambda: scratch.layers.UnitNormalization(dtype="float16"),
    lambda: scratch.layers.StochasticDepth(0.2, dtype="bfloat16"),
    lambda: scratch.Dense(2, activation="softsign", dtype="float16"),
    lambda: scratch.layers.Activation("squareplus", dtype="mixed_bfloat16"),
    lambda: scratch.layers.UpSampling2D(2, interpolation="bicubic", dtype="float16"),
    lambda: scratch.layers.Resizing(3, 4, "bicubic", dtype="mixed_float16"),
    lambda: scratch.ReLU(max_value=0.3, dtype="mixed_float16"),
    lambda: scratch.layers.TimeDistributed(scratch.Dense(2), dtype="mixed_float16"),
    lambda: scratch.Sequential([scratch.Input((4, 3)), scratch.layers.GRU(2)],
                               dtype="mixed_float16")])
def test_what_is_not_proved_is_refused_by_name(layer):
    with pytest.raises(scratch.UnsupportedError, match="float16|bfloat16"):
        layer()


@pytest.mark.parametrize("reader", [scratch.layers.LayerNormalization,
                                    lambda: scratch.layers.GroupNormalization(groups=1)])
def test_what_casts_nothing_is_refused_another_precision_than_its_own(reader):
    with pytest.raises(scratch.UnsupportedError, match="computes in float32 without a cast of what "
                                                       "it reads.*Received: float16"):
        scratch.Sequential([scratch.Input((4,)), scratch.Dense(6, dtype="mixed_float16"),
                            reader()])


def test_an_operation_computes_in_the_low_precision_of_what_it_reads():
    x = scratch.Input((4,))
    low, single = scratch.Dense(6, dtype="mixed_bfloat16")(x), scratch.Dense(6)(x)
    model = scratch.Model(x, [low * 0.3, low + single])
    product, total = (model.layers[end] for end in model.ends)
    assert product.policy.name == "bfloat16" and total.policy.name == "float32"
    numbers = np.random.default_rng(2).standard_normal((3, 4)).astype(np.float32)
    y, both = model.predict(numbers, verbose=0)
    read = rounded(model.layers[0].last_output if model.layers[0].last_output is not None else
                   scratch.low_precision.forward(model.layers[0], numbers), "bfloat16")
    # 0.3 is rounded, then the product
    np.testing.assert_array_equal(y, rounded(read * rounded(np.float32(0.3), "bfloat16"),
                                             "bfloat16"))
    assert (both != rounded(both, "bfloat16")).any()
    again = scratch.Model.from_config(model.get_config())
    assert [layer.policy for layer in again.layers] == [layer.policy for layer in model.layers]


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_given_numbers_are_cast_and_what_comes_of_them_is_rounded(name):
    x = rounded(np.random.default_rng(4).standard_normal((5, 3)).astype(np.float32), name)

    def low(a):
        return np.vectorize(lambda v: nearest(float(v), name))(a)

    layer = scratch.layers.Rescaling(1 / 255, offset=-0.3, dtype=name)
    np.testing.assert_array_equal(layer(x), low(low(x * low(np.float32(1 / 255)))
                                                + low(np.float32(-0.3))))
    layer = scratch.layers.Normalization(mean=[.1, .2, .3], variance=[2., .5, .3], dtype=name)
    mean, variance = low(np.float32([.1, .2, .3])), low(np.float32([2., .5, .3]))
    np.testing.assert_allclose(layer(x), (x - mean) / np.sqrt(variance),
                               rtol=2.0 ** (2 - BITS[name][0]))
    layer = scratch.layers.Masking(mask_value=0.3, dtype=name)
    steps = np.float32([[[0.3, 0.3], [0.3, 1.0]]])
    assert scratch.low_precision.forward(layer, steps)[0, 0].tolist() == [0, 0]


def test_layer_normalization_computes_in_float32_and_keeps_its_weights():
    rng = np.random.default_rng(3)
    layer = scratch.LayerNormalization(dtype="mixed_float16")
    x = rounded((300 + rng.standard_normal((4, 6))).astype(np.float32), "float16")
    layer.build((None, 6))
    layer.take_weight("gamma", rng.standard_normal(6))
    wide = x.astype(np.float64)
    spread = np.sqrt(wide.var(axis=1, keepdims=True) + 1e-3)
    normal = (wide - wide.mean(axis=1, keepdims=True)) / spread
    np.testing.assert_allclose(layer(x), normal * layer.params["gamma"], rtol=2.0**-10)
    dy = rounded(rng.standard_normal((4, 6)).astype(np.float32), "float16")
    dx = scratch.low_precision.backward(layer, dy)
    np.testing.assert_array_equal(dx, rounded(dx, "float16"))
    np.testing.assert_allclose(layer.grads["gamma"], (dy * normal).sum(axis=0), rtol=1e-4)
    assert (layer.grads["gamma"] != rounded(layer.grads["gamma"], "float16")).any()


def test_class_numbers_are_not_cast():
    layer = scratch.Embedding(3000, 2, dtype="mixed_float16")
    layer.build((None, 1))
    layer.params["embeddings"][...] = np.arange(6000).reshape(3000, 2) / 6000
    y = scratch.low_precision.forward(layer, np.float32([[2049]]))
    np.testing.assert_array_equal(y[0, 0], rounded(layer.params["embeddings"][2049], "float16"))


@pytest.mark.parametrize("settings_, said", [
    ({"kernel_regularizer": "l2"}, "regularizer"), ({"kernel_constraint": "non_neg"}, "constraint"),
    ({"activity_regularizer": "l2"}, "activity_regularizer")])
def test_penalties_in_low_precision_are_refused(settings_, said):
    with pytest.raises(scratch.UnsupportedError, match=f"{said} with dtype='float16'"):
        scratch.Sequential([scratch.Input((3,)), scratch.Dense(2, dtype="float16", **settings_)])


def test_an_optimizer_that_is_not_proved_for_weights_in_half_is_refused():
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)], dtype="float16")
    with pytest.raises(scratch.UnsupportedError, match="Adam"):
        model.compile("adam", "mse")
    model.compile(scratch.SGD(0.1, momentum=0.9), "mse")


def test_the_default_of_layers_and_models():
    precision.set_dtype_policy("mixed_float16")
    try:
        model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2),
                                    scratch.Dense(2, dtype="float32")])
        model.compile("sgd", "mse")
    finally:
        precision.set_dtype_policy(None)
    assert [layer.policy.name for layer in model.layers] == ["mixed_float16", "float32"]
    assert isinstance(model.optimizer, scratch.optimizers.LossScaleOptimizer)
    assert scratch.Dense(2).policy.name == "float32"
    with pytest.raises(scratch.UnsupportedError, match="float8"):
        precision.set_dtype_policy("float8")


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
def test_a_dense_layer_casts_input_and_weights_and_rounds_what_it_makes(policy):
    """Against the definition, written down here with NumPy's own float16 or with `nearest`."""
    rng = np.random.default_rng(0)
    layer = scratch.Dense(3, activation="relu", dtype=policy)
    layer.build((None, 5))
    for name in layer.params:
        layer.take_weight(name, rng.standard_normal(layer.params[name].shape))
    compute = layer.policy.compute

    def low(a):
        return np.vectorize(lambda v: nearest(float(v), compute))(a)

    kept = {name: w.copy() for name, w in layer.params.items()}
    if not layer.policy.mixed:
        for w in kept.values():
            np.testing.assert_array_equal(w, low(w), "kept in the low precision")
    x, dy = (rng.standard_normal(shape).astype(np.float32) for shape in ((4, 5), (4, 3)))
    y = layer(x)
    z = low((low(x) @ low(kept["kernel"]) + low(kept["bias"])).astype(np.float32))
    np.testing.assert_array_equal(y, np.maximum(z, 0))
    dx = scratch.low_precision.backward(layer, dy)
    dz = low(dy) * (z > 0)
    np.testing.assert_array_equal(dx, low((dz @ low(kept["kernel"]).T).astype(np.float32)))
    np.testing.assert_array_equal(layer.grads["kernel"], low((low(x).T @ dz).astype(np.float32)))
    for name, w in kept.items():
        np.testing.assert_array_equal(layer.params[name], w, "the weights stay as they are")


def test_statistics_of_batch_normalization_stay_in_float32():
    rng = np.random.default_rng(1)
    layer = scratch.BatchNormalization(dtype="mixed_float16", momentum=0.5)
    x = rng.standard_normal((6, 5, 4, 3)).astype(np.float32)
    y = layer(x, training=True)
    mean = rounded(x, "float16").mean(axis=(0, 1, 2), dtype=np.float64)
    np.testing.assert_allclose(layer.params["moving_mean"], 0.5 * mean, rtol=1e-6)
    assert (layer.params["moving_mean"] != rounded(layer.params["moving_mean"], "float16")).any()
    np.testing.assert_array_equal(y, rounded(y, "float16"))
