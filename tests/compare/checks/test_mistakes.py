"""Deliberate mistakes: each is caught, and placed in the right layer, tensor and side.

Every mistake is looked for twice: with whole-number probes, and on real numbers alone. Some can be
seen in only one way, and then the table here says which.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import compare
from compare.checks.gate import Gate
from compare.evaluation.faults.families.convolution import one_off
from compare.evaluation.faults.families.convolution_gradients import stepped
from compare.evaluation.faults.families.losses import slope
from compare.evaluation.faults.families.optimizers import decaying
from compare.evaluation.faults.families.pooling import sent, to_first
from compare.evaluation.faults.families.rectifiers import leaky
from compare.evaluation.faults.injection import (
    activation,
    input_gradient_with,
    output,
    output_with,
)
from compare.inputs import twins
from tests.compare.support import examples
from tests.compare.support.faults import scaled, spoiled

BOTH, WHOLE, REAL = "both", "whole numbers", "real numbers"
OUT, DX, DK, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"


@dataclass(frozen=True)
class Mistake:
    """A mistake and where it has to be found.

    Attributes:
        layer, tensor: of the first failure.
        fault: see `tests.compare.support.faults.put`.
        seen: by whole-number probes, on real numbers, or both.
        dtype: the precision.
        name: of a fault that the catalogue does not have.
    """

    layer: str
    tensor: str
    fault: str | Callable
    seen: str = BOTH
    dtype: str = "float32"
    name: str = "scaled"

    def __str__(self):
        fault = self.fault if isinstance(self.fault, str) else self.name
        return f"{self.layer}-{fault}-{self.tensor}-{self.dtype}"

    def model(self, **options):
        return spoiled(examples.network(dtype=self.dtype, **options), **{self.layer: self.fault})


def middle_of_window(layer, y, x):
    """The mean of the largest and the smallest number of a window in place of the largest."""
    return (y - type(layer).__mro__[1].forward(layer, -x)) / 2


MISTAKES = [
    Mistake("conv", OUT, "conv2d-kernel-flipped"),
    Mistake("conv", OUT, "conv2d-padding-before"),
    Mistake("conv", OUT, "conv2d-input-shifted"),
    Mistake("conv", OUT, "conv2d-last-column-dropped"),
    Mistake("second", OUT, "conv2d-float16-input", REAL),
    Mistake("conv", OUT, output_with(kernel=one_off(1e-6)), WHOLE, name="one weight"),
    Mistake("conv", OUT, output_with(kernel=one_off(1e-6)), dtype="float64", name="one weight"),
    Mistake("second", OUT, "conv2d-bias-missing"),
    Mistake("second", DX, "conv2d-dx-overwritten"),
    Mistake("second", DX, "conv2d-dx-kernel-flipped"),
    Mistake("conv", DK, "conv2d-dk-flipped"),
    Mistake("conv", DK, "conv2d-dk-first-sample"),
    Mistake("second", DB, "conv2d-db-mean"),
    Mistake("dense", OUT, "dense-bias-doubled"),
    Mistake("dense", OUT, "dense-bias-misses-one-unit"),
    Mistake("dense", OUT, "dense-samples-swapped"),
    Mistake("dense", DB, "dense-db-missing"),
    Mistake("dense", DK, "dense-dk-divided-by-batch"),
    Mistake("dense", DX, input_gradient_with(kernel=stepped(1e-3)), name="after a small step"),
    Mistake("pool", OUT, "max-pooling2d-pads-with-zero", WHOLE),  # behind a rectifier
    Mistake("pool", OUT, "max-pooling2d-average"),
    Mistake("pool", OUT, output(middle_of_window), name="middle"),
    Mistake("pool", DX, "max-pooling2d-ties-last"),
    Mistake("pool", DX, "max-pooling2d-ties-shared"),
    Mistake("pool", DX, "max-pooling2d-dx-overwritten"),
    Mistake("relu", OUT, leaky(1e-6), name="leaks a millionth"),
    Mistake("relu", DX, "relu-dx-mask-of-gradient"),
    Mistake("relu", DX, "relu-dx-passes-at-zero", WHOLE),  # no real number is zero
    Mistake("flatten", OUT, "flatten-by-channel"),
    Mistake("flatten", DX, "flatten-dx-by-channel"),
]


def tiny_mistakes():
    """Every tensor of every layer off by a few roundings, or by less in float64."""
    for name in ("conv", "second", "dense", "relu", "pool", "flatten"):
        affine = name in ("conv", "second", "dense")
        for tensor in (OUT, DX, DK, DB) if affine else (OUT, DX):
            # 1e-6 is a few roundings of float32: a long sum may hide it from real numbers
            yield Mistake(name, tensor, scaled(tensor, 1 + 1e-6), WHOLE if affine else BOTH)
            yield Mistake(name, tensor, scaled(tensor, 1 + 1e-12), dtype="float64")


SOFTMAX = [
    Mistake("softmax", OUT, activation(lambda z, right: right.function(z / z.dtype.type(1.0001))),
            REAL, name="warm"),
    Mistake("softmax", OUT, "softmax-over-all", REAL),
    Mistake("softmax", DX, "softmax-dx-no-jacobian", REAL),
    Mistake("softmax", DX, "softmax-dx-diagonal", REAL),
    *(Mistake("softmax", tensor, scaled(tensor, factor), REAL, dtype) for tensor in (OUT, DX)
      for factor, dtype in ((1 + 1e-5, "float32"), (1 + 1e-12, "float64")))]


@pytest.fixture(scope="module")
def right():
    """Keras models of the network without mistakes, by precision and whether there is a loss."""
    made = {}

    def get(dtype="float32", loss="sparse_categorical_crossentropy"):
        key = dtype, loss is None
        if key not in made:
            made[key] = twins.twins(examples.network(dtype=dtype, loss=loss))[1]
        return made[key]

    return get


def assert_placed(report, layer, tensor, gate=None):
    """The first failure is there, all others are its consequences or of the same layer."""
    first = report.first_failure
    assert first is not None, "not noticed"
    assert (first.layer.split("/")[0], first.tensor) == (layer, tensor), report.summary()
    assert gate in (None, first.gate), report.summary()
    assert first.off == "candidate" and not first.downstream
    for row in report.rows:
        if not row.passed and not row.downstream:
            assert row.layer.split("/")[0] == layer, f"{row.name} is blamed for {layer}"
            assert row.off == "candidate"
    assert f"{layer} {tensor}" in report.summary() and "the candidate is off" in report.summary()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("mistake", [*MISTAKES, *tiny_mistakes()], ids=str)
def test_a_mistake_in_a_layer(mistake, right):
    model = mistake.model()
    twin, batch = right(mistake.dtype), examples.batch()
    if mistake.seen != REAL:
        report = compare.check(model, twin, *batch, steps=0)
        assert_placed(report, mistake.layer, mistake.tensor, "whole numbers")
    if mistake.seen != WHOLE:
        report = compare.check(model, twin, *batch, steps=0, probes=False)
        gate = "forward" if mistake.tensor == "output" else "backward"
        assert_placed(report, mistake.layer, mistake.tensor, gate)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("mistake", SOFTMAX, ids=str)
def test_a_mistake_in_the_softmax(mistake, right):
    report = compare.check(mistake.model(loss=None), right(mistake.dtype, None),
                           examples.batch()[0], upstream=examples.upstream())
    assert_placed(report, mistake.layer, mistake.tensor)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("fault, tensor", [
    ("loss-value-sum", "value"), ("loss-base-two", "value"), ("loss-gradient-sum", "gradient"),
    ("loss-gradient-divided-twice", "gradient"), (slope(lambda n: 1 - 1e-5), "gradient")],
    ids=lambda value: value if isinstance(value, str) else "tiny")
def test_a_mistake_in_the_loss(fault, tensor, right):
    model = spoiled(examples.network(), loss=fault)
    report = compare.check(model, right(), *examples.batch())
    assert_placed(report, "loss", tensor, "loss")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("fault, least", [
    ("optimizer-sgd-climbs", 5), (decaying(1e-6), 5), ("optimizer-sgd-rate", 5),
    ("optimizer-sgd-first-half", 1)], ids=lambda value: value if isinstance(value, str) else "")
def test_a_mistake_in_the_optimizer(fault, least, right):
    model = spoiled(examples.network(), optimizer=fault)
    report = compare.check(model, right(), *examples.batch())
    failed = [row for row in report.rows if not row.passed]
    assert report.first_failure.gate == "update" and report.first_failure.off == "candidate"
    assert {row.gate for row in failed} <= {"update", "lockstep"}, report.summary()
    assert sum(row.gate == "update" for row in failed) >= least
    assert all(row.downstream for row in failed if row.gate == "lockstep")


def test_the_windows_of_the_mistaken_pools_are_the_right_ones(right):
    model = spoiled(examples.network(), pool=sent(to_first))
    report = compare.check(model, right(), *examples.batch())
    assert report, report


def test_two_mistakes_are_both_named(right):
    model = spoiled(examples.network(), pool="max-pooling2d-ties-last",
                    dense="dense-dk-divided-by-batch")
    report = compare.check(model, right(), *examples.batch(), steps=0)
    blamed = {row.name for row in report.rows if not row.passed and not row.downstream}
    assert blamed == {"pool input_gradient", "dense kernel_gradient"}


def times(tf, factor):
    """An identity whose gradient is multiplied."""
    @tf.custom_gradient
    def identity(x):
        return tf.identity(x), lambda dy: dy * factor

    return identity


def keras_mistakes(tf, layer, tensor, factor):
    """The layer's call with one tensor off by a factor."""
    right = layer.call
    kernel, bias = (times(tf, factor if tensor == f"{name}_gradient" else 1.0)
                    for name in ("kernel", "bias"))

    def call(x, training=None):
        if tensor == "output":
            return right(x) * factor
        if tensor == "input_gradient":
            return right(times(tf, factor)(x))
        weights = kernel(layer.kernel.value)
        z = (tf.matmul(x, weights) if len(weights.shape) == 2 else
             tf.nn.conv2d(x, weights, layer.strides, layer.padding.upper()))
        return layer.activation(z + bias(layer.bias.value))

    return call


