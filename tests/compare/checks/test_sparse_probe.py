"""Probes of few terms: lower precision inside a layer shows.

A long sum's bound would hide it.
"""

import numpy as np
import pytest

import compare
import scratch
from compare.checks.sparse_probe import TERMS, probe
from compare.tracing.ops import ops_of


def network(conv=scratch.Conv2D, softmax=None):
    last = softmax or scratch.Softmax(name="softmax")
    model = scratch.Sequential([
        scratch.Input((9, 7, 2)), conv(4, (3, 2), padding="same", name="conv"), scratch.ReLU(),
        scratch.MaxPooling2D((2, 3)), scratch.Flatten(), scratch.Dense(5, name="dense"), last])
    model.compile(scratch.SGD(0.1), "sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="module")
def golden():
    model = network()
    rng = np.random.default_rng(0)
    model.set_weights([rng.standard_normal(w.shape) * 0.3 for w in model.get_weights()])
    x, y = rng.standard_normal((64, 9, 7, 2)), rng.integers(0, 5, 64)
    return model, compare.record(model, x, y)


def tf32(numbers):
    """Numbers cut to the ten bits of mantissa that TF32 multiplies."""
    bits = numbers.astype("float32").view(np.uint32) & np.uint32(0xFFFFE000)
    return bits.view("float32")


class CoarseGradients(scratch.Conv2D):
    def affine_backward(self, dz, wants_input_gradient):
        return super().affine_backward(tf32(dz), wants_input_gradient)


class WrongSoftmax(scratch.Softmax):
    """Its own backward is wrong, which a fused loss never runs."""

    def backward(self, dy, wants_input_gradient=True):
        return 7 * dy


def failures(model, golden):
    right, trace = golden
    model.set_weights(right.get_weights())
    return [row for row in compare.check(model, trace).rows if not row.passed]


def test_gradients_of_factors_cut_to_tf32_are_seen(golden):
    failed = failures(network(CoarseGradients), golden)
    assert {row.tensor for row in failed if row.gate == "few terms"} >= {
        "kernel_gradient", "bias_gradient", "input_gradient"}
    assert {row.layer for row in failed if not row.downstream} == {"conv"}


def test_a_softmax_is_run_backward_also_where_the_loss_is_fused(golden):
    failed = failures(network(softmax=WrongSoftmax(name="softmax")), golden)
    assert {(row.gate, row.layer, row.tensor) for row in failed} == {
        ("few terms", "softmax", "input_gradient"), ("extremes", "softmax", "input_gradient")}


def test_the_right_network_passes_with_narrow_bounds(golden):
    model, trace = golden
    rows = probe(trace, ops_of(model))
    assert rows and all(row.passed for row in rows)
    for row in rows:
        if row.layer == "conv":  # a handful of roundings, whatever the size of the batch
            largest = max(abs(row.expected), 1.0)
            assert row.allowed <= 40 * TERMS * 2.0**-24 * largest, row


class FirstTakesAll(scratch.GlobalMaxPooling2D):
    """Sends the whole gradient to the first of the ties, as pooling over windows does."""

    def pool_gradient(self, dy):
        share = super().pool_gradient(dy)
        flat = self._x.reshape(len(self._x), -1, self._x.shape[-1])
        first = np.arange(flat.shape[1])[:, None] == flat.argmax(axis=1)[:, None]  # (N, HW, C)
        return np.where(first.reshape(share.shape), dy, 0)


def test_ties_of_a_global_maximum_are_probed():
    """Its gradient rounds thirds, so no whole-number probe runs it."""
    models = []
    for pool in (scratch.GlobalMaxPooling2D, FirstTakesAll):
        model = scratch.Sequential([scratch.Input((4, 5, 3)), pool(name="pool")])
        models.append(model)
    x = np.random.default_rng(0).standard_normal((6, 4, 5, 3)).astype("float32")
    upstream = np.random.default_rng(1).standard_normal((6, 3)).astype("float32")
    right, wrong = (compare.check(model, compare.record(models[0], x, upstream=upstream))
                    for model in models)
    assert right, right
    failed = {(row.gate, row.tensor) for row in wrong.rows if not row.passed}
    assert failed == {("few terms", "input_gradient"), ("extremes", "input_gradient")}
