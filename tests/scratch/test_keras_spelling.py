"""What somebody who knows Keras tries first: names, weights by layer, JSON, and near misses."""

import json
import warnings

import numpy as np
import pytest

import scratch

X = np.zeros((2, 5, 4, 2), np.float32)  # of a call that is refused before it is looked at


def network():
    return scratch.Sequential([
        scratch.Input((5, 4, 2)), scratch.Conv2D(3, (2, 3), name="c"),
        scratch.BatchNormalization(name="b"), scratch.Flatten(), scratch.Dense(2, name="d")])


def test_weights_go_by_layer_and_by_model_as_in_keras(keras):
    model = network()
    twin = keras.Sequential.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    model.get_layer("b").trainable = twin.get_layer("b").trainable = False
    for ours, theirs in ((model, twin), *zip(model.layers, twin.layers)):
        for kind in ("weights", "trainable_weights", "non_trainable_weights"):
            own = getattr(ours, kind)
            assert [w.shape for w in own] == [tuple(w.shape) for w in getattr(theirs, kind)], kind
            assert all(np.array_equal(a, b) for a, b in zip(own, getattr(theirs, kind)))
    layer, other = model.get_layer("d"), twin.get_layer("d")
    values = [np.full(w.shape, 0.5) for w in layer.get_weights()]
    layer.set_weights(values)
    other.set_weights(values)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), twin.get_weights()))
    assert layer.weights[0] is layer.params["kernel"], "the array itself"
    layer.get_weights()[0][...] = 7
    assert (layer.params["kernel"] == 0.5).all(), "a copy"


def test_weights_that_do_not_fit_a_layer_change_nothing():
    layer = network().get_layer("d")
    before = layer.get_weights()
    for given, said in (([before[0]], "expected 2 weights. Received: 1"),
                        ([before[0] + 1, np.zeros(3)], r"expected bias of shape \(2,\)")):
        with pytest.raises(ValueError, match=said):
            layer.set_weights(given)
    assert all(np.array_equal(a, b) for a, b in zip(before, layer.get_weights()))
    with pytest.raises(ValueError, match="must be built before set_weights"):
        scratch.Dense(2).set_weights(before)
    assert scratch.Dense(2).weights == []


def test_pop_takes_the_top_off_as_in_keras(keras):
    model = network()
    rng = np.random.default_rng(1)  # all above 0, so that nothing cancels
    model.set_weights([rng.random(w.shape) + 0.5 for w in model.get_weights()])
    twin = keras.Sequential.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    assert model.pop().name == "d"
    twin.pop()
    x = rng.random((3, 5, 4, 2)).astype("float32") + 5
    assert model.output_shape == twin.output_shape
    np.testing.assert_allclose(model.predict(x, verbose=0), twin.predict(x, verbose=0), rtol=1e-5)
    model.add(scratch.Dense(3, name="e"))
    assert model.output_shape == (None, 3)
    empty = scratch.Sequential([scratch.Input((2,)), scratch.Dense(1)])
    empty.pop()
    assert empty.pop() is None and not empty.built


def test_a_model_as_json_is_read_by_either_side(keras):
    model = network()
    text = model.to_json(indent=1)
    assert json.loads(text)["class_name"] == "Sequential"
    twin = keras.models.model_from_json(text)
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    again = scratch.model_from_json(twin.to_json())
    assert again.get_config() == model.get_config()
    with pytest.raises(ValueError, match="expected a model's description in JSON"):
        scratch.model_from_json("[1")


def test_a_clone_has_the_same_layers_and_weights_of_its_own():
    model = network()
    clone = scratch.clone_model(model)
    assert clone.get_config() == model.get_config() and clone.loss is None
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize("x, classes", [([2, 0, 1], None), ([[1], [3]], 5), ([], 3),
                                        ([[0, 1], [2, 1]], None), (4, None)])
def test_to_categorical_is_that_of_keras(keras, x, classes):
    ours = scratch.utils.to_categorical(x, classes)
    theirs = keras.utils.to_categorical(np.asarray(x, int), classes)
    assert ours.dtype == theirs.dtype and np.array_equal(ours, theirs)


@pytest.mark.parametrize("x, classes", [([0, 3], 3), ([-1], None), ([0.5], None)])
def test_what_are_no_class_numbers_is_refused(x, classes):
    with pytest.raises(ValueError, match="class numbers"):
        scratch.utils.to_categorical(x, classes)


