"""Every layer of the convolution family, with every argument, against nested loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from tests.scratch.support import oracles
from tests.scratch.support.cases import dtypes, layouts, seeds
from tests.scratch.support.checks import EXAMPLES, assert_exact, assert_within, real, run, whole
from tests.scratch.support.convolution_cases import FAMILY, cases, rank_of, tensors

every_layer = pytest.mark.parametrize("name", FAMILY)


def both(case, dtype, draw, seed, layouts):
    """scratch's results by name, and the loops'."""
    x, dy, weights, expected = tensors(case, draw, seed)
    layer = getattr(scratch, case.name)(dtype=dtype, **case.arguments)
    y, dx, grads = run(layer, x, dy, weights, layouts)
    return {"output": y, "input_gradient": dx,
            **{f"{name}_gradient": gradient for name, gradient in grads.items()}}, expected


@every_layer
@given(data=st.data(), dtype=dtypes, layouts=layouts, seed=seeds)
@EXAMPLES
def test_whole_numbers_agree_exactly(name, data, dtype, layouts, seed):
    ours, expected = both(data.draw(cases(name)), dtype, whole, seed, layouts)
    assert list(ours) == list(expected)
    for result, sums in expected.items():
        assert_exact(ours[result], sums.value, result)


@every_layer
@given(data=st.data(), dtype=dtypes, layouts=layouts, seed=seeds)
@EXAMPLES
def test_real_numbers_agree_within_rounding(name, data, dtype, layouts, seed):
    ours, expected = both(data.draw(cases(name)), dtype, real, seed, layouts)
    for result, sums in expected.items():
        assert_within(ours[result], sums, result)


@every_layer
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_an_activation_works_on_the_arrays_as_they_stand(name, data_format):
    """A softmax sums along the last axis, wherever the channels are; relu passes nothing at 0."""
    arguments = {"kernel_size": 2, "data_format": data_format, "dtype": "float64"}
    if not name.startswith("Depthwise"):
        arguments["filters"] = 3
    shape = {1: (2, 5, 3), 2: (2, 5, 3, 4), 3: (2, 5, 3, 4, 2)}[rank_of(name)]
    plain = getattr(scratch, name)(**arguments)
    plain.build((None, *shape[1:]))
    x = whole(1, shape, 1)
    z = plain.forward(x)
    dy = whole(2, z.shape)
    for activation in ("softmax", "relu"):
        layer = getattr(scratch, name)(activation=activation, **arguments)
        layer.build((None, *shape[1:]))
        for ours, weight in zip(layer.params.values(), plain.params.values()):
            ours[...] = weight
        if activation == "relu":
            expected, dz = oracles.relu(z, dy)
        else:
            expected = np.array([oracles.softmax_row(list(row)) for row in z.reshape(
                -1, z.shape[-1])]).reshape(z.shape)
            dz = expected * (dy - (dy * expected).sum(axis=-1, keepdims=True))
        np.testing.assert_allclose(layer.forward(x), expected, rtol=1e-12, atol=1e-14)
        plain.forward(x)
        np.testing.assert_allclose(layer.backward(dy), plain.backward(dz), rtol=1e-9, atol=1e-12)
        for key, gradient in plain.grads.items():
            np.testing.assert_allclose(layer.grads[key], gradient, rtol=1e-9, atol=1e-12)


@every_layer
def test_an_infinite_pixel_reaches_the_windows_that_see_it_and_no_other(name):
    """Whole numbers, so that what does not see it is as it was to the last bit."""
    shape, pixel = {1: ((2, 9, 1), (1, 4, 0)), 2: ((2, 9, 8, 2), (1, 4, 4, 0)),
                    3: ((2, 9, 7, 8, 2), (1, 4, 4, 4, 0))}[rank_of(name)]
    arguments = {"kernel_size": 2, "strides": 2, "padding": "same"}
    if not name.startswith("Depthwise"):
        arguments["filters"] = 3
    layer = getattr(scratch, name)(**arguments)
    layer.build((None, *shape[1:]))
    for i, weight in enumerate(layer.params.values()):
        weight[...] = whole(i, weight.shape)
    x = whole(3, shape).astype("float32")
    bad = x.copy()
    bad[pixel] = np.inf
    y = layer.forward(x).copy()
    with np.errstate(invalid="ignore"):
        z = layer.forward(bad)
    reached = np.zeros(y.shape, bool)
    window = slice(8, 10) if "Transpose" in name else slice(2, 3)
    channels = slice(1) if name.startswith("Depthwise") else slice(None)
    reached[(1, *(window,) * layer.rank, channels)] = True
    np.testing.assert_array_equal(np.isfinite(z), ~reached)
    np.testing.assert_array_equal(z[~reached], y[~reached])


def test_results_of_the_family_lie_in_memory_with_the_images_innermost():
    """So that they flow on without a copy; see `lowering.py`."""
    x = np.ones((3, 7, 6, 4), "float32")
    for layer in (scratch.Conv2D(6, 3, groups=2), scratch.Conv2D(6, 2, dilation_rate=2),
                  scratch.DepthwiseConv2D(3, depth_multiplier=2), scratch.SeparableConv2D(5, 3),
                  scratch.Conv2DTranspose(5, 3, strides=2)):
        layer.build((None, 7, 6, 4))
        assert layer.forward(x).transpose(2, 3, 1, 0).flags.c_contiguous, str(layer)


def test_results_on_volumes_lie_in_memory_with_the_volumes_innermost():
    """So that they flow on without a copy; see `volume_lowering.py`."""
    x = np.ones((3, 5, 7, 6, 4), "float32")
    for layer in (scratch.Conv3D(6, (2, 3, 3), strides=(1, 2, 1)), scratch.Conv3D(6, 2, groups=2),
                  scratch.Conv3DTranspose(5, 3, strides=2)):
        layer.build((None, *x.shape[1:]))
        y = layer.forward(x)
        assert y.transpose(3, 4, 2, 1, 0).flags.c_contiguous, str(layer)
        dx = layer.backward(y)
        assert dx.transpose(3, 4, 2, 1, 0).flags.c_contiguous, str(layer)


def test_causal_outputs_do_not_look_ahead():
    layer = scratch.Conv1D(2, 3, padding="causal", dilation_rate=2)
    layer.build((None, 8, 1))
    x = real(1, (1, 8, 1)).astype("float32")
    y = layer.forward(x).copy()
    x[0, 5:] = 100
    z = layer.forward(x)
    np.testing.assert_array_equal(z[0, :5], y[0, :5])
    assert (z[0, 5:] != y[0, 5:]).all()
