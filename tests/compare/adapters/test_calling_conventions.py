"""Ways of calling that are not `backward(dy)`: without arguments, with the output, lists inside
what comes back, resets, modes, weights of the first call, matrices that hold two weights."""

import keras
import numpy as np
import pytest

import compare
from compare.inputs import twins
from tests.compare.support.single_wrapped import report

K = keras.layers


def failing(result) -> set:
    return {row.tensor for row in result.rows if not row.passed and row.gate.single_layer}


class Dense:
    """Right; 5 inputs, 3 units."""

    factor = 1

    def __init__(self):
        self.W, self.b = np.zeros((5, 3)), np.zeros(3)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        return dy @ self.W.T, [self.factor * self.x.T @ dy, dy.sum(0)]


class Halved(Dense):
    factor = 0.5


NESTED = ("input_gradient", ("kernel_gradient", "bias_gradient"))
DENSE = {"kernel": "W", "bias": "b"}


def test_a_list_inside_what_comes_back():
    assert report(Dense(), K.Dense(3), (5,), backward_gives=NESTED, **DENSE)
    wrong = report(Halved(), K.Dense(3), (5,), backward_gives=NESTED, **DENSE)
    assert failing(wrong) == {"kernel_gradient"} and wrong.cause.identifier == "scale"


def test_what_is_ignored():
    class Chatty(Dense):
        def forward(self, x):
            return super().forward(x), "cache", 7

        def backward(self, dy):
            dx, (self.dW, self.db) = super().backward(dy)
            return dx, None, "ok"

    how = {**DENSE, "gradients": {"kernel": "dW", "bias": "db"}}
    assert report(Chatty(), K.Dense(3), (5,), forward_gives=("output", "ignored", "ignored"),
                  backward_gives=("input_gradient", "ignored", "ignored"), **how)


def test_the_output_among_what_backward_takes():
    class Sigmoid:
        def forward(self, x):
            return 1 / (1 + np.exp(-x))

        def backward(self, y, dy):
            return dy * y * (1 - y)

    how = {"backward_takes": ("output", "dy")}
    assert report(Sigmoid(), K.Activation("sigmoid"), (5,), **how)
    Sigmoid.backward = lambda self, y, dy: dy * y
    assert failing(report(Sigmoid(), K.Activation("sigmoid"), (5,), **how)) == {"input_gradient"}


def of_loss(made, **how):
    twin = keras.Sequential([keras.Input((6,)), K.Dense(4), K.Softmax()])
    twin.compile("sgd", "categorical_crossentropy")
    ends = [None, compare.wrap(made, forward_takes=("x", "labels"), backward="grad", **how)]
    rng = np.random.default_rng(0)
    return compare.check(ends, twin, rng.standard_normal((8, 6)).astype("float32"),
                         np.eye(4, dtype="float32")[rng.integers(0, 4, 8)])


class Loss:
    """A mean loss, whose gradient is not divided by the batch."""

    def forward(self, a, y):
        a = a - a.max(1, keepdims=True)
        p = np.exp(a) / np.exp(a).sum(1, keepdims=True)
        self.g = p - y
        return -(y * (a - np.log(np.exp(a).sum(1, keepdims=True)))).sum() / len(y)

    def grad(self):
        return self.g


def test_a_loss_whose_backward_takes_nothing():
    mean = {"loss": True, "gradient": False}
    result = of_loss(Loss(), backward_takes=(), divides_by_batch=mean)
    assert result, result.summary()
    other = of_loss(Loss(), backward_takes=(), divides_by_batch=False)
    assert not other and other.first_failure.tensor == "value"
    untold = of_loss(Loss(), divides_by_batch=mean)
    assert not untold and "backward_takes" in untold.first_failure.note, untold.first_failure
    assert untold.cause.identifier == "raised" and "backward_takes" in str(untold.diagnosis)
    divided = of_loss(Loss(), backward_takes=())
    assert divided.cause.identifier == "loss-sum-for-mean" or divided.cause.identifier == "scale"
    assert "divides_by_batch" in divided.cause.remedy


