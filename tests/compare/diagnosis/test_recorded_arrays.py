"""Arrays that were recorded, played back by functions in the place of layers: the report says who
judges them."""

import keras
import numpy as np

import compare


def test_functions_that_play_arrays_back_are_sent_to_check_outputs():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, name="a"),
                              keras.layers.ReLU(name="b")])
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    kept, y = {}, x
    for layer in model.layers:
        y = kept[layer.name] = np.asarray(layer(y))
    played = [compare.wrap(forward=lambda x, *weights, name=name: kept[name], backward=None)
              for name in kept]
    report = compare.check(played, model, x)
    assert not report
    by_layer = {finding.layer: finding for finding in report.diagnosis}
    assert set(by_layer) == {"a", "b"}
    assert by_layer["a"].identifier == "state-leak"
    for finding in by_layer.values():
        assert "compare.check_outputs" in str(finding), str(finding)
    assert compare.check_outputs(model, x, kept)


def test_a_function_of_another_shape_is_not():
    model = keras.Sequential([keras.Input((6,)), keras.layers.ReLU(name="a")])
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    cut = compare.wrap(forward=lambda x: np.maximum(x, 0)[:, 1:], backward=None)
    report = compare.check([cut], model, x)
    assert not report and "check_outputs" not in str(report)


def test_without_probes_a_batch_of_one_says_so_too():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, name="a"),
                              keras.layers.Dense(3, name="b")])
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    part = compare.record(model, x, upstream=np.ones((5, 3), "float32")).parts[0]
    gradients = (part.input_gradient, *part.weight_gradients.values())
    played = compare.wrap(forward=lambda x, *weights: part.output,
                          backward=lambda dy, x, *weights: gradients)
    report = compare.check([played, None], model, x, upstream=np.ones((5, 3), "float32"),
                           probes=False, steps=0)
    assert not report and report.cause.identifier == "state-leak", report
    assert "compare.check_outputs" in str(report.cause)
