"""The pieces of wrapping by themselves: layouts, orders of axes, accessors, recovered gradients,
and the errors of `compare.wrap`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import compare
import scratch
from compare.adapters import Conventions, accessors, calls
from compare.adapters.axis_order import AxisOrder
from compare.adapters.gradient_recovery import recovered
from compare.adapters.kernel_layouts import Layout
from tests.compare.adapters.examples_wrapped.batched_layers import (
    Convolution,
    Flattening,
    FullyConnected,
)


class Holder:
    """An object with nothing but attributes."""

    def __init__(self, **attributes):
        vars(self).update(attributes)

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy


# Layouts


@pytest.mark.parametrize("spec, class_name, shape, own", [
    ("OIHW", "Conv2D", (3, 2, 4, 5), (5, 4, 3, 2)),
    ("IOHW", "Conv2D", (3, 2, 4, 5), (4, 5, 3, 2)),
    ("OHWI", "Conv2D", (3, 2, 4, 5), (5, 3, 2, 4)),
    ((3, 2, 0, 1), "Conv2D", (3, 2, 4, 5), (5, 4, 3, 2)),
    ("O(IHW)", "Conv2D", (3, 2, 4, 5), (5, 24)),
    ("(HWI)O", "Conv2D", (3, 2, 4, 5), (24, 5)),
    ("OI", "Dense", (4, 5), (5, 4)),
    ("IO", "Dense", (4, 5), (4, 5)),
    ("OIW", "Conv1D", (3, 4, 5), (5, 4, 3)),
    ("IOHW", "Conv2DTranspose", (3, 2, 5, 4), (4, 5, 3, 2)),
    ("OIDHW", "Conv3D", (1, 3, 2, 4, 5), (5, 4, 1, 3, 2)),
    ("IODHW", "Conv3DTranspose", (1, 3, 2, 5, 4), (4, 5, 1, 3, 2)),
    ("IOW", "Conv1DTranspose", (3, 5, 4), (4, 5, 3)),
    (None, "Conv2D", (3, 2, 4, 5), (3, 2, 4, 5)),
])
def test_kernels_there_and_back(spec, class_name, shape, own):
    kernel = np.arange(np.prod(shape)).reshape(shape)
    layout = Layout(spec, class_name)
    moved = layout.to_own(kernel)
    assert moved.shape == own
    assert np.array_equal(layout.to_keras(moved, shape), kernel)


def test_letters_name_the_axes():
    kernel = np.random.default_rng(0).standard_normal((3, 2, 4, 5))
    own = Layout("OIHW", "Conv2D").to_own(kernel)
    rows = Layout("O(IHW)", "Conv2D").to_own(kernel)
    for h, w, i, o in np.ndindex(kernel.shape):
        assert own[o, i, h, w] == kernel[h, w, i, o] == rows[o, (i * 3 + h) * 2 + w]


@pytest.mark.parametrize("spec, class_name", [
    ("OIH", "Conv2D"), ("OIHH", "Conv2D"), ("OI", "BatchNormalization"), ((0, 0, 1, 2), "Conv2D"),
    ("O(IH", "Conv2D"), ("HWIO", "Dense"),
])
def test_other_letters_are_refused(spec, class_name):
    with pytest.raises(ValueError, match="Expected kernel_layout to be .*Received: "):
        Layout(spec, class_name)


# Boundaries


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.booleans(),
       st.booleans(), st.sampled_from([0, -1]))
def test_what_crosses_a_boundary_comes_back(n, h, w, c, moved, first, batch_axis):
    boundary = AxisOrder(moved, first, batch_axis=batch_axis)
    array = np.arange(n * h * w * c).reshape(n, h, w, c)
    own = boundary.to_own(array)
    assert own.shape == boundary.own_shape(array.shape)
    assert np.array_equal(boundary.to_keras(own), array)


def test_channels_and_batches_lie_where_they_are_said_to():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    assert AxisOrder(True).to_own(x)[1, 4, 2, 3] == x[1, 2, 3, 4]
    assert AxisOrder(True, channels_first=True).to_own(x)[1, 3, 4, 2] == x[1, 2, 3, 4]
    assert AxisOrder(batch_axis=-1).to_own(x)[2, 3, 4, 1] == x[1, 2, 3, 4]
    rows = x.reshape(2, -1)
    flat = AxisOrder(flattened=(3, 4, 5)).to_own(rows)
    assert np.array_equal(flat, x.transpose(0, 3, 1, 2).reshape(2, -1))
    assert np.array_equal(AxisOrder(flattened=(3, 4, 5)).to_keras(flat), rows)


# Places


def test_arrays_are_found_and_filled_in_place():
    array, other = np.zeros((2, 3)), np.ones((2, 3))
    obj = Holder(params={"W1": array}, inner=Holder(w=other.copy()))
    for place in ("params.W1", lambda o: o.params["W1"]):
        accessors.write(obj, place, other)
        assert accessors.read(obj, place) is array and np.array_equal(array, other)
        array[...] = 0
    accessors.write(obj, "inner.w", 2 * other)
    assert np.array_equal(obj.inner.w, 2 * other)
    accessors.write(obj, "inner.w", np.zeros(4))  # of another shape: in its place
    assert obj.inner.w.shape == (4,)
    accessors.write(obj, (lambda o: o.late, lambda o, a: setattr(o, "late", a)), other)
    assert obj.late is other


def test_a_place_that_is_not_there_is_told_with_what_is():
    with pytest.raises(AttributeError, match="expected 'W' in Holder. It has: weight, b"):
        accessors.read(Holder(weight=1, b=2, _hidden=3), "W")
    with pytest.raises(AttributeError, match="expected 'W2' in a dictionary. It has: W1"):
        accessors.read(Holder(params={"W1": 1}), "params.W2")
    with pytest.raises(ValueError, match=r"pair \(get, set\)"):
        accessors.write(Holder(w=np.zeros(3)), lambda o: o.w, np.zeros(4))


# Recovered gradients


@given(st.integers(0, 10_000), st.sampled_from([1024.0, 1.0, 0.005, 3e-5]),
       st.sampled_from([np.float32, np.float64]))
def test_what_is_recovered_lies_within_its_slack(seed, rate, dtype):
    rng = np.random.default_rng(seed)
    before = (rng.standard_normal(50) * 10.0 ** rng.integers(-3, 4, 50)).astype(dtype)
    gradient = (rng.standard_normal(50) * 10.0 ** rng.integers(-6, 3, 50)).astype(dtype)
    after = before - dtype(rate) * gradient
    found, slack = recovered(before, after, float(dtype(rate)), dtype)
    error = np.abs(found - gradient.astype(np.float64))
    assert (error <= slack).all()
    assert (slack <= 1e-6 * np.abs(gradient) + 1e-6 * np.abs(after) / rate).all()
    coarse, wider = recovered(before, after, float(dtype(rate)), np.float32)
    assert np.array_equal(coarse, found) and (wider >= slack).all()


# Calls


def test_plain_functions_and_their_caches():
    how = Conventions(forward=lambda x: (2 * x, "kept"), backward=lambda dy, cache: (dy, cache))
    said = calls.call(how, None, "forward", ("x",), None, {"x": 3})
    assert said == {"output": 6, "cache": "kept"}
    assert calls.backward_of(how, ["kernel"], True) == (
        ("dy", "cache"), ("input_gradient", "kernel_gradient"))
    assert calls.backward_of(how, ["kernel"], False)[0] == ("dy", "x", "kernel")
    with pytest.raises(TypeError, match="to return 3 things: input_gradient, kernel_gradient, "
                                        "bias_gradient. Received: tuple of 2"):
        calls.call(how, None, "backward", ("dy", "cache"),
                   ("input_gradient", "kernel_gradient", "bias_gradient"),
                   {"dy": 1, "cache": 2})


def test_a_function_beside_an_object_is_called_with_the_object():
    how = Conventions(Holder(scale=3), forward=lambda layer, x: layer.scale * x)
    assert calls.call(how, how.obj, "forward", ("x",), ("output",), {"x": 2}) == {"output": 6}
    own = Holder()
    assert Conventions(own, forward=own.forward).forward == "forward"


@pytest.mark.parametrize("value", [None, "text", (np.zeros(2), np.zeros(2)), [[1], [1, 2]],
                                   np.zeros(2, complex), np.array([None])])
def test_what_is_no_array_of_numbers_is_refused(value):
    with pytest.raises(TypeError, match="expected the output to be an array"):
        calls.numbers(value, "the output")


# wrap's own arguments


@pytest.mark.parametrize("error, said, arguments", [
    (TypeError, "Received the class Convolution", {"obj": Convolution}),
    (TypeError, "Expected an object, or functions", {}),
    (TypeError, "copy.deepcopy can copy", {"obj": Holder(made=(i for i in range(2)))}),
    (TypeError, "Expected forward to be a method's name", {"obj": Holder(), "forward": 3}),
    (TypeError, "place of 'kernel'", {"obj": Holder(), "kernel": 3}),
    (ValueError, "Expected forward_takes to be of .*Received: 'image'",
     {"obj": Holder(), "forward_takes": ("image",)}),
    (ValueError, "Expected backward_gives to be of",
     {"obj": Holder(), "backward_gives": ("dx", "kernel_gradient")}),
    (ValueError, "Expected gradients to be a dictionary", {"obj": Holder(), "gradients": "dW"}),
    (ValueError, "Expected learning_rate, a number", {"obj": Holder(), "gradients": "applied"}),
    (ValueError, "Expected learning_rate to be above 0",
     {"obj": Holder(), "gradients": "applied", "learning_rate": 0}),
    (ValueError, "Expected data_format to be one of", {"obj": Holder(), "data_format": "NCHW"}),
    (ValueError, "Expected batched to be one of", {"obj": Holder(), "batched": "two"}),
    (ValueError, "Expected per_sample with batches only",
     {"obj": Holder(), "per_sample": True, "batched": False}),
    (TypeError, "unexpected keyword argument 'colour'", {"obj": Holder(), "colour": 3}),
])
def test_arguments_that_make_no_sense(error, said, arguments):
    with pytest.raises(error, match=said):
        compare.wrap(**arguments)


def test_what_a_layer_may_be_like():
    layer = scratch.Flatten(name="flat")
    layer.build((None, 3, 4, 2))
    for like in (layer, {"class_name": "Flatten", "config": {"name": "flat"},
                         "build_config": {"input_shape": (None, 3, 4, 2)}}):
        made = compare.wrap(Flattening(), like=like)
        assert isinstance(made, scratch.Flatten) and made.built and made.name == "flat"
        assert made.forward(np.zeros((2, 3, 4, 2), np.float32)).shape == (2, 24)
    for like, said in (("Flatten", "Expected like to be a Keras layer"),
                       (scratch.Dropout(0.5), "draws nothing"), (scratch.Add(), "of one input")):
        with pytest.raises((TypeError, ValueError), match=said):
            compare.wrap(Flattening(), like=like)


def test_weights_are_those_of_like_or_else_the_objects_own():
    own = FullyConnected(3, 2)
    how = {"kernel": "W", "bias": "b", "input_shape": (3,)}
    config = {"class_name": "Dense", "config": {"units": 2}}
    made = compare.wrap(own, like=config, **how)
    assert np.array_equal(made.kernel, own.W.astype("float32"))
    like = scratch.Dense(2)
    like.build((None, 3))
    like.kernel[...] = 7
    assert (compare.wrap(own, like=like, **how).kernel == 7).all()
    assert np.array_equal(made.kernel, own.W.astype("float32"))


def test_a_wrapped_layer_is_a_layer_among_others():
    how = {"kernel": "W", "bias": "b", "gradients": {"kernel": "dW", "bias": "db"}}
    dense = compare.wrap(FullyConnected(6, 4), like={"class_name": "Dense",
                                                     "config": {"units": 4}}, **how)
    model = scratch.Sequential([scratch.Input((3, 2)), scratch.Flatten(), dense,
                                scratch.Softmax()])
    model.compile("sgd", "sparse_categorical_crossentropy")
    twin = scratch.Sequential([scratch.Input((3, 2)), scratch.Flatten(), scratch.Dense(4),
                               scratch.Softmax()])
    twin.set_weights(model.get_weights())
    twin.compile("sgd", "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).standard_normal((5, 3, 2)).astype("float32")
    y = np.array([0, 1, 2, 3, 0])
    assert compare.check(model, twin, x, y)
    trace = compare.record(model, x, y)
    assert trace.parts[1].weight_gradients.keys() == {"kernel", "bias"}
    for a, b in ((model, twin),):
        a.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0)
        b.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0)
    for ours, theirs in zip(model.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
