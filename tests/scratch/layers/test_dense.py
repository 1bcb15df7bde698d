"""Dense and Flatten against loops, for inputs of any rank."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from tests.scratch.support import oracles
from tests.scratch.support.cases import dtypes, layouts, seeds
from tests.scratch.support.checks import (
    DTYPES,
    EXAMPLES,
    LAYOUTS,
    assert_exact,
    assert_within,
    real,
    run,
    whole,
)

shapes = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(lambda rest: (3, *rest))


def both(shape, units, dtype, draw, seed, layouts):
    """scratch's (y, dx, dkernel, dbias) and the oracle's."""
    x, dy = draw(seed, shape), draw(seed + 1, (*shape[:-1], units))
    kernel, bias = draw(seed + 2, (shape[-1], units)), draw(seed + 3, units)
    y, dx, grads = run(scratch.Dense(units, dtype=dtype), x, dy,
                       {"kernel": kernel, "bias": bias}, layouts)
    return (y, dx, grads["kernel"], grads["bias"]), oracles.dense(x, kernel, bias, dy)


@EXAMPLES
@given(shapes, st.integers(1, 4), dtypes, layouts, seeds)
def test_whole_numbers_agree_exactly(shape, units, dtype, layouts, seed):
    ours, oracle = both(shape, units, dtype, whole, seed, layouts)
    for name, actual, sums in zip(("y", "dx", "dkernel", "dbias"), ours, oracle):
        assert_exact(actual, sums.value, name)


@EXAMPLES
@given(shapes, st.integers(1, 4), dtypes, layouts, seeds)
def test_real_numbers_agree_within_rounding(shape, units, dtype, layouts, seed):
    ours, oracle = both(shape, units, dtype, real, seed, layouts)
    for name, actual, sums in zip(("y", "dx", "dkernel", "dbias"), ours, oracle):
        assert_within(actual, sums, name)


def test_without_bias_and_with_an_activation():
    x, dy, kernel = whole(0, (4, 3), 1), whole(1, (4, 5)), whole(2, (3, 5), 1)
    z = oracles.dense(x, kernel, np.zeros(5), dy)[0].value
    assert (z == 0).any()
    expected, dz = oracles.relu(z, dy)
    _, dx, dkernel, _ = oracles.dense(x, kernel, np.zeros(5), dz)
    y, ours, grads = run(scratch.Dense(5, activation="relu", use_bias=False), x, dy,
                         {"kernel": kernel})
    assert_exact(y, expected)
    assert_exact(ours, dx.value)
    assert_exact(grads["kernel"], dkernel.value)
    assert list(grads) == ["kernel"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_flatten_is_row_major_channels_last(dtype, layout):
    x = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    y, dx, _ = run(scratch.Flatten(dtype=dtype), x, np.arange(120.0).reshape(2, 60) + 7,
                   layouts=(layout, layout))
    assert y.tolist() == [list(range(60)), list(range(60, 120))]
    assert_exact(dx, x + 7)


def test_flatten_makes_a_column_of_a_batch_of_numbers():
    y, dx, _ = run(scratch.Flatten(), np.array([3.0, 5.0]), np.array([[7.0], [9.0]]))
    assert y.tolist() == [[3], [5]] and dx.tolist() == [7, 9]


@pytest.mark.parametrize("units", [0, -1, 2.5, "3", True, None])
def test_units_that_are_no_positive_integer_are_refused(units):
    with pytest.raises(ValueError, match="'scores'.*Received: units="):
        scratch.Dense(units, name="scores")


@pytest.mark.parametrize("shape", [(None,), (None, None), (None, 3, None)])
def test_inputs_without_known_features_are_refused(shape):
    with pytest.raises(ValueError, match="'scores'.*Received: input_shape="):
        scratch.Dense(2, name="scores").build(shape)


def test_regularizers_are_kept_by_weight_and_change_nothing_here():
    """They are the model's business: what the layer computes stays as it is."""
    layer = scratch.Dense(4, kernel_regularizer="l2", bias_regularizer=scratch.regularizers.L1(0.5),
                          activity_regularizer="l1")
    assert {name: type(r).__name__ for name, r in layer.regularizers.items()} == {
        "kernel": "L2", "bias": "L1"}
    assert type(layer.activity_regularizer).__name__ == "L1"
    x, dy, kernel, bias = whole(0, (4, 3)), whole(1, (4, 4)), whole(2, (3, 4)), whole(3, 4)
    y, dx, grads = run(layer, x, dy, {"kernel": kernel, "bias": bias})
    for actual, sums in zip((y, dx, grads["kernel"], grads["bias"]),
                            oracles.dense(x, kernel, bias, dy)):
        assert_exact(actual, sums.value)


@pytest.mark.parametrize("setting, value", [
    ("kernel_constraint", "mine"), ("bias_constraint", "mine"), ("lora_rank", 2),
    ("quantization_config", "int8")])
def test_what_is_not_supported_is_refused_by_name(setting, value):
    with pytest.raises(scratch.UnsupportedError, match=f"'scores' does not support {setting}="):
        scratch.Dense(2, name="scores", **{setting: value})
