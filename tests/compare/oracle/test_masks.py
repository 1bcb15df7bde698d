"""Oracles of layers with masks: values and bounds, and whole checks of networks that have them."""

import numpy as np
import pytest

import compare
import scratch
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding

ROUNDING = Rounding.of("float32")


def run(kind, config, x, weights=None, dy=None):
    oracle = oracle_for(kind, config)
    held = {name: Bounded(w, ROUNDING) for name, w in (weights or {}).items()}
    y = oracle.forward([Bounded(each, ROUNDING) for each in x], held)
    return oracle, y, None if dy is None else oracle.backward(Bounded(dy, ROUNDING))


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("zeros", [False, True])
def test_what_float32_makes_lies_within_the_bounds(kind, zeros):
    rng = np.random.default_rng(1)
    layer = scratch.layers.LAYERS[kind](3, return_sequences=True, zero_output_for_mask=zeros,
                                        bias_initializer="random_normal")
    layer.build((None, 5, 2))
    x = rng.standard_normal((4, 5, 2)).astype("float32")
    mask = (rng.random((4, 5)) < 0.6).astype("float32")
    dy = rng.standard_normal((4, 5, 3)).astype("float32")
    y = layer.forward([x, mask])
    dx, _ = layer.backward(dy)
    _, right, ((sent, none), gradients) = run(kind, layer.get_config(), (x, mask), layer.params, dy)
    made = {"y": (y, right), "dx": (dx, sent),
            **{name: (layer.grads[name], g) for name, g in gradients.items()}}
    for name, (ours, bounded) in made.items():
        assert (np.abs(ours - bounded.value) <= bounded.bound).all(), name
        assert bounded.bound.max() < 1e-4
    assert not none.value.any() and none.shape == mask.shape
    gone = sent.value[mask == 0]
    assert gone.size and not gone.any()


def test_a_mean_of_the_steps_that_count():
    x, mask = np.arange(24.0).reshape(2, 4, 3), np.array([[1, 0, 0, 1], [0, 1, 0, 0]])
    _, y, (sent, _) = run("GlobalAveragePooling1D", {}, (x, mask), dy=np.ones((2, 3)))
    np.testing.assert_array_equal(y.value, [(x[0, 0] + x[0, 3]) / 2, x[1, 1]])
    np.testing.assert_array_equal(sent[0].value[..., 0], [[0.5, 0, 0, 0.5], [0, 1, 0, 0]])


def test_drawn_numbers_become_a_mask():
    oracle = oracle_for("LSTM", {"units": 2})
    x, mask = oracle.admitted_inputs((np.ones((2, 3, 1)), np.array([[-2.0, 0, 7], [3, -1, 0.5]])))
    assert mask.tolist() == [[1, 0, 1], [1, 0, 1]]


def twin(dtype="float32"):
    scratch.set_random_seed(0)
    model = scratch.Sequential([
        scratch.Input((6,)), scratch.Embedding(4, 3, mask_zero=True, dtype=dtype),
        scratch.Bidirectional(scratch.GRU(2, return_sequences=True)), scratch.LSTM(3, dropout=0.3),
        scratch.Dense(2)])
    model.compile("sgd", "mse")
    return model


def batch():
    rng = np.random.default_rng(2)
    return rng.integers(0, 4, (5, 6)), rng.standard_normal((5, 2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_right_network_holds(dtype):
    report = compare.check(twin(dtype), twin(dtype), *batch())
    assert report, str(report)


def test_a_right_network_holds_against_keras(keras):
    source = keras.Input((6, 2))
    tensor = keras.layers.Dense(3)(keras.layers.Masking(-1.0)(source))
    tensor = keras.layers.LSTM(3, return_sequences=True, go_backwards=True)(tensor)
    tensor = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling1D()(tensor))
    model = keras.Model(source, tensor)
    model.compile("sgd", "mse")
    rng = np.random.default_rng(3)
    x = np.where(rng.random((5, 6, 1)) < 0.4, -1.0, rng.standard_normal((5, 6, 2)))
    x[:, 2] = 0.5
    ours = scratch.Model.from_config(model.get_config())
    ours.set_weights(model.get_weights())
    ours.compile("sgd", "mse")
    report = compare.check(ours, model, x, rng.standard_normal((5, 2)))
    assert report, str(report)


def test_a_network_that_reads_padding_does_not_hold_and_is_named(tmp_path):
    class Reading(scratch.LSTM):
        def forward(self, x, training=False):
            return super().forward([x[0], np.ones_like(x[1])], training)

    model = twin()
    model.layers[2].__class__ = Reading
    trace = compare.record(twin(), *batch(), noise={})
    trace.save(tmp_path / "golden.npz")
    again = compare.Trace.load(tmp_path / "golden.npz")
    np.testing.assert_array_equal(again.parts[2].input[1], trace.parts[2].input[1])
    report = compare.check(model, twin(), *batch())
    assert not report and "steps-mask" in str(report)
