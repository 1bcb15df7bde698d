"""Small networks of the blocks of which keras.applications are made, from Keras's own functions.

The whole networks are for `python -m compare.evaluation.applications`.
"""

import numpy as np
import pytest

import compare
import scratch


def convnext(keras):
    """Depthwise convolutions, LayerScale, and StochasticDepth at two different rates."""
    return keras.src.applications.convnext.ConvNeXt(
        depths=[1, 1, 1, 1], projection_dims=[2, 4, 3, 5], drop_path_rate=0.4,
        layer_scale_init_value=0.5, weights=None, input_shape=(32, 32, 3), classes=3, name="small",
        weights_name="small")


def inception_resnet(keras):
    """A branch that is scaled before it is added."""
    source = keras.Input((5, 4, 2))
    x = keras.src.applications.inception_resnet_v2.inception_resnet_block(
        source, 0.17, "block8", 0)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(source, keras.layers.Dense(3, activation="softmax")(x))


def mobilenet_v3(keras):
    """Squeeze and excite, with hard_silu written as a product of operations."""
    module = keras.src.applications.mobilenet_v3
    source = keras.Input((6, 5, 4))
    x = module._inverted_res_block(source, 2, 4, 3, 1, 0.25, module.hard_swish, 1)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(source, keras.layers.Dense(3, activation="softmax")(x))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("make", [
    convnext, mobilenet_v3, pytest.param(inception_resnet, marks=pytest.mark.long)])
def test_a_block_loads_predicts_and_holds(keras, make, tmp_path):
    keras.utils.set_random_seed(1)
    twin = make(keras)
    twin.compile("sgd", "sparse_categorical_crossentropy")
    twin.save(tmp_path / "network.keras")
    own = scratch.load_model(tmp_path / "network.keras")
    rng = np.random.default_rng(2)
    x = rng.standard_normal((3, *twin.input_shape[1:])).astype("float32")
    np.testing.assert_allclose(own.predict(x, verbose=0), twin.predict(x, verbose=0), atol=1e-6)
    report = compare.check(own, twin, x, rng.integers(0, 3, 3), steps=1)
    assert report, str(report.first_failure)
    own.save(tmp_path / "back.keras")
    back = keras.saving.load_model(tmp_path / "back.keras")
    np.testing.assert_array_equal(back.predict(x, verbose=0), twin.predict(x, verbose=0))


@pytest.mark.parametrize("module, name", [
    ("keras.src.applications.vgg16", "LayerScale"), ("my.convnext", "LayerScale"),
    ("keras.src.applications.convnext", "CustomScaleLayer"), ("keras.layers", "LayerScaling")])
def test_only_known_classes_of_known_modules_are_read(module, name):
    entry = {"module": module, "class_name": name, "registered_name": name,
             "config": {"name": "layer", "init_values": 0.5, "projection_dim": 3, "scale": 0.5}}
    with pytest.raises(scratch.UnsupportedError, match="custom class|not supported"):
        scratch.model_from_config({"name": "model", "layers": [
            {"module": "keras.layers", "class_name": "InputLayer", "registered_name": None,
             "config": {"batch_shape": [None, 3], "dtype": "float32", "name": "input"}}, entry]})
