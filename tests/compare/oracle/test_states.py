"""Oracles of layers that are called on states and put some out: bounds, and whole checks."""

import numpy as np
import pytest

import compare
import scratch
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from tests.scratch.layers.test_states import both, encoder_and_decoder

ROUNDING = Rounding.of("float32")


def layers():
    """(layer, its oracle's name, number of states) of each kind, called on states."""
    for kind, states in (("SimpleRNN", 1), ("LSTM", 2), ("GRU", 1)):
        yield getattr(scratch, kind)(3, return_sequences=True, return_state=True), states
        yield getattr(scratch, kind)(3, go_backwards=True, return_state=True), states
    for mode in ("concat", "mul", None):
        yield scratch.Bidirectional(scratch.LSTM(3, return_state=True), merge_mode=mode), 4


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("layer, states", list(layers()))
def test_what_float32_makes_lies_within_the_bounds(layer, states, masked):
    rng = np.random.default_rng(1)
    layer.read_states(states)
    shapes = [(None, 5, 2), *[(None, 3)] * states, *[(None, 5)] * masked]
    layer.build(shapes)
    for weight in layer.params.values():
        weight[...] = rng.standard_normal(weight.shape)
    x = [rng.standard_normal((4, *shape[1:])).astype("float32") for shape in shapes]
    if masked:
        x[-1] = (x[-1] > -0.5).astype("float32")
    kept = [each.copy() for each in x]
    y = layer.forward(x)
    dy = rng.standard_normal(y.shape).astype("float32")
    dx = layer.backward(dy)
    oracle = oracle_for(type(layer).__name__, {**layer.get_config(), "initial_states": states})
    right = oracle.forward([Bounded(each, ROUNDING) for each in x], {
        name: Bounded(w, ROUNDING) for name, w in layer.params.items()})
    sent, gradients = oracle.backward(Bounded(dy, ROUNDING))
    assert gradients.keys() == layer.grads.keys()
    assert len(sent) == len(dx) == len(x) and all(map(np.array_equal, x, kept))
    for ours, bounded in [(y, right), *zip(dx, sent)][:2 + states] + [
            (layer.grads[name], g) for name, g in gradients.items()]:
        assert (np.abs(ours - bounded.value) <= bounded.bound).all()
        assert 0 < bounded.bound.max() < 1e-3


def test_one_output_moves_numbers():
    oracle = oracle_for("OneOutput", {"start": 1, "units": 2, "share": [1, 2],
                                      "return_sequences": True})
    x = np.arange(18.0).reshape(2, 9)
    y = oracle.forward(Bounded(x, ROUNDING), {})
    np.testing.assert_array_equal(y.value, [[[5, 6], [7, 8]], [[14, 15], [16, 17]]])
    dx, _ = oracle.backward(Bounded(np.ones((2, 2, 2)), ROUNDING))
    np.testing.assert_array_equal(dx.value, [[0] * 5 + [1] * 4] * 2)


def test_drawn_numbers_become_a_mask_and_leave_states():
    oracle = oracle_for("GRU", {"units": 2, "initial_states": 1})
    given = np.ones((2, 3, 1)), np.full((2, 2), -3.0), np.array([[-2.0, 0, 7], [3, -1, 0.5]])
    _, state, mask = oracle.admitted_inputs(given)
    assert mask.tolist() == [[1, 0, 1], [1, 0, 1]] and (state == -3).all()
    assert len(oracle.admitted_inputs(given[:2])) == 2


def checked(keras, masked):
    model, twin = both(keras, encoder_and_decoder, masked=masked)
    twin.compile("adam", "mse")
    model.compile("adam", "mse")
    rng = np.random.default_rng(0)
    source = rng.integers(0, 3, (3, 5)) if masked else rng.standard_normal((3, 5, 4))
    x = [source.astype("float32"), rng.standard_normal((3, 6, 2)).astype("float32")]
    return model, twin, x, [rng.standard_normal(y.shape).astype("float32") for y in model(x)]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("masked", [False, True])
def test_an_encoder_and_a_decoder_hold(keras, masked, tmp_path):
    """Also against a recording, out of its file."""
    model, twin, x, y = checked(keras, masked)
    report = compare.check(model, twin, x, y)
    assert report, str(report)
    assert {"encoder", "encoder[0]", "encoder[4]", "decoder"} <= {row.layer for row in report.rows}
    assert {"input_gradient_1", "input_gradient_2", "input_gradient_3"} <= {
        row.tensor for row in report.rows if row.layer == "decoder"}
    compare.record(twin, x, y).save(tmp_path / "golden.npz")
    assert compare.check(model, compare.Trace.load(tmp_path / "golden.npz"))


def test_a_state_that_is_not_handed_on_is_found(keras):
    """The decoder begins with its cell and its output exchanged."""
    model, twin, x, y = checked(keras, False)
    decoder = model.get_layer("decoder")
    right = decoder.forward
    decoder.forward = lambda x, training=False: right([x[0], x[2], x[1]], training)
    report = compare.check(model, twin, x, y)
    assert report.first_failure.layer == "decoder"
    assert "begins with other states than those it is called on" in " ".join(str(report).split())
