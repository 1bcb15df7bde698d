"""Slips in layers as people write them by hand, each of which has its name."""

import numpy as np
import pytest

import compare
from compare.inputs import batches, twins


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gelu(cubic):
    scale = np.sqrt(2 / np.pi)
    return (lambda x: 0.5 * x * (1 + np.tanh(scale * (x + cubic * x**3))),
            lambda dy, x: dy * (0.5 * (1 + np.tanh(scale * (x + cubic * x**3))) + 0.5 * x * (
                1 - np.tanh(scale * (x + cubic * x**3))**2) * scale * (1 + 3 * cubic * x * x)))


def cause_of(layer):
    model, twin = twins.twins(twins.alone(layer))
    return compare.check(model, twin, batches.random(model, 8, 0)[0]).cause


@pytest.mark.parametrize("name, forward, backward, said", [
    ("sigmoid", lambda x: sigmoid(-x), lambda dy, x: -dy * sigmoid(-x) * sigmoid(x),
     "sigmoid(-z)"),
    ("gelu", *gelu(0.044), "0.044 in place of 0.044715")])
def test_formulas_of_activations(keras, name, forward, backward, said):
    cause = cause_of(compare.wrap(forward=forward, backward=backward, input_shape=(6, 5, 3),
                                  like=keras.layers.Activation(name)))
    assert (cause.tensor, cause.identifier) == ("output", "activation-other")
    assert said in cause.sentence


class Dense:
    """With an activation inside."""

    def __init__(self):
        self.W, self.b = np.zeros((6, 5)), np.zeros(5)

    def forward(self, x):
        self.x, self.a = x, x @ self.W + self.b
        self.y = self.activation()
        return self.y

    def activation(self):
        return np.tanh(self.a)

    def backward(self, dy):
        dz = dy * self.slope()
        self.dW, self.db = self.x.T @ dz, dz.sum(0)
        return dz @ self.W.T

    def slope(self):
        return 1 - self.y**2


class SlopeOfOutput(Dense):
    def slope(self):
        return 1 - self.y


class BiasFromKernel(Dense):
    def backward(self, dy):
        dx = super().backward(dy)
        self.db = self.dW.sum(0)
        return dx


@pytest.mark.parametrize("made, tensor, identifier", [
    (SlopeOfOutput, "input_gradient", "activation-other"),
    (BiasFromKernel, "bias_gradient", "gradient-wrong-input")])
def test_gradients_of_a_dense_layer(keras, made, tensor, identifier):
    def wrapped(thing):
        return compare.wrap(thing, kernel="W", bias="b", input_shape=(6,),
                            gradients={"kernel": "dW", "bias": "db"},
                            like=keras.layers.Dense(5, activation="tanh"))

    assert cause_of(wrapped(Dense())) is None
    cause = cause_of(wrapped(made()))
    assert (cause.tensor, cause.identifier) == (tensor, identifier)