KERAS_SIDE = [(name, tensor) for name in ("conv", "second", "dense") for tensor in (
    "output", "input_gradient", "kernel_gradient", "bias_gradient")] + [
    (name, tensor) for name in ("relu", "pool", "flatten") for tensor in ("output",
                                                                          "input_gradient")]


@pytest.mark.sampled(6, of="tensor")
@pytest.mark.parametrize("factor, dtype, probes", [(1.001, "float32", True),
                                                   (1 + 1e-12, "float64", False)])
@pytest.mark.parametrize("name, tensor", KERAS_SIDE)
def test_a_mistake_of_keras_is_keras_own(right, monkeypatch, name, tensor, factor, dtype, probes):
    import tensorflow as tf

    twin = right(dtype)
    monkeypatch.setattr(twin.get_layer(name), "call",
                        keras_mistakes(tf, twin.get_layer(name), tensor, factor))
    report = compare.check(examples.network(dtype=dtype), twin, *examples.batch(), steps=0,
                           probes=probes)
    first = report.first_failure
    assert (first.layer, first.tensor) == (name, tensor), report.summary()
    assert first.off == "reference" and "the reference is off" in report.summary()
    for row in report.rows:
        if not row.passed and not row.downstream:
            assert row.layer.split("/")[0] == name and row.off == "reference"


