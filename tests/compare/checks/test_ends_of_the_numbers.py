"""Right networks at the ends of the numbers, and what cannot be judged: no false alarm.

Keras is the oracle of what is meant; what float32 makes of it is worked out here by NumPy.
"""

import json

import numpy as np
import pytest

import compare
import reference
import scratch
from compare.inputs import twins
from tests.compare.support.differing import real


def pair(keras, layers, shape, optimizer="sgd", loss="mse"):
    """(scratch's model, Keras's), with the same config, weights and compile settings."""
    keras.utils.set_random_seed(0)
    twin = keras.Sequential([keras.Input(shape), *layers])
    twin.compile(optimizer, loss)
    model = scratch.Sequential.from_config(json.loads(json.dumps(twin.get_config())))
    model.set_weights(twin.get_weights())
    model.compile_from_config(reference.compile_config(twin))
    return model, twin


def checked(model, twin, x, width=3):
    return compare.check(model, twin, x, real((len(x), width), 9), steps=0)


@pytest.mark.parametrize("regularizer", ["L1", "L1L2"])
def test_penalties_on_denormal_weights(keras, regularizer):
    """TensorFlow reads them as 0, whose sign is 0."""
    penalty = getattr(keras.regularizers, regularizer)(0.01)
    model, twin = pair(keras, [keras.layers.Dense(3, kernel_regularizer=penalty)], (5,))
    kernel = np.where(np.arange(15).reshape(5, 3) % 2, 1e-40, -1e-40).astype("float32")
    for each in (model, twin):
        each.set_weights([kernel, np.zeros(3, "float32")])
    report = checked(model, twin, real((4, 5)))
    assert report, report
    _, theirs, _ = twins_gradient(keras, twin)
    assert (theirs == 0).all()  # so that it is a flush to zero which is allowed for


def twins_gradient(keras, twin):
    """The gradient of the penalty alone, by TensorFlow."""
    import tensorflow as tf

    kernel = twin.layers[0].kernel
    with tf.GradientTape() as tape:
        penalty = twin.layers[0].kernel_regularizer(kernel.value)
    return penalty, tape.gradient(penalty, kernel.value).numpy(), kernel


def test_a_penalty_with_the_wrong_sign_is_still_found(keras):
    """The room for a flushed weight is that between its sign and 0, not beyond."""
    from compare.oracle import regularization
    from compare.oracle.running_error import Bounded, Rounding

    x = Bounded(np.array([1e-40, -1e-40, 1.0, 0.0]), Rounding.of("float32"))
    found = regularization.gradient("l1", x)
    l1 = float(np.float32(0.01))
    np.testing.assert_array_equal(found.value, [l1, -l1, l1, 0])
    np.testing.assert_array_equal(found.bound, [l1, l1, 0, 0])


DENORMAL = {
    "max": lambda L: L.MaxPooling2D(2), "overlapping": lambda L: L.MaxPooling2D((2, 3), 1),
    "average": lambda L: L.AveragePooling2D(2), "global max": lambda L: L.GlobalMaxPooling2D(),
    "global mean": lambda L: L.GlobalAveragePooling2D(), "relu": lambda L: L.ReLU(),
    "leaky": lambda L: L.LeakyReLU(), "prelu": lambda L: L.PReLU(),
    "conv": lambda L: L.Conv2D(2, 3),
    "elu": lambda L: L.ELU(), "selu": lambda L: L.Activation("selu"),
    "batch": lambda L: L.BatchNormalization(), "rows": lambda L: L.LayerNormalization(),
    "penalty": lambda L: L.ActivityRegularization(l1=0.1), "copies": lambda L: L.UpSampling2D(2)}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", DENORMAL)
def test_denormal_inputs(keras, name):
    """Some of either sign, zeros among them, in layers whose result turns on the largest or a sign.
    """
    layers = [DENORMAL[name](keras.layers), keras.layers.Flatten(), keras.layers.Dense(3)]
    x = real((4, 6, 5, 2)) * np.float32(1e-40)
    x[0, 0] = 0
    report = checked(*pair(keras, layers, (6, 5, 2)), x)
    assert report, report


def test_squares_that_overflow_on_both_sides_alike(keras):
    """The variance is infinity, and what is divided by it 0, on both sides: nobody is off."""
    model, twin = pair(keras, [keras.layers.BatchNormalization(), keras.layers.Dense(3)], (5,))
    x = (real((8, 5)).astype("float64") * 1e20).astype("float32")
    with np.errstate(over="ignore"):
        assert np.isinf(np.square(x)).any()
    report = checked(model, twin, x)
    assert report, report
    noted = {row.name for row in report.rows if "overflow, on both sides alike" in row.note}
    assert f"{model.layers[0].name} output" in noted
    trained = compare.check(model, twin, x, real((8, 3), 9))
    assert trained and not trained.rows[-1].judged, "nothing is promised of steps that overflow"


