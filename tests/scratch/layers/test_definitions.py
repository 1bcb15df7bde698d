"""Layers against their definitions in loops over complex numbers, and against Keras.

What only moves numbers agrees to the last bit; for the rest a wrong formula is off by thousands of
the roundings that are allowed here. How many are right is for the oracles' tests to say.
"""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from scratch.layer_config import layer_from_config, layer_to_config
from tests.scratch.support.checks import DTYPES, EXAMPLES, LAYOUTS
from tests.scratch.support.definition_cases import (
    CASES,
    build,
    call,
    fill,
    is_exact,
    keras_layer,
    learned,
    numbers,
    single_precision,
)
from tests.scratch.support.definitions import by_definition

ROUNDINGS = 60  # of a result's largest entry
every_case = pytest.mark.parametrize("name, arguments, shapes", CASES, ids=str)


def built(name, arguments, shapes, dtype="float32"):
    """The layer with weights of its own."""
    layer = getattr(scratch, name)(**arguments, dtype=dtype)
    given_shapes = [(None, *shape[1:]) for shape in shapes]
    layer.build(given_shapes if layer.merges else given_shapes[0])
    fill(layer.params)
    return layer


def run(layer, inputs, dy, layouts=("C", "C")) -> dict:
    """All results by tensor name, inputs and dy in these memory layouts; checks that they stay."""
    inputs = [LAYOUTS[layouts[0]](x.astype(layer.dtype)) for x in inputs]
    dy = LAYOUTS[layouts[1]](dy.astype(layer.dtype))
    before = [x.copy() for x in inputs], dy.copy()
    weights = {name: w.copy() for name, w in layer.params.items()}
    y = layer.forward(inputs if layer.merges else inputs[0])
    dx = layer.backward(dy)
    for x, kept in zip([*inputs, dy], [*before[0], before[1]], strict=True):
        np.testing.assert_array_equal(x, kept, "an input was written to")
    for name, weight in weights.items():
        np.testing.assert_array_equal(layer.params[name], weight, f"{name} was written to")
    gradients = dx if layer.merges else [dx]
    made = {"output": y, **{f"{name}_gradient": g for name, g in layer.grads.items()},
            **{f"input_gradient_{i + 1}" if layer.merges else "input_gradient": g
               for i, g in enumerate(gradients)}}
    assert y.shape[1:] == layer.output_shape[1:]
    assert {array.dtype for array in made.values()} == {layer.dtype}
    return made


def same(made: dict, right: dict, dtype, exact: bool) -> None:
    assert made.keys() == right.keys()
    for tensor, array in made.items():
        expected = np.asarray(right[tensor])
        assert array.shape == expected.shape, tensor
        # the gradient of the keys' bias is 0, for all scores grow alike: a sum of others
        least = 10.0 if tensor == "key/bias_gradient" else 1e-3
        scale = max(np.abs(expected).max(), least)
        allowed = 0 if exact else ROUNDINGS * np.finfo(dtype).eps / 2 * scale
        error = np.abs(array - expected.astype(array.dtype if exact else np.float64)).max()
        assert error <= allowed, f"{tensor}: {error:.3g}, allowed {allowed:.3g}"


def example(layer, shapes, whole=False):
    """(inputs, dy) that fit; whole upstream gradients where sums of them are to be exact."""
    inputs = [numbers(i + 1, shape) for i, shape in enumerate(shapes)]
    dy = numbers(9, (shapes[0][0], *layer.output_shape[1:]))
    return inputs, np.round(3 * dy) if whole else dy


@pytest.mark.sampled(4, of="name")
@pytest.mark.parametrize("dtype", DTYPES)
@every_case
def test_the_definition(name, arguments, shapes, dtype):
    layer, exact = built(name, arguments, shapes, dtype), is_exact(name, arguments)
    inputs, dy = example(layer, shapes, exact)
    weights = {weight: array.astype(float) for weight, array in layer.params.items()}
    right = by_definition(name, arguments, inputs, weights, dy, learned(name, arguments))
    same(run(layer, inputs, dy), right, dtype, exact)


@given(case=st.sampled_from(CASES), layouts=st.tuples(*[st.sampled_from(sorted(LAYOUTS))] * 2))
@EXAMPLES
def test_memory_layouts_make_no_difference(case, layouts):
    name, arguments, shapes = case
    layer, exact = built(name, arguments, shapes), is_exact(name, arguments)
    inputs, dy = example(layer, shapes, exact)
    same(run(layer, inputs, dy, layouts), run(layer, inputs, dy), "float32", exact)


@pytest.mark.sampled(4, of="name")
@pytest.mark.parametrize("dtype", DTYPES)
@every_case
def test_keras(keras, name, arguments, shapes, dtype):
    import tensorflow as tf

    from reference.weight_names import weight_names

    if dtype == "float64" and single_precision(name, arguments):
        pytest.skip("Keras computes in float32: resizing_in_float64")
    layer, exact = built(name, arguments, shapes, dtype), is_exact(name, arguments)
    inputs, dy = example(layer, shapes, exact)
    twin = keras_layer(name)(**arguments, dtype=dtype)
    build(twin, shapes)
    twin.set_weights(list(layer.params.values()))
    if name == "Normalization":
        twin.finalize_state()
    assert list(weight_names(twin).values()) == list(layer.params)
    sources = [tf.constant(x.astype(dtype)) for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        y = call(twin, sources)
    *gradients, = tape.gradient(y, [*sources, *twin.trainable_weights],
                                output_gradients=tf.constant(dy.astype(dtype)))
    called = weight_names(twin)
    right = {"output": y, **{f"{called[id(w)]}_gradient": g for w, g in zip(
        twin.trainable_weights, gradients[len(sources):], strict=True)},
        **{f"input_gradient_{i + 1}" if layer.merges else "input_gradient": g
           for i, g in enumerate(gradients[:len(sources)])}}
    same(run(layer, inputs, dy), right, dtype, exact)


@every_case
def test_the_input_gradient_may_be_left_out(name, arguments, shapes):
    layer = built(name, arguments, shapes)
    inputs, dy = (example(layer, shapes))
    right = run(layer, inputs, dy)
    layer.grads.clear()
    layer.backward(dy.astype("float32"), wants_input_gradient=False)
    assert {f"{weight}_gradient" for weight in layer.grads} == {
        tensor for tensor in right if not tensor.startswith(("input", "output"))}


@every_case
def test_configs_go_to_keras_and_back(keras, name, arguments, shapes):
    theirs = keras_layer(name)(**arguments, name="layer")
    build(theirs, shapes)
    config = plain(keras.layers.serialize(theirs))
    config["config"].pop("quantization_config", None)
    config.pop("build_config", None)
    own = built(name, {**arguments, "name": "layer"}, shapes)
    written = plain(layer_to_config(own, "float32"))
    written.pop("build_config", None)
    assert written == config
    assert plain(layer_from_config(config).get_config()) == config["config"]


def plain(config):
    """As JSON writes it: tuples are lists."""
    return json.loads(json.dumps(config))
