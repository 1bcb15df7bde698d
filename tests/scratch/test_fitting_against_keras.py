"""fit and evaluate against Keras's: weights of samples and classes, splits, generators, epochs."""

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import assert_norm_close, real

N = 22
LABELS = np.random.default_rng(3).integers(0, 3, N)
X = (real(2, (N, 5)) + 2 * np.eye(5)[LABELS]).astype("float32")
WEIGHTS = np.random.default_rng(4).uniform(0, 2, N).astype("float32")
CLASS_WEIGHTS = {0: 0.25, 2: 3.0}
ROUNDINGS = 2000  # units of float32's rounding of the largest entry


def pair(keras, optimizer="adam", loss="sparse_categorical_crossentropy", regularizer=None,
         activity_regularizer=None, activation="softmax", units=3, **compiled):
    """(scratch's model, Keras's) with the same weights, compiled alike.

    `optimizer` and `loss` may be functions of the package, which make such objects.
    """
    scratch.set_random_seed(4)
    model = scratch.Sequential([
        scratch.Input((5,)), scratch.Dense(4, "tanh", kernel_regularizer=regularizer,
                                           bias_regularizer=regularizer,
                                           activity_regularizer=activity_regularizer),
        scratch.Dense(units, activation)])
    twin = keras.Sequential.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    compiled = compiled or dict(metrics=["accuracy"])
    for package, each, how in ((scratch, model, {}), (keras, twin, dict(run_eagerly=True))):
        each.compile(optimizer(package) if callable(optimizer) else optimizer,
                     loss(package) if callable(loss) else loss, **compiled, **how)
    return model, twin


def assert_alike(model, twin, ours, theirs):
    """The same figures in each epoch, and in the end the same weights."""
    assert ours.epoch == theirs.epoch
    assert sorted(ours.history) == sorted(theirs.history)
    for key, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[key], values, rtol=2e-5, atol=1e-6, err_msg=key)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        assert_norm_close(a, b, ROUNDINGS)


def fit_both(keras, arguments, **compiled):
    model, twin = pair(keras, **compiled)
    arguments = {"x": X, "y": LABELS, "batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0,
                 **arguments}
    ours = model.fit(**{key: value() if callable(value) else value
                        for key, value in arguments.items()})
    theirs = twin.fit(**{key: value() if callable(value) else value
                         for key, value in arguments.items()})
    assert_alike(model, twin, ours, theirs)
    return model, twin, ours, theirs


@pytest.mark.sampled(2)
@pytest.mark.parametrize("loss", ["circle", lambda package: package.losses.Circle(10.0, 0.25)])
def test_the_circle_loss_of_pairs_in_a_batch(keras, loss):
    """The last batch holds six samples; weights of classes count, and classes alone do not."""
    for arguments in ({}, {"class_weight": CLASS_WEIGHTS}, {"validation_split": 0.3}):
        fit_both(keras, arguments, optimizer="sgd", loss=loss, activation="tanh",
                 jit_compile=False)


@pytest.mark.sampled(2)
@pytest.mark.filterwarnings("ignore:.*ran out")
@pytest.mark.parametrize("arguments", [
    dict(sample_weight=WEIGHTS), dict(class_weight=CLASS_WEIGHTS),
    dict(sample_weight=WEIGHTS, validation_split=0.3),
    dict(class_weight=CLASS_WEIGHTS, validation_split=0.3),
    dict(validation_split=0.25, validation_freq=2, validation_batch_size=3),
    dict(validation_data=(X[:9], LABELS[:9], WEIGHTS[:9]), validation_freq=[2]),
    dict(validation_split=0.25, validation_data=(X[:9], LABELS[:9])),
    dict(initial_epoch=1, epochs=3), dict(steps_per_epoch=2, batch_size=5, epochs=3),
    dict(batch_size=None, steps_per_epoch=3), dict(batch_size=None),
    dict(validation_data=(X[:9], LABELS[:9]), validation_steps=2, validation_batch_size=4),
], ids=lambda arguments: ",".join(arguments))
def test_arguments_of_fit(keras, arguments):
    both = dict(metrics=["accuracy", "mse"], weighted_metrics=["accuracy", "mae"])
    if "sample_weight" in arguments or "class_weight" in arguments:
        fit_both(keras, {**arguments, "y": np.eye(3, dtype="float32")[LABELS]},
                 loss="categorical_crossentropy", **both)
    _, _, ours, theirs = fit_both(keras, arguments)
    assert ours.params == theirs.params


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_reductions(keras, reduction):
    model, twin, *_ = fit_both(
        keras, {"sample_weight": WEIGHTS, "epochs": 2},
        optimizer=lambda package: package.optimizers.SGD(0.05),
        loss=lambda package: package.losses.SparseCategoricalCrossentropy(reduction=reduction))
    ours, theirs = (each.evaluate(X, LABELS, 8, verbose=0, sample_weight=WEIGHTS)
                    for each in (model, twin))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop", "adagrad"])
def test_optimizers_by_name(keras, optimizer):
    fit_both(keras, {}, optimizer=optimizer)


@pytest.mark.parametrize("loss, activation, units", [
    ("mse", "linear", 1), ("binary_crossentropy", "sigmoid", 1), ("huber", "tanh", 2)])
