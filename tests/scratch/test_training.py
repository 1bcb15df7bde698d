"""fit, evaluate, predict, train_on_batch: the batches they make, what they report and refuse."""

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import DTYPES, real

LABELS = np.random.default_rng(3).integers(0, 3, 10)
X = real(2, (10, 4)) + 2 * np.eye(4)[LABELS]


def network(loss="sparse_categorical_crossentropy", metrics=("accuracy",), rate=0.125, seed=5,
            **settings):
    scratch.set_random_seed(seed)
    model = scratch.Sequential([scratch.Input((4,)), scratch.Dense(5, activation="relu"),
                                scratch.Dense(3, activation="softmax")], **settings)
    model.compile(scratch.SGD(rate), loss, list(metrics))
    return model


def by_hand(model, batches):
    """(losses, accuracies) of plain SGD steps, the network worked out in float64."""
    w1, b1, w2, b2 = (w.astype(np.float64) for w in model.get_weights())
    losses, hits = [], []
    for rows in batches:
        x, one_hot = X[rows], np.eye(3)[LABELS[rows]]
        z1 = x @ w1 + b1
        h = np.maximum(z1, 0)
        p = np.exp(h @ w2 + b2)
        p /= p.sum(1, keepdims=True)
        losses.append(-np.log((p * one_hot).sum(1)).mean())
        hits.append((p.argmax(1) == LABELS[rows]).mean())
        dz2 = (p - one_hot) / len(rows)
        dz1 = dz2 @ w2.T * (z1 > 0)
        w1, b1 = w1 - 0.125 * x.T @ dz1, b1 - 0.125 * dz1.sum(0)
        w2, b2 = w2 - 0.125 * h.T @ dz2, b2 - 0.125 * dz2.sum(0)
    return losses, hits, (w1, b1, w2, b2)


def assert_weights(model, expected, tolerance):
    for actual, weight in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(actual, weight, rtol=0, atol=tolerance)


