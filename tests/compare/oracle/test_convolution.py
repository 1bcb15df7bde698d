"""The oracles of the convolution family: the definition's values, bounds that hold and are narrow.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from compare.checks.integer_probe import amplitude
from compare.oracle.registry import oracle_for
from compare.oracle.windows import Walk
from tests.compare.support.oracle_checks import (
    FLOAT32,
    FLOAT64,
    SLACK,
    assert_errors_are_carried,
    assert_inside,
    assert_sums,
    bounded,
    run,
)
from tests.scratch.layers.test_convolutions_against_keras import IN_FLOAT64, keras_results
from tests.scratch.support import convolution_oracles as oracles
from tests.scratch.support.cases import seeds
from tests.scratch.support.checks import EXAMPLES, real, whole
from tests.scratch.support.convolution_cases import FAMILY, Case, as_image, cases, rank_of, tensors

PLAIN = [name for name in FAMILY if not name.startswith("Separable")]


@pytest.fixture(autouse=True)
def quiet_numpy():
    """Bounds may be infinite here; `compare.check` is as silent about that."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        yield


@pytest.mark.parametrize("name", PLAIN)
@given(data=st.data(), seed=seeds)
@EXAMPLES
def test_a_convolution_is_the_loops_convolution(name, data, seed):
    case = data.draw(cases(name))
    x, dy, weights, expected = tensors(case, real, seed)
    assert_sums(oracle_for(name, case.arguments), run(oracle_for(name, case.arguments), x,
                                                      weights, dy), expected,
                (x.shape, dy.shape), seed)


@pytest.mark.parametrize("name", ["SeparableConv2D", "SeparableConv1D"])
@given(data=st.data(), seed=seeds)
@EXAMPLES
def test_a_separable_convolution_is_the_loops_in_either_order(name, data, seed):
    """In float32: depthwise first, then pointwise; or the two kernels first, then a plain one."""
    case = data.draw(cases(name))
    x, dy, weights, expected = tensors(case, real, seed)
    oracle = oracle_for(case.name, case.arguments)
    found = run(oracle, x, weights, dy)
    counts = oracle.reductions(x.shape, dy.shape)
    assert found.keys() == expected.keys()
    for result, sums in expected.items():
        np.testing.assert_allclose(found[result].value, sums.value, rtol=1e-12, atol=1e-12)
        assert_inside(found[result], sums.value, f"{result}, exact")
        longest = max(map(len, sums.terms.flat), default=0)
        assert counts[result] >= longest, f"{result}: {longest} terms, said {counts[result]}"
        magnitude = sums._each(lambda terms: math.fsum(map(abs, terms)))
        loosest = FLOAT32.gamma(steps(case, x, dy)[result] + 2) * magnitude * 1.01 + 1e-30
        assert (found[result].bound <= loosest).all(), f"{result}: the bound is loose"
    for order in (depthwise_first, kernels_first):
        for result, array in order(case, x, dy, weights).items():
            assert_inside(found[result], array, f"{result}, {order.__name__}")


def steps(case: Case, x, dy) -> dict:
    """How many sums follow one another at most, in the longer of the two ways."""
    image, slopes = as_image(case, x), as_image(case, dy)
    offsets, multiplier = math.prod(case.arguments["kernel_size"]), case.arguments[
        "depth_multiplier"]
    channels, filters, pixels = image.shape[-1], slopes.shape[-1], math.prod(slopes.shape[:-1])
    return {"output": max(offsets + channels * multiplier, multiplier + offsets * channels) + 1,
            "input_gradient": max(filters + offsets * multiplier, multiplier + offsets * filters),
            "depthwise_kernel_gradient": pixels + filters,
            "pointwise_kernel_gradient": pixels + offsets, "bias_gradient": pixels}


def layer_with(name, arguments, weights, shape):
    layer = getattr(scratch, name)(**arguments)
    layer.build((None, *shape[1:]))
    for key, value in weights.items():
        layer.params[key][...] = value
    return layer


def depthwise_first(case, x, dy, weights) -> dict:
    layer = layer_with(case.name, case.arguments, weights, x.shape)
    y, dx = layer.forward(x.astype("float32")), layer.backward(dy.astype("float32"))
    return {"output": y, "input_gradient": dx,
            **{f"{name}_gradient": gradient for name, gradient in layer.grads.items()}}