def test_inputs_that_only_float64_can_hold_are_refused():
    model = scratch.Sequential([scratch.Input((6, 5, 2)), scratch.MaxPooling2D(2)])
    x = np.full((2, 6, 5, 2), 1e300)
    twin = twins.twins(model)[1]
    for record in (lambda: compare.record(model, x, upstream=np.ones((2, 3, 2, 2))),
                   lambda: compare.record(twin, x, upstream=np.ones((2, 3, 2, 2))),
                   lambda: compare.check(model, twin, x, upstream=np.ones((2, 3, 2, 2)))):
        with pytest.raises(ValueError, match="that float32 can hold. Received: 1e.300 at index"):
            record()
    double = scratch.Sequential([scratch.Input((6, 5, 2)), scratch.MaxPooling2D(2)],
                                dtype="float64")
    assert compare.check(double, double, x, upstream=np.ones((2, 3, 2, 2)))


def test_an_optimizer_whose_squares_overflow_on_both_sides_alike(keras):
    model, twin = pair(keras, [keras.layers.Dense(3)], (5,), keras.optimizers.RMSprop(0.01))
    x = (real((8, 5)).astype("float64") * 1e20).astype("float32")
    report = checked(model, twin, x)
    assert report.first_failure is None, report
    assert report.undecided.gate == "update", "weights that are NaN on both sides"
    assert any("overflow, on both sides alike" in row.note for row in report.rows
               if row.gate == "update")


def test_a_row_says_where_another_bound_takes_the_place_of_the_usual_one():
    from compare.checks.row import judge
    from compare.oracle.running_error import Bounded, Rounding

    right = Bounded(np.ones(3), Rounding.of("float32"), np.full(3, 0.1))
    for terms, note in ((2**24 - 2, ""), (17_000_000, "takes the place of gamma_n")):
        row = judge("forward", "mean", "output", np.ones(3), np.ones(3), right, terms)
        assert row.passed and note in row.note and bool(note) == bool(row.note)


def test_a_side_that_overflows_alone_is_off(keras):
    class Naive(scratch.BatchNormalization):
        def forward(self, x, training=False):
            return super().forward(x, training) + np.float32(0.5)

    model, twin = pair(keras, [keras.layers.BatchNormalization(name="by_batch"),
                               keras.layers.Dense(3)], (5,))
    naive = Naive(name="by_batch")
    other = scratch.Sequential([scratch.Input((5,)), naive, scratch.Dense(3, name="last")])
    other.set_weights(model.get_weights())
    other.compile("sgd", "mse")
    report = checked(other, twin, (real((8, 5)).astype("float64") * 1e20).astype("float32"))
    assert any(row.layer == "by_batch" and row.tensor == "output" and not row.passed
               for row in report.rows)


@pytest.mark.parametrize("functional", [False, True])
def test_a_model_frozen_as_a_whole(keras, functional):
    """In Keras the flag reaches every layer, and batch normalization takes its moving averages."""
    L = keras.layers
    model, twin = pair(keras, [L.Dense(4), L.BatchNormalization(), L.Dense(3)], (5,))
    if functional:
        x = keras.Input((5,))
        twin = keras.Model(x, L.Dense(3)(L.BatchNormalization()(L.Dense(4)(x))))
        twin.compile("sgd", "mse")
        model = scratch.Model.from_config(json.loads(json.dumps(twin.get_config())))
        model.compile("sgd", "mse")
    rng = np.random.default_rng(1)
    weights = [rng.uniform(0.5, 2, w.shape).astype("float32") for w in twin.get_weights()]
    for each in (model, twin):
        each.set_weights(weights)
        each.trainable = False
    assert [layer.trainable for layer in model.layers] == [False] * 3
    x = real((4, 5))
    np.testing.assert_allclose(model(x, training=True), twin(x, training=True), rtol=1e-5)
    report = checked(model, twin, x)
    assert report, report
    for each in (model, twin):
        each.trainable = True
    assert [layer.trainable for layer in model.layers] == [True] * 3
    assert checked(model, twin, x)


@pytest.mark.parametrize("rate", [0.1, 0.3])
def test_the_learning_rate_of_a_float64_model(keras, rate):
    """Kept in float64 where that is Keras's default precision."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        twin = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
        twin.compile(keras.optimizers.SGD(rate), "mse")
        model = scratch.Sequential([scratch.Input((5,)), scratch.Dense(3)], dtype="float64")
        model.compile(scratch.SGD(rate), "mse")
        model.set_weights(twin.get_weights())
        x = real((4, 5)).astype("float64")
        assert float(twin.optimizer.learning_rate) == model.optimizer.learning_rate == rate
        report = checked(model, twin, x)
        assert report, report
        model.optimizer.learning_rate = twin.optimizer.learning_rate = 0.7
        assert float(twin.optimizer.learning_rate) == model.optimizer.learning_rate == 0.7
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
