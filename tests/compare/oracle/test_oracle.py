"""The oracle: its values are the definition's, its bounds hold, its counts of terms suffice.

Convolution, dense layers and pooling are held against loops that keep every single product
(`tests.scratch.support.oracles`); those products are then added up in float32 in random orders,
which must stay inside the bound. All layers are held against Keras in float64.
"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare.oracle.registry import ACTIVATIONS, LAYERS, oracle_for
from compare.oracle.windows import Walk
from tests.compare.support.oracle_checks import (
    FLOAT64,
    SLACK,
    assert_errors_are_carried,
    assert_inside,
    assert_sums,
    bounded,
    run,
)
from tests.scratch.support import oracles
from tests.scratch.support.cases import seeds, walks
from tests.scratch.support.checks import EXAMPLES, real, whole


@pytest.fixture(autouse=True)
def quiet_numpy():
    """Bounds may be infinite here; `compare.check` is as silent about that."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        yield


@given(walk=walks(largest_image=6, largest_kernel=4), filters=st.integers(1, 3),
       bias=st.booleans(), seed=seeds)
@EXAMPLES
def test_convolution_is_the_loops_convolution(walk, filters, bias, seed):
    config = {"filters": filters, "kernel_size": walk.kernel, "strides": walk.strides,
              "padding": walk.padding, "use_bias": bias}
    size = oracles.output_size(walk.image, walk.kernel, walk.strides, walk.padding)
    x, dy = real(seed, walk.input_shape), real(seed + 1, (walk.batch, *size, filters))
    kernel = real(seed + 2, (*walk.kernel, walk.channels, filters))
    b = real(seed + 3, (filters,)) if bias else np.zeros(filters)
    y, dx, dkernel, dbias = oracles.conv2d(x, kernel, b, dy, walk.strides, walk.padding)
    oracle = oracle_for("Conv2D", config)
    weights = {"kernel": kernel, **({"bias": b} if bias else {})}
    expected = {"output": y, "input_gradient": dx, "kernel_gradient": dkernel,
                **({"bias_gradient": dbias} if bias else {})}
    assert_sums(oracle, run(oracle, x, weights, dy), expected, (x.shape, dy.shape), seed)


@given(batch=st.sampled_from([(2,), (3,), (2, 5), (2, 4, 3)]), features=st.integers(1, 7),
       units=st.integers(1, 4), bias=st.booleans(), seed=seeds)
@EXAMPLES
def test_dense_is_the_loops_dense(batch, features, units, bias, seed):
    x, dy = real(seed, (*batch, features)), real(seed + 1, (*batch, units))
    kernel = real(seed + 2, (features, units))
    b = real(seed + 3, (units,)) if bias else np.zeros(units)
    y, dx, dkernel, dbias = oracles.dense(x, kernel, b, dy)
    oracle = oracle_for("Dense", {"units": units, "use_bias": bias})
    weights = {"kernel": kernel, **({"bias": b} if bias else {})}
    expected = {"output": y, "input_gradient": dx, "kernel_gradient": dkernel,
                **({"bias_gradient": dbias} if bias else {})}
    assert_sums(oracle, run(oracle, x, weights, dy), expected, (x.shape, dy.shape), seed)


@given(walk=walks(), ties=st.booleans(), seed=seeds)
@EXAMPLES
def test_pooling_is_the_loops_pooling(walk, ties, seed):
    draw = whole if ties else real
    config = {"pool_size": walk.kernel, "strides": walk.strides, "padding": walk.padding}
    size = oracles.output_size(walk.image, walk.kernel, walk.strides, walk.padding)
    x = draw(seed, walk.input_shape)
    dy = draw(seed + 1, (walk.batch, *size, walk.channels))
    y, dx = oracles.max_pooling2d(x, dy, walk.kernel, walk.strides, walk.padding)
    oracle = oracle_for("MaxPooling2D", config)
    found = run(oracle, x, {}, dy)
    np.testing.assert_array_equal(found["output"].value, y)
    assert not found["output"].bound.any()
    assert_sums(oracle, {"input_gradient": found["input_gradient"]}, {"input_gradient": dx},
                (x.shape, dy.shape), seed)


@given(walk=walks(largest_image=9, largest_kernel=5))
@EXAMPLES
def test_no_pixel_is_covered_by_more_windows_than_said(walk):
    covered = np.zeros(walk.image, int)
    for _, _, pixels in oracles.windows(walk.image, walk.kernel, walk.strides, walk.padding):
        for _, _, row, column in pixels:
            covered[row, column] += 1
    said = Walk(walk.image, walk.kernel, walk.strides, walk.padding).overlap()
    assert covered.max() <= said


