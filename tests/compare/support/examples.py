"""A small network that has every kind of layer, and a batch for it: what most tests here compare.

Nothing is square, no two neighbouring sizes are equal, windows overlap in one place and leave gaps
in another.
"""

import numpy as np

import scratch

SHAPE = (7, 6, 2)  # (H, W, C)
CLASSES = 4


def network(end="Softmax", loss="sparse_categorical_crossentropy", optimizer=None, dtype="float32",
            seed=1, layers=None, shape=SHAPE, **changed) -> scratch.Sequential:
    """The network; `changed` replaces classes, such as conv=MyConv2D.

    Args:
        end: 'Softmax' for a layer, 'inside' for dense's own activation, None for logits.
        loss: None leaves the model uncompiled.
    """
    make = {"conv": scratch.Conv2D, "second": scratch.Conv2D, "relu": scratch.ReLU,
            "pool": scratch.MaxPooling2D, "flatten": scratch.Flatten, "dense": scratch.Dense,
            "softmax": scratch.Softmax, **changed}
    layers = layers or [
        make["conv"](3, (3, 2), strides=(2, 1), padding="same", name="conv"),  # (4, 6, 3)
        make["relu"](name="relu"),
        make["pool"]((2, 3), strides=(1, 2), padding="same", name="pool"),  # (4, 3, 3)
        make["second"](5, (2, 3), activation="relu", name="second"),  # (3, 1, 5)
        make["flatten"](name="flatten"),  # (15,)
        make["dense"](CLASSES, activation="softmax" if end == "inside" else None, name="dense"),
    ]
    if end == "Softmax":
        layers = [*layers, make["softmax"](name="softmax")]
    model = scratch.Sequential([scratch.Input(shape), *layers], dtype=dtype)
    rng = np.random.default_rng(seed)
    model.set_weights([rng.standard_normal(w.shape) / np.sqrt(max(1, w.size // w.shape[-1]))
                       for w in model.get_weights()])
    if loss:
        model.compile(optimizer or scratch.SGD(0.1), loss)
    return model


def batch(samples=5, seed=2, shape=SHAPE):
    """(x, y): normal numbers, and labels among which every class is."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((samples, *shape)), rng.permutation(samples) % CLASSES


def upstream(samples=5, seed=3):
    """A gradient of the output, for a model without a loss."""
    return np.random.default_rng(seed).standard_normal((samples, CLASSES))


def everything(model) -> list:
    """What a check must leave as it was, in a form that compares with ==."""
    optimizer = model.optimizer
    state = []
    if optimizer is not None:
        state = [np.asarray(v).tolist() for v in optimizer.variables]
    return [[w.tolist() for w in model.get_weights()], str(model.get_config()),
            str(model.get_compile_config()), state]