def test_divided_by_itself_only_where_there_is_a_loss():
    with pytest.raises(ValueError, match="divides_by_batch"):
        compare.wrap(Dense(), divides_by_batch={"loss": True, "gradient": False})


def test_a_reset_before_the_forward_pass():
    class Appending(Dense):
        """Keeps its inputs until it is told to forget them."""

        def __init__(self):
            super().__init__()
            self.kept = []

        def forget(self):
            self.kept = []

        def forward(self, x):
            self.kept.append(x)
            return super().forward(x)

        def backward(self, dy):
            self.x = sum(each for each in self.kept if each.shape == self.x.shape)
            return super().backward(dy)

    how = {**DENSE, "backward_gives": NESTED, "reset": "forget"}
    assert report(Appending(), K.Dense(3), (5,), reset_before="forward", **how)
    assert not report(Appending(), K.Dense(3), (5,), **{**how, "reset": None})
    with pytest.raises(ValueError, match="reset_before"):
        compare.wrap(Appending(), reset_before="update", **how)


@pytest.mark.parametrize("mode", ["is_training", (lambda o: o.is_training,
                                                  lambda o, v: setattr(o, "is_training", v))])
def test_the_mode_as_an_attribute(mode):
    class Norm:
        """Normalizes over the batch in training, by its averages otherwise."""

        def __init__(self):
            self.gamma, self.beta = np.ones(5), np.zeros(5)
            self.mean, self.var, self.is_training = np.zeros(5), np.ones(5), False

        def forward(self, x):
            mean, var = self.mean, self.var
            if self.is_training:
                mean, var = x.mean(0), x.var(0)
                self.mean = 0.9 * self.mean + 0.1 * mean
                self.var = 0.9 * self.var + 0.1 * var
            self.s = 1 / np.sqrt(var + 1e-3)
            self.n = (x - mean) * self.s
            return self.gamma * self.n + self.beta

        def backward(self, dy):
            self.dg, self.db = (dy * self.n).sum(0), dy.sum(0)
            d = dy * self.gamma
            return self.s * (d - d.mean(0) - self.n * (d * self.n).mean(0))

    how = {"weights": {"gamma": "gamma", "beta": "beta", "moving_mean": "mean",
                       "moving_variance": "var"}, "gradients": {"gamma": "dg", "beta": "db"}}
    like = K.BatchNormalization(momentum=0.9)
    layer = compare.wrap(Norm(), like=like, input_shape=(5,), mode=mode, **how)
    x = np.random.default_rng(0).standard_normal((4, 5)).astype("float32")
    layer.foreign._set_mode(True)
    assert abs(layer.forward(x, True).mean(0)).max() < 1e-6
    assert layer.foreign.obj.is_training and np.ptp(layer.params["moving_mean"])
    layer.forward(x, False)
    assert not layer.foreign.obj.is_training
    model, twin = twins.twins(twins.alone(layer))
    assert compare.check(model, twin, x, upstream=x[::-1].copy())


class Lazy:
    """Makes its weights at the first call."""

    def __init__(self, units):
        self.units, self.made = units, False

    def forward(self, x):
        if not self.made:
            self.W, self.b, self.made = np.ones((x.shape[-1], self.units)), np.zeros(self.units), 1
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(0)
        return dy @ self.W.T


def test_weights_that_the_first_call_makes():
    how = {**DENSE, "gradients": {"kernel": "dW", "bias": "db"}}
    assert report(Lazy(3), K.Dense(3), (5,), lazy=True, **how)
    other = report(Lazy(4), K.Dense(3), (5,), lazy=True, **how)  # of another shape
    assert "(5, 4)" in other.rows[-1].note or "(5, 4)" in str(other.cause.sentence)
    assert "lazy=True" in str(report(Lazy(3), K.Dense(3), (5,), **how).cause.sentence)
    with pytest.raises(ValueError, match="lazy=True"):
        compare.wrap(type("Bad", (Lazy,), {"forward": lambda s, x: 1 / 0})(3), like=K.Dense(3),
                     input_shape=(5,), lazy=True, **how)


