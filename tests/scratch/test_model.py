"""Graphs of layers: order, names, sums on the way back, and refusals, against hand-made passes."""

import copy

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import scratch
from scratch import parallel
from tests.scratch.support import graphs
from tests.scratch.support.checks import DTYPES, EXAMPLES, real

L = scratch


def test_order_names_sources_and_shapes():
    model = graphs.residual()
    names = [layer.name for layer in model.layers]
    assert names == ["stem", "a1", "a2", "a3", "a4", "a5", "b1", "b2", "past", "b3", "b4", "b5",
                     "row", "scores"]
    read = [tuple(names[i] if i >= 0 else "input" for i in sources) for sources in model.sources]
    assert read == [("input",), ("stem",), ("a1",), ("a2",), ("a3", "stem"), ("a4",), ("a5",),
                    ("b1",), ("a5",), ("b2",), ("past", "b3"), ("b4",), ("b5",), ("row",)]
    assert model.input_shape == (None, 8, 6, 3) and model.output_shape == (None, 5)
    assert model.name == "functional" and model.built
    assert model.get_layer("past").output_shape == (None, 4, 3, 6)


def test_layers_without_names_are_counted_as_they_were_called():
    x = L.Input((4,))
    late = L.Dense(4)  # made first, called second
    first = L.Dense(4)(x)
    second = late(x)
    given_name = L.Dense(4, name="dense_1")(second)
    model = L.Model(x, L.Add()([L.ReLU()(L.ReLU()(first)), given_name]))
    assert {layer.name for layer in model.layers} == {"dense", "dense_2", "dense_1", "re_lu",
                                                      "re_lu_1", "add"}
    assert late.name == "dense_2" and model.input_layer.name == "input_layer"
    assert model.layers[-1].name == "add"


@pytest.mark.parametrize("dtype", DTYPES)
def test_forward_and_backward_by_hand(dtype):
    """The layers alone, each run in turn, and every gradient summed where its output was read."""
    model = graphs.excited(dtype=dtype)
    model.set_weights(graphs.numbers(1, model))
    twin = copy.deepcopy(model)
    x, dy = real(1, (3, 4, 6, 3)).astype(dtype), real(2, (3, 5)).astype(dtype)
    y, dx = model.forward(x), model.backward(dy)
    layer = twin.get_layer

    def run(name, *inputs):
        return layer(name).forward(list(inputs) if layer(name).merges else inputs[0])

    seen = run("seen", x)
    row = run("row", seen)
    gate = run("gate", row)
    gated = run("gated", seen, gate)
    both = run("both", seen, gated, x, seen)
    pool = run("pool", both)
    on = run("on", pool)
    mean = run("mean", pool, on, pool)
    flat = run("flat", mean)
    np.testing.assert_array_equal(y, run("scores", flat))
    back = {name: layer(name).backward for name in [one.name for one in twin.layers]}
    d_pool, d_on, d_pool_again = back["mean"](back["flat"](back["scores"](dy)))
    d_pool = d_pool_again + d_pool + back["on"](d_on)
    d_seen, d_gated, d_x, d_seen_again = back["both"](back["pool"](d_pool))
    d_seen_gated, d_gate = back["gated"](d_gated)
    d_seen = d_seen + d_seen_again + d_seen_gated + back["row"](back["gate"](d_gate))
    expected = d_x + back["seen"](d_seen)
    tolerance = 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(dx, expected, rtol=0, atol=tolerance * np.abs(expected).max())
    for ours, theirs in zip(model.layers, twin.layers):
        assert list(ours.grads) == list(theirs.grads)
        for name, gradient in ours.grads.items():
            np.testing.assert_allclose(gradient, theirs.grads[name], rtol=0, err_msg=ours.name,
                                       atol=tolerance * np.abs(theirs.grads[name]).max())
    assert y.dtype == dx.dtype == dtype


@EXAMPLES
@given(st.integers(0, 2**32 - 1))
def test_gradients_of_graphs_drawn_at_random_are_differences(seed):
    """Central differences in float64 of sum(dy y), along a random direction of input and weights.
    """
    model = graphs.drawn(np.random.default_rng(seed), dtype="float64")
    weights = graphs.numbers(seed, model)
    rng = np.random.default_rng(seed)
    x, dy = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    direction = rng.standard_normal(x.shape)
    directions = [rng.standard_normal(w.shape) for w in weights]

    def value(step):
        model.set_weights([w + step * d for w, d in zip(weights, directions)])
        return (model.forward(x + step * direction) * dy).sum()

    after, before, here = value(1e-6), value(-1e-6), value(0)
    # no rectifier and no maximum changed sides in between
    assume(abs(after - 2 * here + before) < 1e-9 * max(1.0, abs(here)))
    dx = model.backward(dy)
    actual = (dx * direction).sum() + sum(
        (layer.grads[name] * d).sum() for (layer, name), d in zip(
            [(layer, name) for layer in model.layers for name in layer.params], directions))
    np.testing.assert_allclose(actual, (after - before) / 2e-6, rtol=1e-5, atol=1e-5)
    assert model.backward(dy, wants_input_gradient=False) is None


