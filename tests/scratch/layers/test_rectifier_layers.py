"""ReLU with arguments, LeakyReLU, ELU and PReLU, number by number; activations that are layers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from tests.scratch.support.activation_oracles import prelu
from tests.scratch.support.cases import dtypes, layouts, seeds
from tests.scratch.support.checks import (
    DTYPES,
    EXAMPLES,
    assert_close,
    assert_exact,
    assert_within,
    real,
    run,
    whole,
)

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(lambda rest: (3, *rest))
short = st.integers(0, 12).map(lambda n: n / 4)  # such numbers' products with whole ones are exact


def relu(x, dy, max_value, slope, threshold):
    """(y, dx) of one number, from Keras's definition and TensorFlow's gradients."""
    y = dx = 0.0
    if x > threshold:
        y, dx = x, dy
        if max_value is not None:
            y = min(x, max_value)
            relu6 = max_value == 6 and threshold == 0
            dx = dy if (x < max_value if relu6 else x <= max_value) else 0.0
    elif x < threshold:
        y, dx = slope * (x - threshold), slope * dy
    elif slope and max_value is None and threshold == 0:  # a mere leaky one: at 0 the slope
        dx = slope * dy
    return y, dx


@given(shapes, st.none() | st.sampled_from([0, 1, 2.5, 6, 7]), short,
       st.sampled_from([0, 0.0, 1, 2.5]), dtypes, layouts, seeds)
@EXAMPLES
def test_relu_with_every_argument(shape, max_value, slope, threshold, dtype, layouts, seed):
    x, dy = whole(seed, shape, 9) / 2, whole(seed + 1, shape)
    layer = scratch.ReLU(max_value, slope, threshold, dtype=dtype)
    y, dx, _ = run(layer, x, dy, layouts=layouts)
    pairs = [relu(*pair, max_value, slope, threshold) for pair in zip(x.flat, dy.flat)]
    assert_exact(y, np.reshape([pair[0] for pair in pairs], shape))
    assert_exact(dx, np.reshape([pair[1] for pair in pairs], shape))


@pytest.mark.parametrize("slope", [0, 0.3, 1, 2.7])
@given(shapes, dtypes, layouts, seeds)
@EXAMPLES
def test_leaky_relu(slope, shape, dtype, layouts, seed):
    """At 0 the gradient is the slope; the slope is float32's also in float64."""
    x = real(seed, shape)
    x.flat[::3] = 0
    dy = real(seed + 1, shape)
    y, dx, _ = run(scratch.LeakyReLU(slope, dtype=dtype), x, dy, layouts=layouts)
    held, units = float(np.float32(slope)), np.finfo(dtype).eps / 2
    assert_close(y, np.where(x > 0, x, held * x), units * held * np.abs(x), "y")
    assert_close(dx, np.where(x > 0, dy, held * dy), units * held * np.abs(dy), "dx")
    assert np.array_equal(y[x > 0], x[x > 0])


@pytest.mark.parametrize("alpha", [1, 0.5, 2.0, -1])
@given(shapes, dtypes, layouts, seeds)
@EXAMPLES
def test_elu(alpha, shape, dtype, layouts, seed):
    x = 3 * real(seed, shape)
    x.flat[::3] = 0
    x = x.astype(np.float32).astype(float)
    dy = real(seed + 1, shape)
    y, dx, _ = run(scratch.ELU(alpha, dtype=dtype), x, dy, layouts=layouts)
    units = 10 * np.finfo(dtype).eps
    expected = np.reshape([v if v > 0 else alpha * math.expm1(v) for v in x.flat], shape)
    slopes = np.reshape([1 if v > 0 else alpha * math.exp(v) for v in x.flat], shape)
    assert_close(y, expected, units * np.abs(expected), "y")
    assert_close(dx, dy * slopes, units * abs(alpha) * np.abs(dy), "dx")


@given(shapes, st.sets(st.integers(1, 3)), st.booleans(), dtypes, layouts, seeds)
@EXAMPLES
def test_prelu(shape, shared, integers, dtype, layouts, seed):
    draw = whole if integers else real
    shared = sorted(axis for axis in shared if axis < len(shape))
    x, dy = draw(seed, shape), draw(seed + 1, shape)
    alpha = draw(seed + 2, tuple(1 if axis in shared else n
                                 for axis, n in enumerate(shape) if axis))
    layer = scratch.PReLU(shared_axes=shared, dtype=dtype)
    y, dx, grads = run(layer, x, dy, {"alpha": alpha}, layouts)
    sums = prelu(x, alpha, dy)
    for made, expected, what in zip((y, dx, grads["alpha"]), sums, ("y", "dx", "dalpha")):
        if integers:
            assert_exact(made, expected.value, what)
        else:
            assert_within(made, expected, what)


