"""The Keras side: real Keras models, from configs and files, compiled in their own precision."""

import json

import numpy as np
import pytest

SHAPE = (6, 5, 2)


@pytest.fixture(scope="module")
def reference(keras):
    import reference

    return reference


def sequential(keras, dtype="float32", **compiled):
    model = keras.Sequential([
        keras.Input(SHAPE, dtype=dtype),
        keras.layers.Conv2D(3, (2, 3), activation="relu", dtype=dtype, name="conv"),
        keras.layers.Flatten(dtype=dtype), keras.layers.Dense(4, dtype=dtype, name="last")])
    if compiled:
        model.compile(**compiled)
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_config_gives_the_model_it_is_of(keras, reference, dtype):
    original = sequential(keras, dtype)
    model = reference.from_config(json.loads(json.dumps(original.get_config())))
    assert isinstance(model, keras.Sequential) and not model.compiled
    assert reference.model_dtype(model) == dtype
    # a stack's own policy, which nothing is computed in, follows its layers
    made, given = ({**each.get_config(), "dtype": None} for each in (model, original))
    assert json.dumps(made) == json.dumps(given)
    assert all(w.dtype == dtype for w in model.get_weights())
    assert keras.config.floatx() == "float32"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_a_loss_computes_in_the_models_precision(keras, reference, dtype, loss):
    rate = 0.1
    settings = {"optimizer": {"module": "keras.optimizers", "class_name": "SGD", "config": {
        "learning_rate": rate, "momentum": 0.5}, "registered_name": None},
        "loss": loss, "metrics": ["accuracy"]}
    model = reference.from_config(sequential(keras, dtype).get_config(), settings)
    assert model.compiled
    x = np.random.default_rng(0).standard_normal((3, *SHAPE)).astype(dtype)
    y = np.array([0, 3, 1]) if loss.startswith("sparse") else np.eye(4)[[0, 3, 1]]
    value = model.compute_loss(x=x, y=y, y_pred=model(x))
    assert value.dtype.name == dtype
    assert model.optimizer.learning_rate.dtype == dtype
    assert model.optimizer.get_config()["learning_rate"] == float(np.dtype(dtype).type(rate))
    assert [v.dtype for v in model.optimizer.variables[2:]] == [dtype] * 4
    assert keras.config.floatx() == "float32"


def test_a_softmax_in_float64_keeps_its_logits_for_the_loss(keras, reference):
    """Logits [100, 0, 0], label 1: the fused loss is 100; from probabilities it would be 16.1."""
    model = keras.Sequential([keras.Input((3,), dtype="float64"),
                              keras.layers.Softmax(dtype="float64")])
    twin = reference.from_config(model.get_config(), {
        "optimizer": "sgd", "loss": "sparse_categorical_crossentropy"})
    observed = reference.observe(twin, np.array([[100.0, 0, 0]]), np.array([1]))
    assert observed.loss == 100 and observed.loss.dtype == "float64"
    np.testing.assert_allclose(observed.loss_gradient, [[1, -1, 0]], atol=1e-40)
    assert observed.parts[0].output_gradient is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_clone_is_the_same_and_its_own(keras, reference, dtype):
    model = reference.from_config(sequential(keras, dtype).get_config(), {
        "optimizer": "sgd", "loss": "sparse_categorical_crossentropy"})
    twin = reference.clone(model)
    before = model.get_weights()
    for ours, theirs in zip(before, twin.get_weights()):
        np.testing.assert_array_equal(ours, theirs)
    assert twin.compiled and twin.get_compile_config() == model.get_compile_config()
    twin.set_weights([w + 1 for w in before])
    for ours, kept in zip(model.get_weights(), before):
        np.testing.assert_array_equal(ours, kept)


def test_a_model_that_is_not_to_learn_stays_so(keras, reference):
    model = sequential(keras)
    model.trainable = False
    twin = reference.from_config(json.loads(json.dumps(model.get_config())))
    assert model.trainable_variables == [] == twin.trainable_variables
    again = reference.from_config(sequential(keras).get_config())
    assert len(again.trainable_variables) == 4
    frozen = sequential(keras)
    frozen.get_layer("conv").trainable = False
    assert len(reference.from_config(frozen.get_config()).trainable_variables) == 2


def test_files(keras, reference, tmp_path):
    model = sequential(keras, optimizer="sgd", loss="sparse_categorical_crossentropy")
    model.save(tmp_path / "m.keras")
    loaded = reference.load(tmp_path / "m.keras")
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert loaded.compiled
    with pytest.raises(FileNotFoundError, match="Received: .*gone.keras, which is no file"):
        reference.load(tmp_path / "gone.keras")
    with pytest.raises(FileNotFoundError, match="which is no file"):
        reference.load(tmp_path)


def test_code_in_a_file_is_never_run(keras, reference, tmp_path):
    touched = tmp_path / "touched"
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(
        lambda x, path=str(touched): (open(path, "w").close(), x)[1])])
    model.save(tmp_path / "m.keras")
    touched.unlink(missing_ok=True)
    with pytest.raises(ValueError, match="Lambda"):
        reference.load(tmp_path / "m.keras")
    assert not touched.exists()


def test_loading_says_nothing_about_optimizers(keras, reference, tmp_path, recwarn):
    sequential(keras, optimizer=keras.optimizers.SGD(0.1, momentum=0.5),
               loss="sparse_categorical_crossentropy").save(tmp_path / "m.keras")
    recwarn.clear()
    reference.load(tmp_path / "m.keras")
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]


def test_versions_name_both_libraries(keras, reference):
    import tensorflow as tf

    assert reference.versions() == f"keras {keras.__version__} on tensorflow {tf.__version__}"


def test_a_sequential_is_what_keras_makes_of_the_config(keras, reference):
    """Built with an Input, by a shape that the config has, not at all, and inside another."""
    layers = keras.layers
    inner = keras.Sequential([keras.Input((4, 3)), layers.Dense(2, name="inside")], name="inner")
    open_ = keras.Sequential([layers.Dense(2, name="a"), layers.ReLU(name="b")], name="open")
    shaped = keras.Sequential([layers.Dense(2, name="a"), layers.ReLU(name="b")], name="shaped")
    shaped.build((None, 5))
    nested = keras.Sequential([keras.Input((4, 3)), inner, layers.Flatten(name="flat")], name="n")
    for model in (inner, open_, shaped, nested, keras.Sequential(name="empty")):
        config = model.get_config()
        keras.utils.set_random_seed(3)
        theirs = keras.Sequential.from_config(model.get_config())
        keras.utils.set_random_seed(3)
        made = reference.from_config(config)
        assert config == model.get_config(), "taken apart"
        assert (made.name, made.built) == (theirs.name, theirs.built)
        assert made.get_config() == theirs.get_config()
        for ours, right in zip(made.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, right)
