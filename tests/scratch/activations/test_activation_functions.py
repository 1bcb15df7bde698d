"""Every activation of one number: value and slope from the definition, kinks, and far away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scratch
from scratch import activations
from tests.draws import draws
from tests.scratch.support.activation_oracles import FUNCTIONS, KINKS, slope
from tests.scratch.support.cases import dtypes, layouts
from tests.scratch.support.checks import DTYPES, EXAMPLES, assert_close, assert_exact, real, run

every_one = pytest.mark.parametrize("name", FUNCTIONS)
FEW = settings(EXAMPLES, max_examples=draws(12))
KINKED = sorted({at for _, at in KINKS})


def numbers(dtype, limit=30):
    """Within the limit, exactly at kinks, and just beside them."""
    width = np.dtype(dtype).itemsize * 8
    kinks = st.sampled_from(KINKED)
    return (st.floats(-limit, limit, width=width) | st.floats(-2, 2, width=width)
            | kinks.map(float)
            | kinks.map(lambda k: float(np.nextafter(np.dtype(dtype).type(k), np.inf,
                                                     dtype=dtype))))


def drawn(data, dtype, **limits):
    return np.array(data.draw(st.lists(numbers(dtype, **limits), min_size=15, max_size=15)),
                    np.float64).reshape(3, 5)


def test_none_is_left_out():
    assert {*FUNCTIONS, "softmax", "log_softmax"} == set(activations.ACTIVATIONS)


@every_one
@given(dtype=dtypes, layouts=layouts, data=st.data())
@FEW
def test_it_is_its_definition(name, dtype, layouts, data):
    """To 20 units of the value; where larger numbers are subtracted, of those."""
    x = drawn(data, dtype)
    dy = np.ones(x.shape)
    y, _, _ = run(scratch.Activation(name, dtype=dtype), x, dy, layouts=layouts)
    exact = np.vectorize(FUNCTIONS[name], otypes=[float])(x)
    scale = np.abs(exact)
    if name in ("squareplus", "tanh_shrink", "soft_shrink", "hard_sigmoid", "hard_silu",
                "sparse_plus", "sparse_sigmoid"):
        scale = scale + np.abs(x) + (0 if name == "tanh_shrink" else 1)
    if name == "gelu":  # the argument's own rounding moves erfc by 2 v dv erfc, v^2 = x^2 / 2
        scale = scale * (1 + x * x / 10)
    info = np.finfo(dtype)
    assert_close(y, exact, 20 * info.eps / 2 * scale + info.tiny, f"{name} of {x.tolist()}")


@every_one
@given(dtype=dtypes, layouts=layouts, data=st.data())
@FEW
def test_its_gradient_is_its_slope(name, dtype, layouts, data):
    x = drawn(data, dtype, limit=12)
    dy = real(1, x.shape)
    _, dx, _ = run(scratch.Activation(name, dtype=dtype), x, dy, layouts=layouts)
    for at in np.ndindex(x.shape):
        expected = slope(name, float(x[at]))
        if expected is not None:
            allowed = (40 * np.finfo(dtype).eps + 1e-8) * max(1, abs(expected)) * abs(dy[at])
            assert abs(dx[at] - expected * dy[at]) <= allowed, (
                f"{name} at {x[at]!r}: {dx[at]!r} for {expected * dy[at]!r}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, at", KINKS, ids=str)
def test_its_gradient_at_a_kink(name, at, dtype):
    _, dx, _ = run(scratch.Activation(name, dtype=dtype), np.full((2, 1), at), np.full((2, 1), 3))
    expected = np.array(KINKS[name, at], dtype)
    assert_close(dx, np.full((2, 1), 3 * expected), 4 * np.finfo(dtype).eps, name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*FUNCTIONS, "softmax", "log_softmax"])
def test_far_away_nothing_warns_and_nothing_is_nan(name, dtype):
    largest = 1e38 if dtype == "float32" else 1e300
    x = np.array([[-largest, -1e20, -1e4, -100, 100, 1e4, 1e20, largest]], dtype)
    layer = scratch.Activation(name, dtype=dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y, dx, _ = run(layer, x, np.ones(x.shape))
    assert not np.isnan(y).any() and not np.isnan(dx).any()
    assert np.isfinite(y).all() or name == "exponential"
    if name in FUNCTIONS and name != "exponential":
        near = np.array([FUNCTIONS[name](v) for v in (-100.0, 100.0)])
        scale = 100 if name == "squareplus" else np.abs(near)  # x + |x|, nearly
        assert_close(y[0, 3:5], near, 20 * np.finfo(dtype).eps * scale + 1e-36)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_approximate_gelu(dtype):
    x = np.linspace(-9, 9, 73).reshape(1, -1)
    activation = activations.approximate_gelu
    z = x.astype(dtype)
    y, slope = activation.function(z), activation.gradient(np.ones_like(z), z, None)
    inner = np.sqrt(2 / np.pi) * (x + float(np.float32(0.044715)) * x**3)
    derivative = np.sqrt(2 / np.pi) * (1 + 3 * float(np.float32(0.044715)) * x**2)
    units = 40 * np.finfo(dtype).eps
    assert_close(y, 0.5 * x * (1 + np.tanh(inner)), units * (1 + np.abs(x)), "y")
    assert_close(slope, 0.5 * (1 + np.tanh(inner)) + 0.5 * x * derivative / np.cosh(inner)**2,
                 units * (1 + np.abs(x) * derivative), "slope")
    with np.errstate(over="raise", invalid="raise"):
        far = np.array([-1e30, 1e30], dtype)
        assert_exact(activation.function(far), np.array([0, 1e30], dtype))
        assert_exact(activation.gradient(np.ones_like(far), far, None), np.array([0, 1], dtype))


def test_other_names_for_the_same():
    assert activations.get("swish") is activations.silu
    assert activations.get("hard_swish") is activations.hard_silu
    assert activations.get(None) is activations.linear
    assert activations.get(activations.tanh) is activations.tanh
    serialized = {"module": "keras.activations", "class_name": "function", "config": "mish",
                  "registered_name": "mish"}
    assert activations.get(serialized) is activations.mish


@pytest.mark.parametrize("name", ["glu", "sparsemax", "threshold", "ReLU", 3, {"config": "relu"},
                                  {"class_name": "function", "config": "glu"},
                                  {"class_name": "PReLU", "config": {}},
                                  {"class_name": "ReLU", "config": {}, "module": "mine",
                                   "registered_name": "mine>ReLU"},
                                  {"class_name": "Softmax", "config": {"axis": [1, 2]}}], ids=str)
def test_what_is_not_supported_is_refused_by_name(name):
    for make in (lambda: scratch.Activation(name), lambda: scratch.Dense(2, activation=name)):
        with pytest.raises(scratch.UnsupportedError, match="is not supported") as error:
            make()
        assert repr(name) in str(error.value)


@pytest.mark.parametrize("where", [{"registered_name": "mine>relu"},
                                   {"module": "mine", "registered_name": "relu"}], ids=str)
def test_a_function_of_somebodys_own_says_how_it_is_given(where):
    config = {"class_name": "function", "config": "relu", **where}
    for make in (lambda: scratch.Activation(config), lambda: scratch.Dense(2, activation=config)):
        with pytest.raises(scratch.UnsupportedError, match="'relu' is a function of somebody's own"
                                                           ".*custom_objects={'relu': "):
            make()


@pytest.mark.parametrize("activation", [activations.approximate_gelu, activations.elu_with(0.5),
                                        activations.relu_with(max_value=3.0)],
                         ids=lambda activation: activation.name)
def test_what_keras_has_no_name_for_is_not_written_as_something_else(activation):
    layer = scratch.Dense(2, activation=activation)
    with pytest.raises(scratch.UnsupportedError, match="no name in a Keras config"):
        layer.get_config()