def kernels_first(case, x, dy, weights) -> dict:
    """One convolution with the product of the kernels; its gradient is taken apart again."""
    depthwise, pointwise = (weights[f"{name}_kernel"].astype("float32")
                            for name in ("depthwise", "pointwise"))
    channels, filters = depthwise.shape[-2], pointwise.shape[-1]
    pointwise = pointwise.reshape(channels, -1, filters)
    plain = {key: value for key, value in case.arguments.items() if key != "depth_multiplier"}
    if max(plain["strides"]) > 1 and max(plain["dilation_rate"]) > 1:  # not for a plain one
        return {}
    fused = {"kernel": np.einsum("...cm,cmf->...cf", depthwise, pointwise)}
    if "bias" in weights:
        fused["bias"] = weights["bias"]
    layer = layer_with(f"Conv{case.rank}D", plain, fused, x.shape)
    y, dx = layer.forward(x.astype("float32")), layer.backward(dy.astype("float32"))
    gradient = layer.grads["kernel"]
    return {"output": y, "input_gradient": dx,
            "depthwise_kernel_gradient": np.einsum("...cf,cmf->...cm", gradient, pointwise),
            "pointwise_kernel_gradient": np.einsum(
                "pcf,pcm->cmf", gradient.reshape(-1, channels, filters),
                depthwise.reshape(-1, *depthwise.shape[-2:])).reshape(
                    *[1] * case.rank, -1, filters)}


@pytest.mark.parametrize("dilated", [False, True])
@given(data=st.data(), seed=seeds)
@EXAMPLES
def test_no_pixel_is_covered_by_more_windows_than_said(dilated, data, seed):
    draw = np.random.default_rng(seed).integers
    size, kernel, strides = (tuple(map(int, draw(1, n, 2))) for n in (12, 5, 5))
    dilation = tuple(map(int, draw(1, 5, 2))) if dilated else (1, 1)
    padding = data.draw(st.sampled_from(["same", "causal"]))
    covered = np.zeros(size, int)
    for _, _, pixel in oracles.meetings(size, kernel, strides, padding, dilation):
        covered[pixel] += 1
    said = Walk(size, kernel, strides, padding, dilation).overlap()
    assert covered.max() <= said
    roomy = (40, 41)
    many = np.zeros(roomy, int)
    for _, _, pixel in oracles.meetings(roomy, kernel, strides, "same", dilation):
        many[pixel] += 1
    assert many.max() == said  # no more is said than there can be


