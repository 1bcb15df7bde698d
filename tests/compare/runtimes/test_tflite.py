"""TFLite files, run and looked into; several layers that became one operation are judged so."""

import numpy as np
import pytest

import compare

X = np.random.default_rng(3).normal(size=(5, 9, 8, 3)).astype("float32")


@pytest.fixture(scope="module")
def converter(keras):
    import tensorflow

    if not hasattr(tensorflow, "lite"):
        pytest.skip("this TensorFlow has no TFLiteConverter")
    return tensorflow.lite.TFLiteConverter


def network(keras, seed=0, **changed):
    layers = keras.layers
    keras.utils.set_random_seed(seed)
    how = {"padding": "same", "epsilon": 1e-3, "activation": "relu", "use_bias": True,
           "axis": -1, **changed}
    model = keras.Sequential([
        keras.Input((9, 8, 3)),
        layers.Conv2D(4, (3, 2), strides=(2, 1), padding=how["padding"], name="conv"),
        layers.BatchNormalization(epsilon=how["epsilon"], name="norm"), layers.ReLU(name="relu"),
        layers.Conv2D(5, 2, activation=how["activation"], name="second"),
        layers.AveragePooling2D((2, 3), name="pool"), layers.BatchNormalization(name="norm_2"),
        layers.Dropout(0.3, name="drop"), layers.Flatten(name="flat"),
        layers.Dense(6, use_bias=how["use_bias"], name="dense"), layers.Softmax(how["axis"],
                                                                               name="soft")])
    rng = np.random.default_rng(seed + 1)
    drawn = {}
    for weight in model.weights:
        if len(weight.shape) == 1:
            drawn[weight.path] = rng.uniform(0.5, 1.5, weight.shape)
            weight.assign(drawn[weight.path])
    return model


def written(converter, model, path, **options):
    made = converter.from_keras_model(model)
    for name, value in options.items():
        setattr(made, name, value)
    path.write_bytes(made.convert())
    return path


def test_a_right_file_holds(keras, converter, tmp_path):
    model = network(keras)
    report = compare.check(written(converter, model, tmp_path / "a.tflite"), model, X)
    assert report, str(report)
    judged = [row.layer for row in report.rows]
    assert judged == ["relu", "second", "pool", "norm_2", "drop", "flat", "dense", "soft",
                      "network"]
    assert "There is no array of conv, norm: each is judged together" in " ".join(report.notes)


# (what is another in the file, the layer whose row fails first, the cause)
WRONG = {
    "the epsilon of a norm that was folded": ({"epsilon": 1e-2}, "relu", "epsilon"),
    "another activation": ({"activation": "elu"}, "second", "activation-other"),
    "no activation": ({"activation": None}, "second", "activation-missing"),
    "no bias": ({"use_bias": False}, "dense", "bias-missing"),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", WRONG)
def test_one_mistake_is_named(keras, converter, tmp_path, name):
    changed, layer, identifier = WRONG[name]
    model, other = network(keras), network(keras, **changed)
    for mine, theirs in zip(other.layers, model.layers):
        mine.set_weights(theirs.get_weights()[:len(mine.get_weights())])
    report = compare.check(written(converter, other, tmp_path / "a.tflite"), model, X)
    assert not report and report.first_failure.layer == layer, str(report)
    assert [row.layer for row in report.rows if not row.passed] == [layer, "network"]
    assert identifier is None or report.cause.identifier == identifier, report.cause


def test_quantized_files_are_refused_in_words(keras, converter, tmp_path):
    import tensorflow

    model = network(keras)
    dense = keras.Sequential([keras.Input((40,)), keras.layers.Dense(64), keras.layers.Dense(3)])
    path = written(converter, dense, tmp_path / "dynamic.tflite",
                   optimizations=[tensorflow.lite.Optimize.DEFAULT])
    with pytest.raises(ValueError, match="no bound is proved for quantized arithmetic"):
        compare.check(path, dense, np.zeros((2, 40), "float32"))
    path = written(converter, model, tmp_path / "half.tflite",
                   optimizations=[tensorflow.lite.Optimize.DEFAULT],
                   target_spec=half(tensorflow))
    with pytest.raises(ValueError, match="of float16: these are other weights than Keras's"):
        compare.check(path, model, X)


def half(tensorflow):
    spec = tensorflow.lite.TargetSpec()
    spec.supported_types = [tensorflow.float16]
    return spec


def test_files_that_cannot_be_run_are_told(keras, converter, tmp_path):
    model = network(keras)
    path = written(converter, model, tmp_path / "a.tflite")
    other = keras.Sequential([keras.Input((8, 9, 3)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match=r"takes samples of shape \(8, 9, 3\)"):
        compare.check(path, other, np.swapaxes(X, 1, 2).copy())
    (tmp_path / "b.tflite").write_bytes(b"TFL3 nothing")
    with pytest.raises(ValueError, match="cannot be read"):
        compare.check(tmp_path / "b.tflite", model, X)
    with pytest.raises(FileNotFoundError):
        compare.from_tflite(tmp_path / "c.tflite")
