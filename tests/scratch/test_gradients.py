"""The gradient of a whole network against central differences of its loss, in float64.

Each check walks along one random direction through all weights and the input at once, and makes
sure first that no ReLU and no maximum changes hands on the way: at a kink there is no derivative.
"""

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import real

SHAPE, CLASSES = (7, 6, 2), 4
LOSSES = {
    "sparse": (scratch.SparseCategoricalCrossentropy, np.array([2, 0, 3])),
    "dense": (scratch.CategoricalCrossentropy, np.eye(CLASSES)[[2, 0, 3]]),
}


def network(last):
    """Every layer there is, with strides and paddings that differ; `last` makes probabilities."""
    model = scratch.Sequential([
        scratch.Input(SHAPE),
        scratch.Conv2D(3, (3, 2), strides=(1, 2), padding="same"), scratch.ReLU(),
        scratch.MaxPooling2D((3, 2), strides=(2, 1), padding="same"),
        scratch.Conv2D(3, (2, 3), activation="relu"),
        scratch.Flatten(), scratch.Dense(5, activation="relu"), *last,
    ], dtype="float64")
    model.set_weights([0.7 * real(i + 1, w.shape) for i, w in enumerate(model.get_weights())])
    return model


ENDS = {
    "dense with softmax": lambda: [scratch.Dense(CLASSES, activation="softmax")],
    "softmax layer": lambda: [scratch.Dense(CLASSES), scratch.Softmax()],
    "softmax activation": lambda: [scratch.Dense(CLASSES), scratch.Activation("softmax")],
    "softmax, then linear": lambda: [scratch.Dense(CLASSES, activation="softmax"),
                                     scratch.Activation("linear")],
}


class Line:
    """Loss and state of the kinks at weights + t dweights, x + t dx."""

    def __init__(self, model, x, y, direction):
        self.model, self.y = model, y
        self.start, self.direction = [*model.get_weights(), x], direction

    def __call__(self, t):
        *weights, x = [value + t * d for value, d in zip(self.start, self.direction)]
        self.model.set_weights(weights)
        value, _, _ = self.model.loss_and_gradients(x, self.y)
        return value

    def kinks(self, t):
        """Which units are on and which pixels are maxima, seen in what each layer lets back."""
        self(t)
        states, x = [], self.start[-1] + t * self.direction[-1]
        for layer in self.model.layers:
            x = layer.forward(x)
            if isinstance(layer, scratch.MaxPooling2D):
                states.append(layer.backward(1 + np.arange(float(x.size)).reshape(x.shape)))
            elif getattr(layer, "activation", None) is scratch.activations.relu or isinstance(
                    layer, scratch.ReLU):
                states.append(x > 0)
        return states


@pytest.mark.sampled(3, of="loss")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("seed", range(3))
def test_the_slope_along_a_line_is_the_gradient_along_it(end, loss, seed):
    """Five points: the formula errs by h^4 f^(5) / 30, rounding by u f / h; h = 1e-4."""
    kind, y = LOSSES[loss]
    model, x, h = network(ENDS[end]()), real(seed + 50, (3, *SHAPE)), 1e-4
    model.compile("sgd", kind())
    shapes = [w.shape for w in model.get_weights()] + [x.shape]
    direction = [real(1000 * seed + i, shape) / 4 for i, shape in enumerate(shapes)]
    line = Line(model, x, y, direction)
    for there, here in zip(line.kinks(-2 * h) + line.kinks(2 * h), line.kinks(0) * 2):
        np.testing.assert_array_equal(there, here, "the line crosses a kink: choose another seed")
    numeric = (line(-2 * h) - 8 * line(-h) + 8 * line(h) - line(2 * h)) / (12 * h)
    model.set_weights(line.start[:-1])
    _, _, dx = model.loss_and_gradients(x, y, wants_input_gradient=True)
    grads = [gradient for layer in model.layers for gradient in layer.grads.values()]
    products = [(g * d).sum() for g, d in zip([*grads, dx], direction, strict=True)]
    assert abs(numeric) > 1e-3, "a direction in which nothing happens proves nothing"
    assert abs(sum(products) - numeric) < 1e-9 * max(1, *map(abs, products)), (
        f"gradient {sum(products)!r} (by weight: {products}), differences {numeric!r}")


@pytest.mark.parametrize("end", ENDS)
def test_each_weights_gradient_alone(end):
    """As above, one array at a time: no error can hide behind another's size."""
    kind, y = LOSSES["sparse"]
    model, x, h = network(ENDS[end]()), real(50, (3, *SHAPE)), 1e-4
    model.compile("sgd", kind())
    shapes = [w.shape for w in model.get_weights()] + [x.shape]
    _, _, dx = model.loss_and_gradients(x, y, wants_input_gradient=True)
    gradients = [g.copy() for layer in model.layers for g in layer.grads.values()] + [dx.copy()]
    for i, shape in enumerate(shapes):
        direction = [np.zeros(s) for s in shapes]
        direction[i] = real(i, shape) / 4
        line = Line(network(ENDS[end]()), x, y, direction)
        line.model.compile("sgd", kind())
        for there, here in zip(line.kinks(-2 * h) + line.kinks(2 * h), line.kinks(0) * 2):
            np.testing.assert_array_equal(there, here, "the line crosses a kink: another seed")
        numeric = (line(-2 * h) - 8 * line(-h) + 8 * line(h) - line(2 * h)) / (12 * h)
        expected = (gradients[i] * direction[i]).sum()
        assert abs(expected - numeric) < 1e-9 * max(1, abs(numeric)), f"array {i} of {len(shapes)}"