def test_a_bias_inside_the_matrix():
    class Matrix:
        """A column of ones for the bias, the last row of its matrix."""

        def __init__(self):
            self.W = np.zeros((6, 3))

        def forward(self, x):
            self.x = np.hstack([x, np.ones((len(x), 1))])
            return self.x @ self.W

        def backward(self, dy):
            self.dW = self.x.T @ dy
            return dy @ self.W[:-1].T

    assert report(Matrix(), K.Dense(3), (5,), kernel=lambda o: o.W[:-1], bias=lambda o: o.W[-1],
                  gradients={"kernel": lambda o: o.dW[:-1], "bias": lambda o: o.dW[-1]})


@pytest.mark.parametrize("multiplier", [1, 2])
def test_a_depthwise_kernel_as_channels_times_multiplier(multiplier):
    channels = 3

    class Depthwise:
        """(channels * multiplier, 1, rows, columns), channels first, 'valid'."""

        def __init__(self):
            self.W = np.zeros((channels * multiplier, 1, 2, 3))

        def forward(self, x):
            self.x = np.repeat(x, multiplier, axis=1)
            rows, columns = x.shape[2] - 1, x.shape[3] - 2
            return sum(self.x[:, :, i:i + rows, j:j + columns] * self.W[:, 0, i, j, None, None]
                       for i in range(2) for j in range(3))

        def backward(self, dy):
            rows, columns = dy.shape[2:]
            dx, self.dW = np.zeros(self.x.shape), np.zeros(self.W.shape)
            for i in range(2):
                for j in range(3):
                    part = np.s_[:, :, i:i + rows, j:j + columns]
                    self.dW[:, 0, i, j] = (self.x[part] * dy).sum((0, 2, 3))
                    dx[part] += dy * self.W[:, 0, i, j, None, None]
            return dx.reshape(len(dx), channels, multiplier, *dx.shape[2:]).sum(2)

    like = K.DepthwiseConv2D((2, 3), depth_multiplier=multiplier, use_bias=False)
    assert report(Depthwise(), like, (4, 5, channels), kernel="W", gradients={"kernel": "dW"},
                  data_format="channels_first", kernel_layout="(IO)HW")
    if multiplier == 2:
        untold = report(Depthwise(), like, (4, 5, channels), kernel="W", gradients={"kernel": "dW"},
                        data_format="channels_first", kernel_layout="OIHW")
        assert "'(IO)HW'" in untold.first_failure.note


def test_prelu_with_shared_axes():
    class PReLU:
        def __init__(self):
            self.a = np.zeros(3)

        def forward(self, x):
            self.x = x
            return np.where(x > 0, x, self.a * x)

        def backward(self, dy):
            self.da = np.where(self.x > 0, 0, self.x * dy).sum((0, 1, 2))
            return np.where(self.x > 0, dy, self.a * dy) * (self.x != 0)  # as Keras at 0

    assert report(PReLU(), K.PReLU(shared_axes=[1, 2]), (4, 5, 3), weights={"alpha": "a"},
                  gradients={"alpha": "da"})


    untold = report(PReLU(), K.PReLU(), (4, 5, 3), weights={"alpha": "a"},
                    gradients={"alpha": "da"})
    assert "shared_axes=[1, 2]" in untold.first_failure.note


@pytest.mark.parametrize("order", ["channels_last", "channels_first"])
def test_a_gradient_that_is_changed_in_place(order):
    class ReLU:
        def forward(self, x):
            self.mask = x > 0
            return x * self.mask

        def backward(self, dy):
            dy *= self.mask
            return dy.copy()

    result = report(ReLU(), K.ReLU(), (4, 5, 3), data_format=order)
    assert not result and result.cause.identifier == "input-modified"
    ReLU.backward = lambda self, dy: dy * self.mask
    assert report(ReLU(), K.ReLU(), (4, 5, 3), data_format=order)