def test_an_output_may_be_added_to_itself():
    x = L.Input((3,))
    model = L.Model(x, L.Multiply()([x, x, x]), dtype="float64")
    values, dy = real(1, (2, 3)), real(2, (2, 3))
    np.testing.assert_array_equal(model.forward(values), values * values * values)
    np.testing.assert_allclose(model.backward(dy), 3 * values**2 * dy, rtol=1e-14)
    assert model.sources == [(-1, -1, -1)]


def test_training_in_blocks_is_training_in_one_piece(monkeypatch):
    monkeypatch.setattr(parallel, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(parallel, "BLOCK_NUMBERS", 3000)
    monkeypatch.setattr(parallel, "FEW", 1)
    monkeypatch.setattr(parallel, "_threads", 3)
    whole, blocks = graphs.residual(dtype="float64"), graphs.residual(dtype="float64")
    blocks.set_weights(whole.get_weights())
    x, y = real(1, (13, 8, 6, 3)), np.arange(13) % 5
    for model in (whole, blocks):
        model.compile("sgd", "sparse_categorical_crossentropy")
    assert len(parallel.split(blocks, 13)) == 3
    loss, output, _ = whole.loss_and_gradients(x, y)
    np.testing.assert_allclose(blocks.train_step(x, y)[0], loss, rtol=1e-12)
    for a, b in zip(whole.layers, blocks.layers):
        for name in a.grads:
            np.testing.assert_allclose(b.grads[name], a.grads[name], rtol=1e-9, atol=1e-13)
    whole.update()
    np.testing.assert_allclose(blocks.predict(x, verbose=0), whole.forward(x), rtol=1e-10)


def test_a_deep_copy_is_a_model_of_its_own():
    model = graphs.residual()
    twin = copy.deepcopy(model)
    x = real(1, (2, 8, 6, 3))
    np.testing.assert_array_equal(model.forward(x), twin.forward(x))
    twin.layers[0].params["kernel"][...] = 0
    assert np.any(model.layers[0].params["kernel"])
    assert twin.get_config() == model.get_config() and twin.sources == model.sources


def test_a_very_long_chain():
    x = y = L.Input((2,))
    for _ in range(1500):
        y = L.ReLU()(y)
    model = L.Model(x, y)
    assert len(model.layers) == 1500 and model.layers[-1].name == "re_lu_1499"
    np.testing.assert_array_equal(model.forward([[1.0, -1.0]]), [[1.0, 0.0]])
    assert model.backward(np.ones((1, 2), np.float32)).tolist() == [[1.0, 0.0]]


def test_summary_says_what_is_connected(capsys):
    graphs.excited(name="shown").summary()
    lines = capsys.readouterr().out.splitlines()
    table = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]
    assert ["Layer (type)", "Output shape", "Params", "Connected to"] in table
    assert ["both (Concatenate)", "(None, 4, 24, 3)", "0", "seen, gated, pixels, seen"] in table
    assert ["scores (Dense)", "(None, 5)", "245", "flat"] in table
    x = L.Input((2,))
    L.Model(x, L.ReLU()(x)).summary()  # a mere stack needs no such column
    assert "Connected" not in capsys.readouterr().out


