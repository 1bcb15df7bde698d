"""A LeNet in PyTorch with its optimizer, as tutorials write it: functions, a view, logits."""

import keras
import numpy as np
import pytest

import compare

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 20, 18, 1)).astype("float32")
Y = RNG.integers(0, 7, 6)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 5, padding=2)
        self.conv2 = nn.Conv2d(4, 6, 5)
        self.fc1 = nn.Linear(6 * 3 * 2, 11)
        self.fc2 = nn.Linear(11, 7)

    def forward(self, x):
        x = functional.avg_pool2d(self.activated(self.conv1(x)), 2)
        x = functional.max_pool2d(self.activated(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        return self.fc2(torch.tanh(self.fc1(x)))

    def activated(self, x):
        return functional.relu(x)


class LeakyLeNet(LeNet):
    def activated(self, x):
        return functional.leaky_relu(x)


def keras_lenet(optimizer):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([
        keras.Input((20, 18, 1)),
        keras.layers.Conv2D(4, 5, padding="same", activation="relu", name="first"),
        keras.layers.AveragePooling2D(2),
        keras.layers.Conv2D(6, 5, activation="relu", name="second"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(11, activation="tanh"),
        keras.layers.Dense(7, activation="softmax")])
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    return model


def test_it_holds_at_every_gate_with_its_optimizer():
    module = LeNet()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    port = compare.from_torch(module, optimizer=torch.optim.SGD(
        module.parameters(), lr=0.01, momentum=0.9))
    report = compare.check(port, keras_lenet(keras.optimizers.SGD(0.01, momentum=0.9)), X, Y)
    assert report, str(report)
    gates = {row.gate.value for row in report.rows}
    assert {"whole numbers", "few terms", "forward", "loss", "backward", "update", "inference",
            "extremes", "whole network", "lockstep"} <= gates
    assert any(row.tensor == "end to end" for row in report.rows)
    assert "first with conv1" in str(report.notes) and "were copied" in report.notes[0]
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])  # the owner's module stays as it is


def test_another_activation_in_it_is_named():
    report = compare.check(LeakyLeNet(), keras_lenet("sgd"), X, Y, steps=0)
    assert not report
    assert report.first_failure.layer == "first/relu"
    found = report.diagnosis[0]
    assert found.identifier == "activation-other"
    assert "negative_slope 0.01" in found.sentence


def test_the_forward_pass_alone():
    twin = keras_lenet("sgd")
    assert compare.check(LeNet(), twin, X, gradients=False)


def test_a_golden_trace_in_place_of_keras(tmp_path):
    twin = keras_lenet("sgd")
    compare.record(twin, X, Y).save(tmp_path / "golden.npz")
    assert compare.check(LeNet(), compare.Trace.load(tmp_path / "golden.npz"), probes=False)


def test_the_flatten_order_of_weights_that_were_loaded_by_hand():
    twin = keras_lenet("sgd")
    assert compare.check(loaded(twin, permuted=True), twin, X, Y, probes=False, steps=0)
    report = compare.check(loaded(twin, permuted=False), twin, X, Y, probes=False, steps=0)
    assert [row.tensor for row in report.rows if not row.passed] == ["end to end"]
    found = report.diagnosis[0]
    assert found.identifier == "flatten-order"
    assert "channel by channel" in found.sentence and "pixel by pixel" in found.sentence


def test_rows_in_an_order_that_the_module_does_not_read_are_named():
    class HeightLast(LeNet):
        def forward(self, x):
            x = functional.avg_pool2d(torch.relu(self.conv1(x)), 2)
            x = functional.max_pool2d(torch.relu(self.conv2(x)), 2).permute(0, 2, 3, 1)
            return self.fc2(torch.tanh(self.fc1(x.reshape(x.size(0), -1))))

    twin = keras_lenet("sgd")
    module = HeightLast()
    module.load_state_dict(loaded(twin, permuted=True).state_dict())
    report = compare.check(module, twin, X, Y, probes=False, steps=0)
    assert (report.cause.layer, report.cause.tensor) == (twin.layers[-2].name, "kernel")
    assert report.cause.identifier == "flatten-order"


def test_weights_of_its_own_are_compared_where_some_are_kerass():
    twin = keras_lenet("sgd")
    module = loaded(twin, permuted=True)
    with torch.no_grad():
        module.conv2.bias += 0.5
    report = compare.check(module, twin, X, Y, probes=False, steps=0)
    failed = report.first_failure
    assert (failed.gate.value, failed.layer, failed.tensor) == ("weights", "second", "bias")
    assert compare.check(compare.from_torch(module, weights="copied"), twin, X, Y, probes=False,
                         steps=0)


def test_other_weights_are_compared_where_that_is_asked_for():
    report = compare.check(compare.from_torch(LeNet(), weights="compared"), keras_lenet("sgd"), X,
                           Y, probes=False, steps=0)
    assert report.first_failure.gate.value == "weights"


def loaded(twin, permuted: bool):
    """A LeNet with Keras's weights, as its owner would load them."""
    first, b1, second, b2, dense, b3, last, b4 = twin.get_weights()
    if permuted:  # rows (H, W, C) -> (C, H, W)
        dense = dense.reshape(3, 2, 6, 11).transpose(2, 0, 1, 3).reshape(36, 11)
    module = LeNet()
    arrays = [first.transpose(3, 2, 0, 1), b1, second.transpose(3, 2, 0, 1), b2, dense.T, b3,
              last.T, b4]
    with torch.no_grad():
        for parameter, array in zip(module.parameters(), arrays):
            parameter.copy_(torch.tensor(np.ascontiguousarray(array)))
    return module
