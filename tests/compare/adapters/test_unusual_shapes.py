"""Wrapped layers whose arrays have other shapes than Keras's: kernels without an axis, a bias for
each place of an output, an input's gradient that is cropped or missing."""

import keras
import numpy as np
import pytest

from tests.compare.support.single_wrapped import report

K = keras.layers


class Convolution:
    """Right: 'valid', channels last, kernel (rows, columns, in, out)."""

    def __init__(self, channels=2, filters=3):
        self.W, self.b = np.zeros((2, 3, channels, filters)), np.zeros(filters)

    def forward(self, x):
        self.x = x
        rows, columns = x.shape[1] - 1, x.shape[2] - 2
        return sum(x[:, i:i + rows, j:j + columns] @ self.W[i, j]
                   for i in range(2) for j in range(3)) + self.b

    def backward(self, dy):
        rows, columns = dy.shape[1:3]
        dx, self.dW, self.db = np.zeros(self.x.shape), np.zeros(self.W.shape), dy.sum((0, 1, 2))
        for i in range(2):
            for j in range(3):
                part = self.x[:, i:i + rows, j:j + columns]
                self.dW[i, j] = np.tensordot(part, dy, ([0, 1, 2], [0, 1, 2]))
                dx[:, i:i + rows, j:j + columns] += dy @ self.W[i, j].T
        return dx


def of_convolution(made, channels=2, filters=3, kernel="W", gradient="dW", **how):
    return report(made, K.Conv2D(filters, (2, 3)), (5, 6, channels), kernel=kernel, bias="b",
                  gradients={"kernel": gradient, "bias": "db"}, **how)


def failing(result) -> set:
    return {row.tensor for row in result.rows if not row.passed and row.gate.single_layer}


class WithoutChannels(Convolution):
    """Of one input channel, which its kernel (filters, rows, columns) leaves out."""

    def __init__(self, filters):
        super().__init__(1, filters)
        self.F = np.zeros((filters, 2, 3))

    def forward(self, x):
        self.W = self.F.transpose(1, 2, 0)[:, :, None]
        return super().forward(x)

    def backward(self, dy):
        dx = super().backward(dy)
        self.dF = self.dW[:, :, 0].transpose(2, 0, 1)
        return dx


class Mirrored(WithoutChannels):
    """Its kernel's gradient is wrong."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.dF = self.dF[:, ::-1]
        return dx


@pytest.mark.parametrize("filters", [2, 3, 4])
def test_a_kernel_without_an_axis_of_channels(filters):
    like = {"channels": 1, "filters": filters, "kernel": "F", "gradient": "dF",
            "kernel_layout": "OIHW"}
    result = of_convolution(WithoutChannels(filters), **like)
    assert result, result.summary()
    wrong = of_convolution(Mirrored(filters), **like)
    assert failing(wrong) == {"kernel_gradient"} and wrong.cause.identifier == "kernel-flipped"


class BiasForEachPlace(Convolution):
    """A bias for each place, (rows, columns, filters)."""

    def __init__(self):
        super().__init__()
        self.b = np.zeros((4, 4, 3))

    def backward(self, dy):
        dx = super().backward(dy)
        self.db = dy.sum(0)
        return dx


class BiasForEachPlaceFirst(Convolution):
    """The same with the channels first."""

    def __init__(self):
        super().__init__()
        self.b = np.zeros((3, 4, 4))

    def forward(self, x):
        bias, self.b = self.b, np.zeros(3)
        y = super().forward(np.moveaxis(x, 1, -1))
        self.b = bias
        return np.moveaxis(y, -1, 1) + bias

    def backward(self, dy):
        dx = super().backward(np.moveaxis(dy, 1, -1))
        self.db = dy.sum(0)
        return np.moveaxis(dx, -1, 1)


@pytest.mark.parametrize("made, order", [(BiasForEachPlace, "channels_last"),
                                         (BiasForEachPlaceFirst, "channels_first")])
def test_a_bias_for_each_place(made, order):
    result = of_convolution(made(), data_format=order)
    assert failing(result) == {"bias_gradient"}
    assert [each.causes[0].identifier for each in result.diagnosis] == ["bias-untied"]


class NoInputGradient(Convolution):
    def backward(self, dy):
        super().backward(dy)


def test_a_first_layer_that_gives_no_input_gradient():
    assert of_convolution(NoInputGradient(), backward_gives=())
    untold = of_convolution(NoInputGradient())
    assert failing(untold) == {"input_gradient"}
    assert "backward_gives=()" in untold.cause.remedy


class Cropped(Convolution):
    def backward(self, dy):
        return super().backward(dy)[:, 1:, 1:-1]


class CroppedAlongWrongAxes(Convolution):
    def backward(self, dy):
        return super().backward(dy)[1:-1, 1:]


class CroppedAndHalved(Cropped):
    """Its kernel's gradient is wrong, too."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.dW = self.dW / 2
        return dx


@pytest.mark.sampled(3)
@pytest.mark.parametrize("made, axes, wrong", [
    (Cropped, "1 and 2", {"input_gradient"}),
    (CroppedAlongWrongAxes, "0 and 1", {"input_gradient"}),
    (CroppedAndHalved, "1 and 2", {"input_gradient", "kernel_gradient"})])
def test_weights_are_judged_where_the_input_gradient_is_cropped(made, axes, wrong):
    result = of_convolution(made())
    assert failing(result) == wrong
    assert result.cause.identifier == "shape"
    assert f"cropped along axes {axes}" in result.cause.sentence


def test_one_sample_at_a_time_too():
    class Dense:
        def __init__(self):
            self.W = np.zeros((4, 3))

        def forward(self, x):
            self.x = x
            return x @ self.W

        def backward(self, dy):
            self.dW = np.outer(self.x, dy)
            return (self.W @ dy)[1:]

    result = report(Dense(), K.Dense(3, use_bias=False), (4,), kernel="W", batched=False,
                    gradients={"kernel": "dW"})
    assert failing(result) == {"input_gradient"}


class Stepping:
    """Makes its step one sample at a time; before or after it has the input's gradient."""

    def __init__(self, early):
        self.W, self.b, self.early = np.zeros((4, 3)), np.zeros(3), early

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy, rate):
        before = self.W.copy()
        self.W -= rate * np.outer(self.x, dy)
        self.b -= rate * dy
        return (self.W if self.early else before) @ dy


def test_weights_updated_before_the_input_gradient_of_each_sample():
    how = {"kernel": "W", "bias": "b", "batched": False, "gradients": "applied",
           "backward_takes": ("dy", "learning_rate")}
    assert report(Stepping(False), K.Dense(3), (4,), **how)
    wrong = report(Stepping(True), K.Dense(3), (4,), **how)
    assert failing(wrong) == {"input_gradient"}
    assert wrong.cause.identifier == "update-before-gradient"
    assert "each sample" in wrong.cause.sentence
