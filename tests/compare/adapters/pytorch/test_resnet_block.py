"""Residual blocks in PyTorch: what is added is seen in what ran, and told by Keras's graph."""

import keras
import numpy as np
import pytest
from keras import layers

import compare

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 8, 10, 3)).astype("float32")
Y = RNG.integers(0, 4, 5)


class Block(nn.Module):
    """With strides, and a shortcut that pools (ResNet-D)."""

    def __init__(self, channels, filters):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(channels, filters, 1))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += self.shortcut(x)
        return self.relu(y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block(3, 4)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.block(x)), 1))


def keras_net(padded: bool = True, epsilon: float = 1e-5):
    """With ZeroPadding2D as PyTorch pads, or with 'same', which pads on one side only here."""
    keras.utils.set_random_seed(3)
    norm = {"epsilon": epsilon, "momentum": 0.9}
    x = keras.Input((8, 10, 3))
    y = layers.ZeroPadding2D(1)(x) if padded else x
    y = layers.Conv2D(4, 3, strides=2, use_bias=False, padding="valid" if padded else "same",
                      name="conv1")(y)
    y = layers.ReLU()(layers.BatchNormalization(name="bn1", **norm)(y))
    y = layers.Conv2D(4, 3, padding="same", use_bias=False, name="conv2")(y)
    y = layers.BatchNormalization(name="bn2", **norm)(y)
    shortcut = layers.Conv2D(4, 1, name="projection")(layers.AveragePooling2D(2)(x))
    y = layers.ReLU()(layers.Add()([shortcut, y]))
    y = layers.Dense(4, activation="softmax", name="fc")(layers.GlobalAveragePooling2D()(y))
    model = keras.Model(x, y)
    for weight in model.weights:
        if "moving" in weight.path or weight.ndim == 1:
            weight.assign(RNG.uniform(0.5, 1.5, weight.shape))
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="sparse_categorical_crossentropy")
    return model


def test_the_forward_pass_holds():
    report = compare.check(Net(), keras_net(), X, gradients=False)
    assert report, str(report)
    assert "conv1 with block.conv1" in str(report.notes)
    assert "projection with block.shortcut.1" in str(report.notes)


def test_in_training_pytorchs_unbiased_running_variance_alone_differs_and_is_named():
    module = Net()
    port = compare.from_torch(module, optimizer=torch.optim.SGD(module.parameters(), lr=0.05))
    report = compare.check(port, keras_net(), X, Y, steps=0)
    failed = {(row.layer, row.tensor) for row in report.rows if not row.passed}
    assert failed == {("bn1", "moving_variance"), ("bn2", "moving_variance")}
    assert {found.identifier for found in report.diagnosis} == {"moving-statistics"}
    assert all("unbiased variance" in found.sentence for found in report.diagnosis)


def test_that_difference_can_be_declared_and_no_other_hides_behind_it():
    module = Net()
    sgd = torch.optim.SGD(module.parameters(), lr=0.05)
    port = compare.from_torch(module, optimizer=sgd, running_variance="unbiased")
    report = compare.check(port, keras_net(), X, Y, steps=3)
    assert report, str(report)
    assert "Declared, and taken off" in str(report.notes)
    module.block.bn1.momentum = 0.2
    report = compare.check(port, keras_net(), X, Y, steps=0, probes=False)
    assert {row.layer for row in report.rows if not row.passed} == {"bn1"}
    with pytest.raises(ValueError, match="running_variance to be 'unbiased' or None"):
        compare.from_torch(module, running_variance="biased")


def test_same_is_not_padding_1_where_there_are_strides():
    report = compare.check(Net(), keras_net(padded=False), X, gradients=False)
    assert report.first_failure.layer == "conv1"
    assert report.diagnosis[0].identifier == "padding-side"
    said = "padding [(1, 1), (1, 1)] (before and after, by axis) in place of [(0, 1), (0, 1)]"
    assert said in str(report.notes)


def test_pytorchs_own_epsilon_is_named():
    report = compare.check(Net(), keras_net(epsilon=1e-3), X, gradients=False)
    found = {finding.layer: finding for finding in report.diagnosis}
    assert found["bn1"].identifier == found["bn2"].identifier == "epsilon"
    assert "1e-05 in place of 0.001" in found["bn1"].sentence


class Unadded(Block):
    def forward(self, x):
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))


def test_a_block_that_forgets_its_shortcut_has_no_partner_for_it():
    module = Net()
    module.block = Unadded(3, 4)
    with pytest.raises(ValueError, match="stands for 'average_pooling2d.*AveragePooling2D"):
        compare.check(module, keras_net(), X, gradients=False)


def test_with_kerass_weights_in_it_its_forward_pass_is_judged_all_the_same():
    twin, module = keras_net(), Net()
    module.block = Unadded(3, 4)
    load(module, twin)
    report = compare.check(module, twin, X)
    assert not report and "forward pass alone is judged" in report.notes[0]
    assert "stands for 'average_pooling2d" in report.notes[0]
    wrong = [row.layer for row in report.rows if not row.passed and not row.downstream]
    assert "conv1" not in wrong and "bn2" not in wrong and wrong
    assert report.not_checked == ["gradients"]
    with pytest.raises(ValueError, match="stands for 'average_pooling2d"):
        compare.check(module, twin, X, gradients=True)


def load(module, twin):
    """Keras's weights, by hand."""
    held = {layer.name: layer.get_weights() for layer in twin.layers}
    block = module.block
    with torch.no_grad():
        for conv, name in ((block.conv1, "conv1"), (block.conv2, "conv2")):
            conv.weight.copy_(torch.tensor(np.moveaxis(held[name][0], (3, 2), (0, 1)).copy()))
        for norm, name in ((block.bn1, "bn1"), (block.bn2, "bn2")):
            for tensor, value in zip((norm.weight, norm.bias, norm.running_mean,
                                      norm.running_var), held[name]):
                tensor.copy_(torch.tensor(value))
        module.fc.weight.copy_(torch.tensor(held["fc"][0].T.copy()))
        module.fc.bias.copy_(torch.tensor(held["fc"][1]))
