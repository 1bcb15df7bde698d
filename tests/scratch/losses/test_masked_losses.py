"""Masks that come along with outputs: losses and metrics against loops and Keras."""

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError

IDS = np.array([[0, 3, 0, 1, 2, 0], [2, 2, 1, 3, 0, 0], [1, 0, 0, 0, 0, 3], [0] * 6])
CLASSES = np.random.default_rng(5).integers(0, 3, (4, 6))


@pytest.mark.parametrize("reduction", ["sum", "sum_over_batch_size", "mean_with_sample_weight"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [None, 1])
def test_by_a_loop(reduction, weighted, ignored):
    rng = np.random.default_rng(0)
    output, mask = rng.uniform(0.1, 1, (4, 6, 3)), IDS != 0
    output /= output.sum(axis=-1, keepdims=True)
    weight = rng.uniform(0.5, 2, (4, 6)) if weighted else None
    loss = scratch.losses.SparseCategoricalCrossentropy(reduction=reduction, ignore_class=ignored)
    value = loss(CLASSES, output, weight, mask)
    total, count, sum_of_weights = 0.0, 0, 0.0
    gradient = np.zeros_like(output)
    counting = []
    for n, t in np.ndindex(4, 6):
        if mask[n, t] and CLASSES[n, t] != ignored:
            own = 1.0 if weight is None else weight[n, t]
            total -= own * np.log(output[n, t, CLASSES[n, t]])
            count, sum_of_weights = count + 1, sum_of_weights + own
            counting.append((n, t, own))
    divisor = {"sum": 1.0, "sum_over_batch_size": count}.get(reduction, sum_of_weights)
    assert value == pytest.approx(total / divisor, rel=1e-12)
    for n, t, own in counting:
        gradient[n, t] = own / divisor
        gradient[n, t, CLASSES[n, t]] -= own / divisor / output[n, t, CLASSES[n, t]]
    np.testing.assert_allclose(loss.backward(), gradient, rtol=1e-10, atol=1e-14)


def test_a_stack_in_which_no_layer_uses_the_mask():
    x = np.random.default_rng(2).standard_normal((2, 4, 3)).astype("float32")
    x[0, 1] = x[1, 3] = 0
    model = scratch.Sequential([scratch.Input((4, 3)), scratch.layers.Masking(),
                                scratch.Dense(3, activation="softmax")])
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    classes, predicted = CLASSES[:2, :4], model.predict(x)
    losses = [-np.log(predicted[n, t, classes[n, t]]) for n, t in np.ndindex(2, 4)
              if x[n, t].any()]
    assert len(losses) == 6
    assert model.evaluate(x, classes) == pytest.approx(np.mean(losses), rel=1e-6)


def test_nothing_counts():
    loss = scratch.losses.MeanSquaredError()
    assert loss(np.ones((2, 3, 1)), np.zeros((2, 3, 1)), mask=np.zeros((2, 3), bool)) == 0
    assert not loss.backward().any()


@pytest.mark.parametrize("loss, shape", [
    (scratch.losses.MeanSquaredError(), (2, 3)), (scratch.losses.Dice(), (2, 3, 4))])
def test_losses_of_another_shape(loss, shape):
    with pytest.raises(UnsupportedError, match=r"a mask of shape \(2, 3\) for losses of shape"):
        loss(np.ones(shape), np.full(shape, 0.5), mask=np.ones((2, 3), bool))


def outputs(L, kind):
    words, states = L.Embedding(4, 3, mask_zero=True), L.GRU(4, return_sequences=True)
    last = {"classes": [L.Dense(3, activation="softmax")], "numbers": [L.Dense(2)],
            "yes or no": [L.Bidirectional(L.SimpleRNN(1, return_sequences=True)),
                          L.Dense(1, activation="sigmoid")]}[kind]
    return [words, L.Dropout(0.0), states, L.LayerNormalization(), *last]


CASES = [("classes", "sparse_categorical_crossentropy", ["accuracy"], None, False),
         ("classes", "sparse_categorical_crossentropy", ["accuracy"], "samples", True),
         ("numbers", "mse", ["mae", "cosine_similarity"], "steps", False),
         ("numbers", "huber", [], "samples", True),
         ("yes or no", "binary_crossentropy", ["accuracy", "mse"], None, True)]


def weights(given):
    shape = {None: None, "samples": (4, 1), "steps": (4, 6)}[given]
    return None if shape is None else np.random.default_rng(1).uniform(0.5, 2, shape)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind, loss, metrics, weighted, functional", CASES)
def test_keras(keras, tmp_path, kind, loss, metrics, weighted, functional):
    """Steps, evaluation and metrics, out of a file that Keras wrote and back."""
    keras.utils.set_random_seed(1)
    layers = outputs(keras.layers, kind)
    twin = keras.Sequential([keras.Input((6,)), *layers])
    if functional:
        tensor = source = keras.Input((6,))
        for layer in layers:
            tensor = layer(tensor)
        twin = keras.Model(source, tensor)
    twin.compile(keras.optimizers.SGD(0.3), loss, metrics=metrics, weighted_metrics=metrics[:1])
    twin.save(tmp_path / "model.keras")
    model = scratch.load_model(tmp_path / "model.keras")
    y = CLASSES if kind == "classes" else np.random.default_rng(2).uniform(
        size=(4, 6, 2 if kind == "numbers" else 1)).round(0 if kind == "yes or no" else 3)
    weight = weights(weighted)
    for _ in range(2):
        assert model.train_on_batch(IDS, y, weight, return_dict=True) == pytest.approx(
            twin.train_on_batch(IDS, y, weight, return_dict=True), rel=1e-4)
        for name in ("evaluate", "test_on_batch"):
            more = {"verbose": 0, "batch_size": 3} if name == "evaluate" else {}
            assert getattr(model, name)(IDS, y, sample_weight=weight, return_dict=True, **more) \
                == pytest.approx(getattr(twin, name)(IDS, y, sample_weight=weight,
                                                     return_dict=True, **more), rel=1e-4)
    assert model.fit(IDS, y, 3, 2, 0, shuffle=False, sample_weight=weight).history["loss"] == \
        pytest.approx(twin.fit(IDS, y, 3, 2, 0, shuffle=False,
                               sample_weight=weight).history["loss"], rel=1e-4)
    np.testing.assert_allclose(model.predict(IDS, verbose=0), twin.predict(IDS, verbose=0),
                               atol=1e-5)


def test_a_mask_that_no_layer_reads_comes_to_the_loss_of_a_stack(keras, tmp_path):
    twin = keras.Sequential([keras.Input((6, 3)), keras.layers.Masking(), keras.layers.Dense(2)])
    twin.compile("sgd", "mse")
    twin.save(tmp_path / "model.keras")
    model = scratch.load_model(tmp_path / "model.keras")
    rng = np.random.default_rng(3)
    x = rng.random((4, 6, 3)) * (IDS != 0)[..., None]
    y = rng.random((4, 6, 2))
    assert model.evaluate(x, y, verbose=0) == pytest.approx(twin.evaluate(x, y, verbose=0),
                                                            rel=1e-5)
    assert model.train_on_batch(x, y) == pytest.approx(twin.train_on_batch(x, y), rel=1e-5)


def test_one_of_two_outputs(keras, tmp_path):
    keras.utils.set_random_seed(2)
    L = keras.layers
    source = keras.Input((6,))
    states = L.LSTM(3, return_sequences=True)(L.Embedding(4, 3, mask_zero=True)(source))
    twin = keras.Model(source, {"steps": L.Dense(3, activation="softmax", name="steps")(states),
                                "last": L.Dense(2, name="last")(L.LSTM(2)(states))})
    twin.compile("sgd", {"steps": "sparse_categorical_crossentropy", "last": "mse"},
                 {"steps": 0.5, "last": 2.0}, {"steps": ["accuracy"], "last": ["mae"]})
    twin.save(tmp_path / "model.keras")
    model = scratch.load_model(tmp_path / "model.keras")
    y = {"steps": CLASSES, "last": np.random.default_rng(3).standard_normal((4, 2))}
    for _ in range(2):
        ours = model.train_on_batch(IDS, y, return_dict=True)
        theirs = twin.train_on_batch(IDS, y, return_dict=True)
        assert ours == pytest.approx({name: float(value) for name, value in theirs.items()},
                                     rel=1e-4)


def test_weights_of_samples_need_an_axis_of_steps(keras):
    """As in Keras, which multiplies them by the mask."""
    loss, mask = scratch.losses.MeanSquaredError(), IDS != 0
    y = np.zeros((4, 6, 2), "float32")
    with pytest.raises(ValueError, match=r"such as \(4, 1\). Received: \(4,\)"):
        loss(y, y, np.ones(4), mask)
    tensor = keras.ops.convert_to_tensor(y)
    tensor._keras_mask = mask
    with pytest.raises(Exception, match="ncompatible shapes"):
        keras.losses.MeanSquaredError()(y, tensor, np.ones(4))
