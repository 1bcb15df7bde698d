"""Somebody else's layers against Keras's, in every style there is an example of: right ones pass,
and a mistake in one of them is found where it is."""

import copy

import numpy as np
import pytest

import compare
from tests.compare.adapters.examples_wrapped import (
    batched_layers,
    columns,
    modules,
    one_image,
    plain_functions,
)
from tests.compare.support import wrapped_networks as networks

IMAGES, ROWS = (8, 7, 2), (6,)


def batched(keras, **changed):
    return (batched_layers.network(compare.wrap, **changed), networks.images(keras),
            *networks.batch(IMAGES))


def single(keras, **changed):
    return (one_image.network(compare.wrap, **changed), networks.images(keras, softmax=False),
            *networks.batch(IMAGES))


def functions(keras, **changed):
    return (plain_functions.network(compare.wrap, **changed),
            networks.images(keras, 3, "same"), *networks.batch(IMAGES))


def functions_to_logits(keras, **changed):
    return (plain_functions.network(compare.wrap, **changed),
            networks.images(keras, 3, "same", softmax=False), *networks.batch(IMAGES))


def modular(keras, **changed):
    return (modules.network(compare.wrap, **changed), networks.classifier(keras),
            *networks.batch(ROWS))


def in_columns(keras, **changed):
    return (columns.network(compare.wrap, **changed), networks.regression(keras),
            networks.batch(ROWS)[0], networks.targets())


STYLES = [batched, single, functions, functions_to_logits, modular, in_columns]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_each_style_agrees_with_keras(keras, style):
    report = compare.check(*style(keras))
    assert report, str(report)
    gates = {row.gate for row in report.rows}
    assert {"whole numbers", "few terms", "forward", "loss", "backward", "whole network",
            "lockstep"} <= gates
    tensors = {(row.layer, row.tensor) for row in report.rows if row.gate == "backward"}
    dense = {row.layer for row in report.rows if row.tensor == "bias_gradient"}
    assert dense and {(layer, "kernel_gradient") for layer in dense} <= tensors


class ConvolutionFlipped(batched_layers.Convolution):
    """Going back it takes the kernel for its mirror image."""

    def backward(self, dy):
        kept, self.W = self.W, self.W[::-1, ::-1]
        dx = super().backward(dy)
        self.W = kept
        return dx


class BiasMean(batched_layers.FullyConnected):
    """The bias's gradient is a mean where a sum belongs."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.db = dy.mean(axis=0, keepdims=True)
        return dx


class PoolLast(batched_layers.Pooling):
    """A tie's gradient goes to the last of the largest."""

    def forward(self, x):
        y = super().forward(x)
        self.winner = self.windows.shape[-1] - 1 - self.windows[..., ::-1].argmax(axis=-1)
        return y


class Overwriting(one_image.Filters):
    """Where windows overlap, the last one's gradient stands in place of the sum."""

    def backprop(self, d_out, learning_rate):
        _, _, kh, kw = self.filters.shape
        kept = self.filters.copy()
        d_image = np.zeros(self.image.shape)
        for i, j, _ in self.regions(self.image):
            d_image[:, i:i + kh, j:j + kw] = np.tensordot(d_out[:, i, j], kept, axes=1)
        super().backprop(d_out, learning_rate)
        return d_image


class UpdatedTooEarly(one_image.Output):
    """Goes back through weights that have made their step already."""

    def backprop(self, d_out, learning_rate):
        super().backprop(d_out, learning_rate)
        return self.weights.T @ d_out


class StepTwice(one_image.Output):
    """The weights make their step twice."""

    def backprop(self, d_out, learning_rate):
        d_column = super().backprop(d_out, learning_rate)
        self.weights -= learning_rate * d_out @ self.column.T
        return d_column


class Accumulating(modules.Linear):
    """Forgets to clear the weight's gradient."""

    def zero_grad(self):
        self.bias.grad = np.zeros_like(self.bias.data)


