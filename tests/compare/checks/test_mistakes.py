"""Deliberate mistakes: each is caught, and placed in the right layer, the right tensor, the right side.

Every mistake is looked for twice: with whole-number probes, and on real numbers alone. Some can be
seen in only one way, and then the table here says which.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest

import compare
import scratch
from compare.checks.gate import Gate
from compare.inputs import twins
from tests.compare.support import examples, mistakes
from tests.compare.support.mistakes import scaled

BOTH, WHOLE, REAL = "both", "whole numbers", "real numbers"


@dataclass(frozen=True)
class Mistake:
    """A mistake and where it has to be found.

    Attributes:
        layer, tensor: of the first failure.
        changed: which class of the network is replaced by what.
        seen: by whole-number probes, on real numbers, or both.
        dtype: the precision.
    """

    layer: str
    tensor: str
    changed: dict = field(hash=False)
    seen: str = BOTH
    dtype: str = "float32"

    def __str__(self):
        cls = next(iter(self.changed.values()))
        return f"{self.layer}-{cls.__name__}-{self.tensor}-{self.dtype}"


def layer_mistakes():
    """(mistakes of the layers, made one by one)."""
    m = mistakes
    out, dx, dk, db = "output", "input_gradient", "kernel_gradient", "bias_gradient"
    yield Mistake("conv", out, dict(conv=m.Flipped))
    yield Mistake("conv", out, dict(conv=m.PaddedBefore))
    yield Mistake("conv", out, dict(conv=m.BorderColumnDropped))
    yield Mistake("second", out, dict(second=m.HalfPrecisionInside), seen=REAL)
    yield Mistake("conv", out, dict(conv=m.OneWeightOff), seen=WHOLE)
    yield Mistake("conv", out, dict(conv=m.OneWeightOff), dtype="float64")
    yield Mistake("second", out, dict(second=m.BiasMissing))
    yield Mistake("second", dx, dict(second=m.Overwrites))
    yield Mistake("second", dx, dict(second=m.GradientNotTurned))
    yield Mistake("conv", dk, dict(conv=m.GradientFlipped))
    yield Mistake("conv", dk, dict(conv=m.FirstSampleOnly))
    yield Mistake("second", db, dict(second=m.BiasGradientMean))
    yield Mistake("dense", out, dict(dense=m.BiasDoubled))
    yield Mistake("dense", out, dict(dense=m.BiasMissesOneUnit))
    yield Mistake("dense", out, dict(dense=m.SamplesSwapped))
    yield Mistake("dense", db, dict(dense=m.BiasGradientMissing))
    yield Mistake("dense", dk, dict(dense=m.DividedTwice))
    yield Mistake("dense", dx, dict(dense=m.UpdatedTooEarly))
    yield Mistake("pool", out, dict(pool=m.PadsWithZero), seen=WHOLE)  # behind a rectifier
    yield Mistake("pool", out, dict(pool=m.Averages))
    yield Mistake("pool", dx, dict(pool=m.LastMaximum))
    yield Mistake("pool", dx, dict(pool=m.SharesTies))
    yield Mistake("pool", dx, dict(pool=m.PoolOverwrites))
    yield Mistake("relu", out, dict(relu=m.Leaks))
    yield Mistake("relu", dx, dict(relu=m.MaskFromGradient))
    yield Mistake("relu", dx, dict(relu=m.PassesAtZero), seen=WHOLE)  # no real number is zero
    yield Mistake("flatten", out, dict(flatten=m.ChannelsFirst))
    yield Mistake("flatten", dx, dict(flatten=m.GradientChannelsFirst))
    affine = [("conv", scratch.Conv2D), ("second", scratch.Conv2D), ("dense", scratch.Dense)]
    plain = [("relu", scratch.ReLU), ("pool", scratch.MaxPooling2D), ("flatten", scratch.Flatten)]
    for name, base in affine + plain:
        for tensor in (out, dx, dk, db) if (name, base) in affine else (out, dx):
            for factor, dtype in ((1 + 1e-6, "float32"), (1 + 1e-12, "float64")):
                # 1e-6 is a few roundings of float32: a long sum may hide it from real numbers
                seen = WHOLE if dtype == "float32" and (name, base) in affine else BOTH
                yield Mistake(name, tensor, {name: scaled(base, tensor, factor)}, seen, dtype)


SOFTMAX = [Mistake("softmax", "output", dict(softmax=mistakes.WarmSoftmax), REAL),
           Mistake("softmax", "output", dict(softmax=mistakes.OverAllSamples), REAL),
           Mistake("softmax", "input_gradient", dict(softmax=mistakes.NoJacobian), REAL),
           Mistake("softmax", "input_gradient", dict(softmax=mistakes.DiagonalJacobian), REAL),
           *[Mistake("softmax", tensor, dict(softmax=scaled(scratch.Softmax, tensor, factor)), REAL,
                     dtype)
             for tensor in ("output", "input_gradient")
             for factor, dtype in ((1 + 1e-5, "float32"), (1 + 1e-12, "float64"))]]


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


@pytest.mark.parametrize("mistake", layer_mistakes(), ids=str)
def test_a_mistake_in_a_layer(mistake, right):
    model = examples.network(dtype=mistake.dtype, **mistake.changed)
    twin, batch = right(mistake.dtype), examples.batch()
    if mistake.seen != REAL:
        report = compare.check(model, twin, *batch, steps=0)
        assert_placed(report, mistake.layer, mistake.tensor, "whole numbers")
    if mistake.seen != WHOLE:
        report = compare.check(model, twin, *batch, steps=0, probes=False)
        gate = "forward" if mistake.tensor == "output" else "backward"
        assert_placed(report, mistake.layer, mistake.tensor, gate)


@pytest.mark.parametrize("mistake", SOFTMAX, ids=str)
def test_a_mistake_in_the_softmax(mistake, right):
    model = examples.network(dtype=mistake.dtype, loss=None, **mistake.changed)
    report = compare.check(model, right(mistake.dtype, None), examples.batch()[0],
                           upstream=examples.upstream())
    assert_placed(report, mistake.layer, mistake.tensor)


@pytest.mark.parametrize("loss, tensor", [
    (mistakes.Sum, "value"), (mistakes.TwoIsTheBase, "value"),
    (mistakes.GradientNotDivided, "gradient"), (mistakes.GradientDividedTwice, "gradient"),
    (mistakes.Smoothed, "gradient")], ids=lambda value: getattr(value, "__name__", ""))
def test_a_mistake_in_the_loss(loss, tensor, right):
    model = examples.network(loss=loss())
    report = compare.check(model, right(), *examples.batch())
    assert_placed(report, "loss", tensor, "loss")


@pytest.mark.parametrize("optimizer, least", [
    (mistakes.WrongSign, 5), (mistakes.DecaysWeights, 5), (mistakes.RateOff, 5),
    (mistakes.HalfStep, 1)], ids=lambda value: getattr(value, "__name__", ""))
def test_a_mistake_in_the_optimizer(optimizer, least, right):
    model = examples.network(optimizer=optimizer(0.1))
    report = compare.check(model, right(), *examples.batch())
    failed = [row for row in report.rows if not row.passed]
    assert report.first_failure.gate == "update" and report.first_failure.off == "candidate"
    assert {row.gate for row in failed} <= {"update", "lockstep"}, report.summary()
    assert sum(row.gate == "update" for row in failed) >= least
    assert all(row.downstream for row in failed if row.gate == "lockstep")


def test_the_windows_of_the_mistaken_pools_are_the_right_ones(right):
    report = compare.check(examples.network(pool=mistakes.PixelByPixel), right(), *examples.batch())
    assert report, report


def test_two_mistakes_are_both_named(right):
    model = examples.network(pool=mistakes.LastMaximum, dense=mistakes.DividedTwice)
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
    model = examples.network(dense=scaled(scratch.Dense, "output", 1.25))
    report = compare.check(model, twin, *examples.batch(), steps=0)
    first = report.first_failure
    assert (first.gate, first.name, first.off) == ("whole numbers", "dense output", "both")
    assert first.max_abs == 0, "the two agree"
    assert "both are off" in report.summary()


def test_mistakes_are_caught_against_a_recorded_trace_too(tmp_path, right):
    compare.record(right(), *examples.batch()).save(tmp_path / "golden.npz")
    golden = compare.Trace.load(tmp_path / "golden.npz")
    for changed, layer, tensor in ((dict(conv=mistakes.Flipped), "conv", "output"),
                                   (dict(pool=mistakes.SharesTies), "pool", "input_gradient"),
                                   (dict(dense=mistakes.DividedTwice), "dense", "kernel_gradient")):
        report = compare.check(examples.network(**changed), golden)
        assert_placed(report, layer, tensor, "whole numbers")


def test_the_catalogue_has_every_kind_of_layer_and_tensor():
    made = {(mistake.layer, mistake.tensor) for mistake in [*layer_mistakes(), *SOFTMAX]}
    model = examples.network()
    for layer in model.layers:
        for tensor in ("output", "input_gradient", *(f"{name}_gradient" for name in layer.params)):
            assert (layer.name, tensor) in made
    assert Gate.WHOLE_NUMBERS.order < Gate.FORWARD.order
    assert np.finfo("float32").eps > 1e-9, "mistakes that float32 cannot hold are made in float64"
