"""Whole-number probes: nothing is rounded in them, and so not one bit may differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import compare
import scratch
from compare.checks.integer_probe import FARTHEST, LARGEST, amplitude, draw, probe
from compare.inputs import twins
from compare.inputs.live_keras import keras_ops
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.configs import layer_config
from compare.tracing.ops import ops_of
from tests.compare.support import examples
from tests.draws import draws

EXACT = {"float32": 2**24, "float64": 2**53}


def probed(model, reference_ops=None, seed=0):
    trace = compare.record(model, *examples.batch())
    return probe(trace, ops_of(model), reference_ops, seed)


def failures(rows):
    return [row.name for row in rows if not row.passed]


@given(terms=st.integers(1, 2**24), dtype=st.sampled_from(["float32", "float64"]))
@settings(max_examples=draws(200), deadline=None, derandomize=True, database=None)
def test_the_largest_sum_is_exact(terms, dtype):
    largest = amplitude({"output": 1, "kernel_gradient": terms}, dtype)
    assert 1 <= largest <= LARGEST
    assert terms * largest**2 <= EXACT[dtype]
    assert largest == LARGEST or terms * (largest + 1)**2 > EXACT[dtype], "it could be larger"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_too_long_for_whole_numbers_are_refused(dtype):
    assert amplitude({"output": EXACT[dtype]}, dtype) == 1
    with pytest.raises(ValueError,
                       match=f"not exact in {dtype}. Received: {EXACT[dtype] + 1} term"):
        amplitude({"input_gradient": 3, "output": EXACT[dtype] + 1}, dtype)


def drawn(model, seed=0):
    """(part, oracle, x, dy, weights) of every part that is probed."""
    trace = compare.record(model, *examples.batch())
    for part in trace.parts:
        oracle = oracle_for(part.class_name, layer_config(trace, part.layer), part.part)
        if oracle.exact:
            yield part, oracle, *draw(part, oracle, trace.dtype, seed)[:3]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_partial_sum_can_leave_the_whole_numbers_that_are_exact(dtype):
    """The sum of all magnitudes bounds every partial sum, in whatever order."""
    for part, oracle, x, dy, weights in drawn(examples.network("inside", dtype=dtype)):
        rounding = Rounding.of("float64")
        y = oracle.forward(Bounded(abs(x), rounding),
                           {name: Bounded(abs(w), rounding) for name, w in weights.items()})
        dx, gradients = oracle.backward(Bounded(abs(dy), rounding))
        for result in (y, dx, *gradients.values()):
            assert result.value.max() <= EXACT[dtype], part.name
        for array in (x, dy, *weights.values()):
            assert array.dtype == dtype and (array == np.round(array)).all()
            assert abs(array).max() <= (LARGEST if weights else FARTHEST)


def test_a_long_sum_makes_the_numbers_smaller_but_never_all_zero():
    model = scratch.Sequential([scratch.Input((2_000_000,)), scratch.Dense(1, name="long")])
    part = compare.record(model, np.ones((2, 2_000_000)), upstream=np.ones((2, 1))).parts[0]
    drawn = draw(part, oracle_for("Dense", {"units": 1, "use_bias": True}), "float32", 0)
    assert abs(drawn.x).max() == abs(drawn.weights["kernel"]).max() == 2
    assert 2_000_001 * 2 * 2 <= 2**24


def test_probes_are_not_blind():
    """Signs, zeros and ties everywhere; a batch above 1 of a size that nothing else has."""
    for part, _, x, dy, weights in drawn(examples.network("inside")):
        assert len(x) == len(dy) > 1 and len(x) not in (*x.shape[1:], *dy.shape[1:])
        for array in (x, dy, *(w for w in weights.values() if w.ndim > 1)):
            assert array.min() < 0 < array.max() and (array == 0).any(), part.name
        if part.class_name == "MaxPooling2D":
            rows = x[:, :-1] == x[:, 1:]
            assert rows.mean() > 0.05, "neighbours that tie"
        assert not np.array_equal(dy, np.broadcast_to(dy.flat[0], dy.shape))
    first, second = (next(drawn(examples.network("inside"), seed))[2] for seed in (0, 1))
    assert not np.array_equal(first, second)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("against", ["oracle", "keras"])
def test_every_layer_kind_agrees_to_the_last_bit(dtype, against):
    model, twin = twins.twins(examples.network("inside", dtype=dtype))
    rows = probed(model, keras_ops(twin) if against == "keras" else None)
    assert failures(rows) == []
    affine = ["input_gradient", "kernel_gradient", "bias_gradient"]
    assert {row.name for row in rows} == {
        *(f"{layer} {tensor}" for layer in ("conv", "second", "dense")
          for tensor in ("output", *affine)),
        *(f"{layer} {tensor}" for layer in ("relu", "pool", "second/relu", "flatten")
          for tensor in ("output", "input_gradient"))}
    for row in rows:
        assert (row.gate, row.kind, row.max_abs) == ("whole numbers", "exact", 0)
        assert row.expected == int(row.expected) and "integers, seed " in row.note


def test_a_softmax_computes_nothing_exactly_and_is_not_probed():
    assert not any("softmax" in row.layer for row in probed(examples.network("Softmax")))


class Slip(scratch.Dense):
    """One entry of one result is off by the smallest amount that a number of its size can be."""

    tensor = "output"

    def affine(self, x):
        return self.slip("output", super().affine(x))

    def affine_backward(self, dz, wants_input_gradient):
        dx = super().affine_backward(dz, wants_input_gradient)
        self.grads = {name: self.slip(f"{name}_gradient", g) for name, g in self.grads.items()}
        return self.slip("input_gradient", dx)

    def slip(self, name, array):
        if name == self.tensor:
            array[np.unravel_index(np.argmax(array), array.shape)] *= 1 + np.finfo(self.dtype).eps
        return array


@pytest.mark.sampled(4)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("against", ["oracle", "keras"])
@pytest.mark.parametrize("tensor", ["output", "input_gradient", "kernel_gradient", "bias_gradient"])
def test_one_bit_of_one_entry_is_seen(tensor, against, dtype):
    wrong = type("Slip", (Slip,), {"tensor": tensor})
    model = examples.network("inside", dense=wrong, dtype=dtype)
    twin = twins.twins(examples.network("inside", dtype=dtype))[1] if against == "keras" else None
    rows = probed(model, keras_ops(twin))
    assert failures(rows) == [f"dense {tensor}"]
    row = next(row for row in rows if not row.passed)
    assert row.over == 1 and row.off == "candidate" and row.used == np.inf
    assert row.actual == row.expected * (1 + np.finfo(dtype).eps)


class Forgets(scratch.Conv2D):
    """Leaves out a gradient."""

    def affine_backward(self, dz, wants_input_gradient):
        dx = super().affine_backward(dz, wants_input_gradient)
        del self.grads["bias"]
        return dx


def test_a_gradient_that_is_missing_is_a_failure():
    model = examples.network("inside", loss=None, second=Forgets)
    trace = compare.record(model, examples.batch()[0], upstream=examples.upstream())
    rows = probe(trace, ops_of(model))
    assert failures(rows) == ["second bias_gradient"]
    row = next(row for row in rows if not row.passed)
    assert row.note == "expected shape (5,), received nothing"


class Nothing(scratch.ReLU):
    """Hands no gradient on."""

    def backward(self, dy, wants_input_gradient=True):
        return None


def test_an_input_gradient_that_is_missing_is_a_failure():
    trace = compare.record(examples.network("inside"), *examples.batch())
    wrong = examples.network("inside", relu=Nothing)
    assert failures(probe(trace, ops_of(wrong))) == ["relu input_gradient"]


class TooLittle(scratch.Dense):
    """Leaves a unit out."""

    def affine(self, x):
        return super().affine(x)[..., :-1]


def test_an_output_of_another_shape_fails_by_the_layers_name():
    trace = compare.record(examples.network("inside"), *examples.batch())
    rows = probe(trace, ops_of(examples.network("inside", dense=TooLittle)))
    assert failures(rows) == [f"dense {tensor}" for tensor in (
        "output", "input_gradient", "kernel_gradient", "bias_gradient")]
    assert {row.note for row in rows if not row.passed} == {
        "Layer 'dense' (TooLittle): expected an output of shape (3, 4). Received: (3, 3)"}


def test_when_keras_is_wrong_the_probe_says_so(monkeypatch):
    model, twin = twins.twins(examples.network("inside"))
    layer = twin.get_layer("pool")
    right = layer.call
    monkeypatch.setattr(layer, "call", lambda x: right(x) + 1)
    rows = probed(model, keras_ops(twin))
    assert failures(rows) == ["pool output"]
    assert [row.off for row in rows if not row.passed] == ["reference"]


@pytest.mark.parametrize("against", ["oracle", "keras"])
def test_probing_leaves_the_weights_as_they_were(against):
    model, twin = twins.twins(examples.network("inside"))
    before = examples.everything(model), examples.everything(twin)
    probed(model, keras_ops(twin) if against == "keras" else None)
    assert (examples.everything(model), examples.everything(twin)) == before


class Raises(scratch.Conv2D):
    def affine(self, x):
        if len(x) != 5:
            raise RuntimeError("not this batch")
        return super().affine(x)


def test_a_layer_that_raises_fails_and_its_weights_are_put_back():
    model = examples.network("inside", second=Raises)
    before = examples.everything(model)
    rows = probed(model)
    assert {row.layer for row in rows if not row.passed} == {"second"}
    note = next(row.note for row in rows if not row.passed)
    assert "'second' (Raises)" in note and "RuntimeError: not this batch" in note
    assert 'raise RuntimeError("not this batch")' in note
    assert examples.everything(model) == before


def test_frozen_layers_are_probed_as_far_as_they_have_gradients():
    model = examples.network("inside")
    model.get_layer("second").trainable = False
    model, twin = twins.twins(model)
    rows = probed(model, keras_ops(twin))
    assert failures(rows) == []
    names = {row.name for row in rows}
    assert "second output" in names and "second input_gradient" in names
    assert "second kernel_gradient" not in names


def test_a_layer_with_an_activation_of_its_own_making_is_probed_whole():
    class Own(scratch.Conv2D):
        def forward(self, x, training=False):
            return super().forward(x, training)

    model, twin = twins.twins(examples.network("inside"))
    own = examples.network("inside", second=Own)
    report = compare.check(own, twin, *examples.batch(), steps=0)
    assert report, report
    whole = [row.layer for row in report.rows if row.gate == "whole numbers"]
    assert "second" in whole and "second/relu" not in whole


def test_seeds_and_layers_have_numbers_of_their_own():
    a, b, c = (probed(examples.network("inside"), seed=seed) for seed in (0, 0, 1))
    assert [row.expected for row in a] == [row.expected for row in b]
    assert [row.expected for row in a] != [row.expected for row in c]
    assert len({row.note for row in a}) == len(ops_of(examples.network("inside"))) - 1
