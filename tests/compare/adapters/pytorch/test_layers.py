"""Layer by layer: what is the same in PyTorch and Keras holds, what differs is named."""

import keras
import numpy as np
import pytest
from keras import layers

import compare

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


class Swish(nn.Module):
    """A module of somebody's own, made of functions."""

    def forward(self, x):
        return x * torch.sigmoid(x)


class Detached(nn.Module):
    """A swish of which one factor counts as a constant on the way back."""

    def forward(self, x):
        return x * torch.sigmoid(x).detach()


class Unbiased(nn.Module):
    """A layer normalization by hand, with torch's own variance."""

    def __init__(self, units):
        super().__init__()
        self.weight, self.bias = (nn.Parameter(torch.zeros(units)) for _ in range(2))

    def forward(self, x):
        x = (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, keepdim=True) + 1e-3)
        return x * self.weight + self.bias


RIGHT = {
    "conv1d and the order of its flattening": (
        (11, 5), [layers.Conv1D(4, 3, strides=2), layers.Flatten(), layers.Dense(3)],
        lambda: [nn.Conv1d(5, 4, 3, 2), nn.Flatten(), nn.Linear(20, 3)]),
    "conv3d": ((5, 6, 4, 2), [layers.Conv3D(4, (2, 3, 2))], lambda: [nn.Conv3d(2, 4, (2, 3, 2))]),
    "transposed": ((5, 6, 3), [layers.Conv2DTranspose(4, (3, 2), strides=(2, 1))],
                   lambda: [nn.ConvTranspose2d(3, 4, (3, 2), (2, 1))]),
    "depthwise by groups": ((7, 6, 3), [layers.DepthwiseConv2D((3, 2), depth_multiplier=2)],
                            lambda: [nn.Conv2d(3, 6, (3, 2), groups=3)]),
    "groups": ((7, 6, 4), [layers.Conv2D(6, (3, 2), groups=2)],
               lambda: [nn.Conv2d(4, 6, (3, 2), groups=2)]),
    "group norm": ((7, 6, 4), [layers.GroupNormalization(2, epsilon=1e-5)],
                   lambda: [nn.GroupNorm(2, 4)]),
    "layer norm": ((5,), [layers.Dense(6), layers.LayerNormalization(epsilon=1e-5)],
                   lambda: [nn.Linear(5, 6), nn.LayerNorm(6)]),
    "activations": (
        (5,), [layers.Dense(6, activation="silu"), layers.Dense(5), layers.ELU(),
               layers.Dense(4, activation="softplus"), layers.Dense(3, activation="sigmoid")],
        lambda: [nn.Linear(5, 6), nn.SiLU(), nn.Linear(6, 5), nn.ELU(), nn.Linear(5, 4),
                 nn.Softplus(), nn.Linear(4, 3), nn.Sigmoid()]),
    "somebody's own": ((5,), [layers.Dense(6), layers.Activation("swish"), layers.Dense(2)],
                       lambda: [nn.Linear(5, 6), Swish(), nn.Linear(6, 2)]),
    "dropout by its mask": ((5,), [layers.Dense(6), layers.Dropout(0.4), layers.Dense(2)],
                            lambda: [nn.Linear(5, 6), nn.Dropout(0.4), nn.Linear(6, 2)]),
    "logarithms of a softmax": ((5,), [layers.Dense(6, activation="softmax")],
                                lambda: [nn.Linear(5, 6), nn.LogSoftmax(1)]),
    "nested": ((7, 6, 2), [layers.Conv2D(4, 3), layers.ReLU(), layers.UpSampling2D(2)],
               lambda: [nn.Sequential(nn.Conv2d(2, 4, 3), nn.Sequential(nn.ReLU())),
                        nn.Identity(), nn.Upsample(scale_factor=2)]),
    "a stem that pads by itself": (
        (11, 10, 2), [layers.ZeroPadding2D(1), layers.Conv2D(4, 3, strides=2), layers.ReLU(),
                      layers.ZeroPadding2D(1), layers.MaxPooling2D(3, 2)],
        lambda: [nn.Conv2d(2, 4, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]),
}

# (Keras's layers, PyTorch's, the cause that is named, what is said of it)
WRONG = {
    "a border that is counted": (
        (8, 10, 2), [layers.AveragePooling2D(3, 1, padding="same")],
        lambda: [nn.AvgPool2d(3, 1, 1)], "pool-average-padding", ""),
    "a pool that pads both sides": (
        (8, 10, 2), [layers.MaxPooling2D(3, 2, padding="same")], lambda: [nn.MaxPool2d(3, 2, 1)],
        "padding-side", ""),
    "ceil_mode": ((9, 7, 2), [layers.MaxPooling2D(2)], lambda: [nn.MaxPool2d(2, ceil_mode=True)],
                  "raised", "ceil_mode=True"),
    "strides the other way round": (
        (8, 10, 2), [layers.Conv2D(4, 3, strides=(2, 1))], lambda: [nn.Conv2d(2, 4, 3, (1, 2))],
        "shape", "strides (1, 2) in place of (2, 1)"),
    "a padding that is forgotten": (
        (8, 10, 2), [layers.ZeroPadding2D(1), layers.Conv2D(4, 3)], lambda: [nn.Conv2d(2, 4, 3)],
        "raised", "padding of '0' (Conv2d)"),
    "a reflected border": (
        (8, 10, 2), [layers.Conv2D(4, 3, padding="same")],
        lambda: [nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect")], "padding-value",
        "reflect"),
    "GELU by tanh": ((5,), [layers.Dense(4), layers.Activation("gelu")],
                     lambda: [nn.Linear(5, 4), nn.GELU("tanh")], "activation-other", "tanh"),
    "GELU by 1 + erf": ((5,), [layers.Dense(4, activation="gelu"), layers.Dense(2)],
                        lambda: [nn.Linear(5, 4), nn.GELU(), nn.Linear(4, 2)], "cancellation", ""),
    "GELU in place of ReLU": ((5,), [layers.Dense(4, activation="relu"), layers.Dense(2)],
                              lambda: [nn.Linear(5, 4), nn.GELU(), nn.Linear(4, 2)],
                              "activation-other", "gelu"),
    "softplus's beta": ((5,), [layers.Dense(4, activation="softplus")],
                        lambda: [nn.Linear(5, 4), nn.Softplus(2)], "activation-other",
                        "log(1 + exp(2 z)) / 2"),
    "softplus's threshold": ((5,), [layers.Dense(4, activation="softplus")],
                             lambda: [nn.Linear(5, 4), nn.Softplus(threshold=2)],
                             "activation-other", "above a threshold of 2"),
    "a factor that is detached": ((5,), [layers.Dense(4), layers.Activation("silu")],
                                  lambda: [nn.Linear(5, 4), Detached()], "gradient-part-missing",
                                  "slope of g in x g(x) is left out"),
    "an unbiased variance": ((5,), [layers.Dense(4), layers.LayerNormalization()],
                             lambda: [nn.Linear(5, 4), Unbiased(4)], "moving-statistics",
                             "divided by n - 1"),
    "a pool of another size and padding": (
        (8, 10, 2), [layers.MaxPooling2D(2)], lambda: [nn.MaxPool2d(3, 2, 1)], "pool-size",
        "windows of (3, 3) in place of (2, 2), from 1 pixel further before"),
    "LeakyReLU's slope": ((5,), [layers.Dense(4), layers.LeakyReLU()],
                          lambda: [nn.Linear(5, 4), nn.LeakyReLU()], "activation-other", "0.01"),
    "PReLU at 0": ((7, 6, 2), [layers.Conv2D(4, 3), layers.PReLU(shared_axes=[1, 2])],
                   lambda: [nn.Conv2d(2, 4, 3), nn.PReLU(4)], "activation-kink", "lower side"),
    "LayerNorm's epsilon": ((5,), [layers.LayerNormalization()], lambda: [nn.LayerNorm(5)],
                            "epsilon", "1e-05 in place of 0.001"),
    "a softmax along another axis": (
        (6, 7, 3), [layers.Conv2D(4, 3), layers.Softmax()],
        lambda: [nn.Conv2d(3, 4, 3), nn.Softmax(2)], "softmax-axis", ""),
    "corners that lie on each other": (
        (5, 4, 2), [layers.UpSampling2D(2, interpolation="bilinear")],
        lambda: [nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)],
        "interpolation", "corners"),
}


def checked(shape, keras_layers, modules, **options):
    rng = np.random.default_rng(2)
    torch.manual_seed(1)
    keras.utils.set_random_seed(1)
    twin = keras.Sequential([keras.Input(shape)] + [
        type(layer).from_config(layer.get_config()) for layer in keras_layers])
    for weight in twin.weights:
        if len(weight.shape) == 1:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    x = rng.normal(size=(5, *shape)).astype("float32")
    return compare.check(nn.Sequential(*modules()), twin, x, steps=0, **options)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", RIGHT)
def test_what_is_the_same_holds(name):
    report = checked(*RIGHT[name])
    assert report, str(report)
    assert any(row.tensor == "end to end" for row in report.rows)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", WRONG)
def test_what_differs_is_named(name):
    *case, identifier, said = WRONG[name]
    report = checked(*case)
    assert not report
    assert report.diagnosis[0].identifier == identifier
    assert said in str(report.diagnosis[0])


def test_momentum_is_the_share_of_the_new():
    report = checked((4, 5, 3), [layers.BatchNormalization(epsilon=1e-5)],
                     lambda: [nn.BatchNorm2d(3)], probes=False)
    found = {finding.tensor: finding for finding in report.diagnosis}
    assert "a momentum of 0.9" in found["moving_mean_updated"].sentence
    assert "momentum 0.9 in place of 0.99" in str(report.notes)


@pytest.mark.parametrize("module, said", [
    (nn.Dropout(0.4), "expected {'layer 1 rate': 0.2}, received {'layer 1 rate': 0.4}"),
    (nn.Dropout2d(0.2), "SpatialDropout2D")])
def test_what_a_dropout_draws_is_the_modules_own(module, said):
    case = ((7, 6, 3), [layers.Dropout(0.2), layers.Conv2D(2, 3)],
            lambda: [module, nn.Conv2d(3, 2, 3)])
    report = checked(*case)
    assert not report and said in report.first_failure.note
    assert checked(*case, gradients=False) if isinstance(module, nn.Dropout) else True


def test_a_module_that_stops_is_told_where_it_left_kerass_shapes():
    case = ((8, 10, 2), [layers.Conv2D(4, 3, padding="same"), layers.MaxPooling2D(2),
                         layers.Flatten(), layers.Dense(3)],
            lambda: [nn.Conv2d(2, 4, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(80, 3)])
    with pytest.raises(ValueError, match="The first whose output has another shape than Keras's: "
                       r"'0' .Conv2d.*\(4, 6, 8\) in place of \(4, 8, 10\): padding"):
        checked(*case)
