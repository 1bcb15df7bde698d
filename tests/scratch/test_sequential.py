"""Sequential as a stack: names, shapes, weights, precision, and refusals that change nothing."""

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import DTYPES, LAYOUTS, real


def network(**settings):
    return scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(3, (3, 2), padding="same", activation="relu"),
        scratch.MaxPooling2D(2), scratch.Flatten(), scratch.Dense(4), scratch.Softmax(),
    ], **settings)


def test_names_are_keras_defaults_counted_by_class():
    layers = [scratch.Input((9, 9, 1)), *[scratch.Conv2D(1, 2) for _ in range(3)], scratch.ReLU(),
              scratch.MaxPooling2D(2), scratch.ReLU(), scratch.Flatten(),
              scratch.Dense(2, name="scores"), scratch.Dense(2), scratch.Activation("softmax")]
    model = scratch.Sequential(layers)
    assert [layer.name for layer in model.layers] == [
        "conv2d", "conv2d_1", "conv2d_2", "re_lu", "max_pooling2d", "re_lu_1", "flatten", "scores",
        "dense", "activation"]
    assert model.name == "sequential" and model.input_layer.name == "input_layer"
    assert model.get_layer("re_lu_1") is layers[6]
    with pytest.raises(ValueError, match="'scores'.*Received: 're_lu_2'"):
        model.get_layer("re_lu_2")


def test_shapes_and_weights_in_order():
    model = network()
    assert model.input_shape == (None, 6, 5, 2) and model.output_shape == (None, 4)
    assert [layer.output_shape for layer in model.layers] == [
        (None, 6, 5, 3), (None, 3, 2, 3), (None, 18), (None, 4), (None, 4)]
    assert [w.shape for w in model.get_weights()] == [(3, 2, 2, 3), (3,), (18, 4), (4,)]
    assert model.count_params() == 39 + 76


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_forward_and_backward_are_the_layers_in_turn(dtype, layout):
    """In the model's precision whatever the input's; results stay as they are afterwards."""
    model = network(dtype=dtype)
    x, dy = LAYOUTS[layout](real(1, (3, 6, 5, 2))), real(2, (3, 4)).astype(dtype)
    before = x.copy(), dy.copy()
    y, dx = model.forward(x), model.backward(dy)
    copies = y.copy(), dx.copy()
    twin = network(dtype=dtype)
    twin.set_weights(model.get_weights())
    expected = x.astype(dtype)
    for layer in twin.layers:
        expected = layer.forward(expected)
    np.testing.assert_array_equal(y, expected)
    gradient = dy
    for layer in reversed(twin.layers):
        gradient = layer.backward(gradient)
    np.testing.assert_array_equal(dx, gradient)
    assert y.dtype == dx.dtype == dtype and dx.shape == x.shape
    model.forward(2 * x)
    model.backward(3 * dy)
    np.testing.assert_array_equal(y, copies[0])
    np.testing.assert_array_equal(dx, copies[1])
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(dy, before[1])


def test_an_input_gradient_that_is_not_wanted_is_none():
    for first in (scratch.Flatten(), scratch.ReLU(), scratch.Conv2D(1, 2)):
        model = scratch.Sequential([scratch.Input((3, 4, 1)), first, scratch.ReLU()])
        y = model.forward(real(1, (2, 3, 4, 1)))
        assert model.backward(np.ones_like(y), wants_input_gradient=False) is None
        assert model.backward(np.ones_like(y)).shape == (2, 3, 4, 1)


def test_layers_may_come_one_by_one_and_be_built_by_the_first_batch():
    model = scratch.Sequential(name="late")
    model.add(scratch.Flatten())
    model.add(scratch.Dense(2))
    assert not model.built
    assert model(np.zeros((3, 2, 2))).shape == (3, 2)
    assert model.built and model.input_shape == (None, 2, 2)
    model.add(scratch.Dense(5))
    assert model.output_shape == (None, 5) and model(np.zeros((1, 2, 2))).shape == (1, 5)
    with pytest.raises(ValueError, match="'late': expected inputs of shape .*Received: .3, 2, 3."):
        model.forward(np.zeros((3, 2, 3)))


