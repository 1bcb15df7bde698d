"""predict, evaluate, train_on_batch are the model's own, and the model is as it was afterwards."""

import numpy as np
import pytest

SHAPE, CLASSES = (6, 5, 1), 4
SIZES = 3, 3, 2, 1


def batch(size=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((size, *SHAPE)).astype("float32"), rng.integers(0, CLASSES, size)


def compiled(keras, kind=None, dropout=0.0, dtype="float32", **how):
    keras.utils.set_random_seed(7)
    layers = keras.layers
    model = (kind or keras.Sequential)([
        keras.Input(SHAPE, dtype=dtype),
        layers.Conv2D(2, (2, 3), activation="relu", dtype=dtype, kernel_regularizer="l2"),
        layers.Dropout(dropout, dtype=dtype), layers.BatchNormalization(dtype=dtype),
        layers.Flatten(dtype=dtype), layers.Dense(CLASSES, activation="softmax", dtype=dtype)])
    model.compile(keras.optimizers.SGD(0.125, momentum=0.5), "sparse_categorical_crossentropy",
                  metrics=["accuracy"], **how)
    return model


def state(model):
    variables = *model.variables, *model.optimizer.variables
    figures = [float(v.numpy()) for v in model.metrics_variables]
    return [np.array(v.numpy()) for v in variables], [
        getattr(model, name) for name in ("optimizer", "train_function", "test_function",
                                          "predict_function")], vars(model.layers[1]).get(
        "call"), [f for f in figures if f]


def assert_same_state(a, b):
    assert a[1:] == b[1:]
    for one, other in zip(a[0], b[0], strict=True):
        np.testing.assert_array_equal(one, other)


def plain_step(keras, weights, x, y, velocity):
    """(what momentum 0.5 at a rate of 0.125 adds to the trained weights, the loss), by a tape."""
    import tensorflow as tf

    model = compiled(keras)
    model.set_weights(weights)
    with tf.GradientTape() as tape:
        loss = keras.losses.SparseCategoricalCrossentropy()(y, model(x, training=True))
        loss += sum(model.losses)
    found = tape.gradient(loss, [v.value for v in model.trainable_variables])
    velocity = velocity or [0.0] * len(found)
    return [0.5 * v - 0.125 * np.array(g) for v, g in zip(velocity, found)], float(loss)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("how", [{}, {"run_eagerly": True}, {"jit_compile": True},
                                 {"jit_compile": False}], ids=str)
def test_steps_start_where_they_are_told_and_remember_the_momentum(keras, how):
    """From weights that are set before each step; batches may be of any size."""
    import reference

    model = compiled(keras, **how)
    trained = [i for i, v in enumerate(model.weights) if v.trainable]
    weights, velocity = model.get_weights(), None
    with reference.EntryPoints(model) as own:
        for number, size in enumerate(SIZES):
            x, y = batch(size, number)
            after, figures = own.train_on_batch(weights, x, y)
            velocity, loss = plain_step(keras, weights, x, y, velocity)
            for i, step in zip(trained, velocity, strict=True):
                np.testing.assert_allclose(after[i] - weights[i], step, rtol=1e-4, atol=1e-6)
            assert figures["loss"] == pytest.approx(loss, rel=1e-5)
            assert figures.keys() == {"loss", "accuracy"}
            weights = [w * 0.5 for w in after]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("how", [{}, {"run_eagerly": True}, {"jit_compile": False}], ids=str)
def test_the_model_is_left_as_it_was(keras, how):
    """Trained before or not, and whether the block ends well or not."""
    import reference

    x, y = batch()
    for trained in (False, True):
        model = compiled(keras, dropout=0.5, **how)
        if trained:
            model.fit(x, y, verbose=0)
            model.predict(x, verbose=0)
        before = state(model)
        with pytest.raises(ZeroDivisionError), reference.EntryPoints(model) as own:
            own.predict(x)
            own.evaluate(x, y)
            own.train_on_batch(model.get_weights(), x, y)
            assert any((a != b).any() for a, b in zip(state(model)[0], before[0]))
            raise ZeroDivisionError
        assert_same_state(state(model), before)
        assert model.optimizer.built == trained


@pytest.mark.sampled(2)
@pytest.mark.parametrize("how", [{"jit_compile": True}, {"jit_compile": False}], ids=str)
def test_each_step_uses_the_noise_that_it_is_handed(keras, how):
    import reference

    model = compiled(keras, dropout=0.5, **how)
    weights, (x, y) = model.get_weights(), batch()
    shape = (3, *model.layers[0].output.shape[1:])

    def losses(own, factors):
        return [own.train_on_batch(weights, x, y, None, {1: np.full(shape, factor)})[1]["loss"]
                for factor in factors]

    with reference.EntryPoints(model) as own:
        made = losses(own, [0.0, 1.0, 2.0])
    assert len(set(made)) == 3
    with reference.EntryPoints(model) as own:
        assert losses(own, [2.0, 0.0, 1.0]) == [made[2], made[0], made[1]]


@pytest.mark.parametrize("accumulated", [None, 2])
def test_muon_steps_a_kernel_of_one_row_in_batches_of_any_size(keras, accumulated):
    """Keras asks for the gradient's shape, of which TensorFlow does not know the rows."""
    import reference

    def model(**how):
        keras.utils.set_random_seed(7)
        made = keras.Sequential([keras.Input(SHAPE), keras.layers.Dense(CLASSES)])
        made.compile(keras.optimizers.Muon(0.125, gradient_accumulation_steps=accumulated),
                     keras.losses.SparseCategoricalCrossentropy(from_logits=True), **how)
        return made

    made, eager = model(jit_compile=False), model(run_eagerly=True)
    weights, rng = made.get_weights(), np.random.default_rng(1)
    with reference.EntryPoints(made) as own:
        for size in SIZES:
            x, y = batch(size)[0], rng.integers(0, CLASSES, (size, *SHAPE[:-1]))
            weights, _ = own.train_on_batch(weights, x, y)
            eager.train_on_batch(x, y)
            for ours, theirs in zip(weights, eager.get_weights(), strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_what_a_class_overrides_is_called(keras):
    import reference

    class Halved(keras.Sequential):
        def call(self, inputs, training=None, mask=None):
            return super().call(inputs, training=training, mask=mask) * 0.5

    class Silent(keras.Sequential):
        def train_step(self, data):
            return {"loss": 7.0}

    x, y = batch()
    plain, halved, silent = (compiled(keras, kind) for kind in (None, Halved, Silent))
    with reference.EntryPoints(plain) as own, reference.EntryPoints(halved) as other:
        np.testing.assert_allclose(other.predict(x), 0.5 * own.predict(x), rtol=1e-6)
    with reference.EntryPoints(silent) as own:
        weights = silent.get_weights()
        after, figures = own.train_on_batch(weights, x, y)
        assert figures["loss"] == 7
        for a, b in zip(weights, after):
            np.testing.assert_array_equal(a, b)


def test_a_model_of_double_precision_is_called_in_it(keras):
    import reference

    model = compiled(keras, dtype="float64")
    reference.compile_model(model, reference.compile_config(model))
    x, y = batch()
    third = np.full_like(x, 1 / 3, dtype="float64")
    with reference.EntryPoints(model) as own:
        made = own.predict(third)
        after, _ = own.train_on_batch(model.get_weights(), third, y)
    expected = np.array(model(third))
    assert made.dtype == after[0].dtype == np.float64
    np.testing.assert_allclose(made, expected, rtol=1e-12)
    assert keras.config.floatx() == "float32"


def test_a_model_that_is_not_compiled_predicts(keras):
    import reference

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    x = np.ones((4, 3))
    with reference.EntryPoints(model) as own:
        np.testing.assert_allclose(own.predict(x), np.array(model(x)), rtol=1e-6)
    assert not model.compiled and model.predict_function is None


def test_what_tensorflow_cannot_run_is_said_in_a_sentence(keras):
    import tensorflow as tf

    import reference
    from reference.failures import KerasError

    class Refusing(keras.Sequential):
        def call(self, inputs, training=None, mask=None):
            tf.debugging.assert_less(tf.reduce_max(inputs), -1e9)
            return super().call(inputs, training=training, mask=mask)

    model = compiled(keras, Refusing, jit_compile=False)
    with reference.EntryPoints(model) as own, pytest.raises(KerasError, match="predict of the"):
        own.predict(batch()[0])


def test_sample_weights_keep_the_models_precision(keras):
    """A third is another number in float32, and the loss, which is linear in it, would show it."""
    import reference

    model = compiled(keras, dtype="float64")
    reference.compile_model(model, reference.compile_config(model))
    (x, y), weights = batch(), model.get_weights()
    with reference.EntryPoints(model) as own:
        def loss(*weight):
            return own.train_on_batch(weights, x, y, np.array(weight))[1]["loss"]

        penalties = loss(0, 0, 0)
        first, others = loss(1, 0, 0) - penalties, loss(0, 1, 1) - penalties
        made = loss(1 / 3, 1, 1) - penalties - others
    assert abs(made - first / 3) < 1e-14 < abs(made - first * float(np.float32(1 / 3)))


def test_what_a_class_of_somebodys_does_for_a_call_is_run(keras):
    """Its own `predict` and `evaluate`, also where they are set on a model of Keras's."""
    import reference

    class Doubling(keras.Sequential):
        def predict(self, *arguments, **named):
            return 2 * super().predict(*arguments, **named)

        def evaluate(self, *arguments, **named):
            return {"loss": 17.0}

    x, y = batch()
    plain, own, changed = compiled(keras), compiled(keras, Doubling), compiled(keras)
    changed.predict = lambda *arguments, **named: 3 * plain.predict(*arguments, **named)
    right = plain.predict(x, batch_size=3, verbose=0)
    for model, factor in ((plain, 1), (own, 2), (changed, 3)):
        with reference.EntryPoints(model) as calls:
            np.testing.assert_array_equal(calls.predict(x), factor * right)
    with reference.EntryPoints(own) as calls:
        assert calls.evaluate(x, y) == {"loss": 17.0}
    with reference.EntryPoints(plain) as calls:
        figures = calls.evaluate(x, y)
    assert figures == plain.evaluate(x, y, batch_size=3, verbose=0, return_dict=True)


def test_the_weights_after_a_step_stay_when_the_next_one_is_made(keras):
    import reference

    model, (x, y) = compiled(keras), batch()
    start = model.get_weights()
    with reference.EntryPoints(model) as own:
        first, _ = own.train_on_batch(start, x, y)
        kept = [np.array(w) for w in first]
        second, _ = own.train_on_batch(first, x, y)
        assert not all(np.array_equal(a, b) for a, b in zip(first, second))
        own.train_on_batch([0 * w for w in start], x, y)
        for one, other in zip(kept, first, strict=True):
            np.testing.assert_array_equal(other, one)
    for one, other in zip(kept, first, strict=True):
        np.testing.assert_array_equal(other, one)
    for one, other in zip(start, model.get_weights(), strict=True):
        np.testing.assert_array_equal(other, one)