def test_other_losses(keras, loss, activation, units):
    y = (LABELS[:, None] == np.arange(units)).astype("float32")
    fit_both(keras, {"y": y, "sample_weight": WEIGHTS}, loss=loss, activation=activation,
             units=units, metrics=["mae"])


@pytest.mark.parametrize("regularizer, activity", [("l2", None), ("l1", "l2")])
def test_penalties_are_part_of_the_loss(keras, regularizer, activity):
    model, twin, *_ = fit_both(keras, {"validation_split": 0.3}, regularizer=regularizer,
                               activity_regularizer=activity)
    for each in (model, twin):  # a frozen layer's weights count for nothing
        each.layers[0].trainable = False
        each.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    np.testing.assert_allclose(model.evaluate(X, LABELS, verbose=0),
                               twin.evaluate(X, LABELS, verbose=0), rtol=1e-5)


class Batches:
    """Any six batches; an iterator for either side."""

    def __init__(self, weighted=False, repeat=1):
        self.weighted, self.repeat = weighted, repeat

    def __call__(self):
        for _ in range(self.repeat):
            for rows in np.array_split(np.arange(N), 6):
                batch = (X[rows], LABELS[rows], WEIGHTS[rows])
                yield batch if self.weighted else batch[:2]


@pytest.mark.parametrize("arguments", [
    dict(x=Batches(repeat=2), steps_per_epoch=6), dict(x=Batches(True, 2), steps_per_epoch=4),
    dict(x=Batches(), epochs=1)])
@pytest.mark.filterwarnings("ignore:Your input ran out of data")  # Keras's, at a pass's end
def test_generators(keras, arguments):
    fit_both(keras, {"y": None, "batch_size": None, **arguments})


def test_numbered_batches(keras):
    class Numbered(keras.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return X[6 * i:6 * i + 6], LABELS[6 * i:6 * i + 6]

    data = dict(y=None, batch_size=None, validation_data=Numbered())
    fit_both(keras, {"x": Numbered(), "class_weight": CLASS_WEIGHTS, **data})
    model, twin = pair(keras)
    np.testing.assert_allclose(model.evaluate(Numbered(), verbose=0),
                               twin.evaluate(Numbered(), verbose=0), rtol=1e-5)
    assert_norm_close(model.predict(Numbered(), verbose=0), twin.predict(Numbered(), verbose=0),
                      ROUNDINGS)


def test_single_batches(keras):
    model, twin = pair(keras, metrics=["accuracy"], weighted_metrics=["accuracy", "accuracy"])
    for settings in (dict(), dict(sample_weight=WEIGHTS)):
        for action in ("test_on_batch", "train_on_batch"):
            twin.reset_metrics()
            ours = getattr(model, action)(X, LABELS, **settings, return_dict=True)
            theirs = getattr(twin, action)(X, LABELS, **settings, return_dict=True)
            assert list(ours) == ["loss", "accuracy", "weighted_accuracy", "weighted_accuracy_1"]
            assert sorted(ours) == sorted(theirs)
            for key, value in theirs.items():
                np.testing.assert_allclose(ours[key], value, rtol=1e-5, err_msg=key)
    twin.reset_metrics()
    np.testing.assert_allclose(model.train_on_batch(X, LABELS, class_weight=CLASS_WEIGHTS)[0],
                               twin.train_on_batch(X, LABELS, class_weight=CLASS_WEIGHTS)[0],
                               rtol=1e-5)
    assert_norm_close(model.predict_on_batch(X), twin.predict_on_batch(X), ROUNDINGS)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_callbacks_in_a_run(keras):
    runs = []
    models = pair(keras, lambda package: package.optimizers.SGD(0.5, momentum=0.9))
    for package, model in zip((scratch, keras), models):
        stopping = package.callbacks.EarlyStopping("loss", patience=1, min_delta=0.01,
                                                   restore_best_weights=True)
        plateau = package.callbacks.ReduceLROnPlateau("loss", patience=1, factor=0.25,
                                                      min_delta=0.05)
        history = model.fit(X, LABELS, batch_size=8, epochs=30, shuffle=False, verbose=0,
                            callbacks=[plateau, stopping])
        runs.append((model, history))
    (model, ours), (twin, theirs) = runs
    assert 2 < len(ours.epoch) < 30
    assert_alike(model, twin, ours, theirs)


def test_a_compile_config_with_everything_goes_both_ways(keras):
    model, twin = pair(keras)
    schedule = dict(initial_learning_rate=0.1, decay_steps=7, decay_rate=0.5)
    twin.compile(keras.optimizers.AdamW(
        keras.optimizers.schedules.ExponentialDecay(**schedule), clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"],
        weighted_metrics=["accuracy"], run_eagerly=True)
    model.compile_from_config(twin.get_compile_config())
    again = keras.Sequential.from_config(model.get_config())
    again.set_weights(model.get_weights())
    again.compile_from_config(model.get_compile_config())
    settings = dict(batch_size=8, epochs=2, shuffle=False, verbose=0, sample_weight=WEIGHTS)
    ours, theirs = model.fit(X, LABELS, **settings), twin.fit(X, LABELS, **settings)
    assert_alike(model, twin, ours, theirs)
    assert_alike(model, again, ours, again.fit(X, LABELS, **settings))
