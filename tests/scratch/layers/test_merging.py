"""Merging layers against loops over every element, broadcasting, ties and refusals included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from tests.scratch.support.checks import DTYPES, EXAMPLES, LAYOUTS, assert_exact, real, whole
from tests.scratch.support.merging import JOINED, by_loops, shapes


def run(layer, inputs, dy, layouts="C"):
    """(y, gradients) of a fresh layer; checks shapes, dtypes and that nothing is written to."""
    layer.build([(None, *x.shape[1:]) for x in inputs])
    inputs = [LAYOUTS[layouts](x.astype(layer.dtype)) for x in inputs]
    dy = LAYOUTS[layouts](dy.astype(layer.dtype))
    copies = [x.copy() for x in (*inputs, dy)]
    y = layer.forward(list(inputs))
    gradients = layer.backward(dy)
    assert y.shape == dy.shape and y.shape[1:] == layer.output_shape[1:]
    for before, after in zip(copies, (*inputs, dy)):
        np.testing.assert_array_equal(before, after, "written to")
    assert [g.shape for g in gradients] == [x.shape for x in inputs]
    assert {a.dtype for a in (y, *gradients)} == {layer.dtype}
    assert layer.backward(dy, wants_input_gradient=False) is None
    return y, gradients


@EXAMPLES
@given(st.data(), st.sampled_from(sorted(JOINED)), st.integers(1, 3), st.integers(0, 99),
       st.sampled_from(sorted(LAYOUTS)), st.sampled_from(DTYPES))
def test_elementwise_layers_are_their_loops(data, kind, batch, seed, layout, dtype):
    inputs = 2 if kind == "Subtract" else data.draw(st.integers(1, 4))
    drawn = [whole(seed + i, (batch, *shape), 3)
             for i, shape in enumerate(data.draw(shapes(inputs)))]
    layer = getattr(scratch, kind)(dtype=dtype)
    dy = whole(seed + 9, (batch, *layer.compute_output_shape([x.shape for x in drawn])[1:]), 3)
    y, gradients = run(layer, drawn, dy, layout)
    expected, expected_gradients = by_loops(kind, drawn, dy)
    if kind == "Average":
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(y, expected, rtol=eps, atol=0)
        for ours, theirs in zip(gradients, expected_gradients):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=64 * 3 * eps)
        return
    assert_exact(y, expected, "y")
    for i, (ours, theirs) in enumerate(zip(gradients, expected_gradients)):
        assert_exact(ours, theirs, f"gradient {i}")


@pytest.mark.parametrize("kind, first", [("Maximum", [3, 3, 5, 1]), ("Minimum", [3, 3, 1, 5])])
def test_of_equal_inputs_the_first_gets_the_gradient(kind, first):
    a, b, c = np.array([first]), np.array([[3.0] * 4]), np.array([[3.0] * 4])
    dy = np.array([[1.0, 2, 4, 8]])
    _, gradients = run(getattr(scratch, kind)(), [a.astype(float), b, c], dy)
    np.testing.assert_array_equal(gradients, [[[1, 2, 4, 0]], [[0, 0, 0, 8]], [[0, 0, 0, 0]]])


@pytest.mark.parametrize("axis", [1, 2, 3, -1, -2, -3])
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_concatenate(axis, layout):
    sizes = [3, 1, 2]
    inputs = [real(i, tuple(n if j == axis % 4 else 2 + j for j in range(4)))
              for i, n in enumerate(sizes)]
    dy = real(7, tuple(6 if j == axis % 4 else 2 + j for j in range(4)))
    y, gradients = run(scratch.Concatenate(axis=axis), inputs, dy, layout)
    start = 0
    for i, n in enumerate(sizes):
        part = tuple(slice(start, start + n) if j == axis % 4 else slice(None) for j in range(4))
        np.testing.assert_array_equal(y[part], inputs[i].astype(np.float32))
        np.testing.assert_array_equal(gradients[i], dy[part].astype(np.float32))
        start += n


@pytest.mark.parametrize("layer, input_shape, named", [
    (scratch.Add(name="m"), [(None, 3), (None, 4)], "equal, or 1 along an axis"),
    (scratch.Multiply(name="m"), [(None, 3, 2), (None, 3)], "equal, or 1 along an axis"),
    (scratch.Add(name="m"), [(2, 3), (3, 3)], "one batch size"),
    (scratch.Add(name="m"), (None, 3), "expected a list of inputs"),
    (scratch.Add(name="m"), [], "expected a list of inputs"),
    (scratch.Subtract(name="m"), [(None, 3)] * 3, "exactly 2 inputs"),
    (scratch.Subtract(name="m"), [(None, 3)], "exactly 2 inputs"),
    (scratch.Concatenate(name="m"), [(None, 3, 2), (None, 4, 2)], "differ along axis -1 alone"),
    (scratch.Concatenate(name="m"), [(None, 3), (None, 3, 1)], "differ along axis -1 alone"),
    (scratch.Concatenate(axis=0, name="m"), [(None, 3)] * 2, "other than the batch"),
    (scratch.Concatenate(axis=-2, name="m"), [(None, 3)] * 2, "other than the batch"),
    (scratch.Concatenate(axis=2, name="m"), [(None, 3)] * 2, "other than the batch"),
    (scratch.Concatenate(axis=1, name="m"), (None, 3), "expected a list of inputs"),
])
def test_shapes_that_do_not_go_together_are_refused(layer, input_shape, named):
    with pytest.raises(ValueError) as error:
        layer.build(input_shape)
    assert named in str(error.value) and "'m'" in str(error.value)
    assert "Received" in str(error.value)


@pytest.mark.parametrize("axis", ["last", 1.0, None, True])
def test_an_axis_that_is_no_integer_is_refused(axis):
    with pytest.raises(ValueError, match="expected axis to be an integer"):
        scratch.Concatenate(axis=axis)


def test_called_on_a_batch_a_layer_merges_it():
    a, b = real(1, (2, 3)), real(2, (2, 1))
    np.testing.assert_array_equal(scratch.Add(dtype="float64")([a, b]), a + b)
    layer = scratch.Concatenate(dtype="float64", name="m")
    np.testing.assert_array_equal(layer([a, b]), np.concatenate([a, b], axis=1))
    with pytest.raises(ValueError, match="'m' is built for"):
        layer([a, a])
    with pytest.raises(ValueError, match="'m': expected to be called on a list"):
        layer(a)
