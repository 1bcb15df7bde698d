"""A single layer of somebody's, wrapped and checked on weights and numbers drawn for it."""

import numpy as np

import compare
from compare.inputs import twins


def report(made, like, shape, **how):
    layer = compare.wrap(made, like=like, input_shape=shape, **how)
    model, twin = twins.twins(twins.alone(layer))
    rng = np.random.default_rng(3)
    for weight in model.layers[-1].params.values():
        weight[...] = rng.standard_normal(weight.shape)
    twin.set_weights(model.get_weights())
    x, dy = (rng.standard_normal((4, *each)).astype("float32")
             for each in (shape, model.output_shape[1:]))
    return compare.check(model, twin, x, upstream=dy)
