"""Networks of Keras's that compute in float64 while Keras's default is float32."""

import keras
import numpy as np
import pytest

import compare
from compare.checks.gate import Gate

LAYERS = keras.layers
LOSSES = {"sparse_categorical_crossentropy": np.arange(6) % 3,
          "mse": np.random.default_rng(1).normal(size=(6, 3))}
OBJECTS = {"sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
           "mse": keras.losses.MeanSquaredError}


def network(loss, optimizer="adam", dtype=None):
    """With the policy for all layers, or with an argument of each; its Input is of float32."""
    if dtype is None:
        keras.config.set_dtype_policy("float64")
    own = {} if dtype is None else {"dtype": dtype}
    try:
        keras.utils.set_random_seed(0)
        model = keras.Sequential([
            keras.Input((7, 6, 2)), LAYERS.Conv2D(3, (3, 2), activation="relu", **own),
            LAYERS.Flatten(**own), LAYERS.Dense(3, activation="softmax", **own)])
        model.compile(optimizer, loss)
    finally:
        keras.config.set_dtype_policy("float32")
    return model


def images():
    return np.random.default_rng(0).normal(size=(6, 7, 6, 2))  # which float32 cannot hold


@pytest.mark.sampled(3)
@pytest.mark.parametrize("dtype", [None, "float64"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_that_was_compiled_in_float32_is_no_failure(loss, dtype):
    model = network(loss, dtype=dtype)
    report = compare.check([None] * 3, model, images(), LOSSES[loss])
    assert report, str(report)
    assert "floatx() was float32" in " ".join(report.notes)
    gates = {row.gate for row in report.rows if not row.unjudged}
    assert gates >= {Gate.LOSS, Gate.EXTREMES, Gate.WHOLE_NETWORK, Gate.LOCKSTEP}
    # in float64 indeed: what float32 would round to is far outside of what is allowed
    value = next(row for row in report.rows if row.gate is Gate.LOSS and row.tensor == "value")
    assert value.error / value.used < 1e-12


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_that_are_objects_or_were_used_before_are_none_either(loss):
    model = network(OBJECTS[loss](), "sgd")
    model.train_on_batch(images(), LOSSES[loss])
    report = compare.check([None] * 3, model, images(), LOSSES[loss])
    assert report, str(report)
    assert model._compile_loss.dtype == "float32"  # the caller's own stays as it was


def test_a_wrong_loss_in_float64_is_found():
    class Loss:
        def forward(self, output, labels):
            self.difference = output - labels
            return (self.difference**2).mean() * (1 + 1e-9)

        def backward(self):
            return 2 * self.difference / self.difference.size

    loss = compare.wrap(Loss(), like="mse", forward_takes=("output", "labels"), backward_takes=())
    model = network("mse", "sgd")
    mine = compare.assemble([None] * 3, model, loss=loss)
    report = compare.check(mine, model, images(), LOSSES["mse"])
    assert not report
    assert (report.first_failure.gate, report.first_failure.off) == (Gate.LOSS, "candidate")


def test_a_recording_holds_its_loss_in_float64(tmp_path):
    model = network("mse")
    trace = compare.record(model, images(), LOSSES["mse"])
    x = images().astype(np.float32).astype(np.float64)  # as Keras's Input rounds them
    right = ((np.asarray(model(x)) - LOSSES["mse"])**2).mean()
    np.testing.assert_allclose(trace.loss, right, rtol=1e-14)
    trace.save(tmp_path / "golden.npz")
    assert compare.check([None] * 3, compare.Trace.load(tmp_path / "golden.npz"))
