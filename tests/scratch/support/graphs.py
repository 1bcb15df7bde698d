"""Small graphs for the tests of models: made by hand, and drawn at random."""

import numpy as np

import scratch


def residual(L=scratch, Input=scratch.Input, Model=scratch.Model, **settings):
    """A ResNet in small: two blocks, the second with a convolution on its way past."""
    x = Input((8, 6, 3), name="pixels")
    y = L.Conv2D(4, 3, padding="same", activation="relu", name="stem")(x)
    z = L.Conv2D(4, (3, 2), padding="same", name="a1")(y)
    z = L.ReLU(name="a2")(z)
    z = L.Conv2D(4, 3, padding="same", name="a3")(z)
    y = L.ReLU(name="a5")(L.Add(name="a4")([z, y]))
    past = L.Conv2D(6, (1, 2), strides=2, padding="same", name="past")(y)
    z = L.Conv2D(6, 3, strides=2, padding="same", name="b1")(y)
    z = L.ReLU(name="b2")(z)
    z = L.Conv2D(6, 3, padding="same", name="b3")(z)
    y = L.ReLU(name="b5")(L.Add(name="b4")([past, z]))
    y = L.Dense(5, activation="softmax", name="scores")(L.Flatten(name="row")(y))
    return Model(x, y, **settings)


def excited(L=scratch, Input=scratch.Input, Model=scratch.Model, **settings):
    """An output read three times, inputs of other shapes, and the model's input merged at the end.
    """
    x = Input((4, 6, 3), name="pixels")
    y = L.Conv2D(3, 3, padding="same", activation="relu", name="seen")(x)
    gate = L.Dense(3, activation="softmax", name="gate")(L.Flatten(name="row")(y))
    y = L.Concatenate(axis=2, name="both")([y, L.Multiply(name="gated")([y, gate]), x, y])
    y = L.MaxPooling2D((2, 3), name="pool")(y)
    y = L.Average(name="mean")([y, L.ReLU(name="on")(y), y])
    y = L.Flatten(name="flat")(y)
    return Model(x, L.Dense(5, name="scores")(y), **settings)


def drawn(rng, L=scratch, Input=scratch.Input, Model=scratch.Model, layers=9, **settings):
    """A graph drawn at random, all of whose tensors are (None, 3): the same for the same rng."""
    tensors = [Input((3,))]
    for i in range(layers):
        sources = [tensors[j] for j in rng.integers(0, len(tensors), rng.integers(1, 4))]
        kind = rng.integers(0, 4)
        if kind == 0:
            tensors.append(L.Dense(3, name=f"dense{i}")(sources[0]))
        elif kind == 1:
            tensors.append(L.ReLU(name=f"relu{i}")(sources[0]))
        else:
            merge = (L.Add, L.Multiply, L.Maximum, L.Average)[rng.integers(0, 4)]
            tensors.append(merge(name=f"merge{i}")(sources))
    return Model(tensors[0], L.Dense(2, name="last")(tensors[-1]), **settings)


def numbers(seed, model):
    """Weights for a model: normal numbers, small enough for products of many."""
    rng = np.random.default_rng(seed)
    return [0.5 * rng.standard_normal(w.shape) for w in model.get_weights()]
