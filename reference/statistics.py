"""The copies of its statistics with which Keras's Normalization computes.

Keras makes them when the layer adapts or is loaded, not when its weights are set: after
`set_weights` it goes on with the statistics that it had.
"""

import contextlib

from reference.graph import layers_of
from reference.quiet import keras
from reference.steps import inside


def is_adapted(layer) -> bool:
    """Whether the layer holds statistics of data among its weights, and a copy of them."""
    layer = inside(layer)
    return isinstance(layer, keras.layers.Normalization) and layer.input_mean is None


def set_weights(model, weights: list) -> None:
    """Give a Keras model these weights, statistics included, as `get_weights()` lists them.

    Raises:
        ValueError: if they do not fit.
    """
    model.set_weights(weights)
    for layer in layers_of(model):
        if is_adapted(layer):
            inside(layer).finalize_state()


@contextlib.contextmanager
def in_use(layer):
    """The layer computes with what its variables hold now, for as long as the block lasts."""
    if not is_adapted(layer):
        yield
        return
    layer = inside(layer)
    kept = layer.mean, layer.variance
    layer.finalize_state()
    try:
        yield
    finally:
        layer.mean, layer.variance = kept