def test_fit_without_shuffling_is_sgd_in_the_order_of_the_data():
    """Ten samples by four: the last batch has two and weighs two tenths."""
    model = network(dtype="float64")
    batches = [np.arange(4), np.arange(4, 8), np.arange(8, 10)] * 2
    losses, hits, weights = by_hand(model, batches)
    history = model.fit(X, LABELS, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for key, values in (("loss", losses), ("accuracy", hits)):
        expected = [(4 * v[0] + 4 * v[1] + 2 * v[2]) / 10 for v in (values[:3], values[3:])]
        np.testing.assert_allclose(history.history[key], expected, rtol=1e-12)
    assert_weights(model, weights, 1e-13)
    assert sorted(history.history) == ["accuracy", "loss"] and history.epoch == [0, 1]
    assert history.params == {"epochs": 2, "steps": 3, "verbose": 0}
    assert model.history is history and history.model is model


def test_shuffling_keeps_images_and_labels_together_and_is_seeded():
    """The order is unknown, so every batch's rows are looked up in what the model was shown."""
    runs = []
    for _ in range(2):
        data = Lazy(X)
        model = network(dtype="float64")
        start = [w.copy() for w in model.get_weights()]
        model.fit(data, LABELS, batch_size=4, epochs=2, verbose=0)
        runs.append((data.asked, model.get_weights()))
    for (asked, _), epoch in ((run, epoch) for run in runs for epoch in (0, 1)):
        seen = np.concatenate(asked[3 * epoch:3 * epoch + 3])
        assert sorted(seen) == list(range(10)), "an epoch shows each sample once"
        assert list(seen) != list(range(10))
    assert [list(rows) for rows in runs[0][0]] == [list(rows) for rows in runs[1][0]]
    assert [list(r) for r in runs[0][0][:3]] != [list(r) for r in runs[0][0][3:]], "a new order"
    twin = network(dtype="float64")
    twin.set_weights(start)
    assert_weights(model, by_hand(twin, runs[0][0])[2], 1e-13)
    for a, b in zip(runs[0][1], runs[1][1]):
        np.testing.assert_array_equal(a, b)
    other = network(seed=5, dtype="float64")
    scratch.set_random_seed(99)
    data = Lazy(X)
    other.fit(data, LABELS, batch_size=4, epochs=2, verbose=0)
    assert [list(rows) for rows in data.asked] != [list(rows) for rows in runs[0][0]]


class Lazy:
    """A data set with a shape, a length and indexing, and nothing else of an array."""

    def __init__(self, values):
        self._values, self.shape, self.asked = values, values.shape, []

    def __len__(self):
        return len(self._values)

    def __getitem__(self, rows):
        self.asked.append(np.arange(len(self))[rows])
        return self._values[rows]


def test_data_that_is_only_indexed_is_enough():
    for shuffle in (True, False):
        models = []
        for data in (Lazy(X), X):
            model = network()
            model.fit(data, LABELS, batch_size=4, shuffle=shuffle, verbose=0)
            models.append(model)
        assert_weights(models[0], models[1].get_weights(), 0)
        assert models[0].evaluate(Lazy(X), LABELS, verbose=0) == models[1].evaluate(
            X, LABELS, verbose=0)
        np.testing.assert_array_equal(models[0].predict(Lazy(X), verbose=0),
                                      models[1].predict(X, verbose=0))


@pytest.mark.parametrize("batch_size", [1, 3, 4, 10, 99, None, np.int64(4)])
def test_evaluate_and_predict_do_not_depend_on_the_batches(batch_size):
    model = network(dtype="float64")
    (loss,), (accuracy,), _ = by_hand(model, [np.arange(10)])
    before = model.get_weights()
    values = model.evaluate(X, LABELS, batch_size=batch_size, verbose=0)
    np.testing.assert_allclose(values, [loss, accuracy], rtol=1e-12)
    assert model.evaluate(X, LABELS, batch_size=batch_size, verbose=0, return_dict=True) == dict(
        zip(["loss", "accuracy"], values))
    np.testing.assert_allclose(model.predict(X, batch_size=batch_size, verbose=0),
                               model.forward(X), rtol=1e-12)
    assert_weights(model, before, 0)


def test_validation_is_an_evaluation_after_each_epoch():
    model, twin = network(), network()
    history = model.fit(X, LABELS, batch_size=4, epochs=2, shuffle=False, verbose=0,
                        validation_data=(X[:7], LABELS[:7]))
    for epoch in range(2):
        twin.fit(X, LABELS, batch_size=4, shuffle=False, verbose=0)
        values = twin.evaluate(X[:7], LABELS[:7], batch_size=4, verbose=0, return_dict=True)
        for key, value in values.items():
            assert history.history[f"val_{key}"][epoch] == value
    assert sorted(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_a_run_can_go_on_where_it_stopped():
    model, twin = network(), network()
    model.fit(X, LABELS, batch_size=4, epochs=3, shuffle=False, verbose=0)
    twin.fit(X, LABELS, batch_size=4, epochs=2, shuffle=False, verbose=0)
    history = twin.fit(X, LABELS, batch_size=4, epochs=3, initial_epoch=2, shuffle=False, verbose=0)
    assert history.epoch == [2] and len(history.history["loss"]) == 1
    assert_weights(model, twin.get_weights(), 0)


def test_train_on_batch_is_one_step():
    model = network(dtype="float64")
    (loss,), (accuracy,), weights = by_hand(model, [np.arange(10)])
    values = model.train_on_batch(X, LABELS)
    np.testing.assert_allclose(values, [loss, accuracy], rtol=1e-12)
    assert_weights(model, weights, 1e-13)
    assert sorted(model.train_on_batch(X, LABELS, return_dict=True)) == ["accuracy", "loss"]
    assert isinstance(network(metrics=()).train_on_batch(X, LABELS), float)


@pytest.mark.parametrize("freeze", [
    lambda m: setattr(m.layers[0], "trainable", False), lambda m: setattr(m, "trainable", False)])
def test_what_is_not_trainable_does_not_change(freeze):
    model = network()
    freeze(model)
    before = model.get_weights()
    model.fit(X, LABELS, verbose=0)
    after = model.get_weights()
    for a, b in zip(before[:2], after[:2]):
        np.testing.assert_array_equal(a, b)
    assert np.array_equal(before[2], after[2]) == (not model.trainable)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("settings", [(0.9, False), (0.9, True), (0.0, False)])
def test_training_keeps_the_precision(dtype, settings):
    model = network(dtype=dtype)
    model.compile(scratch.SGD(0.1, *settings), "categorical_crossentropy")
    model.fit(X.astype("float64"), np.eye(3)[LABELS], verbose=0, epochs=2)
    for layer in model.layers:
        for array in (*layer.params.values(), *layer.grads.values()):
            assert array.dtype == dtype
    assert model.predict(X, verbose=0).dtype == dtype


def test_accuracy_fits_the_labels():
    model = network(metrics=["accuracy", "acc", "sparse_categorical_accuracy"])
    expected = (model.forward(X).argmax(1) == LABELS).mean()
    for y in (LABELS, LABELS[:, None], LABELS.astype("float32")):
        assert model.evaluate(X, y, verbose=0)[1:] == pytest.approx([expected] * 3)
    model.compile("sgd", "categorical_crossentropy", ["accuracy", "categorical_accuracy"])
    assert model.evaluate(X, np.eye(3)[LABELS], verbose=0)[1:] == pytest.approx([expected] * 2)


def test_a_softmax_and_its_loss_meet_at_the_logits():
    """p underflows to 0 long before; from the logits the loss is 200 and the gradient whole."""
    for last in ([scratch.Dense(2, activation="softmax")], [scratch.Dense(2), scratch.Softmax()]):
        model = scratch.Sequential([scratch.Input((2,)), *last])
        model.set_weights([np.eye(2), np.zeros(2)])
        model.compile(scratch.SGD(0.0), "sparse_categorical_crossentropy")
        x = np.array([[200.0, 0.0]])
        value, output, dx = model.loss_and_gradients(x, [1], wants_input_gradient=True)
        assert value == 200 and output.tolist() == [[1, 0]] and dx.tolist() == [[1, -1]]
        assert model.evaluate(x, [1], verbose=0) == model.train_on_batch(x, [1]) == 200


def generator(passes=1):
    for _ in range(passes):
        for start in (0, 4, 8):
            yield X[start:start + 4], LABELS[start:start + 4]


def test_batches_from_a_generator_are_those_of_arrays():
    model, twin = network(), network()
    history = model.fit(generator(2), steps_per_epoch=3, epochs=2, verbose=0,
                        validation_data=generator(), validation_steps=1)
    expected = twin.fit(X, LABELS, batch_size=4, epochs=2, shuffle=False, verbose=0)
    assert history.params["steps"] == 3
    assert [history.history[key] for key in ("loss", "accuracy")] == list(
        expected.history.values())
    assert_weights(model, twin.get_weights(), 0)
    assert model.evaluate(generator(), verbose=0) == twin.evaluate(X, LABELS, 4, verbose=0)
    np.testing.assert_array_equal(model.predict(generator(), verbose=0),
                                  twin.predict(X, 4, verbose=0))
    assert len(model.predict(generator(), steps=2, verbose=0)) == 8


def test_a_generator_that_ends_ends_the_run():
    model = network()
    with pytest.warns(UserWarning, match="no batch for epoch 2. Expected a source that can be run"):
        history = model.fit(generator(), epochs=3, verbose=0)
    assert history.epoch == [0] and history.params["steps"] is None
    with pytest.warns(UserWarning, match="ran out before an epoch had its 2 steps"):
        history = model.fit(generator(), epochs=3, steps_per_epoch=2, verbose=0)
    assert history.epoch == [0, 1]
    for action in (model.fit, model.evaluate, model.predict):
        with pytest.raises(ValueError, match="at least one batch.* Received: none"):
            action(iter(()), verbose=0)


def test_the_last_samples_are_kept_for_validation():
    """Whole or lazy, shuffled or not: what trains is never what validates."""
    for shuffle in (True, False):
        data = Lazy(X)
        model = network()
        model.fit(data, LABELS, batch_size=3, epochs=2, validation_split=0.4, shuffle=shuffle,
                  verbose=0)
        shown = [rows.tolist() for rows in data.asked]
        assert len(shown) == 2 * (2 + 2)
        for epoch in (shown[:4], shown[4:]):
            assert sorted(sum(epoch[:2], [])) == [0, 1, 2, 3, 4, 5]
            assert epoch[2:] == [[6, 7, 8], [9]]


def test_weights_of_samples_and_classes():
    """By hand: each loss counts its weight over the number of samples."""
    model = network(dtype="float64", metrics=())
    model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    p = model.forward(X)
    losses = -np.log(p[np.arange(10), LABELS])
    weights = {0: 0.5, 2: 4.0}
    by_class = np.array([weights.get(label, 1.0) for label in LABELS])
    hits = p.argmax(1) == LABELS
    expected = [(losses * by_class).mean(), (hits * by_class).sum() / by_class.sum()]
    np.testing.assert_allclose(model.test_on_batch(X, LABELS, by_class), expected, rtol=1e-12)
    np.testing.assert_allclose(model.evaluate(X, LABELS, 3, 0, by_class), expected, rtol=1e-12)
    trained = network(dtype="float64", metrics=()), network(dtype="float64", metrics=())
    for each, settings in zip(trained, (dict(sample_weight=by_class), dict(class_weight=weights))):
        each.fit(X, LABELS, batch_size=4, shuffle=False, verbose=0, **settings)
    assert_weights(trained[0], trained[1].get_weights(), 0)


@pytest.mark.parametrize("arguments, said", [
    (dict(validation_split=0.5, x=generator(), y=None), "arrays for validation_split.*generator"),
    (dict(validation_split=0.95), "validation_split to leave samples on both sides"),
    (dict(validation_data=X), "validation_data to be .* Received: ndarray"),
    (dict(validation_data=(X, LABELS), validation_freq=0), "validation_freq to be .*Received: 0"),
    (dict(sample_weight=np.ones(10), class_weight={0: 1}), "or class_weight, not both"),
    (dict(sample_weight=np.ones(9)), "9 weights and 10 inputs"),
    (dict(sample_weight=np.ones((10, 2))), "sample weights that stretch"),
    (dict(y=None), "expected labels beside the inputs"),
    (dict(x=iter([X]), y=None), "expected labels beside the inputs"),
    (dict(x=iter([(X, LABELS[:4])]), y=None), "10 inputs and 4 labels"),
])
def test_arguments_of_fit_that_do_not_fit_are_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        network().fit(**{"x": X, "y": LABELS, "verbose": 0, **arguments})


def test_metrics_that_are_no_list_are_refused():
    for key in ("metrics", "weighted_metrics"):
        with pytest.raises(scratch.UnsupportedError, match=f"expected {key} to be a list"):
            network().compile("sgd", "mse", **{key: {"dense": "accuracy"}})


def test_progress_goes_to_standard_output_as_in_keras_and_verbose_0_is_silent(capsys):
    model = network()
    for action, said in ((lambda v: model.fit(X, LABELS, epochs=2, verbose=v), "Epoch 2/2 1/1"),
                         (lambda v: model.evaluate(X, LABELS, verbose=v), "accuracy: "),
                         (lambda v: model.predict(X, verbose=v), "Predict 1/1")):
        action(0)
        assert capsys.readouterr() == ("", "")
        action("auto")
        out, err = capsys.readouterr()
        assert err == "" and said in out


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_not_finite_stops_the_run_by_epoch_and_step():
    model = network(rate=1e30)
    with pytest.raises(scratch.NonFiniteLossError,
                       match=r"at epoch 1, step [23] of 3.*learning rate than 1e\+30"):
        model.fit(X, LABELS, batch_size=4, shuffle=False, epochs=2, verbose=0)
    spoiled = X.copy()
    spoiled[9] = np.nan
    with pytest.raises(scratch.NonFiniteLossError, match="became nan at epoch 3, step 5 of 5"):
        network().fit(spoiled, LABELS, 2, epochs=4, initial_epoch=2, shuffle=False, verbose=0)


@pytest.mark.parametrize("batch_size", [0, -1, True, "8", 2.0])
@pytest.mark.parametrize("action", [lambda m, b: m.fit(X, LABELS, batch_size=b, verbose=0),
                                    lambda m, b: m.evaluate(X, LABELS, batch_size=b, verbose=0),
                                    lambda m, b: m.predict(X, batch_size=b, verbose=0)])
def test_a_batch_size_that_is_no_positive_integer_is_refused(action, batch_size):
    with pytest.raises(ValueError) as error:
        action(network(), batch_size)
    assert f"batch_size to be a positive integer. Received: {batch_size!r}" in str(error.value)


@pytest.mark.parametrize("action", ["fit", "evaluate", "train_on_batch"])
@pytest.mark.parametrize("x, y, named", [
    (X[:, :3], LABELS, "expected inputs of shape (None, 4). Received: (10, 3)"),
    (X, LABELS[:9], "Received: 10 inputs and 9 labels"),
    (X[:0], LABELS[:0], "Received: 0 inputs and 0 labels"),
    (X, LABELS + 1, "from 0 to 2. Received: 3"),
    (X, -LABELS, "from 0 to 2. Received: -"),
    (X, np.eye(3)[LABELS], "expected labels of shape (10,)"),
])
def test_data_that_does_not_fit_is_refused_before_a_weight_changes(action, x, y, named):
    model = network()
    before = model.get_weights()
    with pytest.raises(ValueError) as error:
        getattr(model, action)(x, y)
    assert named in str(error.value)
    assert_weights(model, before, 0)


@pytest.mark.parametrize("action", ["fit", "evaluate", "train_on_batch"])
def test_one_wrong_label_in_a_large_batch_is_found(action):
    """Large enough to be worked on in parts, and in several threads."""
    model = scratch.Sequential([scratch.Input((20, 20, 3)), scratch.Conv2D(8, 3),
                                scratch.Flatten(), scratch.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.get_weights()
    labels = np.zeros(500, int)
    labels[499] = 3
    settings = {} if action == "train_on_batch" else dict(batch_size=500, verbose=0)
    if action == "fit":
        settings["shuffle"] = False
    with pytest.raises(ValueError, match="from 0 to 2. Received: 3"):
        getattr(model, action)(np.zeros((500, 20, 20, 3), "float32"), labels, **settings)
    assert_weights(model, before, 0)


def test_a_prediction_of_nothing_is_refused():
    with pytest.raises(ValueError, match="expected at least one sample"):
        network().predict(X[:0], verbose=0)


@pytest.mark.parametrize("action", ["fit", "evaluate", "train_on_batch"])
def test_a_model_that_is_not_compiled_is_refused(action):
    model = scratch.Sequential([scratch.Input((4,)), scratch.Dense(3)], name="raw")
    with pytest.raises(ValueError, match=f"'raw' must be compiled before {action}"):
        getattr(model, action)(X, LABELS)


@pytest.mark.parametrize("arguments, named", [
    (("adafactors", "categorical_crossentropy"), "Optimizer 'adafactors'"),
    (("sgd", "ctc"), "Loss 'ctc'"),
    (("sgd", "categorical_crossentropy", ["r3_score"]), "Metric 'r3_score'"),
])
def test_what_compile_does_not_know_is_refused_by_name(arguments, named):
    with pytest.raises(scratch.UnsupportedError, match=f"{named} is not supported"):
        network().compile(*arguments)
