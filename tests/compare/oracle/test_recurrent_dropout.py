"""The oracle of recurrent layers that drop: definitions, bounds, and whole checks of networks."""

import numpy as np
import pytest

import compare
import scratch
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from tests.scratch.layers.test_recurrent_dropout_states import by_loops

KINDS = [("SimpleRNN", {}), ("LSTM", {"dropout": 0.3}), ("GRU", {"dropout": 0.4}),
         ("GRU", {"reset_after": False, "dropout": 0.2}), ("LSTM", {"go_backwards": True})]


def drawn(kind, more, dtype):
    layer = getattr(scratch, kind)(2, recurrent_dropout=0.4, return_sequences=True,
                                   bias_initializer="random_normal", dtype=dtype, **more)
    layer.build((None, 5, 3))
    rng = np.random.default_rng(3)
    x = rng.standard_normal((4, 5, 3)).astype(dtype)
    noise = layer.draw(rng, x.shape).astype(dtype)
    layer.give_noise(noise)
    return layer, x, noise, rng.standard_normal((4, 5, 2)).astype(dtype)


@pytest.mark.parametrize("kind, more", KINDS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_definition_and_bounds(kind, more, dtype):
    layer, x, noise, dy = drawn(kind, more, dtype)
    rounding = Rounding.of(dtype)
    oracle = oracle_for(kind, layer.get_config())
    held = {name: Bounded(w, rounding) for name, w in {**layer.params, "noise": noise}.items()}
    right = oracle.forward(Bounded(x, rounding), held)
    sent, gradients = oracle.backward(Bounded(dy, rounding))
    exact = {name: weight.astype("float64") for name, weight in layer.params.items()}
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    made = {"y": (y, right), "dx": (dx, sent),
            **{name: (layer.grads[name], g) for name, g in gradients.items()}}
    for name, (ours, bounded) in made.items():
        assert (np.abs(ours - bounded.value) <= bounded.bound).all(), name
        assert bounded.bound.max() < 10_000 * np.finfo(dtype).eps  # a bound that says something
    layer.params = exact
    for n in range(4):
        loops = by_loops(layer, x[n].astype("float64"), noise[n, 0].astype("float64"))
        np.testing.assert_allclose(right.value[n], loops, rtol=1e-10, atol=1e-13)
    oracle.training = False
    plain = oracle.forward(Bounded(x, rounding), held)
    assert not np.allclose(plain.value, right.value)


def model():
    scratch.set_random_seed(1)
    built = scratch.Sequential([
        scratch.Input((5, 3)), scratch.TimeDistributed(scratch.Dropout(0.3)),
        scratch.Bidirectional(scratch.LSTM(2, dropout=0.2, recurrent_dropout=0.3,
                                           return_sequences=True)),
        scratch.GRU(3, recurrent_dropout=0.4), scratch.Dense(2)])
    built.compile("sgd", "mse")
    return built


def batch():
    rng = np.random.default_rng(2)
    return rng.standard_normal((5, 5, 3)), rng.standard_normal((5, 2))


def test_a_right_network_holds():
    report = compare.check(model(), model(), *batch())
    assert report, str(report)
    assert {row.layer for row in report.rows if row.tensor == "noise"} == {
        "time_distributed", "bidirectional", "gru"}


def test_a_state_that_is_not_dropped():
    wrong = model()
    wrong.layers[2].state_product = lambda before, gates=None: (
        before @ wrong.layers[2].params["recurrent_kernel"])
    report = compare.check(wrong, model(), *batch())
    assert not report and report.first_failure.layer == "gru"
    assert report.cause.identifier == "mask-missing", str(report)
