"""Oracles of poolings: the loops' values, bounds that float32 keeps to in any order, Keras's own.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded
from tests.compare.support.oracle_checks import (
    FLOAT32,
    FLOAT64,
    SLACK,
    added_up,
    assert_inside,
    assert_sums,
    bounded,
    run,
)
from tests.scratch.support import oracles, volumes
from tests.scratch.support.cases import seeds
from tests.scratch.support.checks import EXAMPLES, real, whole
from tests.scratch.support.pooling import (
    FORMATS,
    arranged_walks,
    arrangements,
    average_pooling2d,
    global_average,
    global_max,
    output_shape,
)


def config_of(walk, arrangement) -> dict:
    """As Keras writes it."""
    cut = slice(arrangement.rank)
    return {"pool_size": walk.kernel[cut], "strides": walk.strides[cut], "padding": walk.padding,
            "data_format": arrangement.data_format}


def by_oracle(name, config, x, dy):
    oracle = oracle_for(name, config)
    return oracle, run(oracle, x, {}, dy)


@given(case=arranged_walks(), ties=st.booleans(), seed=seeds)
@EXAMPLES
def test_maxima_are_the_loops(case, ties, seed):
    walk, arrangement = case
    draw = whole if ties else real
    x, dy = draw(seed, walk.input_shape), draw(seed + 1, output_shape(walk))
    y, dx = oracles.max_pooling2d(x, dy, walk.kernel, walk.strides, walk.padding)
    shapes = arrangement.given(x).shape, arrangement.given(dy).shape
    oracle, found = by_oracle(f"MaxPooling{arrangement.rank}D", config_of(walk, arrangement),
                              arrangement.given(x), arrangement.given(dy))
    np.testing.assert_array_equal(found["output"].value, arrangement.given(y))
    assert not found["output"].bound.any() and oracle.exact
    assert_sums(oracle, {"input_gradient": found["input_gradient"]},
                {"input_gradient": arrangement.sums(dx)}, shapes, seed)


def float32_means(sums, number, rng, order):
    """Means in float32, four ways: sum first or last, by a division or by a rounded reciprocal."""
    number = np.broadcast_to(np.float32(number), sums.terms.shape)
    result = np.empty(sums.terms.shape, np.float32)
    for index in np.ndindex(*result.shape):
        terms, n = [np.float32(t) for t in sums.terms[index]], number[index]
        if order in (2, 3):
            terms = [t / n if order == 2 else t * (1 / n) for t in terms]
        total = np.float32(added_up(terms, rng))
        result[index] = total / n if order == 0 else total * (1 / n) if order == 1 else total
    return result


@given(case=arranged_walks(), integers=st.booleans(), seed=seeds)
@EXAMPLES
def test_means_are_the_loops(case, integers, seed):
    """And exactly so where the oracle says that whole numbers are exact, in every order."""
    walk, arrangement = case
    draw = whole if integers else real
    x, dy = draw(seed, walk.input_shape), draw(seed + 1, output_shape(walk))
    y, dx, number = average_pooling2d(x, dy, walk.kernel, walk.strides, walk.padding)
    oracle, found = by_oracle(f"AveragePooling{arrangement.rank}D", config_of(walk, arrangement),
                              arrangement.given(x), arrangement.given(dy))
    output, gradient = found["output"], found["input_gradient"]
    terms = oracle.reductions(arrangement.given(x).shape, arrangement.given(dy).shape)
    assert terms["output"] >= number.max()
    assert terms["input_gradient"] >= max(map(len, dx.terms.flat))
    rng = np.random.default_rng(seed)
    exact = arrangement.given(y.value / number)
    np.testing.assert_allclose(output.value, exact, rtol=1e-12, atol=1e-12)
    for order in range(4):
        made = arrangement.given(float32_means(y, number, rng, order))
        assert_inside(output, made, f"output, order {order}")
        if oracle.exact and integers:
            np.testing.assert_array_equal(made, output.value)
    magnitude = y._each(lambda terms: sum(map(abs, terms))) / number
    assert (output.bound <= arrangement.given(
        FLOAT32.gamma(number + 3) * magnitude * 1.01 + 1e-30)).all(), "the bound is loose"
    expected = arrangement.sums(dx)
    np.testing.assert_allclose(gradient.value, expected.value, rtol=1e-12, atol=1e-12)
    for order in range(3):
        made = expected._each(lambda shares: added_up(shares, rng))  # each quotient rounded
        assert_inside(gradient, made, f"gradient, order {order}")
        if oracle.exact and integers:
            np.testing.assert_array_equal(made, gradient.value)
    magnitude = expected._each(lambda shares: sum(map(abs, shares)))
    assert (gradient.bound <= FLOAT32.gamma(expected._each(len) + 3) * magnitude * 1.01
            + 1e-30).all(), "the bound is loose"


@pytest.mark.parametrize("pool_size, padding, exact", [
    ((2, 4), "valid", True), ((1, 2), "same", True), ((2, 2), "same", True), ((1, 1), "same", True),
    ((4, 2), "same", False), ((3, 2), "valid", False), ((2, 3), "same", False)])
def test_which_averages_round_whole_numbers(pool_size, padding, exact):
    config = {"pool_size": pool_size, "strides": (1, 1), "padding": padding}
    assert oracle_for("AveragePooling2D", config).exact is exact
    number = average_pooling2d(np.zeros((1, 7, 5, 1)), np.zeros((1, 9, 9, 1)), pool_size, (1, 1),
                               padding)[2]
    assert (np.frexp(number)[0] == 0.5).all() == exact, "a power of two, or not"


@st.composite
def global_cases(draw):
    """(input shape as images, arrangement, config)."""
    arrangement = draw(arrangements)
    shape = (2, draw(st.integers(1, 5)), draw(st.integers(1, 4)) if arrangement.rank == 2 else 1, 3)
    return shape, arrangement, {"data_format": arrangement.data_format,
                                "keepdims": draw(st.booleans())}


def judged_globally(kind, case, x, dy):
    """(oracle, results arranged as images (N, H, W, C) and (N, 1, 1, C), sizes of reductions)."""
    _, arrangement, config = case
    arranged = arrangement.given(dy) if config["keepdims"] else dy[:, 0, 0]
    oracle, found = by_oracle(f"Global{kind}Pooling{arrangement.rank}D", config,
                              arrangement.given(x), arranged)
    assert found["output"].shape == arranged.shape
    y = found["output"].rearranged(lambda a: arrangement.images(a) if config["keepdims"]
                                   else a[:, None, None])
    terms = oracle.reductions(arrangement.given(x).shape, arranged.shape)
    return y, found["input_gradient"].rearranged(arrangement.images), terms


@given(case=global_cases(), largest=st.integers(0, 2), seed=seeds)
@EXAMPLES
def test_global_maxima_are_the_loops(case, largest, seed):
    """One over the number of ties times dy, or dy over their number: both within the bound."""
    shape = case[0]
    x, dy = whole(seed, shape, largest), real(seed + 1, (shape[0], 1, 1, shape[3]))
    y, dx, _ = judged_globally("Max", case, x, dy)
    expected, gradient = global_max(x, dy)
    np.testing.assert_array_equal(y.value, expected)
    assert not y.bound.any()
    np.testing.assert_allclose(dx.value, gradient, rtol=1e-15)
    won = (x == expected).astype(np.float32)
    ties = won.sum(axis=(1, 2), keepdims=True)
    assert_inside(dx, won / ties * np.float32(dy), "as TensorFlow")
    assert_inside(dx, won * (np.float32(dy) / ties), "by a division")
    assert (dx.bound <= FLOAT32.gamma(3) * np.abs(gradient) * 1.01 + 1e-30).all()
    assert not dx.bound[np.broadcast_to(ties == 1, shape)].any(), "one winner rounds nothing"


@given(case=global_cases(), seed=seeds)
@EXAMPLES
def test_global_means_are_the_loops(case, seed):
    shape = case[0]
    x, dy = real(seed, shape), real(seed + 1, (shape[0], 1, 1, shape[3]))
    y, dx, terms = judged_globally("Average", case, x, dy)
    sums, gradient = global_average(x, dy)
    number, rng = shape[1] * shape[2], np.random.default_rng(seed)
    assert terms["output"] == number
    np.testing.assert_allclose(y.value, sums.value / number, rtol=1e-12, atol=1e-15)
    for order in range(4):
        assert_inside(y, float32_means(sums, number, rng, order), f"output, order {order}")
    magnitude = sums._each(lambda terms: sum(map(abs, terms))) / number
    assert (y.bound <= FLOAT32.gamma(number + 3) * magnitude * 1.01 + 1e-30).all()
    np.testing.assert_allclose(dx.value, gradient, rtol=1e-12)
    share = np.float32(dy) / np.float32(number)
    assert_inside(dx, np.broadcast_to(share, shape), "a division")
    reciprocal = np.float32(dy) * (np.float32(1) / np.float32(number))
    assert_inside(dx, np.broadcast_to(reciprocal, shape), "a reciprocal")


SAME = {"padding": "same", "data_format": "channels_first"}
ERROR_CASES = [
    ("AveragePooling2D", {"pool_size": (2, 3), "strides": (1, 2), **SAME}, (2, 2, 5, 4),
     (2, 2, 5, 2)),
    ("AveragePooling1D", {"pool_size": (4,), "strides": (4,), "padding": "valid"}, (2, 9, 3),
     (2, 2, 3)),
    ("MaxPooling2D", {"pool_size": (2, 3), "strides": (1, 2), **SAME}, (2, 2, 5, 4), (2, 2, 5, 2)),
    ("MaxPooling1D", {"pool_size": (3,), "strides": (2,), **SAME}, (2, 3, 7), (2, 3, 4)),
    ("MaxPooling3D", {"pool_size": (2, 1, 3), "strides": (1, 2, 2), **SAME}, (2, 2, 3, 4, 5),
     (2, 2, 3, 2, 3)),
    ("AveragePooling3D", {"pool_size": (2, 1, 3), "strides": (1, 2, 1), "padding": "valid"},
     (2, 3, 4, 5, 2), (2, 2, 2, 3, 2)),
    ("GlobalMaxPooling2D", {"keepdims": False}, (2, 3, 2, 3), (2, 3)),
    ("GlobalMaxPooling1D", {"keepdims": True}, (2, 5, 3), (2, 1, 3)),
    ("GlobalAveragePooling2D", {"keepdims": False, **SAME}, (2, 3, 2, 3), (2, 3)),
    ("GlobalAveragePooling1D", {"keepdims": True}, (2, 5, 3), (2, 1, 3)),
]


@pytest.mark.parametrize("name, config, shape, out", ERROR_CASES,
                         ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.parametrize("size", [1e-9, 1e-4, 0.3])
def test_errors_of_the_inputs_are_carried_along(name, config, shape, out, size):
    """Any input within its error, and any gradient, gives a result within the result's bound.

    Ties among them: an error then leaves open who wins, and how many.
    """
    for seed in range(25):
        rng = np.random.default_rng(seed)
        x = whole(seed, shape, 2) if seed % 2 else real(seed, shape)
        dy = real(seed + 1, out)
        errors = [(SLACK + size * rng.random(array.shape)) * (rng.random(array.shape) < 0.7)
                  for array in (x, dy)]
        oracle = oracle_for(name, config)
        y = oracle.forward(Bounded(x, FLOAT32, errors[0]), {})
        dx, _ = oracle.backward(Bounded(dy, FLOAT32, errors[1]))
        moved = oracle_for(name, config)
        for _ in range(4):
            x2, dy2 = (array + np.maximum(error - SLACK, 0) * rng.choice([-1, -0.3, 0, 1],
                                                                         array.shape)
                       for array, error in zip((x, dy), errors))
            y2 = moved.forward(bounded(x2), {})
            dx2, _ = moved.backward(bounded(dy2))
            assert_inside(y, y2.value, f"output, seed {seed}")
            assert_inside(dx, dx2.value, f"input gradient, seed {seed}")


def test_exact_ties_stay_ties_beside_numbers_that_are_not():
    """Two equal maxima without errors: who else moves below them changes nothing."""
    x = Bounded(np.array([3.0, 1, 3, 2]).reshape(1, 4, 1), FLOAT32,
                np.array([0, 0.5, 0, 0.5]).reshape(1, 4, 1))
    oracle = oracle_for("GlobalMaxPooling1D", {})
    oracle.forward(x, {})
    dx, _ = oracle.backward(bounded(np.array([[4.0]])))
    assert dx.value.ravel().tolist() == [2, 0, 2, 0] and dx.bound.max() < 1e-30
    x = Bounded(x.value, FLOAT32, np.array([0, 0.5, 0.1, 0.5]).reshape(1, 4, 1))
    oracle.forward(x, {})
    dx, _ = oracle.backward(bounded(np.array([[4.0]])))
    assert dx.bound.ravel().tolist() == [4, 0, 4, 0]


def test_denormals_may_tie():
    """Where the kernels flush, they are zeros and share; elsewhere the largest takes all."""
    tiny = np.finfo("float32").tiny
    x = np.array([tiny / 8, tiny / 2, -1.0, 0]).reshape(1, 4, 1)
    found = run(oracle_for("GlobalMaxPooling1D", {}), x, {}, np.array([[6.0]]))
    for possible in ([0, 6, 0, 0], [2, 2, 0, 2]):
        assert_inside(found["input_gradient"], np.reshape(possible, x.shape), "ties")
    assert found["input_gradient"].bound[0, 2] == 0


WINDOWS = [dict(pool_size=2), dict(pool_size=(2, 3), strides=(1, 2), padding="same"),
           dict(pool_size=(3, 2), strides=(4, 3)), dict(pool_size=(4, 3), strides=1,
                                                        padding="same")]
KERAS_CASES = [(f"{kind}Pooling2D", {**arguments, "data_format": data_format}, (2, 5, 6, 4))
               for kind in ("Average", "Max") for arguments in WINDOWS for data_format in FORMATS]
KERAS_CASES += [(f"{kind}Pooling1D", dict(pool_size=3, strides=2, padding=padding,
                                          data_format=data_format), (3, 7, 5))
                for kind in ("Average", "Max") for padding in ("same", "valid")
                for data_format in FORMATS]
KERAS_CASES += [(f"{kind}Pooling3D", {**arguments, "data_format": data_format}, (2, 4, 6, 5, 3))
                for kind in ("Average", "Max") for data_format in FORMATS for arguments in (
                    dict(pool_size=2), dict(pool_size=(2, 3, 1), strides=(1, 2, 3)),
                    dict(pool_size=(1, 3, 2), strides=(2, 1, 1), padding="same"))]
KERAS_CASES += [(f"Global{kind}Pooling{rank}D", dict(keepdims=keepdims, data_format=data_format),
                 (3, 7, 5, 4, 2)[:rank + 2])
                for kind in ("Average", "Max") for rank in (1, 2, 3)
                for keepdims in (False, True) for data_format in FORMATS]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, arguments, shape", KERAS_CASES, ids=str)
def test_keras_keeps_to_the_bounds(keras, name, arguments, shape, dtype):
    """Real numbers and whole ones; these exactly, where the oracle says so."""
    import tensorflow as tf

    if dtype == "float64" and name in ("MaxPooling3D", "AveragePooling3D"):
        pytest.skip("TensorFlow has no such kernel")

    layer = getattr(keras.layers, name)(**arguments, dtype=dtype)
    for draw in (real, whole):
        x = draw(7, shape)
        with tf.GradientTape() as tape:
            source = tf.constant(x.astype(dtype))
            tape.watch(source)
            y = layer(source)
        dy = draw(8, tuple(y.shape))
        dx = tape.gradient(y, source, output_gradients=tf.constant(dy.astype(dtype)))
        oracle = oracle_for(name, layer.get_config())
        found = run(oracle, x, {}, dy, FLOAT32 if dtype == "float32" else FLOAT64)
        assert_inside(found["output"], y.numpy(), "output")
        assert_inside(found["input_gradient"], dx.numpy(), "input gradient")
        if oracle.exact and draw is whole:
            np.testing.assert_array_equal(y.numpy(), found["output"].value)
            np.testing.assert_array_equal(dx.numpy(), found["input_gradient"].value)


@given(volumes.pools(), st.booleans(), seeds)
@EXAMPLES
def test_maxima_and_means_of_volumes_are_the_loops(case, ties, seed):
    """Every number that ties for a maximum gets its gradient."""
    arguments, shape = case
    draw = whole if ties else real
    x, dy = draw(seed, shape), draw(seed + 1, volumes.output_shape(arguments, shape))
    oracle, found = by_oracle("MaxPooling3D", arguments, x, dy)
    y, dx = volumes.maxima(arguments, x, dy)
    np.testing.assert_array_equal(found["output"].value, y)
    assert not found["output"].bound.any() and oracle.exact
    assert_sums(oracle, {"input_gradient": found["input_gradient"]}, {"input_gradient": dx},
                (x.shape, dy.shape), seed)
    oracle, found = by_oracle("AveragePooling3D", arguments, x, dy)
    sums, spread, number = volumes.means(arguments, x, dy)
    np.testing.assert_allclose(found["output"].value, sums.value / number, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found["input_gradient"].value, spread.value, rtol=1e-12, atol=1e-12)
    rng = np.random.default_rng(seed)
    for order in range(3):
        assert_inside(found["output"], float32_means(sums, number, rng, order), f"order {order}")