def test_rectifier_flatten_and_linear_compute_nothing():
    x, dy = whole(1, (2, 3, 4, 2)), real(2, (2, 3, 4, 2))
    y, dx = oracles.relu(x, dy)
    for oracle in (oracle_for("ReLU", {}), oracle_for("Dense", {"activation": "relu"}, "relu"),
                   oracle_for("Activation", {"activation": "relu"})):
        found = run(oracle, x, {}, dy)
        np.testing.assert_array_equal(found["output"].value, y)
        np.testing.assert_array_equal(found["input_gradient"].value, dx)
        assert not found["output"].bound.any() and not found["input_gradient"].bound.any()
    found = run(oracle_for("Flatten", {}), x, {}, dy.reshape(2, 24))
    np.testing.assert_array_equal(found["output"].value, x.reshape(2, 24))
    np.testing.assert_array_equal(found["input_gradient"].value, dy)
    found = run(oracle_for("Activation", {"activation": "linear"}), x, {}, dy)
    np.testing.assert_array_equal(found["output"].value, x)
    np.testing.assert_array_equal(found["input_gradient"].value, dy)


@given(axis=st.sampled_from([1, 2, -1]), spread=st.sampled_from([0.01, 1, 30]), seed=seeds)
@EXAMPLES
def test_softmax_is_the_definitions(axis, spread, seed):
    x, dy = spread * real(seed, (2, 3, 4)), real(seed + 1, (2, 3, 4))
    x = x.astype(np.float32).astype(float)
    rows, back = np.moveaxis(x, axis, -1), np.moveaxis(dy, axis, -1)
    y, dx = np.empty(rows.shape), np.empty(rows.shape)
    for where in np.ndindex(*rows.shape[:-1]):
        y[where] = p = oracles.softmax_row(list(rows[where]))
        for i, j in itertools.product(range(len(p)), repeat=2):
            dx[(*where, i)] = math.fsum(back[(*where, j)] * p[j] * ((i == j) - p[i])
                                        for j in range(len(p)))
    found = run(oracle_for("Softmax", {"axis": axis}), x, {}, dy)
    for name, expected in (("output", y), ("input_gradient", dx)):
        expected = np.moveaxis(expected, -1, axis)
        np.testing.assert_allclose(found[name].value, expected, rtol=1e-12, atol=1e-15)
        assert_inside(found[name], expected, name)
    x, dy = x.astype(np.float32), dy.astype(np.float32)
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    p = exponentials / exponentials.sum(axis=axis, keepdims=True)
    assert_inside(found["output"], p, "float32")
    assert_inside(found["input_gradient"], p * (dy - (dy * p).sum(axis=axis, keepdims=True)),
                  "float32")


CASES = [
    ("Conv2D", {"filters": 3, "kernel_size": (2, 3), "strides": (2, 1), "padding": "same",
                "use_bias": True, "activation": "relu"}, "", (2, 5, 4, 2), (2, 3, 4, 3)),
    ("Conv2D", {"filters": 3, "kernel_size": (2, 3), "strides": (2, 1), "padding": "same",
                "use_bias": True, "activation": "relu"}, "whole", (2, 5, 4, 2), (2, 3, 4, 3)),
    ("Dense", {"units": 3, "use_bias": True, "activation": "softmax"}, "", (4, 5), (4, 3)),
    ("Dense", {"units": 3, "use_bias": True, "activation": "softmax"}, "whole", (4, 5), (4, 3)),
    ("MaxPooling2D", {"pool_size": (2, 3), "strides": (1, 2), "padding": "same"}, "", (2, 5, 4, 2),
     (2, 5, 2, 2)),
    ("ReLU", {}, "", (3, 7), (3, 7)),
    ("Softmax", {"axis": -1}, "", (3, 7), (3, 7)),
]


