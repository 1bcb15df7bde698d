"""A formula that only loses digits is told from one that is wrong."""

import numpy as np
import pytest

import compare
import scratch
from compare.diagnosis import diagnose_loss, diagnose_op
from compare.tracing.ops import LayerOp
from tests.compare.support.differing import real


class LogOfSigmoid(scratch.Activation):
    """log(1 / (1 + exp(-x)))."""

    def forward(self, x, training=False):
        y = super().forward(x, training)
        return self.formula(x) if self.name == "own" else y

    def formula(self, x):
        return np.log(1 / (1 + np.exp(-x)))


class Shifted(LogOfSigmoid):
    """The same with a mistake as large as float32's last digits."""

    def formula(self, x):
        return np.log(1 / (1 + np.exp(-x))) * (1 + 1e-6)


class Halved(LogOfSigmoid):
    def formula(self, x):
        return np.log(1 / (1 + np.exp(-x))) / 2


def finding(layer, x, dtype="float32"):
    layer.dtype = np.dtype(dtype)
    layer.build((None, *x.shape[1:]))
    with np.errstate(all="ignore"):
        return diagnose_op(LayerOp(layer, bare=False), layer.get_config(), x.astype(dtype),
                           dy=real(x.shape).astype(dtype), seconds=0)


def large():
    return np.linspace(4, 12, 30).reshape(5, 6).astype("float32")


def test_digits_that_are_lost_are_counted():
    found = finding(LogOfSigmoid("log_sigmoid", name="own"), large())
    assert found.identifier == "cancellation" and found.tensor == "output"
    assert "the formula loses digits in float32" in found.sentence
    # sigmoid(12) is 1 - 6e-6, which float32 rounds by up to 3e-8: a relative error of 1 %
    assert "6 of 7" in found.sentence
    assert "in float64 is right" in found.sentence


@pytest.mark.parametrize("kind", [Shifted, Halved])
def test_a_wrong_formula_loses_no_digits(kind):
    found = finding(kind("log_sigmoid", name="own"), large())
    assert found is not None and found.identifier != "cancellation"


def test_float64_has_nothing_to_be_run_again_in():
    found = finding(LogOfSigmoid("log_sigmoid", name="own"), 3 * large(), "float64")
    assert found is not None and found.identifier != "cancellation"


class Pair:
    """A wrapped log of a sigmoid, with the gradient of the right function."""

    def forward(self, x):
        self.x = x
        return np.log(1 / (1 + np.exp(-x)))

    def backward(self, dy):
        return dy / (1 + np.exp(self.x))


def test_a_wrapped_layer_is_run_again_with_float64_arrays(keras):
    twin = keras.Sequential([keras.Input((6,)), keras.layers.Activation("log_sigmoid"),
                             keras.layers.Dense(3)])
    twin.compile("sgd", "mse")
    with np.errstate(all="ignore"):
        report = compare.check([compare.wrap(Pair()), None], twin, large(), real((5, 3)), steps=0)
        assert not report and report.first_failure.tensor == "output"
        assert report.cause.identifier == "cancellation"


class SumOfLogs(scratch.losses.MeanSquaredLogarithmicError):
    """(log((1 + p) / (1 + y)))^2 in place of a difference of logs, or with one too many."""

    more = 0.0

    def rows(self, targets, y_pred, from_logits):
        losses, gradient = super().rows(targets, y_pred, from_logits)
        big = y_pred.dtype.type(1e4)
        return (losses + big) - big + self.more * losses, gradient


class Wrong(SumOfLogs):
    more = 1e-3


SumOfLogs.__name__ = Wrong.__name__ = "MeanSquaredLogarithmicError"


def test_a_loss_that_loses_digits():
    y, p = np.abs(real((6, 3))), np.abs(real((6, 3), 5))
    found = diagnose_loss(SumOfLogs(), "msle", y, p, seconds=0)
    assert found.identifier == "cancellation" and found.tensor == "value"
    assert diagnose_loss(Wrong(), "msle", y, p, seconds=0).identifier != "cancellation"
