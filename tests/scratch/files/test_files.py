"""Files there and back: what scratch writes Keras reads, and the other way round, to the last bit.

Settings, weights and the optimizer's state; and files are written whole or not at all.
"""

import json
import os
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

import scratch
from scratch.files import atomic
from tests.scratch.support import graphs
from tests.scratch.support.checks import real
from tests.scratch.support.layer_cases import LAYERS


def stack(K, Input, Sequential, shape, make):
    """The layer between two of its kind of rank, twice, so that names are counted."""
    return Sequential([Input(shape), make(K), K.Dense(4), K.Dense(2)])


def graph(K, Input, Model, shape, make):
    x = Input(shape)
    layer, both = make(K), [x, K.Dense(shape[-1])(x)]
    apart = scratch.layers.LAYERS[type(layer).__name__].calls_apart
    return Model(x, K.Dense(2)(layer(*both) if apart else layer(both)))


def both(keras, name, which):
    """The model with that layer, made by scratch or by Keras."""
    shape, make = LAYERS[name]
    merges = scratch.layers.LAYERS[name].merges
    if which == "scratch":
        return (graph if merges else stack)(scratch, scratch.Input,
                                            scratch.Model if merges else scratch.Sequential,
                                            shape, make)
    return (graph if merges else stack)(keras.layers, keras.Input,
                                        keras.Model if merges else keras.Sequential, shape, make)


def randomized(model):
    """The same model, every weight a number of its own (variances above zero)."""
    weights = [np.abs(real(i, w.shape)) for i, w in enumerate(model.get_weights())]
    if isinstance(model, (scratch.Sequential, scratch.Model)):
        model.set_weights(weights)
    else:
        import reference

        reference.set_weights(model, weights)
    return model