@pytest.mark.parametrize("make, error, named", [
    (lambda: scratch.Sequential([scratch.Dense(1, name="a"), scratch.Dense(2, name="a")]),
     ValueError, "Received twice: 'a'"),
    (lambda: scratch.Sequential([scratch.Dense(1), scratch.Input((2,))]), ValueError, "one Input"),
    (lambda: scratch.Sequential([scratch.Input((2,)), scratch.Input((2,))]), ValueError,
     "one Input"),
    (lambda: scratch.Sequential([scratch.Dense]), TypeError, "expected layers of scratch"),
    (lambda: scratch.Sequential([scratch.Input((5,)), scratch.Dense(3, name="a", dtype="float32"),
                                 scratch.Dense(3, name="b", dtype="float64")]),
     scratch.UnsupportedError, "float32 from Dense 'a' and float64 from Dense 'b'"),
    (lambda: scratch.Sequential([scratch.Input((2,)), scratch.Dense(3, dtype="float64", name="b")],
                                dtype="float32", name="m"),
     scratch.UnsupportedError, "float32 from Model 'm' and float64 from Dense 'b'"),
    (lambda: scratch.Sequential(dtype="float8"), scratch.UnsupportedError, "dtype='float8'"),
    (lambda: scratch.Sequential([scratch.Input((4, 4, 1)), scratch.Conv2D(1, 5, name="wide")]),
     ValueError, "'wide'"),
    (lambda: scratch.Sequential([scratch.Input((4,)), scratch.MaxPooling2D(2, name="pool")]),
     ValueError, "'pool'"),
    (lambda: scratch.Sequential().forward(np.ones((2, 2))), ValueError, "at least one layer"),
    (lambda: scratch.Input(), ValueError, "Received: shape=None"),
    (lambda: scratch.Input((3, 0)), ValueError, "Received: shape=(3, 0)"),
    (lambda: scratch.Input((3,), sparse=True, name="in"), scratch.UnsupportedError, "sparse=True"),
])
def test_stacks_that_cannot_be_are_refused(make, error, named):
    with pytest.raises(error) as raised:
        make()
    assert named in str(raised.value)


def test_a_layer_built_for_other_inputs_is_refused():
    layer = scratch.Dense(2, name="shared")
    scratch.Sequential([scratch.Input((3,)), layer])
    for settings in (dict(shape=(4,)), dict(shape=(3,), dtype="float64")):
        with pytest.raises(ValueError, match="Dense 'shared' is built for .*Received"):
            scratch.Sequential([scratch.Input(**settings), layer])


def test_one_layer_twice_is_refused():
    layer = scratch.Dense(3)
    with pytest.raises(ValueError, match="Received twice: 'dense'"):
        scratch.Sequential([scratch.Input((3,)), layer, layer])


@pytest.mark.parametrize("action", [
    lambda m: m.set_weights([]), lambda m: m.count_params(), lambda m: m.summary(),
    lambda m: m.input_shape, lambda m: m.output_shape])
def test_what_needs_weights_is_refused_before_there_are_any(action):
    with pytest.raises(ValueError, match="'bare' must be built before"):
        action(scratch.Sequential([scratch.Dense(2)], name="bare"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_get_weights_are_copies_and_set_weights_copies(dtype):
    model = network()
    first = model.get_weights()
    for weight in model.get_weights():
        weight += 1
    for a, b in zip(first, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    given = [real(i, w.shape).astype(dtype) for i, w in enumerate(first)]
    model.set_weights(given)
    for a, b in zip(given, model.get_weights()):
        assert b.dtype == np.float32
        np.testing.assert_array_equal(a, b)
    model.layers[0].kernel[...] = 0
    assert (given[0] != 0).any()


@pytest.mark.parametrize("spoil, named", [
    (lambda w: w[:-1], "expected 4 weights. Received: 3"),
    (lambda w: [*w, w[0]], "expected 4 weights. Received: 5"),
    (lambda w: [w[0] + 1, w[1] + 1, w[2].T, w[3]], "'dense': expected kernel of shape (18, 4)"),
    (lambda w: [w[0] + 1, w[1] + 1, w[2], w[3][0]], "'dense': expected bias of shape (4,)"),
    (lambda w: [w[0] + 1, w[1] + 1, w[2], list("abcd")], "could not convert"),
])
def test_weights_that_do_not_fit_change_nothing(spoil, named):
    model = network()
    before = model.get_weights()
    with pytest.raises(ValueError) as error:
        model.set_weights(spoil(model.get_weights()))
    assert named in str(error.value)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_summary(capsys):
    model = network(name="shown")
    model.layers[0].trainable = False
    model.summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'Model: "shown" (float32)'
    rows = [line.split("  ") for line in lines]
    table = [[cell.strip() for cell in row if cell.strip()] for row in rows if len(row) > 2]
    assert table == [["Layer (type)", "Output shape", "Params"],
                     ["conv2d (Conv2D)", "(None, 6, 5, 3)", "39"],
                     ["max_pooling2d (MaxPooling2D)", "(None, 3, 2, 3)", "0"],
                     ["flatten (Flatten)", "(None, 18)", "0"],
                     ["dense (Dense)", "(None, 4)", "76"],
                     ["softmax (Softmax)", "(None, 4)", "0"]]
    assert lines[-3:] == ["Total params: 115 (0.45 KB)", "Trainable params: 76",
                          "Non-trainable params: 39"]
    printed = []
    network(name="shown").summary(print_fn=printed.append)
    assert len(printed) == 1 and printed[0].splitlines()[0] == lines[0]