def test_a_mistake_that_both_make_is_seen_all_the_same(right, monkeypatch):
    import tensorflow as tf

    twin = right()
    monkeypatch.setattr(twin.get_layer("dense"), "call",
                        keras_mistakes(tf, twin.get_layer("dense"), "output", 1.25))
    model = spoiled(examples.network(), dense=scaled("output", 1.25))
    report = compare.check(model, twin, *examples.batch(), steps=0)
    first = report.first_failure
    assert (first.gate, first.name, first.off) == ("whole numbers", "dense output", "both")
    assert first.max_abs == 0, "the two agree"
    assert "both are off" in report.summary()


def test_mistakes_are_caught_against_a_recorded_trace_too(tmp_path, right):
    compare.record(right(), *examples.batch()).save(tmp_path / "golden.npz")
    golden = compare.Trace.load(tmp_path / "golden.npz")
    for fault, layer, tensor in (("conv2d-kernel-flipped", "conv", OUT),
                                 ("max-pooling2d-ties-shared", "pool", DX),
                                 ("dense-dk-divided-by-batch", "dense", DK)):
        report = compare.check(spoiled(examples.network(), **{layer: fault}), golden)
        assert_placed(report, layer, tensor, "whole numbers")


def test_there_is_a_mistake_for_every_kind_of_layer_and_tensor():
    made = {(mistake.layer, mistake.tensor) for mistake in [*MISTAKES, *tiny_mistakes(), *SOFTMAX]}
    model = examples.network()
    for layer in model.layers:
        for tensor in ("output", "input_gradient", *(f"{name}_gradient" for name in layer.params)):
            assert (layer.name, tensor) in made
    assert Gate.WHOLE_NUMBERS.order < Gate.FORWARD.order
    assert np.finfo("float32").eps > 1e-9, "mistakes that float32 cannot hold are made in float64"
