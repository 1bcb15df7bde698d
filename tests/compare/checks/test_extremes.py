"""The gate of extreme numbers: what it finds, and that it is silent about what is right."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import compare
import scratch
from compare.checks import extremes
from compare.checks.extreme_numbers import KINDS, sample, scaled
from compare.checks.extremes import OVERWRITTEN
from compare.checks.probing import in_range
from compare.evaluation.faults.scoring import Case
from compare.evaluation.fuzzing.generator import draw
from compare.evaluation.fuzzing.specification import batch_of
from compare.inputs import batches
from compare.inputs.live_keras import keras_loss, keras_ops
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.ops import ops_of
from scratch.activations import ACTIVATIONS
from tests.draws import draws

DTYPES = ("float32", "float64")


# the numbers


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_what_it_is_called(kind, dtype):
    numbers = sample(kind, (40, 6), np.random.default_rng(0), dtype, kinks=(-3.0, 3.0))
    largest = math.log(float(np.finfo(dtype).max))
    assert np.array_equal(numbers, numbers.astype(dtype).astype(np.float64))
    held = {
        "large": (np.abs(numbers) > largest).all() and (numbers > 0).any() and (numbers < 0).any(),
        "peak": ((numbers == 0).sum(axis=1) == 1).all() and (numbers.min(axis=1) < -largest).all(),
        "low": (numbers < -largest).all() and np.ptp(numbers) > 1,
        "tiny": (np.abs(numbers) < 1e-3).all() and numbers.all(),
        "equal": np.ptp(numbers) == 0 and numbers.all(),
        "zero": not numbers.any(),
        "mixed": np.abs(numbers).max() > 1e3 > 1e-6 > np.abs(numbers).min(),
        "kinks": all((numbers == kink).any() for kink in (-3, 0, 3))
        and (numbers == np.nextafter(np.dtype(dtype).type(3), np.dtype(dtype).type(0))).any(),
        "offset": numbers.mean() > 1e3 and np.ptp(numbers) < 10}
    assert held[kind]


def test_gradients_of_sums_have_small_entries_beside_large_ones():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((3, 5)), rng.standard_normal((3, 4))
    x, dy = scaled(x, dy, 1)
    assert np.abs(x.T @ dy)[:, 0].max() < 1e-9 and np.abs(x.T @ dy)[:, 1].max() > 1e-2
    assert np.abs(x).max(axis=1).argsort().tolist() == [2, 0, 1]


def test_what_the_precision_cannot_hold_is_not_judged():
    rounding = Rounding.of("float32")
    right = Bounded(np.array([1.0, 1e39, np.nan, 2.0]), rounding, np.zeros(4))
    ours, theirs, allowed, note = in_range([1, 7, 7, 9], [1, 8, 8, np.nan], right)
    assert ours.tolist() == [1, 0, 0, 0] and theirs.tolist() == [1, 0, 0, 0]
    assert allowed.value.tolist() == [1, 0, 0, 0] and "1 of 4 numbers" in note
    assert in_range([1, 7, 7, 9], [1, 8, 8, 2], right)[0].tolist() == [1, 0, 0, 9]


# what is right


def failures(model, twin, trace):
    rows = extremes.probe(trace, ops_of(model), keras_ops(twin), model, keras_loss(twin))
    assert len({row.name for row in rows}) == len(rows), "one row for each tensor"
    return [row for row in rows if not row.passed], rows


def clean(network):
    with np.errstate(all="ignore"):
        case = Case.of(network)
        trace = compare.record(case.model, case.x, case.y, upstream=case.upstream,
                               sample_weight=case.weight)
        return failures(case.model, case.twin, trace)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", range(10))
def test_random_networks_of_all_layers_and_losses_pass(keras, number, dtype):
    network = dataclasses.replace(draw(31, number), dtype=dtype)
    if dtype == "float64" and any("Pooling3D" in node.class_name for node in network.nodes):
        pytest.skip("TensorFlow has no pooling of three dimensions in float64")
    found, rows = clean(network)
    assert rows and not found, found


@settings(max_examples=draws(25), deadline=None)
@given(st.integers(0, 10**6))
def test_no_layer_of_scratch_fails_by_the_oracle(number):
    network = dataclasses.replace(draw(number, 0), loss=None, optimizer=None)
    model = network.build()
    # what overflows in float16 is judged beside Keras, which is not run here
    assume(not any(layer.policy.low for layer in model.layers))
    x = batch_of(network)
    with np.errstate(all="ignore"):
        trace = compare.record(model, x, upstream=batches.upstream(model, x, number))
        rows = extremes.probe(trace, ops_of(model))
    assert all(row.passed for row in rows), [row for row in rows if not row.passed]


def activated(name, dtype="float32"):
    model = scratch.Sequential([scratch.Input((6,)), scratch.Activation(name, name="a"),
                                scratch.Dense(3, name="last")])
    model.compile(scratch.SGD(0.1), "mse")
    if dtype == "float64":
        config = model.get_config()
        for layer in config["layers"]:
            layer["config"]["dtype"] = dtype
        model = scratch.Sequential.from_config(config)
        model.compile(scratch.SGD(0.1), "mse")
    return model


def recorded(model, width=3):
    rng = np.random.default_rng(1)
    return compare.record(model, rng.standard_normal((4, *model.input_shape[1:])),
                          rng.standard_normal((4, width)))


@pytest.mark.sampled(4)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"linear"}))
def test_every_activation_passes_beside_keras(keras, name, dtype):
    model = activated(name, dtype)
    with np.errstate(all="ignore"):
        found, rows = failures(model, compare.twin(model), recorded(model))
    assert not found, found
    assert {"a output", "a input_gradient"} <= {row.name for row in rows}


@pytest.mark.sampled(3, of="loss")
@pytest.mark.parametrize("loss", [
    "mse", "mae", "mape", "msle", "huber", "log_cosh", "poisson", "hinge", "squared_hinge",
    "kl_divergence", "binary_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize("last", ["linear", "softmax", "sigmoid"])
def test_every_loss_passes_beside_keras(keras, loss, last):
    model = scratch.Sequential([scratch.Input((5,)), scratch.Dense(3, activation=last)])
    model.compile(scratch.SGD(0.1), loss)
    rng = np.random.default_rng(0)
    y = np.eye(3)[rng.integers(3, size=4)]
    with np.errstate(all="ignore"):
        trace = compare.record(model, rng.standard_normal((4, 5)), y)
        found, rows = failures(model, compare.twin(model), trace)
    assert not found, found
    assert {"loss value", "loss gradient"} <= {row.name for row in rows}


# what is wrong


def report_of(layer, width=6, **options):
    """A check of one layer by hand, on an ordinary batch on which it is right."""
    import keras

    twin = keras.Sequential([keras.Input((width,)), options.pop("like"), keras.layers.Dense(3)])
    twin.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        return compare.check([compare.wrap(layer, **options), None], twin,
                             rng.standard_normal((4, width)).astype("float32"),
                             rng.standard_normal((4, 3)).astype("float32"), steps=0)


class ByHand:
    """An activation and its gradient from the output."""

    def __init__(self, function, slope):
        self.function, self.slope = function, slope

    def forward(self, x):
        self.y = self.function(x)
        return self.y

    def backward(self, dy):
        return self.slope(dy, self.y)


def softmax_slope(dy, y):
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


def soft(exponentials, more=0):
    return exponentials / (exponentials.sum(axis=-1, keepdims=True) + np.float32(more))


SOFTMAXES = {
    "no shift": lambda x: soft(np.exp(x)),
    "shift by the mean": lambda x: soft(np.exp(x - x.mean(axis=-1, keepdims=True))),
    "the batch's maximum": lambda x: soft(np.exp(x - x.max())),
    "epsilon below": lambda x: soft(np.exp(x - x.max(axis=-1, keepdims=True)), 1e-7),
}


@pytest.mark.parametrize("name", SOFTMAXES)
def test_a_softmax_that_fails_at_the_ends(keras, name):
    report = report_of(ByHand(SOFTMAXES[name], softmax_slope), like=keras.layers.Softmax())
    assert not report
    assert {row.gate for row in report.rows if not row.passed} == {"extremes"}
    assert report.first_failure.tensor == "output" and report.first_failure.off == "candidate"
    if name == "no shift":
        assert report.cause.identifier == "nan"


def test_a_stable_softmax_by_hand_passes(keras):
    assert report_of(ByHand(lambda x: soft(np.exp(x - x.max(axis=-1, keepdims=True))),
                            softmax_slope), like=keras.layers.Softmax())


@pytest.mark.parametrize("function, cause", [
    (lambda x: np.exp(x) / (1 + np.exp(x)), "nan"),
    (lambda x: 1 / (1 + np.exp(-np.clip(x, -20, 20))), "activation-other")])
def test_a_sigmoid_that_fails_at_the_ends(keras, function, cause):
    report = report_of(ByHand(function, lambda dy, y: dy * y * (1 - y)),
                       like=keras.layers.Activation("sigmoid"))
    assert (report.first_failure.gate, report.first_failure.tensor) == ("extremes", "output")
    assert report.cause.identifier == cause


class FlatVariance(scratch.LayerNormalization):
    """The variance is E[x^2] - E[x]^2."""

    def forward(self, x, training=False):
        y = super().forward(x, training)
        mean = x.mean(axis=-1, keepdims=True)
        square = np.square(x).mean(axis=-1, keepdims=True) - np.square(mean)
        return y if np.abs(x).max() < 10 else self._normalize(x - mean, square)


def candidate(layer, loss="mse", last=None, **settings):
    model = scratch.Sequential([scratch.Input((6,)), layer,
                                last or scratch.Dense(3, name="last", **settings)])
    model.compile(scratch.SGD(0.1), loss)
    return model


def bad(model, y=None):
    """The names of the tensors that the gate says are wrong, and their rows."""
    rng = np.random.default_rng(0)
    y = rng.standard_normal((4, 3)) if y is None else y
    with np.errstate(all="ignore"):
        trace = compare.record(model, rng.standard_normal((4, 6)), y)
        rows = extremes.probe(trace, ops_of(model), None, model)
    return {row.name: row for row in rows if not row.passed}


def test_a_variance_by_two_squares(keras):
    found = bad(candidate(FlatVariance(name="norm")))
    assert "norm output" in found


class HalfSums(scratch.Dense):
    """Adds up in float16, which ends at 65504."""

    def affine(self, x):
        super().affine(x)
        return (x.astype(np.float16) @ self.kernel.astype(np.float16)).astype(x.dtype) + self.bias


class SmallDropped(scratch.Dense):
    def affine_backward(self, dz, wants_input_gradient):
        dx = super().affine_backward(dz, wants_input_gradient)
        kernel = self.grads["kernel"]
        self.grads["kernel"] = np.where(np.abs(kernel) < 1e-5, 0, kernel).astype(kernel.dtype)
        return dx


class SharedOutput(scratch.Dense):
    """Puts every output of a size into the same memory."""

    def affine(self, x):
        y = super().affine(x)
        kept = self.__dict__.setdefault("memory", {}).setdefault(y.shape, np.empty_like(y))
        kept[...] = y
        return kept


class FirstMask(scratch.ReLU):
    """The mask is that of the first batch of a shape."""

    def forward(self, x, training=False):
        y = super().forward(x, training)
        self._z = self.__dict__.setdefault("first", {}).setdefault(x.shape, x.copy())
        return y


def test_sums_in_float16_that_overflow():
    assert not np.isfinite(bad(candidate(HalfSums(5, name="half")))["half output"].actual)


def test_small_entries_of_a_gradient_that_are_dropped():
    assert set(bad(candidate(SmallDropped(5, name="small")))) == {"small kernel_gradient"}


def test_results_that_share_their_memory():
    found = bad(candidate(SharedOutput(5, name="shared")))
    assert set(found) == {"shared output"} and found["shared output"].note == OVERWRITTEN
    assert found["shared output"].off == "candidate"


def test_a_mask_that_is_kept_from_the_first_call():
    assert set(bad(candidate(FirstMask(name="relu")))) == {"relu input_gradient"}


class SignUp(scratch.losses.MeanAbsoluteError):
    """The slope at 0 is 1."""

    def elements(self, y, y_pred, from_logits):
        values, slopes = super().elements(y, y_pred, from_logits)
        return values, np.where(y_pred == y, 1, slopes).astype(y_pred.dtype)


SignUp.__name__ = "MeanAbsoluteError"


class Unshifted(scratch.losses.CategoricalCrossentropy):
    def rows(self, targets, y_pred, from_logits):
        powers = np.exp(y_pred)
        sums = powers.sum(axis=1, keepdims=True)
        return -(targets * np.log(powers / sums)).sum(axis=1), powers / sums - targets


Unshifted.__name__ = "CategoricalCrossentropy"


def test_the_slope_of_an_absolute_error_at_0():
    assert set(bad(candidate(scratch.ReLU(), SignUp()))) == {"loss gradient"}


def test_a_cross_entropy_without_the_shift():
    y = np.eye(3)[[0, 2, 1, 0]]
    found = bad(candidate(scratch.ReLU(), Unshifted(), activation="softmax"), y)
    assert {"loss value", "loss gradient"} <= set(found)
    assert not np.isfinite(found["loss value"].actual)


class UpAtZero(scratch.regularizers.L1):
    def gradient(self, array):
        return np.asarray(self.l1 * np.where(array >= 0, 1, -1), array.dtype)


UpAtZero.__name__ = "L1"


def test_the_slope_of_a_penalty_at_0():
    for regularizer, wrong in ((scratch.regularizers.L1(0.1), set()),
                               (UpAtZero(0.1), {"dense kernel_gradient"})):
        layer = scratch.Dense(4, name="dense", kernel_regularizer=regularizer)
        assert set(bad(candidate(layer))) == wrong


def test_a_penalty_on_the_output():
    for regularizer, wrong in ((scratch.regularizers.L1(0.1), set()),
                               (UpAtZero(0.1), {"dense activity_gradient"})):
        layer = scratch.Dense(4, name="dense", activity_regularizer=regularizer)
        assert set(bad(candidate(layer))) == wrong


def test_a_reference_without_a_finite_result_is_not_blamed():
    model = activated("gelu")
    trace = recorded(model)
    ops = ops_of(model)

    def lost(op):
        def run(x, dy, weights, training):
            with op.holding(weights):
                result = op.run(x, dy)
            output = result.output.copy()
            output[output > 50] = np.nan
            return output, result.input_gradient, result.weight_gradients

        return run

    with np.errstate(all="ignore"):
        rows = extremes.probe(trace, ops, [lost(op) for op in ops])
    row = next(row for row in rows if row.name == "a output")
    assert row.passed and "the reference itself has no finite result" in row.note


def test_weights_and_numbers_are_left_as_they_are():
    model = candidate(scratch.Dense(5, name="dense"))
    before = [w.copy() for w in model.get_weights()]
    assert not bad(model)
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
