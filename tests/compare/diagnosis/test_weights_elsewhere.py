"""A weight that is not Keras's: in another order of its axes, rounded, or another's; or unknown."""

import keras
import numpy as np
import pytest

import compare
import scratch

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 6, 5, 2)).astype("float32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    made = scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(2, 3, name="conv"),
        scratch.Conv2D(2, (3, 3), padding="same", name="second"),
        scratch.BatchNormalization(name="norm"), scratch.Flatten(), scratch.Dense(24, name="dense"),
        scratch.Dense(24, name="last")])
    for layer in made.layers:
        for weight in layer.params.values():
            weight[...] = RNG.uniform(0.5, 1.5, weight.shape)
    return made


def exchanged(layer):
    layer["gamma"], layer["beta"] = layer["beta"].copy(), layer["gamma"].copy()


def rows(kernel, order):
    images = kernel.reshape(4, 3, 2, 24)
    return images.transpose(*order, 3).reshape(kernel.shape)


# (the layer, what its weight is made, the cause, what is said of it)
CASES = {
    "rows for columns": ("conv", lambda k: k.swapaxes(0, 1), "kernel-transposed", ""),
    "in for out": ("conv", lambda k: k.swapaxes(2, 3), "kernel-layout", "(0, 1, 3, 2)"),
    "reshaped in place of transposed": (
        "conv", lambda k: np.ascontiguousarray(k.transpose(3, 2, 0, 1)).reshape(k.shape),
        "kernel-layout", "reshaped"),
    "mirrored": ("conv", lambda k: k[::-1, ::-1], "kernel-flipped", "(0, 1)"),
    "transposed": ("last", lambda k: k.T, "transposed-weights", ""),
    "rows channel by channel": ("dense", lambda k: rows(k, (2, 0, 1)), "flatten-order",
                                "(2, 0, 1)"),
    "rounded": ("conv", lambda k: k.astype("float16"), "specification", "rounded to float16"),
    "unknown": ("conv", lambda k: k + 1, "specification", "the weight kernel"),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", CASES)
def test_it_is_named(model, name):
    layer, change, identifier, words = CASES[name]
    mine = copied(model)
    params = mine.get_layer(layer).params
    params["kernel"][...] = change(params["kernel"].copy())
    found = compare.check(mine, compare.twin(model), X, probes=False, steps=0).cause
    assert (found.layer, found.tensor, found.identifier) == (layer, "kernel", identifier), found
    assert words in found.sentence


def test_another_ones_weights_are_named(model):
    mine = copied(model)
    exchanged(mine.get_layer("norm").params)
    found = compare.check(mine, compare.twin(model), X, probes=False, steps=0).cause
    assert found.layer == "norm" and found.identifier == "gamma-beta-swapped"
    mine = copied(model)
    mine.get_layer("second").params["kernel"][...] = model.get_layer("conv").params["kernel"]
    found = compare.check(mine, compare.twin(model), X, probes=False, steps=0).cause
    assert found.layer == "second" and "it holds the kernel of conv" in found.sentence


def copied(model):
    made = scratch.Sequential.from_config(model.get_config())
    made.set_weights(model.get_weights())
    return made