def test_arguments_for_tensorflow_are_taken_with_a_word_if_they_ask_for_something():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network().compile("sgd", "mse", jit_compile="auto", run_eagerly=False,
                          steps_per_execution=1, auto_scale_loss=True)
    with pytest.warns(UserWarning, match="jit_compile, steps_per_execution tell TensorFlow"):
        network().compile("sgd", "mse", jit_compile=True, steps_per_execution=8)


@pytest.mark.parametrize("make, error, said", [
    (lambda: scratch.Conv2D(3, 3, pading="same"), ValueError, "Did you mean padding"),
    (lambda: scratch.Conv2D(3, 3, stride=2), ValueError, "Did you mean strides"),
    (lambda: scratch.Dense(3, activation="rellu"), ValueError, "Did you mean relu"),
    (lambda: scratch.SGD(lr=0.1), ValueError, "Did you mean learning_rate"),
    (lambda: scratch.Adam(beta1=0.1), ValueError, "Did you mean beta_1"),
    (lambda: network().compile("adm", "mse"), ValueError, "Did you mean adam"),
    (lambda: network().compile("sdg", "mse"), ValueError, "Did you mean sgd"),
    (lambda: scratch.MaxPooling2D(pool=2), ValueError, "Did you mean pool_size"),
    (lambda: network().compile("adam", "mean_squared_eror"), ValueError,
     "Did you mean mean_squared_error"),
    (lambda: network().compile("adam", "mse", metrics=["acuracy"]), ValueError, "Did you mean"),
    (lambda: network().compile("adam", "mse", metric=["accuracy"]), TypeError,
     "Did you mean metrics"),
    (lambda: network().compile(optimiser="adam", loss="mse"), TypeError, "Did you mean optimizer"),
    (lambda: network().compile("adam"), ValueError, "compile needs a loss"),
    (lambda: network().fit(X, X, verbos=0), TypeError,
     "Sequential.fit has no argument 'verbos'. Did you mean verbose"),
    (lambda: network().fit(X, X, nb_epoch=2), TypeError, "Did you mean epochs"),
    (lambda: network().evaluate(X, X, batchsize=2), TypeError, "Did you mean batch_size"),
    (lambda: network().predict(X, verbos=0), TypeError, "predict has no argument 'verbos'. Did"),
    (lambda: network().train_on_batch(X, X, sample_weigth=X), TypeError, "Did you mean sample_w"),
    (lambda: network().save("a.keras", overwrit=True), TypeError, "Did you mean overwrite"),
    (lambda: scratch.Sequential([], nam="a"), TypeError, "Did you mean name"),
    (lambda: scratch.Input((3,), dytpe="float32"), TypeError, "Did you mean dtype"),
    (lambda: scratch.callbacks.EarlyStopping(patence=2), TypeError,
     "EarlyStopping has no argument 'patence'. Did you mean patience"),
    (lambda: scratch.losses.MeanSquaredError(reducton="sum"), ValueError, "Did you mean reduction"),
    (lambda: scratch.Dense(2, kernel_initializer="glorot_unifrom"), ValueError,
     "Did you mean glorot_uniform"),
    (lambda: scratch.layers.Con2D, AttributeError, "Did you mean Conv2D"),
    (lambda: scratch.Dens(3), AttributeError, "Did you mean Dense"),
    (lambda: scratch.layers.NoSuchThing, AttributeError, "see compare.wrap"),
    (lambda: scratch.NoSuchThing(3), AttributeError, "has no attribute 'NoSuchThing'"),
    (lambda: scratch.no_such_thing, AttributeError, "^module 'scratch' has no attribute"),
])
def test_a_near_miss_is_answered_with_what_was_meant(make, error, said):
    with pytest.raises(error, match=said):
        make()


def test_what_is_far_from_every_name_gets_no_suggestion():
    with pytest.raises(ValueError, match="no such argument here.$"):
        scratch.Dense(3, qwertz=1)
    assert not hasattr(scratch, "__wrapped__") and not hasattr(scratch.layers, "something")


def test_reprs_are_short():
    model = network()
    assert repr(model) == "<Sequential name=sequential, built=True>"
    assert all(len(repr(layer)) < 80 for layer in model.layers)


def test_a_history_shows_its_last_figures_in_a_line():
    """It is what a notebook's cell shows that ends in fit()."""
    model = network()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(np.ones((4, 5, 4, 2), np.float32), np.zeros((4, 2), np.float32), epochs=30,
                        verbose=0)
    last = {name: values[-1] for name, values in history.history.items()}
    assert repr(history) == (
        f"<History of 30 epochs: loss {last['loss']:.4g}, mae {last['mae']:.4g}>")