class LabelsAdded(modules.CrossEntropy):
    """Adds the labels where it should subtract them."""

    def backward(self, one_hot):
        return self.probabilities + one_hot


class NotDivided(columns.Layer):
    """Does not divide by the number of samples."""

    def backward(self, dZ):
        return self.W.T @ dZ, dZ @ self.X.T, dZ.sum(axis=1, keepdims=True)


class WithoutBias(columns.PerSample):
    """Forgets the bias."""

    def forward(self, x):
        return super().forward(x) - self.b


def conv_backward_shifted(dout, cache):
    dx, dw, db = plain_functions.conv_backward(dout, cache)
    return np.roll(dx, 1, axis=3), dw, db


def loss_summed(x, y):
    value, gradient = plain_functions.softmax_loss(x, y)
    return value, gradient * len(x)


def test_it_is_the_same_conv_backward_but_shifted():
    x, w = np.ones((1, 1, 3, 4)), np.ones((2, 1, 3, 3))
    _, cache = plain_functions.conv_forward(x, w, np.zeros(2), pad=1)
    dout = np.random.default_rng(0).standard_normal((1, 2, 3, 4))
    dx = plain_functions.conv_backward(dout, cache)[0]
    assert not np.array_equal(conv_backward_shifted(dout, cache)[0], dx)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("style, changed, expected", [
    (batched, {"convolution": ConvolutionFlipped}, {("conv", "input_gradient")}),
    (batched, {"dense": BiasMean}, {("dense", "bias_gradient")}),
    (batched, {"pooling": PoolLast}, {("pool", "input_gradient")}),
    (single, {"filters": Overwriting}, {("conv", "input_gradient")}),
    (single, {"output": UpdatedTooEarly}, {("dense", "input_gradient")}),
    (single, {"output": StepTwice}, {("dense", "kernel_gradient")}),
    (functions, {"conv": (plain_functions.conv_forward, conv_backward_shifted)},
     {("conv", "input_gradient")}),
    (functions, {"loss": loss_summed}, {("loss", "gradient")}),
    (functions_to_logits, {"loss": loss_summed}, {("loss", "gradient")}),
    (modular, {"linear": Accumulating}, {("first", "kernel_gradient"),
                                         ("last", "kernel_gradient")}),
    (modular, {"loss": LabelsAdded}, {("loss", "gradient")}),
    (in_columns, {"layer": NotDivided}, {("first", "kernel_gradient"),
                                         ("first", "bias_gradient")}),
    (in_columns, {"per_sample": WithoutBias}, {("last", "output")}),
], ids=lambda value: getattr(value, "__name__", None))
def test_a_mistake_is_found_where_it_is(keras, style, changed, expected):
    report = compare.check(*style(keras, **changed), steps=0)
    assert not report
    assert networks.own_doing(report) == expected
    assert report.first_failure.layer in {layer for layer, _ in expected}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.__name__)
def test_objects_are_left_as_they_were(keras, style):
    layers, model, x, y = style(keras)
    objects = [layer.obj for layer in layers if layer.obj is not None]
    before = copy.deepcopy([state(obj) for obj in objects])
    weights = [w.copy() for w in model.get_weights()]
    compare.check(layers, model, x, y, steps=1)
    assert [state(obj) for obj in objects] == before
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), weights))


def state(obj) -> dict:
    """All that an object holds, in a form that compares with ==."""
    return {name: value.tolist() if isinstance(value, np.ndarray) else
            state(value) if hasattr(value, "__dict__") else value
            for name, value in vars(obj).items()}


def test_recovered_gradients_say_so(keras):
    report = compare.check(*single(keras), steps=0)
    kinds = {(row.layer, row.tensor): row.kind for row in report.rows if row.gate == "backward"}
    assert kinds["conv", "kernel_gradient"] == kinds["dense", "bias_gradient"] == "recovered"
    assert kinds["conv", "input_gradient"] == "componentwise"
