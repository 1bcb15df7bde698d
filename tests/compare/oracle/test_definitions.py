"""Oracles of layers that have a definition in loops: right values, and bounds that hold and say
something."""

import dataclasses

import numpy as np
import pytest

from compare.oracle.expected import bounded, results
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.tensor_names import results_by_name
from tests.compare.support.normalizing_cases import shares
from tests.scratch.layers.test_definitions import built, example, run
from tests.scratch.support.definition_cases import (
    CASES,
    build,
    call,
    is_exact,
    keras_layer,
    learned,
    numbers,
    single_precision,
)
from tests.scratch.support.definitions import by_definition

FLOAT32 = Rounding.of("float32")
every_case = pytest.mark.parametrize("name, arguments, shapes", CASES, ids=str)


@pytest.fixture(autouse=True)
def quiet_numpy():
    """Bounds may be infinite here; `compare.check` is as silent about that."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        yield


def by_oracle(layer, inputs, dy, rounding):
    """All results as `Bounded`, by tensor name; inputs and dy as arrays or as `Bounded`."""
    oracle = oracle_for(type(layer).__name__, layer.get_config())
    lifted = [x if isinstance(x, Bounded) else Bounded(x, rounding) for x in inputs]
    held = {name: Bounded(w, rounding) for name, w in layer.params.items()}
    y = oracle.forward(lifted if oracle.merges else lifted[0], held)
    dy = dy if isinstance(dy, Bounded) else Bounded(dy, rounding)
    return results_by_name(y, *oracle.backward(dy))


@pytest.mark.sampled(4, of="name")
@every_case
def test_values_are_the_definitions(name, arguments, shapes):
    layer = built(name, arguments, shapes, "float64")
    inputs, dy = example(layer, shapes)
    weights = {weight: array.astype(float) for weight, array in layer.params.items()}
    right = by_definition(name, arguments, inputs, weights, dy, learned(name, arguments))
    found = by_oracle(layer, inputs, dy, Rounding.of("float64"))
    assert found.keys() == right.keys()
    for tensor, array in right.items():
        scale = max(1.0, np.abs(array).max())
        np.testing.assert_allclose(found[tensor].value, array, rtol=0, atol=1e-12 * scale,
                                   err_msg=tensor)


@every_case
def test_without_bounds_the_values_are_the_same(name, arguments, shapes):
    layer = built(name, arguments, shapes, "float32")
    inputs, dy = example(layer, shapes)
    right = by_oracle(layer, inputs, dy, FLOAT32)
    found = by_oracle(layer, inputs, dy, dataclasses.replace(FLOAT32, bounds=False))
    assert found.keys() == right.keys()
    for tensor, value in right.items():
        np.testing.assert_array_equal(found[tensor].value, value.value, err_msg=tensor)


def keras_results(keras, layer, inputs, dy):
    import tensorflow as tf

    from reference.weight_names import weight_names

    dtype, name = layer.dtype.name, type(layer).__name__
    twin = keras_layer(name).from_config(layer.get_config())
    build(twin, [x.shape for x in inputs])
    twin.set_weights(list(layer.params.values()))
    if name == "Normalization":
        twin.finalize_state()
    sources = [tf.constant(x.astype(dtype)) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        y = call(twin, sources)
    gradients = tape.gradient(y, [*sources, *twin.trainable_weights],
                              output_gradients=tf.constant(dy.astype(dtype)))
    called = weight_names(twin)
    own = {called[id(w)]: g.numpy()
           for w, g in zip(twin.trainable_weights, gradients[len(sources):])}
    dx = [g.numpy() for g in gradients[:len(sources)]]
    return results_by_name(y.numpy(), dx if layer.merges else dx[0], own)


SCALES = ((1, 0), (1e-3, 100), (30, -1e4), (1e-12, 0), (1e10, 0))


@pytest.mark.sampled(4, of="name")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_case
def test_bounds_hold_for_keras_and_scratch(keras, name, arguments, shapes, dtype):
    """On numbers of all sizes, with means far larger than the deviation, and rows of zeros."""
    if dtype == "float64" and name == "CenterCrop":
        pytest.skip("in Keras it puts out float32: resizing_in_float64")
    layer, used = built(name, arguments, shapes, dtype), {}
    for deviation, mean in SCALES:
        inputs, dy = example(layer, shapes)
        inputs = [(mean + deviation * x).astype(dtype) for x in inputs]
        inputs[0][0, 0] = 0
        found = by_oracle(layer, inputs, dy.astype(dtype), Rounding.of(dtype))
        for made in (keras_results(keras, layer, inputs, dy), run(layer, inputs, dy)):
            for tensor, share in shares(found, made, f"{name} {deviation} {mean}").items():
                used[tensor] = max(used.get(tensor, 0), share)
    if dtype == "float32" and not is_exact(name, arguments):
        moves = name in ("Rescaling", "LSTM", "GRU") or single_precision(name, arguments)
        assert max(used.values()) > (0.01 if moves else 0.018) or not any(used.values()), used


@every_case
def test_bounds_are_a_few_roundings_where_few_numbers_meet(name, arguments, shapes):
    layer = built(name, arguments, shapes)
    inputs, dy = example(layer, shapes)
    found = by_oracle(layer, [x + 3 for x in inputs] if "Norm" in name else inputs, dy, FLOAT32)
    for tensor, value in found.items():
        terms = 60 + max(x.size for x in inputs)
        size = max(1.0, np.abs(value.value).max(), *(np.abs(x).max() + 3 for x in inputs))
        if name.endswith("Attention"):  # products of three inputs, and of the way back
            size = size ** 2
        weights = max([1.0, *(np.abs(w).max() for w in layer.params.values())])
        assert value.bound.max() <= 8 * terms * FLOAT32.unit * size * weights * np.abs(
            dy).max() ** (tensor != "output"), tensor


@every_case
def test_whole_numbers_come_out_whole_where_the_oracle_says_so(keras, name, arguments, shapes):
    layer = built(name, arguments, shapes)
    oracle = oracle_for(name, layer.get_config())
    inputs, dy = example(layer, shapes)
    inputs, dy = [np.round(3 * x) for x in inputs], np.round(3 * dy)
    for weight in layer.params.values():
        weight[...] = np.round(3 * weight)
    found = by_oracle(layer, inputs, dy, FLOAT32)
    if not oracle.exact:
        assert not is_exact(name, arguments)
        return
    for made in (keras_results(keras, layer, inputs, dy), run(layer, inputs, dy)):
        for tensor, value in found.items():
            np.testing.assert_array_equal(made[tensor], value.value.astype("float32"))
    shape = [x.shape for x in inputs]
    terms = oracle.reductions(shape if oracle.merges else shape[0], found["output"].shape)
    assert terms["output"] >= 1 and "input_gradient" in terms


def perturbed(value, rng):
    """An array within the bound, often at its edge."""
    reach = np.maximum(value.bound - 1e-15 * (1 + np.abs(value.value)), 0)
    return value.value + reach * rng.choice([-1, -0.3, 0, 1], value.shape)


@pytest.mark.sampled(6, of="name")
@pytest.mark.parametrize("size", [1e-9, 1e-4, 0.2])
@every_case
def test_errors_of_the_inputs_are_carried_along(name, arguments, shapes, size):
    layer, rng = built(name, arguments, shapes, "float64"), np.random.default_rng(3)
    inputs, dy = example(layer, shapes)
    given = [Bounded(x, FLOAT32, size * rng.random(x.shape)) for x in (*inputs, dy)]
    found = by_oracle(layer, given[:-1], given[-1], FLOAT32)
    for _ in range(6):
        *moved, moved_dy = [perturbed(value, rng) for value in given]
        right = by_oracle(layer, moved, moved_dy, FLOAT32)
        shares(found, {tensor: value.value for tensor, value in right.items()}, name)


def wrong(name, arguments, layer, inputs):
    """Outputs of formulas that are off, by what is wrong."""
    x = inputs[0]
    if name == "RMSNormalization":
        axes = tuple(layer._axes)
        square = (x**2).mean(axis=axes, keepdims=True)
        scale = layer.params["scale"]
        yield x / (np.sqrt(square) + layer.epsilon) * scale
        yield (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(
            x.var(axis=axes, keepdims=True) + layer.epsilon) * scale
    elif name == "UnitNormalization":
        yield x / np.abs(x).sum(axis=layer._axes, keepdims=True)
    elif name == "Resizing" and arguments["interpolation"] == "bilinear":
        corners = layer._resampled[0]
        if corners.size != corners.new:
            yield layer.forward(x) * (1 + 1e-5)
    elif name == "Rescaling":
        yield layer.forward(x) + 1e-5
    elif name == "EinsumDense":
        yield layer.forward(x) * (1 + 1e-5)
    elif name == "LayerScale":
        yield layer.forward(x) * (1 + 1e-6)
    elif name == "OwnWeight":
        yield layer.forward(x) * (1 + 1e-6)
    elif name == "CustomScaleLayer":
        yield x * layer.scale + inputs[1]
        yield layer.forward(inputs) * (1 + 1e-6)
    elif name.endswith("Attention"):
        yield layer.forward(inputs) * (1 + 1e-4)
    elif name == "Dot":
        yield layer.forward(inputs) * (1 + 1e-5)


@every_case
def test_a_wrong_formula_is_seen(name, arguments, shapes):
    layer = built(name, arguments, shapes)
    inputs, dy = example(layer, shapes)
    inputs = [x.astype("float32") for x in inputs]
    for made in wrong(name, arguments, layer, inputs):
        found = by_oracle(layer, inputs, dy, FLOAT32)["output"]
        assert (np.abs(made - found.value) > found.bound).any()


@pytest.mark.parametrize("name, arguments, shortest", [
    ("UnitNormalization", {}, 1e-12), ("Dot", {"axes": 1, "normalize": True}, 1e-7)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_vectors_about_as_long_as_the_shortest(keras, name, arguments, shortest, dtype):
    """Below, the length is a constant; at it, either gradient is right."""
    shapes = [(7, 4)] * (2 if name == "Dot" else 1)
    layer = built(name, arguments, shapes, dtype)
    inputs, dy = example(layer, shapes)
    lengths = shortest * np.array([0, 0.5, 1 - 1e-7, 1, 1 + 1e-7, 2, 1e9])[:, None]
    direction = inputs[0] / np.sqrt((inputs[0]**2).sum(axis=1, keepdims=True))
    inputs[0] = (direction * lengths).astype(dtype)
    found = by_oracle(layer, inputs, dy.astype(dtype), Rounding.of(dtype))
    for made in (keras_results(keras, layer, inputs, dy), run(layer, inputs, dy)):
        shares(found, made, name)
    dx = found["input_gradient_1" if name == "Dot" else "input_gradient"]
    tight = dx.bound <= 1e-4 * np.abs(dx.value).max(axis=1, keepdims=True)
    assert tight[[0, 1, 5, 6]].all(), "only about the shortest length is there any doubt"


def test_results_are_as_the_checks_ask_for_them():
    """`results` is what all gates call."""
    layer = built("Dot", {"axes": 1}, [(4, 6), (4, 6)])
    x = tuple(numbers(i, (4, 6)) for i in (1, 2))
    found = results(oracle_for("Dot", layer.get_config()), x, {}, numbers(3, (4, 1)), FLOAT32)
    assert set(found) == {"output", "input_gradient_1", "input_gradient_2"}
    assert [value.shape for value in bounded(x, FLOAT32)] == [(4, 6)] * 2


@pytest.mark.parametrize("name", ["Attention", "AdditiveAttention"])
def test_a_scale_is_read_once_for_each_pair_and_feature(name):
    """2 samples of 3 queries and 4 keys with 5 features: so many terms its gradient may have."""
    terms = oracle_for(name, {}).reductions([(2, 3, 5), (2, 4, 6)], (2, 3, 6))
    assert terms["scale_gradient"] == len(list(np.ndindex(2, 3, 4, 5)))
    assert set(terms.values()) == {120}, "of no sum there are more"
