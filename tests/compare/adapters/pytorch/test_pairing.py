"""Which module stands for which layer, and what is said where none does."""

import keras
import numpy as np
import pytest
from keras import layers

import compare

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

X = np.random.default_rng(0).normal(size=(5, 6, 7, 2)).astype("float32")


def twin_of(*keras_layers):
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((6, 7, 2)), *keras_layers])


def check(module, twin, **options):
    return compare.check(module, twin, X, gradients=False, probes=False, **options)


class TwoArms(nn.Module):
    """Two arms that look alike; the second runs first."""

    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Conv2d(2, 3, 3), nn.Conv2d(2, 3, 3)

    def forward(self, x):
        right = self.right(x)
        return torch.cat([self.left(x), right], 1)


def two_arms(*names):
    keras.utils.set_random_seed(1)
    x = keras.Input((6, 7, 2))
    return keras.Model(x, layers.Concatenate(name="both")(
        [layers.Conv2D(3, 3, name=name)(x) for name in names]))


def test_names_decide_between_arms_that_look_alike():
    report = check(TwoArms(), two_arms("left", "right"))
    assert report, str(report)
    assert "left with left, right with right" in str(report.notes)


def test_names_that_are_told_decide():
    twin = two_arms("a", "b")
    report = check(compare.from_torch(TwoArms(), names={"a": "left", "b": "right"}), twin)
    assert report, str(report)
    with pytest.raises(ValueError, match="Expected names of modules: .*left.*Received: middle"):
        check(compare.from_torch(TwoArms(), names={"a": "middle"}), twin)
    with pytest.raises(ValueError, match="Expected names of Keras layers: .*Received: c"):
        check(compare.from_torch(TwoArms(), names={"c": "left"}), twin)


def test_a_pooling_by_functions():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(2, 4, 3), nn.Linear(4, 3)

        def forward(self, x):
            return self.fc(self.conv(x).mean((2, 3)))

    assert check(Net(), twin_of(layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(),
                                layers.Dense(3)))


def test_operations_between_layers():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 3, padding=1)

        def forward(self, x):
            return torch.relu(self.conv(x) + x)

    x = keras.Input((6, 7, 2))
    y = layers.Conv2D(2, 3, padding="same")(x)
    report = check(Net(), keras.Model(x, keras.ops.relu(y + x)))
    assert report, str(report)
    assert any(row.tensor == "end to end" for row in report.rows)


def test_weights_that_only_pytorch_freezes_have_gradients_and_are_told():
    module = nn.Sequential(nn.Conv2d(2, 4, 3))
    module.requires_grad_(False)
    report = compare.check(module, twin_of(layers.Conv2D(4, 3)), X, probes=False, steps=0)
    assert report, str(report)
    assert "requires_grad=False in place of weights that are trained" in str(report.notes)
    assert not module[0].weight.requires_grad


REFUSED = {
    "missing": ([layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(3)],
                lambda: [nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(80, 3)],
                r"stands for the activation inside 'conv2d.*Received at that place: '1' \(Flatt"),
    "besides": ([layers.Conv2D(4, 3)], lambda: [nn.Conv2d(2, 4, 3), nn.ReLU()],
                r"Received without a partner: '1' \(ReLU\)"),
    "bias": ([layers.Conv2D(4, 3, use_bias=False)], lambda: [nn.Conv2d(2, 4, 3)],
             r"module '0' \(Conv2d\) to have the weights of .*: kernel. Received bias besides"),
    "no bias": ([layers.Conv2D(4, 3)], lambda: [nn.Conv2d(2, 4, 3, bias=False)],
                r"module '0' \(Conv2d\) to have a bias"),
    "size": ([layers.Conv2D(4, 3)], lambda: [nn.Conv2d(2, 5, 3)],
             r"\(3, 3, 2, 4\) in Keras. Received: \(5, 2, 3, 3\)"),
    "does not run": ([layers.Conv2D(4, 3)], lambda: [nn.Conv2d(3, 4, 3)],
                     r"runs on inputs of Keras's shape, \(None, 6, 7, 2\)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_partner_is_named(name):
    keras_layers, modules, said = REFUSED[name]
    twin = twin_of(*(type(layer).from_config(layer.get_config()) for layer in keras_layers))
    with pytest.raises(ValueError, match=said):
        check(nn.Sequential(*modules()), twin)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="weights to be one of"):
        compare.from_torch(nn.Linear(2, 3), weights="mine")
    with pytest.raises(TypeError, match="torch.nn.Module. Received: int"):
        compare.from_torch(3)


def test_several_inputs_or_outputs_are_refused_with_another_way():
    a, b = keras.Input((3,)), keras.Input((3,))
    twin = keras.Model([a, b], layers.Add()([layers.Dense(2)(a), layers.Dense(2)(b)]))
    with pytest.raises(ValueError, match="one input and one output.*of 2 and 1.*check_outputs"):
        compare.check(nn.Linear(3, 2), twin, [np.ones((2, 3)), np.ones((2, 3))])