def assert_same_weights(a, b):
    for ours, theirs in zip(a.get_weights(), b.get_weights(), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def plain(config):
    """As JSON has it, less what has no meaning here or is what Keras leaves out where it can."""
    config = json.loads(json.dumps(config))
    for layer in config["layers"]:
        settings = layer["config"]
        settings.pop("quantization_config", None)
        settings.setdefault("trainable", True)
        if isinstance(settings["dtype"], dict):
            settings["dtype"] = settings["dtype"]["config"]["name"]
        for call in layer.get("inbound_nodes", ()):
            call["kwargs"] = {}
    if any(layer["class_name"] == "CategoryEncoding" for layer in config["layers"]):
        for layer in config["layers"]:  # Keras's are wrong: shape_of_joined_classes
            layer.pop("build_config", None)
    return config


def test_there_is_a_case_for_every_layer():
    assert set(LAYERS) == set(scratch.layers.LAYERS)


@pytest.mark.sampled(3)
@pytest.mark.compiled  # which Keras does to its convolutions in groups alone
@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_goes_there_and_back(keras, name, tmp_path):
    path = tmp_path / "model.keras"
    ours = randomized(both(keras, name, "scratch"))
    ours.save(path)
    read = keras.saving.load_model(path)
    assert_same_weights(ours, read)
    assert plain(read.get_config()) == plain(ours.get_config())
    theirs = randomized(both(keras, name, "keras"))
    theirs.save(path)
    read = scratch.load_model(path)
    assert_same_weights(theirs, read)
    assert plain(read.get_config()) == plain(theirs.get_config())
    x = real(3, (2, *LAYERS[name][0])).astype(np.float32)
    if name == "CategoryEncoding":  # of class numbers
        x = np.abs(x) // 1 % 2
    np.testing.assert_allclose(read.predict(x, verbose=0), theirs(x, training=False).numpy(),
                               rtol=1e-3, atol=1e-3)
    weights = tmp_path / "model.weights.h5"
    theirs.save_weights(weights)
    fresh = both(keras, name, "scratch")
    fresh.load_weights(weights)
    assert_same_weights(theirs, fresh)
    randomized(fresh).save_weights(weights)
    theirs.load_weights(weights)
    assert_same_weights(theirs, fresh)


def many_of_a_class(K, Input, Sequential):
    """Eleven layers of one class: dense_10 comes before dense_2 in the alphabet, not in the model.
    """
    return Sequential([Input((3,)), *[K.Dense(3, name=f"own_name_{i}") for i in range(11)]],
                      name="many")


def test_layers_are_counted_by_class_in_their_order(keras, tmp_path):
    ours = randomized(many_of_a_class(scratch, scratch.Input, scratch.Sequential))
    theirs = many_of_a_class(keras.layers, keras.Input, keras.Sequential)
    ours.save_weights(tmp_path / "a.weights.h5")
    theirs.load_weights(tmp_path / "a.weights.h5")
    assert_same_weights(ours, theirs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("make", [graphs.residual, graphs.excited])
def test_graphs_and_precisions(keras, make, dtype, tmp_path):
    model = randomized(make(dtype=dtype, name="g"))
    model.save(tmp_path / "a.keras")
    twin = keras.saving.load_model(tmp_path / "a.keras")
    twin.save(tmp_path / "b.keras")
    for path in ("a.keras", "b.keras"):
        read = scratch.load_model(tmp_path / path)
        assert_same_weights(model, read)
        assert plain(read.get_config()) == plain(model.get_config()) and read.dtype == dtype


def trainable(K, Input, Model):
    x = Input((6, 5, 3))
    y = K.BatchNormalization()(K.Conv2D(3, 3, padding="same")(x))
    y = K.Add()([y, K.Conv2D(3, 1, trainable=False)(x)])
    return Model(x, K.Dense(4, activation="softmax")(K.Flatten()(y)))


OPTIMIZERS = {
    "SGD": dict(learning_rate=0.05), "momentum": dict(learning_rate=0.05, momentum=0.9,
                                                      nesterov=True, weight_decay=0.01),
    "Adam": dict(clipnorm=1.0), "amsgrad": dict(amsgrad=True, beta_1=0.8), "AdamW": dict(),
    "RMSprop": dict(momentum=0.5, centered=True), "Adagrad": dict(clipvalue=0.5),
    "schedule": dict(momentum=0.5),
}


def optimizer(package, name):
    settings = dict(OPTIMIZERS[name])
    if name == "schedule":
        settings["learning_rate"] = package.optimizers.schedules.ExponentialDecay(0.1, 3, 0.9)
    kind = {"momentum": "SGD", "amsgrad": "Adam", "schedule": "SGD"}.get(name, name)
    return getattr(package.optimizers, kind)(**settings)


X, Y = real(1, (24, 6, 5, 3)).astype(np.float32), np.arange(24) % 4


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_from_a_file(keras, name, tmp_path):
    """Settings and state of every optimizer come over; the next steps are the same to the bit."""
    model = trainable(scratch, scratch.Input, scratch.Model)
    model.compile(optimizer(scratch, name), "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # Keras's word for a state it cannot use
        model.save(tmp_path / "fresh.keras")
        keras.saving.load_model(tmp_path / "fresh.keras")
        assert scratch.load_model(tmp_path / "fresh.keras").optimizer.iterations == 0
        model.fit(X, Y, batch_size=8, verbose=0)
        model.save(tmp_path / "a.keras")
        twin = keras.saving.load_model(tmp_path / "a.keras")
        twin.save(tmp_path / "b.keras")
        read = [scratch.load_model(tmp_path / path) for path in ("a.keras", "b.keras")]
    state = [np.array(v) for v in model.optimizer.variables]
    assert state[0] == 3
    for other in (twin, *read):
        assert_same_weights(model, other)
        for ours, theirs in zip(state, other.optimizer.variables, strict=True):
            np.testing.assert_array_equal(ours, np.asarray(theirs))
        assert other.optimizer.get_config() == model.optimizer.get_config()
    for other in read:
        assert other.get_compile_config() == model.get_compile_config()
    for other in (model, *read):
        other.fit(X, Y, batch_size=8, verbose=0, shuffle=False)
    for other in read:
        assert_same_weights(model, other)


@pytest.mark.parametrize("by", ["scratch", "keras"])
def test_training_in_float64_goes_on_from_a_file_at_the_same_rate(keras, by, tmp_path):
    """0.01 is not a float32: a rate that were kept as one would lead elsewhere."""
    def model(package, K):
        made = package.Sequential([package.Input((3,)), K.Dense(2, dtype="float64")])
        made.compile(package.optimizers.SGD(0.01), package.losses.MeanSquaredError(
            **{} if package is scratch else {"dtype": "float64"}))
        return made

    floats = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        ours, theirs = model(scratch, scratch), model(keras, keras.layers)
        theirs.set_weights(ours.get_weights())
        x, y = real(1, (8, 3)), real(2, (8, 2))
        for one in (ours, theirs):
            one.train_on_batch(x, y)
        if by == "scratch":
            ours.save(tmp_path / "a.keras")
            ours = scratch.load_model(tmp_path / "a.keras")
            read = keras.saving.load_model(tmp_path / "a.keras")
            assert float(read.optimizer.learning_rate) == 0.01
        else:
            theirs.save(tmp_path / "a.keras")
            ours = scratch.load_model(tmp_path / "a.keras")
        assert ours.optimizer.learning_rate == 0.01
        for one in (ours, theirs):
            one.train_on_batch(x, y)
        for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-13)
    finally:
        keras.config.set_floatx(floats)


@pytest.mark.parametrize("loss, settings, output", [
    ("SparseCategoricalCrossentropy", dict(from_logits=True), "linear"),
    ("CategoricalCrossentropy", dict(label_smoothing=0.1), "softmax"),
    ("BinaryCrossentropy", dict(), "sigmoid"), ("MeanSquaredError", dict(reduction="sum"), "tanh"),
    ("Huber", dict(), "linear"),  # whose delta Keras itself does not write down
    ("KLDivergence", dict(), "softmax"),
    ("MeanAbsoluteError", dict(), "linear")])
def test_losses_and_metrics_come_over(keras, loss, settings, output, tmp_path):
    def compiled(package, K, Input, Sequential):
        model = Sequential([Input((3,)), K.Dense(2, activation=output)])
        model.compile("adam", getattr(package.losses, loss)(**settings),
                      metrics=["mean_squared_error"])
        return model

    ours = compiled(scratch, scratch, scratch.Input, scratch.Sequential)
    theirs = compiled(keras, keras.layers, keras.Input, keras.Sequential)
    ours.save(tmp_path / "a.keras")
    theirs.save(tmp_path / "b.keras")
    read = keras.saving.load_model(tmp_path / "a.keras")
    assert read.loss.get_config() == theirs.loss.get_config()
    assert read.optimizer.get_config()["learning_rate"] == ours.optimizer.learning_rate
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # nothing is lost of what made no step yet
        again = scratch.load_model(tmp_path / "b.keras")
    assert again.loss.get_config() == ours.loss.get_config()
    assert again.get_compile_config()["metrics"] == ours.get_compile_config()["metrics"]
    bare = scratch.load_model(tmp_path / "b.keras", compile=False)
    assert bare.loss is None and bare.optimizer is None
    assert_same_weights(bare, theirs)


def dense(units=3, *, compiled=None, **settings):
    model = scratch.Sequential([scratch.Input((4,)), scratch.Dense(units)], **settings)
    if compiled:
        model.compile(compiled, "mean_squared_error")
    return model


def test_a_state_of_another_optimizer_is_passed_over_with_a_warning(tmp_path):
    model = dense(compiled="adam")
    model.fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0)
    model.save_weights(tmp_path / "a.weights.h5")
    other = dense(compiled="sgd")
    with pytest.warns(UserWarning, match="expected 2 arrays of the optimizer 'sgd'. Received: 6"):
        other.load_weights(tmp_path / "a.weights.h5")
    assert_same_weights(model, other)
    assert other.optimizer.iterations == 0
    bare = dense()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bare.load_weights(tmp_path / "a.weights.h5")  # has no optimizer to care for
    assert_same_weights(model, bare)


def test_weights_out_of_a_whole_model(tmp_path):
    model = dense()
    model.save(tmp_path / "a.keras")
    other = dense()
    other.load_weights(tmp_path / "a.keras")
    assert_same_weights(model, other)


@pytest.mark.parametrize("write, ending", [
    (lambda m, path, **s: m.save(path, **s), ".keras"),
    (lambda m, path, **s: m.save_weights(path, **s), ".weights.h5")])
def test_a_file_is_written_whole_or_not_at_all(write, ending, tmp_path, monkeypatch):
    path = tmp_path / f"a{ending}"
    model = dense()
    write(model, str(path))
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite=False"):
        write(model, path, overwrite=False)

    def full(self, data):
        with open(self, "wb") as file:
            file.write(data[:100])
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space left"):
        write(model, path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name]
    monkeypatch.undo()
    write(model, path)
    with pytest.raises(FileNotFoundError):
        write(model, tmp_path / "nowhere" / f"a{ending}")
    with pytest.raises(ValueError, match=f"to end in {ending}"):
        write(model, tmp_path / "a.h5")
    with pytest.raises(ValueError, match="'bare' must be built before"):
        write(scratch.Sequential([scratch.Dense(2)], name="bare"), path)
    atomic.write(tmp_path / "b", b"x")
    assert (tmp_path / "b").read_bytes() == b"x"


def test_what_a_file_says(tmp_path):
    dense(name="m").save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        assert sorted(archive.namelist()) == ["config.json", "metadata.json", "model.weights.h5"]
        config = json.loads(archive.read("config.json"))
        assert json.loads(archive.read("metadata.json")).keys() == {"keras_version", "date_saved"}
    assert config["class_name"] == "Sequential" and config["config"]["name"] == "m"
    assert config["compile_config"] == {} and config["registered_name"] is None


def test_a_class_of_ones_own_is_not_saved_as_a_model(tmp_path):
    class Mine(scratch.Dense):
        pass

    model = scratch.Sequential([scratch.Input((3,)), Mine(2, name="own")])
    with pytest.raises(scratch.UnsupportedError, match="Mine 'own' is of a class of its own"):
        model.save(tmp_path / "a.keras")
    model.save_weights(tmp_path / "a.weights.h5")
    assert os.listdir(tmp_path) == ["a.weights.h5"]


def test_a_model_that_was_never_built_comes_back_unbuilt(keras, tmp_path):
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "a.keras")
    read = scratch.load_model(tmp_path / "a.keras")
    assert not read.built and [layer.name for layer in read.layers] == [
        layer.name for layer in model.layers]