def test_prelu_shares_one_axis_given_as_a_number():
    layer = scratch.PReLU(shared_axes=2)
    layer.build((None, 4, 5, 3))
    assert layer.params["alpha"].shape == (4, 1, 3) and not layer.params["alpha"].any()
    assert layer.get_config()["shared_axes"] == [2]
    open_ended = scratch.PReLU(shared_axes=[1, 2])
    open_ended.build((None, None, None, 3))
    assert open_ended.params["alpha"].shape == (1, 1, 3)


def test_prelu_skips_the_input_gradient_that_nobody_wants():
    layer = scratch.PReLU()
    layer.build((None, 3))
    layer.forward(np.array([[-1.0, 2.0, 0.0]], np.float32))
    assert layer.backward(np.ones((1, 3), np.float32), wants_input_gradient=False) is None
    np.testing.assert_array_equal(layer.grads["alpha"], [-1, 0, 0])


@pytest.mark.parametrize("make, words", [
    (lambda: scratch.ReLU(max_value=-1, name="on"), "max_value=-1"),
    (lambda: scratch.ReLU(negative_slope=-0.5, name="on"), "negative_slope=-0.5"),
    (lambda: scratch.ReLU(negative_slope=None, name="on"), "negative_slope=None"),
    (lambda: scratch.ReLU(threshold=None, name="on"), "threshold=None"),
    (lambda: scratch.ReLU(threshold=-2, name="on"), "threshold=-2"),
    (lambda: scratch.ReLU(threshold=math.inf, name="on"), "threshold=inf"),
    (lambda: scratch.ReLU(max_value="6", name="on"), "max_value='6'"),
    (lambda: scratch.LeakyReLU(None, name="on"), "negative_slope=None"),
    (lambda: scratch.LeakyReLU(-1, name="on"), "negative_slope=-1"),
    (lambda: scratch.LeakyReLU(True, name="on"), "negative_slope=True"),
    (lambda: scratch.ELU(math.nan, name="on"), "alpha=nan"),
    (lambda: scratch.ELU(None, name="on"), "alpha=None"),
    (lambda: scratch.PReLU(alpha_constraint="mine", name="on"), "alpha_constraint='mine'"),
    (lambda: scratch.PReLU(shared_axes=[3], name="on").build((None, 2, 5)), r"shared_axes=[3]"),
    (lambda: scratch.PReLU(shared_axes=[-1], name="on").build((None, 2, 5)), r"shared_axes=[-1]"),
    (lambda: scratch.PReLU(shared_axes=[0], name="on").build((None, 2, 5)), r"shared_axes=[0]"),
    (lambda: scratch.PReLU(name="on").build((None, None, 5)), "(None, None, 5)"),
    (lambda: scratch.Dense(2, dtype="float64", name="on", activation={
        "class_name": "ReLU", "config": {"dtype": "float32"}}), "float32"),
])
def test_wrong_arguments_are_refused_by_name(make, words):
    with pytest.raises(ValueError, match="[Ee]xpected") as error:
        make()
    assert "'on'" in str(error.value) and words in str(error.value)


INNER = [
    ("ReLU", {"max_value": 2, "negative_slope": 0.25, "threshold": 0.5}),
    ("LeakyReLU", {}), ("LeakyReLU", {"negative_slope": 0.125, "name": "mine"}),
    ("ELU", {"alpha": 0.5}), ("Softmax", {"axis": 1}),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("class_name, settings", INNER, ids=str)
def test_a_layer_inside_a_layer_is_that_layer_behind_it(class_name, settings, dtype):
    config = {"class_name": class_name, "config": settings}
    x, dy = real(1, (3, 4, 5)), real(2, (3, 4, 6))
    kernel = real(3, (5, 6))
    inside = scratch.Dense(6, activation=config, use_bias=False, dtype=dtype)
    y, dx, grads = run(inside, x, dy, {"kernel": kernel})
    dense = scratch.Dense(6, use_bias=False, dtype=dtype)
    behind = getattr(scratch, class_name)(**settings, dtype=dtype)
    z, _, _ = run(dense, x, dy, {"kernel": kernel})
    expected, dz, _ = run(behind, z.astype(float), dy)
    assert_exact(y, expected)
    assert_exact(dx, dense.backward(dz))
    assert_exact(grads["kernel"], dense.grads["kernel"])


def test_a_layer_inside_a_layer_is_written_in_the_models_precision():
    inner = {"class_name": "LeakyReLU", "config": {"negative_slope": 0.5}}
    for precision in DTYPES:
        for make in (lambda: scratch.Dense(2, activation=inner),
                     lambda: scratch.Activation(inner)):
            model = scratch.Sequential([make()], dtype=precision)
            for _ in range(2):  # before it is built, and after
                written = model.get_config()["layers"][-1]["config"]["activation"]
                assert written["class_name"] == "LeakyReLU" and written["module"] == "keras.layers"
                assert written["config"]["negative_slope"] == 0.5
                assert written["config"]["name"] == "leaky_re_lu"
                assert written["config"]["dtype"]["config"]["name"] == precision
                model(np.ones((2, 3)))
    assert inner == {"class_name": "LeakyReLU", "config": {"negative_slope": 0.5}}