SMALL = {
    "Conv2D": dict(filters=4, groups=2, kernel_size=(2, 3), dilation_rate=(2, 1)),
    "Conv1D": dict(filters=4, groups=1, kernel_size=(3,), strides=(2,), padding="causal"),
    "Conv3D": dict(filters=4, groups=2, kernel_size=(2, 1, 3), strides=(1, 2, 1), padding="same"),
    "DepthwiseConv2D": dict(kernel_size=(2, 3), strides=(1, 2), depth_multiplier=2),
    "DepthwiseConv1D": dict(kernel_size=(2,), strides=(2,), depth_multiplier=2),
    "SeparableConv2D": dict(filters=3, kernel_size=(2, 3), depth_multiplier=2),
    "SeparableConv1D": dict(filters=3, kernel_size=(3,), dilation_rate=(2,), padding="same"),
    "Conv2DTranspose": dict(filters=3, kernel_size=(2, 3), strides=(2, 3)),
    "Conv1DTranspose": dict(filters=3, kernel_size=(3,), strides=(2,), padding="same"),
    "Conv3DTranspose": dict(filters=3, kernel_size=(2, 3, 1), strides=(1, 2, 3)),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("size", [1e-9, 1e-4, 0.3])
def test_errors_of_the_inputs_are_carried_along(name, data_format, size):
    """Any input within its error, and any gradient, gives a result within the result's bound."""
    layer = getattr(scratch, name)(**SMALL[name], data_format=data_format)
    shape = {1: (2, 4, 6), 2: (2, 4, 5, 4), 3: (2, 4, 3, 5, 4)}[rank_of(name)]
    layer.build((None, *shape[1:]))
    config = layer.get_config()
    for seed in range(6):
        rng = np.random.default_rng(seed)
        x, dy = real(seed, shape), real(seed + 1, (2, *layer.output_shape[1:]))
        errors = [SLACK + size * rng.random(array.shape) for array in (x, dy)]
        weights = {key: bounded(real(seed + i, weight.shape))
                   for i, (key, weight) in enumerate(layer.params.items())}
        oracle, moved = oracle_for(name, config), oracle_for(name, config)
        assert_errors_are_carried(oracle, moved, (x, dy), errors, weights, rng,
                                  f"seed {seed}")


@pytest.mark.sampled(2)
@pytest.mark.compiled  # else there is no Conv3D with channels first on a CPU
@pytest.mark.parametrize("integers", [False, True])
def test_every_layer_is_keras_own_in_float64(keras, integers):
    draw = whole if integers else real
    for name, arguments, shape in IN_FLOAT64:
        layer = getattr(keras.layers, name)(**arguments, dtype="float64")
        layer.build(shape)
        layer.set_weights([draw(i + 1, w.shape) for i, w in enumerate(layer.get_weights())])
        x = draw(7, shape)
        dy = draw(8, tuple(layer.compute_output_shape(shape)))
        y, dx, gradients = keras_results(keras, layer, x, dy)
        oracle = oracle_for(name, layer.get_config())
        found = run(oracle, x, {v.name: v.numpy() for v in layer.weights}, dy, FLOAT64)
        expected = {"output": y, "input_gradient": dx,
                    **{f"{v.name}_gradient": g for v, g in zip(layer.weights, gradients)}}
        assert found.keys() == expected.keys()
        for tensor, array in expected.items():
            assert_inside(found[tensor], array, f"{name} {arguments} {tensor}")
            if integers:
                np.testing.assert_array_equal(array, found[tensor].value)


WIDE = [
    ("Conv2D", dict(filters=64, kernel_size=3, padding="same"), (2, 8, 9, 64)),
    ("Conv2D", dict(filters=64, kernel_size=3, dilation_rate=2), (2, 9, 8, 32)),
    ("Conv3D", dict(filters=32, kernel_size=3, padding="same"), (2, 4, 6, 5, 32)),
    ("SeparableConv2D", dict(filters=32, kernel_size=3, padding="same"), (2, 8, 9, 64)),
    ("Conv2DTranspose", dict(filters=32, kernel_size=3, strides=2, padding="same"), (2, 5, 4, 64)),
]


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("name, arguments, shape", WIDE, ids=str)
def test_wide_layers_stay_within_the_bound_in_float32(keras, name, arguments, shape, few):
    """No product is made by an algorithm that saves multiplications, which bounds like these do not
    cover. Among few numbers that are not zero, such an algorithm leaves traces where the bound is 0
    or of a few roundings."""
    layer = getattr(keras.layers, name)(**arguments)
    layer.build(shape)
    layer.set_weights([real(i + 1, w.shape) for i, w in enumerate(layer.get_weights())])
    x, dy = real(7, shape), real(8, tuple(layer.compute_output_shape(shape)))
    if few:
        x = np.where(np.random.default_rng(9).random(x.shape) < 3 / x[0].size, x, 0)
        dy = np.where(np.random.default_rng(9).random(dy.shape) < 3 / dy[0].size, dy, 0)
    x, dy = x.astype("float32"), dy.astype("float32")
    found = run(oracle_for(name, layer.get_config()), x,
                {v.name: v.numpy() for v in layer.weights}, dy)
    y, dx, gradients = keras_results(keras, layer, x, dy)
    theirs = {"output": y, "input_gradient": dx,
              **{f"{v.name}_gradient": g for v, g in zip(layer.weights, gradients)}}
    ours = layer_with(name, arguments, {v.name: v.numpy() for v in layer.weights}, shape)
    made = {"output": ours.forward(x), "input_gradient": ours.backward(dy),
            **{f"{key}_gradient": value for key, value in ours.grads.items()}}
    for tensor, result in found.items():
        assert_inside(result, theirs[tensor], f"Keras, {tensor}")
        assert_inside(result, made[tensor], f"scratch, {tensor}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("factors", [1, 2, 3])
@pytest.mark.parametrize("terms", [1, 9, 300000, 2**24])
def test_whole_numbers_are_so_small_that_no_sum_of_products_is_rounded(terms, factors, dtype):
    largest = amplitude({"output": terms}, dtype, factors)
    assert 1 <= largest <= 4
    total = np.dtype(dtype).type(terms * largest**factors)
    assert int(total) == terms * largest**factors and total - 1 != total
    assert largest == 4 or terms * (largest + 1)**factors > 2**(np.finfo(dtype).nmant + 1)


def test_a_separable_convolution_multiplies_three_numbers():
    assert oracle_for("SeparableConv2D", {}).factors == oracle_for("SeparableConv1D",
                                                                   {}).factors == 3
    assert all(oracle_for(name, {}).factors == 2 for name in PLAIN)
    assert oracle_for("SeparableConv2D", {"activation": "relu"}, "whole").factors == 3


def test_the_loops_sums_of_three_factors_have_room_for_both_multiplications():
    """What `Triples` promises, by the largest errors that float32 can make of one such product."""
    sums = oracles.Triples((2000,))
    numbers = np.random.default_rng(1).standard_normal((2000, 3)).astype("float32")
    for i, (a, b, c) in enumerate(numbers.astype(float)):
        sums.add(i, a * b * c)
    made = numbers[:, 0] * numbers[:, 1] * numbers[:, 2]
    error = np.abs(made - sums.value)
    assert (error <= sums.bound("float32")).all()
    assert (error > np.finfo("float32").eps / 2 * np.abs(sums.value)).any()
