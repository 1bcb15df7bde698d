"""Models of several inputs and outputs: predictions, training, figures and files, as in Keras."""

import warnings

import numpy as np
import pytest

import scratch
from scratch import parallel
from scratch.several import Several, Structure, grouped
from tests.scratch.support.several import (
    CASES,
    by_names,
    made,
    multi_task,
    plain,
    without_a_loss,
)


def flat(values):
    if isinstance(values, dict):
        return [values[key] for key in values]
    return list(values) if isinstance(values, (list, tuple)) else [values]


@pytest.mark.sampled(3)
@pytest.mark.compiled  # run eagerly, Keras's mean loss of an epoch is one over samples, not batches
@pytest.mark.parametrize("build", CASES, ids=lambda build: build.__name__)
def test_predictions_training_and_figures_are_kerass(keras, build):
    case, model = made(keras, build)
    ours, theirs = model.predict(case.x, verbose=0), case.twin.predict(case.x, verbose=0)
    assert type(ours) is type(theirs)
    if isinstance(ours, dict):
        assert list(ours) == list(theirs)
    for a, b in zip(flat(ours), flat(theirs), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's, of weights that no loss depends on
        run = dict(epochs=3, batch_size=3, shuffle=False, verbose=0)
        ours = model.fit(case.x, case.y, **run).history
        theirs = case.twin.fit(case.x, case.y, **run).history
    assert list(ours) == case.figures and set(theirs) == set(ours)
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=2e-5, atol=1e-6)
    for a, b in zip(model.get_weights(), case.twin.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
    ours = model.test_on_batch(case.x, case.y, return_dict=True)
    theirs = case.twin.test_on_batch(case.x, case.y, return_dict=True)
    assert {name: pytest.approx(value, rel=1e-4, abs=1e-5) for name, value in theirs.items()
            } == ours


@pytest.mark.parametrize("build", CASES, ids=lambda build: build.__name__)
def test_files_go_both_ways(keras, build, tmp_path):
    case, model = made(keras, build)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.train_on_batch(case.x, case.y)  # so that there is an optimizer's state
        model.save(tmp_path / "ours.keras")
        again = scratch.load_model(tmp_path / "ours.keras")
        theirs = keras.models.load_model(tmp_path / "ours.keras")
        for side in (model, again, theirs):
            side.train_on_batch(case.x, case.y)
        for a, b, c in zip(model.get_weights(), again.get_weights(), theirs.get_weights(),
                           strict=True):
            assert a.tobytes() == b.tobytes()
            np.testing.assert_allclose(a, c, atol=2e-5)
        theirs.save(tmp_path / "theirs.keras")
    read = scratch.load_model(tmp_path / "theirs.keras")
    assert plain(read.get_config()) == plain(model.get_config())
    assert read.get_weights()[0].tobytes() == theirs.get_weights()[0].tobytes()


def test_weights_of_samples_and_metrics_for_each_output(keras):
    case, model = made(keras, multi_task)
    weighted = dict(loss=["sparse_categorical_crossentropy", "mse"], loss_weights=[2.0, 0.5],
                    weighted_metrics=[["accuracy"], ["mae"]], metrics=[None, ["mae"]])
    model.compile("sgd", **weighted)
    case.twin.compile("sgd", **weighted)
    rng = np.random.default_rng(1)
    for weight in (rng.uniform(0, 2, 7), [rng.uniform(0, 2, 7), rng.uniform(0, 2, 7)]):
        ours = model.train_on_batch(case.x, case.y, sample_weight=weight, return_dict=True)
        theirs = case.twin.train_on_batch(case.x, case.y, sample_weight=weight, return_dict=True)
        assert {name: pytest.approx(value, rel=1e-4) for name, value in theirs.items()} == ours
        case.twin.reset_metrics()
    for a, b in zip(model.get_weights(), case.twin.get_weights()):
        np.testing.assert_allclose(a, b, atol=2e-6)


def test_losses_are_added_up_with_their_weights():
    """Against numbers worked out by hand, on outputs that are the inputs times one."""
    x = scratch.Input((2,))
    layers = [scratch.Dense(2, use_bias=False, name=name) for name in "ab"]
    model = scratch.Model(x, [layer(x) for layer in layers])
    model.set_weights([np.eye(2), 3 * np.eye(2)])
    model.compile(scratch.SGD(1.0), ["mse", "mae"], loss_weights=[2.0, 0.5])
    batch = np.array([[1.0, 2.0], [3.0, -4.0]], np.float32)
    zero = np.zeros((2, 2), np.float32)
    squares, sizes = (1 + 4 + 9 + 16) / 4, 3 * (1 + 2 + 3 + 4) / 4
    figures = model.train_on_batch(batch, [zero, zero], return_dict=True)
    assert figures == {"loss": 2 * squares + 0.5 * sizes, "a_loss": squares, "b_loss": sizes}
    a, b = model.get_weights()
    np.testing.assert_allclose(a, np.eye(2) - 2.0 * batch.T @ (2 * batch) / 4)
    np.testing.assert_allclose(b, 3 * np.eye(2) - 0.5 * batch.T @ np.sign(batch) / 4)


def test_a_layer_that_no_loss_depends_on_stays_as_it_is(keras):
    case, model = made(keras, without_a_loss)
    before = {layer.name: [w.copy() for w in layer.get_weights()] for layer in model.layers}
    model.fit(case.x, case.y, epochs=2, verbose=0)
    for w, old in zip(model.get_layer("free").get_weights(), before["free"]):
        assert w.tobytes() == old.tobytes()  # which AdamW would have let decay
    assert any((w != old).any() for w, old in zip(model.get_layer("seen").get_weights(),
                                                  before["seen"]))
    alone = model.train_on_batch(case.x, case.y[:1], return_dict=True)  # labels of those with one
    assert set(alone) == {"loss"}


def test_blocks_on_threads_are_the_whole_batch(keras):
    case, model = made(keras, multi_task)
    other = made(keras, multi_task)[1]
    x, y = np.repeat(case.x, 200, 0), [np.repeat(labels, 200, 0) for labels in case.y]
    parallel.set_num_threads(1)
    try:
        one = model.train_on_batch(x, y, return_dict=True)
        parallel.set_num_threads(3)
        three = other.train_on_batch(x, y, return_dict=True)
    finally:
        parallel.set_num_threads(None)
    assert {name: pytest.approx(value, rel=1e-4) for name, value in one.items()} == three
    for a, b in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("spoil, named", [
    (lambda m, c: m.predict(case_x(c)[:1]), "expected 2 inputs in a dict. Received: 1"),
    (lambda m, c: m.predict({"z": c.x["z"]}), "expected inputs named ['a', 'z']"),
    (lambda m, c: m.predict(c.x["z"]), "Received: one ndarray of shape (7, 5)"),
    (lambda m, c: m.fit(c.x, c.y["y"]), "expected 2 outputs in a dict. Received: one ndarray"),
    (lambda m, c: m.fit(c.x, {**c.y, "b": c.y["b"][:3]}), "Received: 7 inputs and 3, 7 labels"),
    (lambda m, c: m.fit(c.x, {**c.y, "b": c.y["b"][:, :2]}), "Output 'b': "),
    (lambda m, c: m.fit({**c.x, "a": c.x["a"][:, :2]}, c.y), "expected inputs of shape"),
    (lambda m, c: m.fit(c.x, c.y, class_weight={0: 1.0}), "class_weight only for a model of one"),
    (lambda m, c: m.compile("sgd", {"q": "mse"}), "for each output of ['b', 'y']"),
    (lambda m, c: m.compile("sgd", ["mse"]), "Received: 1 losses"),
    (lambda m, c: m.compile("sgd", "mse", loss_weights=[1.0, 2.0]), "a loss for each output"),
    (lambda m, c: m.compile("sgd", ["mse", "mae"], loss_weights=[1.0]), "loss_weights for each"),
    (lambda m, c: m.compile("sgd", [None, None]), "a loss for at least one output"),
    (lambda m, c: m.compile("sgd", ["mse", "mae"], metrics=["mae"]), "metrics of each output"),
    (lambda m, c: m.compile("sgd", [["mse", "mae"], "mae"]), "one loss for the output 'b'"),
])
def test_what_does_not_fit_is_told_in_one_error(keras, spoil, named):
    case, model = made(keras, by_names)
    with pytest.raises(ValueError) as error:
        spoil(model, case)
    assert named in str(error.value)


def case_x(case):
    return [case.x["a"], case.x["z"]]


def test_lists_and_dictionaries_are_read_in_kerass_order():
    form = Structure({"z": 0, "a": 1}, "input", "m")
    arrays = [np.zeros((2, 1)), np.ones((2, 3))]
    given = grouped({"z": arrays[1], "a": arrays[0]}, form, ["x", "y"])
    assert [array.shape for array in given.arrays] == [(2, 1), (2, 3)]
    assert list(form.packed(given.arrays)) == ["z", "a"]
    assert len(given) == 2 and [array.shape for array in given[:1].arrays] == [(1, 1), (1, 3)]
    listed = Structure([0, 1], "input", "m")
    by_name = grouped({"y": arrays[1], "x": arrays[0]}, listed, ["x", "y"])
    assert [array.shape for array in by_name.arrays] == [(2, 1), (2, 3)]
    assert isinstance(given, Several) and not hasattr(given, "shape")
