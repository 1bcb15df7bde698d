"""Networks that everybody knows, handed over from Keras: every gate passes, training included."""

import json

import numpy as np
import pytest

import compare
import scratch
from tests.compare.support import known_networks as known

STEPS = 5


def from_file(twin, folder):
    """What scratch reads from the file that Keras wrote."""
    path = folder / "model.keras"
    twin.save(path)
    return scratch.load_model(path)


def from_config(twin, folder=None):
    """The same from the two configs as JSON, and the weights as arrays."""
    model = scratch.model_from_config(json.loads(json.dumps(twin.get_config())))
    if twin.get_compile_config():
        model.compile_from_config(json.loads(json.dumps(twin.get_compile_config())))
    model.set_weights(twin.get_weights())
    return model


def failures(report) -> str:
    return f"{report.summary()}\n" + "\n".join(str(row) for row in report.rows if not row.passed)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("build, dtype, hand_over", [
    (known.lenet5, "float32", from_file), (known.lenet5, "float64", from_config),
    (known.mobilenet, "float32", from_config), (known.resnet, "float32", from_file),
], ids=lambda value: getattr(value, "__name__", value))
def test_a_known_network_passes_every_gate(keras, build, dtype, hand_over, tmp_path):
    with known.precision(keras, dtype):
        twin = build(keras)
    model = hand_over(twin, tmp_path)
    assert model.dtype == dtype and [layer.name for layer in model.layers] == [
        layer.name for layer in twin.layers if type(layer).__name__ != "InputLayer"]
    report = compare.check(model, twin, *known.batch(twin), steps=STEPS)
    assert report, failures(report)
    gates = {row.gate for row in report.rows}
    assert {"forward", "backward", "update", "whole network", "lockstep"} <= gates


@pytest.mark.parametrize("build", [known.mobilenet, known.resnet], ids=lambda f: f.__name__)
def test_both_ways_of_handing_over_make_the_same_network(keras, build, tmp_path):
    """And back: Keras reads what scratch writes of it, and predicts the same."""
    twin = build(keras)
    read, made = from_file(twin, tmp_path), from_config(twin, tmp_path)
    assert read.get_config() == made.get_config()
    assert read.get_compile_config() == made.get_compile_config()
    for ours, theirs in zip(read.get_weights(), made.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    read.save(tmp_path / "back.keras")
    x, _ = known.batch(twin)
    again = keras.saving.load_model(tmp_path / "back.keras")
    np.testing.assert_array_equal(again(x).numpy(), twin(x).numpy())


def test_a_mistake_deep_in_a_known_network_is_found_there(keras, tmp_path):
    """Momentum of one normalization among many, which training alone would notice."""
    twin = known.resnet(keras)
    model = from_file(twin, tmp_path)
    wrong = [layer for layer in model.layers if isinstance(layer, scratch.BatchNormalization)][2]
    wrong.momentum = 0.91
    report = compare.check(model, twin, *known.batch(twin), steps=0, probes=False)
    assert not report and wrong.name in {row.layer for row in report.rows if not row.passed}


def test_kerass_own_mobilenet_is_the_same_function(keras):
    """All its 90 layers, narrow and on small images, from its config and weights; in float64."""
    with known.precision(keras, "float64"):
        twin = keras.applications.MobileNet(input_shape=(32, 32, 3), alpha=0.25, weights=None,
                                            classes=7)
    model = from_config(twin)
    x = np.random.default_rng(5).standard_normal((2, 32, 32, 3))
    np.testing.assert_allclose(model.predict(x, verbose=0), twin(x).numpy(), rtol=1e-10)