@pytest.mark.parametrize("name, config, part, shape, out", CASES,
                         ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("size", [1e-9, 1e-4, 0.3])
def test_errors_of_the_inputs_are_carried_along(name, config, part, shape, out, size):
    """Any input within its error, and any gradient, gives a result within the result's bound."""
    for seed in range(25):
        rng = np.random.default_rng(seed)
        x = whole(seed, shape, 2) if seed % 2 else real(seed, shape)
        dy, oracle = real(seed + 1, out), oracle_for(name, config, part)
        errors = [SLACK + size * rng.random(array.shape) for array in (x, dy)]
        weights = {}
        if name in ("Conv2D", "Dense"):
            kernel = (*config.get("kernel_size", ()), shape[-1], out[-1])
            weights = {"kernel": bounded(real(seed + 2, kernel)),
                       "bias": bounded(real(seed + 3, out[-1:]))}
        assert_errors_are_carried(oracle, oracle_for(name, config, part), (x, dy), errors, weights,
                                  rng, f"seed {seed}")


KERAS_CASES = [
    ("Conv2D", dict(filters=3, kernel_size=(3, 2), strides=(2, 1), padding="same"), (2, 6, 5, 2)),
    ("Conv2D", dict(filters=2, kernel_size=(2, 3), strides=(3, 4), padding="valid"), (3, 8, 7, 3)),
    ("Conv2D", dict(filters=4, kernel_size=(2, 3), strides=(1, 2), padding="same",
                    use_bias=False), (2, 4, 9, 1)),
    ("Conv2D", dict(filters=1, kernel_size=(1, 2), strides=(3, 3), padding="same"), (2, 7, 5, 2)),
    ("Dense", dict(units=3), (4, 5)), ("Dense", dict(units=2, use_bias=False), (2, 3, 4)),
    ("MaxPooling2D", dict(pool_size=(2, 3), strides=(1, 2), padding="same"), (2, 5, 6, 3)),
    ("MaxPooling2D", dict(pool_size=(3, 2), strides=(4, 3), padding="valid"), (2, 8, 7, 2)),
    ("MaxPooling2D", dict(pool_size=(2, 1), strides=(3, 2), padding="same"), (2, 8, 7, 2)),
    ("ReLU", {}, (3, 4, 5)), ("Flatten", {}, (2, 3, 4, 2)), ("Softmax", {}, (3, 5)),
    ("Softmax", dict(axis=1), (2, 5, 3)), ("Activation", dict(activation="softmax"), (2, 4, 3)),
]


@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("name, arguments, shape", KERAS_CASES, ids=str)
def test_every_layer_is_keras_own_in_float64(keras, name, arguments, shape, integers):
    import tensorflow as tf

    layer = getattr(keras.layers, name)(**arguments, dtype="float64")
    layer.build(shape)
    draw = whole if integers else real
    layer.set_weights([draw(i + 1, w.shape) for i, w in enumerate(layer.get_weights())])
    x = draw(7, shape)
    with tf.GradientTape() as tape:
        source = tf.constant(x)
        tape.watch(source)
        y = layer(source)
    dy = draw(8, tuple(y.shape))
    variables = [v.value for v in layer.trainable_variables]
    dx, *gradients = tape.gradient(y, [source, *variables], output_gradients=tf.constant(dy))
    oracle = oracle_for(name, layer.get_config())
    weights = {v.name: v.numpy() for v in layer.weights}
    found = run(oracle, x, weights, dy, FLOAT64)
    expected = {"output": y.numpy(), "input_gradient": dx.numpy(),
                **{f"{v.name}_gradient": g.numpy() for v, g in zip(layer.weights, gradients)}}
    assert found.keys() == expected.keys()
    for tensor, array in expected.items():
        assert_inside(found[tensor], array, tensor)
        if integers and oracle.exact:
            np.testing.assert_array_equal(array, found[tensor].value)


def test_every_layer_and_activation_has_an_oracle():
    import scratch
    from scratch.operations import OPERATIONS

    named = set(scratch.layers.LAYERS) - {"InputLayer", "Activation"}
    assert named | set(OPERATIONS) | {"OneOutput"} == set(LAYERS)  # of a layer that gives several
    assert set(scratch.activations.ACTIVATIONS) == set(ACTIVATIONS)
    with pytest.raises(ValueError, match="STFTSpectrogram 'waves'"):
        oracle_for("STFTSpectrogram", {"name": "waves"})


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_denormal_pixels_may_be_ties_and_may_be_zeros(padding):
    """Where the kernels flush, two denormals are equal, and the first wins."""
    tiny = np.finfo("float32").tiny
    x = np.array([tiny / 8, tiny / 2, -1.0, tiny / 4]).reshape(1, 1, 4, 1)
    dy = np.array([3.0, 5.0]).reshape(1, 1, 2, 1)
    config = {"pool_size": (1, 2), "strides": (1, 2), "padding": padding}
    found = run(oracle_for("MaxPooling2D", config), x, {}, dy)
    for possible in ([0, 3, 0, 5], [3, 0, 0, 5]):
        assert_inside(found["input_gradient"], np.reshape(possible, x.shape), "ties")
    assert (found["input_gradient"].bound[0, 0, 2:] == 0).all()
    assert_inside(found["output"], np.zeros((1, 1, 2, 1)), "zeros")
    relu = run(oracle_for("ReLU", {}), x, {}, np.full(x.shape, 2.0))
    for possible in ([2, 2, 0, 2], [0, 0, 0, 0]):
        assert_inside(relu["input_gradient"], np.reshape(possible, x.shape), "signs")