def test_an_activity_regularizer_reaches_loss_and_gradients():
    """sum(y^2) / batch at a layer inside, and at a softmax whose loss begins at its logits."""
    for make in (lambda y: L.Dense(3, name="last")(L.ReLU()(y)),
                 lambda y: L.Dense(3, name="last", activation="softmax",
                                   activity_regularizer="l2")(y)):
        x = L.Input((4,))
        model = L.Model(x, make(L.Dense(3, name="seen", activity_regularizer="l2")(x)),
                        dtype="float64")
        model.compile("sgd", "sparse_categorical_crossentropy")
        values, labels = real(1, (5, 4)), np.arange(5) % 3
        assert [len(share) for share in parallel.split(model, 5)] == [1]
        loss, _, dx = model.loss_and_gradients(values, labels, wants_input_gradient=True)
        bare = model.loss.forward(labels, model.layers[-1].logits, from_logits=True) \
            if model.layers[-1].logits is not None else model.loss(labels, model.forward(values))
        outputs = [layer.last_output for layer in model.layers if layer.activity_regularizer]
        factor = float(np.float32(0.01))  # as Keras rounds it
        penalty = sum(factor * (y**2).sum() / 5 for y in outputs)
        np.testing.assert_allclose(loss, bare + penalty, rtol=1e-12)
        np.testing.assert_allclose(model.activity_penalty(), penalty, rtol=1e-12)
        kernel = model.get_layer("seen").params["kernel"]
        gradient = model.get_layer("seen").grads["kernel"].copy()
        for array, slope, index in ((values, dx, (2, 1)), (kernel, gradient, (3, 0))):
            ends = []
            for step in (1e-6, -1e-6):
                array[index] += step
                ends.append(model.loss_and_gradients(values, labels)[0])
                array[index] -= step
            np.testing.assert_allclose(slope[index], (ends[0] - ends[1]) / 2e-6, rtol=1e-6)


def two_inputs():
    a, b = L.Input((3,), name="a"), L.Input((3,), name="b")
    return L.Model(a, L.Add()([a, b]))


def from_the_middle():
    x = L.Input((3,))
    y = L.ReLU()(x)
    return L.Model(y, L.Dense(2)(y))


def twice_named():
    x = L.Input((3,), name="a")
    return L.Model(x, L.ReLU(name="a")(x))


def two_precisions():
    x = L.Input((3,), dtype="float32")
    y = L.Dense(2, dtype="float32", name="a")(x)
    return L.Model(x, L.Dense(2, dtype="float64", name="b")(y))


@pytest.mark.parametrize("make, error, named", [
    (two_inputs, scratch.UnsupportedError, "<Input name=b"),
    (from_the_middle, scratch.UnsupportedError, "which a layer makes"),
    (twice_named, ValueError, "Received twice: 'a'"),
    (two_precisions, scratch.UnsupportedError, "float32 from Dense 'a' and float64 from Dense 'b'"),
    (lambda: (lambda x: L.Model([x, x], L.Dense(2)(x)))(L.Input((3,))), ValueError,
     "each Input once"),
    (lambda: (lambda x: L.Model(x, {"a": [L.Dense(2)(x)]}))(L.Input((3,))),
     scratch.UnsupportedError, "hand all of them over side by side"),
    (lambda: (lambda x: L.Model(x, [L.Dense(2)(x), x]))(L.Input((3,))), scratch.UnsupportedError,
     "hand it on by scratch.Identity"),
    (lambda: L.Model(L.Input((3,)), []), ValueError, "expected at least one output"),
    (lambda: (lambda x: L.Model(x, x))(L.Input((3,))), ValueError, "at least one layer"),
    (lambda: L.Model(L.Input((3,)), np.ones(3)), TypeError, "the output to be a symbolic tensor"),
    (lambda: L.Dense(2, name="d")([L.Input((3,))]), ValueError,
     "'d': expected to be called on one"),
    (lambda: L.Add(name="d")(L.Input((3,))), ValueError, "'d': expected to be called on a list"),
    (lambda: L.Add(name="d")([L.Input((3,)), np.ones((2, 3))]), TypeError, "'d': expected tensors"),
    (lambda: L.Conv2D(2, 5, name="d")(L.Input((3, 3, 1))), ValueError, "'d'"),
    (lambda: graphs.residual()(L.Input((8, 6, 4))), ValueError, "expected inputs of shape"),
    (lambda: L.Sequential([L.Input((3,)), L.Add(name="d")]), ValueError, "'d', which merges"),
    (lambda: graphs.residual().forward(np.ones((2, 8, 6, 4))), ValueError, "expected inputs of"),
])
def test_graphs_that_cannot_be_are_refused(make, error, named):
    with pytest.raises(error) as raised:
        make()
    assert named in str(raised.value).replace("Input 'input_layer'", "Input 'a'")


def test_two_models_may_have_layers_in_common():
    x = L.Input((4,))
    middle = L.Dense(3, name="features")(x)
    whole = L.Model(x, L.Dense(2)(middle))
    part = L.Model(x, middle, name="part")
    assert part.layers == whole.layers[:1]
    values = real(1, (2, 4))
    np.testing.assert_array_equal(whole.layers[1].forward(part.forward(values)),
                                  whole.forward(values))
    with pytest.raises(ValueError, match="'features' is built for"):
        L.Model(x, middle, dtype="float64")
