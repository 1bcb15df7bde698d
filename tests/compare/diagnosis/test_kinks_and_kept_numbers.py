"""Names for what a batch rarely shows: slopes at kinks, dropped numbers, old weights, memory."""

import numpy as np
import pytest

import compare
import scratch
from tests.compare.support.differing import real
from tests.compare.support.single_layers import diagnosed


class OneSided(scratch.losses.MeanAbsoluteError):
    side = 1

    def elements(self, y, y_pred, from_logits):
        values, slopes = super().elements(y, y_pred, from_logits)
        return values, np.where(y_pred == y, self.side, slopes).astype(y_pred.dtype)


class Strict(scratch.losses.Hinge):
    """Passes nothing at exactly the margin."""

    def elements(self, y, y_pred, from_logits):
        values, slopes = super().elements(y, y_pred, from_logits)
        return values, np.where(y * y_pred == 1, 0, slopes).astype(y_pred.dtype)


class Down(OneSided):
    side = -1


OneSided.__name__ = Down.__name__ = "MeanAbsoluteError"
Strict.__name__ = "Hinge"


def compiled(layer, loss="mse"):
    model = scratch.Sequential([scratch.Input((6,)), layer, scratch.Dense(3, name="last")])
    model.compile(scratch.SGD(0.1), loss)
    return model


def checked(layer, loss="mse", right="mse", y=None):
    """A candidate's report against scratch's own layer of the kind and its own loss."""
    model = compiled(layer, loss)
    base = next(cls for cls in type(layer).__mro__ if cls.__module__.startswith("scratch."))
    twin = compiled(base.from_config(layer.get_config()), right)
    twin.set_weights(model.get_weights())
    with np.errstate(all="ignore"):
        report = compare.check(model, twin, real((4, 6)), real((4, 3), 3) if y is None else y)
        assert not report
        _ = report.cause
    return report


@pytest.mark.parametrize("loss, right, side", [
    (OneSided, "mae", "larger"), (Down, "mae", "smaller"), (Strict, "hinge", "further")])
def test_a_loss_at_its_kink(loss, right, side):
    y = np.sign(real((4, 3), 3)) if right == "hinge" else None
    report = checked(scratch.ReLU(), loss(), right, y)
    assert (report.first_failure.gate, report.first_failure.name) == ("extremes", "loss gradient")
    assert report.cause.identifier == "loss-kink" and side in report.cause.sentence


def dropping(limit):
    class Dropping(scratch.Dense):
        def affine(self, x):
            y = super().affine(x)
            return np.where(np.abs(y) < limit, 0, y).astype(y.dtype)

    return Dropping


def test_small_numbers_that_are_taken_for_0():
    found = diagnosed(dropping(0.5)(7), (6,))
    assert found.identifier == "small-values-dropped" and "below about 0.4" in found.sentence


class WithoutSome(scratch.Dense):
    """Drops every third number, whatever its size."""

    def affine(self, x):
        y = super().affine(x)
        y[:, ::3] = 0
        return y


def test_other_numbers_that_are_0_are_not_small_ones():
    found = diagnosed(WithoutSome(7), (6,), seconds=0)
    assert "small-values-dropped" not in found.sentence


class OldKernel(scratch.Dense):
    """Takes the kernel of the first call ever after."""

    def affine(self, x):
        if not hasattr(self, "old"):
            self.old = self.kernel.copy()
        super().affine(x)
        return x @ self.old + self.bias


class OldInput(scratch.Dense):
    """Takes its kernel's gradient at the first input of a shape."""

    def affine(self, x):
        y = super().affine(x)
        self._x = self.__dict__.setdefault("first", {}).setdefault(x.shape, x.copy())
        return y


class SharedMemory(scratch.Dense):
    def affine(self, x):
        y = super().affine(x)
        kept = self.__dict__.setdefault("memory", {}).setdefault(y.shape, np.empty_like(y))
        kept[...] = y
        return kept


@pytest.mark.parametrize("kind, cause", [
    (OldKernel, "stale-weights"), (OldInput, "state-leak"), (SharedMemory, "output-overwritten")])
def test_what_is_kept_from_an_earlier_call(kind, cause):
    report = checked(kind(5, name="dense"))
    assert report.first_failure.layer == "dense"
    assert report.cause.identifier == cause, report.cause


class InPlace(scratch.SGD):
    """Multiplies the gradients in place."""

    def apply(self, gradients, variables):
        super().apply(gradients, variables)
        for gradient in gradients:
            gradient *= 0.5


InPlace.__name__ = "SGD"


def test_an_optimizer_that_changes_the_gradients():
    model, twin = compiled(scratch.ReLU()), compiled(scratch.ReLU())
    twin.set_weights(model.get_weights())
    model.compile(InPlace(0.1), "mse")
    report = compare.check(model, twin, real((4, 6)), real((4, 3), 3))
    assert {(row.gate, row.layer) for row in report.rows if not row.passed} == {
        ("update", "later steps")}
    assert report.cause.identifier == "input-modified"
    assert compare.check(twin, model, real((4, 6)), real((4, 3), 3))
