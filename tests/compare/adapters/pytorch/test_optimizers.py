"""PyTorch's optimizers beside Keras's of the same name."""

import keras
import numpy as np
import pytest

import compare

torch = pytest.importorskip("torch")
from torch import nn, optim  # noqa: E402

X = np.random.default_rng(0).normal(size=(6, 9, 8, 2)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 6)

RIGHT = {
    "plain": (keras.optimizers.SGD(0.02), lambda w: optim.SGD(w, 0.02)),
    "momentum": (keras.optimizers.SGD(0.02, momentum=0.8),
                 lambda w: optim.SGD(w, 0.02, momentum=0.8)),
    "nesterov": (keras.optimizers.SGD(0.02, momentum=0.8, nesterov=True),
                 lambda w: optim.SGD(w, 0.02, momentum=0.8, nesterov=True)),
}
# what Keras's optimizers of the same name do otherwise, and the cause
WRONG = {
    "Adam": (keras.optimizers.Adam(0.001, epsilon=1e-7), lambda w: optim.Adam(w, 0.001, eps=1e-7),
             "epsilon", "in PyTorch"),
    "AdamW": (keras.optimizers.AdamW(0.001, weight_decay=0.01, epsilon=1e-8),
              lambda w: optim.AdamW(w, 0.001), "epsilon", "in PyTorch"),
    "RMSprop": (keras.optimizers.RMSprop(0.001, epsilon=1e-7),
                lambda w: optim.RMSprop(w, 0.001, alpha=0.9, eps=1e-7), "epsilon",
                "square root"),
    "Adagrad": (keras.optimizers.Adagrad(0.01, epsilon=1e-7, initial_accumulator_value=0.1),
                lambda w: optim.Adagrad(w, 0.01, initial_accumulator_value=0.1, eps=1e-7),
                "epsilon", "square root"),
    "learning rate": (keras.optimizers.SGD(0.02), lambda w: optim.SGD(w, 0.01), "specification",
                      "learning_rate"),
}


def checked(optimizer, made, **options):
    keras.utils.set_random_seed(3)
    twin = keras.Sequential([
        keras.Input((9, 8, 2)), keras.layers.Conv2D(3, (3, 2), activation="relu"),
        keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")])
    twin.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    module = nn.Sequential(nn.Conv2d(2, 3, (3, 2)), nn.ReLU(), nn.Flatten(), nn.Linear(147, 3))
    port = compare.from_torch(module, optimizer=made(module.parameters()))
    return compare.check(port, twin, X, Y, probes=False, **options)


@pytest.mark.parametrize("name", RIGHT)
def test_sgd_is_the_same_rule(name):
    report = checked(*RIGHT[name])
    assert report, str(report)
    assert any(row.layer == "later steps" for row in report.rows)


@pytest.mark.parametrize("name", WRONG)
def test_where_pytorch_has_another_rule_that_is_named(name):
    optimizer, made, identifier, said = WRONG[name]
    report = checked(optimizer, made, steps=0)
    assert not report
    assert report.diagnosis[0].identifier == identifier
    assert said in report.diagnosis[0].sentence


def test_the_steps_are_pytorchs_own():
    """Held against a loop that knows neither this project nor its oracles."""
    from compare.adapters.pytorch.optimizer import as_optimizer
    from scratch import SGD

    rng = np.random.default_rng(4)
    mine = rng.normal(size=(4, 3)).astype("float32")
    weight = torch.tensor(mine, requires_grad=True)
    options = {"momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1}
    theirs = optim.SGD([weight], 0.05, **options)
    made = as_optimizer(theirs, SGD(0.05))
    for _ in range(4):
        gradient = rng.normal(size=(4, 3)).astype("float32")
        weight.grad = torch.tensor(gradient)
        theirs.step()
        made.apply([gradient], [mine])
        np.testing.assert_allclose(mine, weight.detach().numpy(), rtol=1e-6, atol=1e-7)


def test_options_that_keras_has_not_are_told():
    report = checked(keras.optimizers.SGD(0.02, momentum=0.8),
                     lambda w: optim.SGD(w, 0.02, momentum=0.8, dampening=0.5), steps=0)
    assert not report
    assert "dampening=0.5, which Keras has not" in str(report.notes)


def test_an_optimizer_that_is_not_known_is_refused_by_name():
    module = nn.Linear(3, 2)
    with pytest.raises(TypeError, match="SGD, AdamW, Adam.*Received: Rprop"):
        compare.from_torch(module, optimizer=optim.Rprop(module.parameters()))
    groups = [{"params": [module.weight]}, {"params": [module.bias], "lr": 0.3}]
    with pytest.raises(ValueError, match="treats all weights alike"):
        compare.from_torch(module, optimizer=optim.SGD(groups, 0.1))
