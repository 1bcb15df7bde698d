"""Models inside models and layers called more than once, against sums made by hand."""

import copy

import numpy as np
import pytest

import scratch
from scratch import parallel


def twice(dtype="float32", **settings):
    """A layer called on its own output, and a model called on two tensors."""
    x = scratch.Input((3,), dtype=dtype)
    dense = scratch.Dense(3, name="again", activation="tanh", **settings)
    base = scratch.Sequential([scratch.Input((3,), dtype=dtype), scratch.Dense(4, name="inside"),
                               scratch.ReLU(name="relu")], name="base")
    model = scratch.Model(x, scratch.Subtract()([base(dense(x)), base(dense(dense(x)))]))
    rng = np.random.default_rng(0)
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    model.compile(scratch.SGD(0.1), "mean_squared_error")
    return model


def batch(size=5):
    rng = np.random.default_rng(1)
    return rng.standard_normal((size, 3)), rng.standard_normal((size, 4))


def test_names_are_paths_and_calls_are_counted():
    model = twice()
    assert [layer.name for layer in model.layers] == [
        "again", "again (call 2)", "again (call 3)", "base.inside", "base.relu",
        "base.inside (call 2)", "base.relu (call 2)", "subtract"]
    assert {layer.name: layer.tied_to for layer in model.layers if layer.tied_to} == {
        "again (call 2)": "again", "again (call 3)": "again",
        "base.inside (call 2)": "base.inside", "base.relu (call 2)": "base.relu"}
    assert model.count_params() == 12 + 16
    assert [w.shape for w in model.get_weights()] == [(3, 3), (3,), (3, 4), (4,)]


def test_the_gradient_is_that_of_finite_differences():
    model = twice("float64")
    x, y = batch()
    model.loss_and_gradients(x, y)
    own = [g.copy() for layer in model.layers if not layer.tied_to for g in layer.grads.values()]
    weights = model.get_weights()
    assert len(own) == len(weights) == 4
    for gradient, weight in zip(own, weights):
        for index in np.ndindex(weight.shape):
            ends = []
            for step in (1e-6, -1e-6):
                weight[index] += step
                model.set_weights(weights)
                ends.append(model.forward_and_loss(x, y)[1])
                weight[index] -= step
            assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)


def test_the_penalty_on_a_shared_weight_counts_once():
    plain, penalised = twice(), twice(kernel_regularizer="l2")
    x, y = batch()
    kernel = plain.get_weights()[0]
    values = [model.loss_and_gradients(x, y)[0] for model in (plain, penalised)]
    assert values[1] - values[0] == pytest.approx(0.01 * np.square(kernel).sum(), rel=1e-4)
    np.testing.assert_allclose(
        penalised.layers[0].grads["kernel"] - plain.layers[0].grads["kernel"], 0.02 * kernel,
        rtol=1e-3, atol=1e-5)


def test_blocks_on_several_threads_learn_the_same(monkeypatch):
    whole, split = twice("float64"), twice("float64")
    monkeypatch.setattr(parallel, "BLOCK_NUMBERS", 30)
    monkeypatch.setattr(parallel, "FEW", 1)
    monkeypatch.setattr(parallel, "WORTH_A_THREAD", 50)
    parallel.set_num_threads(3)
    try:
        assert sum(map(len, parallel.split(split, 20))) > 3
        split.train_on_batch(*batch(20))
    finally:
        parallel.set_num_threads(None)
    monkeypatch.undo()
    whole.train_on_batch(*batch(20))
    for a, b in zip(whole.get_weights(), split.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_model_in_two_models_has_one_set_of_weights():
    base = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2, name="d")], name="base")
    x = scratch.Input((3,))
    one, other = scratch.Model(x, base(x)), scratch.Sequential([scratch.Input((3,)), base])
    base.set_weights([np.full((3, 2), 2.0), np.ones(2)])
    for model in (one, other):
        np.testing.assert_array_equal(model.forward(np.ones((1, 3))), [[7, 7]])
    base.trainable = False
    assert one.trainable_variables == other.trainable_variables == []
    one.trainable = True
    assert base.trainable and len(base.trainable_variables) == 2
    assert one.get_layer("base") is base and one.get_layer("base.d").params is base.layers[0].params


def test_a_copy_shares_nothing_with_the_original():
    model = twice()
    other = copy.deepcopy(model)
    other.set_weights([w + 1 for w in other.get_weights()])
    x, _ = batch()
    assert not np.allclose(model.forward(x), other.forward(x))
    assert other.layers[1].params is other.layers[0].params is not model.layers[0].params


def test_a_layer_may_be_called_on_images_of_several_sizes():
    x, conv = scratch.Input((6, 5, 2)), scratch.Conv2D(2, 3, name="conv")
    pool = scratch.GlobalAveragePooling2D(name="mean")
    y = conv(x)
    model = scratch.Model(x, scratch.Add()([pool(y), pool(conv(y))]))
    images = np.random.default_rng(0).standard_normal((2, 6, 5, 2))
    once = conv(images)
    again = scratch.Conv2D(2, 3)
    again.build((None, 4, 3, 2))
    again.params.update(conv.params)
    want = once.mean((1, 2)) + again.forward(once.astype("float32")).mean((1, 2))
    np.testing.assert_allclose(model.forward(images), want, rtol=1e-5)
    assert [layer.output_shape for layer in model.layers[:2]] == [(None, 4, 3, 2), (None, 2, 1, 2)]


def test_models_that_have_no_name_get_one_each():
    x = scratch.Input((3,))
    models = [scratch.Sequential([scratch.Input((3,)), scratch.Dense(3)]) for _ in range(3)]
    model = scratch.Model(x, models[2](models[1](models[0](x))))
    assert [layer.name for layer in model.layers] == [
        "sequential.dense", "sequential_1.dense", "sequential_2.dense"]


def test_a_stack_of_models_is_built_by_its_first_batch():
    model = scratch.Sequential([scratch.Sequential([scratch.Dense(4)], name="a"),
                                scratch.Sequential([scratch.Dense(2)], name="b")], dtype="float64")
    assert model.forward(np.ones((2, 3))).shape == (2, 2)
    assert [w.shape for w in model.get_weights()] == [(3, 4), (4,), (4, 2), (2,)]
    assert {w.dtype for w in model.get_weights()} == {np.dtype("float64")}


def same_path():
    inner = scratch.Sequential([scratch.Input((3,)), scratch.Dense(3, name="d")], name="base")
    return scratch.Sequential([scratch.Input((3,)), inner, scratch.Dense(3, name="base.d")])


def other_channels():
    x, dense = scratch.Input((3,)), scratch.Dense(2, name="d")
    return scratch.Model(x, dense(dense(x)))


def other_precision():
    inner = scratch.Sequential([scratch.Input((3,)), scratch.Dense(3)], name="in", dtype="float64")
    return scratch.Sequential([scratch.Input((3,)), scratch.Dense(3, dtype="float32"), inner])


def two_of_a_name():
    models = [scratch.Sequential([scratch.Input((3,)), scratch.Dense(3)], name="in")
              for _ in range(2)]
    return scratch.Sequential([scratch.Input((3,)), *models])


@pytest.mark.parametrize("make, named", [
    (same_path, "each layer's path once. Received twice: 'base.d'"),
    (other_channels, r"'d \(call 2\)': expected inputs that go with its"),
    (other_precision, "expected one precision for all layers"),
    (two_of_a_name, "each layer's name once. Received twice: 'in'")])
def test_what_cannot_be_is_refused(make, named):
    with pytest.raises(ValueError, match=named):
        make()
