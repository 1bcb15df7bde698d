"""A loss or a gradient that is not finite changes no weight, and it is said where it comes from."""


import re

import numpy as np
import pytest

import scratch

WHERE_FROM = [
    ("input", lambda x, y, model: x.__setitem__((9, 0), np.inf),
     r"the input, which is inf at \[1, 0\]"),
    ("labels", lambda x, y, model: y.__setitem__((9, 1), np.nan),
     r"the labels, which is nan at \[1, 1\]"),
    ("gradient", lambda x, y, model: model.layers[-1].bias.__setitem__(1, np.nan),
     "the bias of Dense 'dense', which is nan .*the gradient of an earlier step"),
    ("forward", lambda x, y, model: model.layers[-1].kernel.__imul__(np.float32(1e38)),
     "the forward pass: the output of .* is .*inf"),
    ("loss", lambda x, y, model: y.__imul__(np.float32(1e30)), "the loss: all outputs are finite")]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("spoil, said", [case[1:] for case in WHERE_FROM],
                         ids=[case[0] for case in WHERE_FROM])
def test_a_loss_that_is_not_finite_changes_no_weight_and_says_where_it_comes_from(spoil, said):
    scratch.set_random_seed(3)
    model = scratch.Sequential([scratch.Input((4,)), scratch.BatchNormalization(momentum=0.5),
                                scratch.Dropout(0.3), scratch.Dense(2)])
    model.compile(scratch.Adam(0.1), "mean_squared_error")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 4)).astype("f4"), rng.normal(size=(12, 2)).astype("f4")
    model.fit(x, y, 4, epochs=2, verbose=0)
    model.get_layer("batch_normalization").trainable = "forward" not in said
    spoil(x, y, model)
    x *= np.float32(1e3 if "forward" in said else 1)
    for rows in (slice(0, 4), slice(4, 8)):  # sound as a rule: weights move
        if np.isfinite(model.test_on_batch(x[rows], y[rows])):
            model.train_on_batch(x[rows], y[rows])
    before = [*map(np.copy, model.get_weights() + model.optimizer.variables)]
    for train in (lambda: model.train_on_batch(x[8:], y[8:]),
                  lambda: model.fit(x[8:], y[8:], 4, shuffle=False, verbose=0)):
        with pytest.raises(scratch.NonFiniteLossError, match=said):
            train()
        for now, then in zip(model.get_weights() + model.optimizer.variables, before, strict=True):
            np.testing.assert_array_equal(now, then)


class LostOnItsWayBack(scratch.ReLU):
    """Finite forward; on its way back one number of the gradient is not."""

    value = np.nan

    def backward(self, dy, wants_input_gradient=True):
        dx = super().backward(dy, wants_input_gradient).copy()
        dx[1, 2] = self.value
        return dx


class LostInItsKernel(scratch.Dense):
    def backward(self, dy, wants_input_gradient=True):
        dx = super().backward(dy, wants_input_gradient)
        self.grads["kernel"][2, 1] = np.inf
        return dx


class LossWithoutSlope(scratch.losses.MeanSquaredError):
    def backward(self):
        return super().backward() * np.float32(np.inf)


class PenaltyWithoutSlope(scratch.regularizers.L2):
    def gradient(self, weight):
        return weight * np.float32(np.nan)


ON_THE_WAY_BACK = [
    ("layer", {"middle": LostOnItsWayBack()},
     r"gamma of BatchNormalization .* is nan at \[0\].*the gradient of its input that "
     r"LostOnItsWayBack .* is nan at \[1, 2\], from finite numbers"),
    ("own weight", {"last": LostInItsKernel(2, name="last")},
     r"kernel of LostInItsKernel 'last' is inf at \[2, 1\].*the gradient of its kernel that "
     r"LostInItsKernel"),
    ("loss", {"loss": LossWithoutSlope()}, "the loss's way back: the gradient that .*'last' is"),
    ("penalty", {"last": scratch.Dense(2, kernel_regularizer=PenaltyWithoutSlope(0.1))},
     r"kernel of Dense .* is nan at \[0, 0\].*the penalty of a regularizer")]


def stack(middle=None, last=None, loss="mean_squared_error", optimizer="adam"):
    scratch.set_random_seed(3)
    model = scratch.Sequential([
        scratch.Input((5,)), scratch.BatchNormalization(momentum=0.5),
        scratch.Dense(4, name="first"), middle or scratch.ReLU(),
        last or scratch.Dense(2, name="last")])
    model.compile(optimizer, loss)
    rng = np.random.default_rng(1)
    return model, rng.normal(size=(3, 5)).astype("f4"), rng.normal(size=(3, 2)).astype("f4")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("spoiled, said", [case[1:] for case in ON_THE_WAY_BACK],
                         ids=[case[0] for case in ON_THE_WAY_BACK])
def test_a_gradient_that_is_not_finite_changes_no_weight_and_says_where_it_comes_from(spoiled,
                                                                                      said):
    model, x, y = stack(**spoiled)
    before = [*map(np.copy, model.get_weights() + model.optimizer.variables)]
    for train, start in (
            (lambda: model.train_on_batch(x, y), "The gradient of the"),
            (lambda: model.fit(x, y, verbose=0, epochs=2, initial_epoch=1),
             "Training stopped: the gradient .* at epoch 2, step 1 of 1")):
        with pytest.raises(scratch.NonFiniteLossError, match=said) as error:
            train()
        assert re.match(start, str(error.value))
        assert np.isfinite(error.value.loss)
        for now, then in zip(model.get_weights() + model.optimizer.variables, before, strict=True):
            np.testing.assert_array_equal(now, then)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_infinity_is_clipped_where_that_is_asked_for_and_nan_is_not():
    """np.clip is Keras's rule: the largest magnitude, and NaN stays NaN."""
    layer = LostInItsKernel(2, name="last")
    model, x, y = stack(last=layer, optimizer=scratch.SGD(0.5, clipvalue=0.25))
    before = model.get_layer("last").kernel[2, 1]
    model.train_on_batch(x, y)
    assert model.get_layer("last").kernel[2, 1] == before - np.float32(0.5 * 0.25)
    model, x, y = stack(LostOnItsWayBack(), optimizer=scratch.SGD(0.5, clipvalue=0.25))
    with pytest.raises(scratch.NonFiniteLossError, match="is nan"):
        model.train_on_batch(x, y)
    model, x, y = stack(last=LostInItsKernel(2), optimizer=scratch.SGD(0.5, clipnorm=1.0))
    with pytest.raises(scratch.NonFiniteLossError, match="is inf"):
        model.train_on_batch(x, y)


def test_gradients_whose_squares_overflow_are_used():
    model, x, y = stack(optimizer=scratch.SGD(1e-25))
    model.get_layer("last").kernel[...] *= np.float32(1e10)
    before = model.get_layer("first").kernel.copy()
    loss, _ = model.train_step(x, y * np.float32(1e15))
    largest = max(np.abs(layer.grads["kernel"]).max() for layer in model.layers
                  if "kernel" in layer.grads)
    assert np.isfinite(loss) and 1e20 < largest < np.inf
    assert (model.get_layer("first").kernel != before).any()


def test_weights_that_do_not_learn_are_not_asked_for():
    model, x, y = stack(LostOnItsWayBack())
    for name in ("first", "batch_normalization"):
        model.get_layer(name).trainable = False
    model.train_on_batch(x, y)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
