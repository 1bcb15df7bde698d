"""One layer as an op that can be diagnosed by itself."""

import numpy as np

import scratch
from compare.diagnosis import diagnose_op
from compare.tracing.configs import keras_config
from compare.tracing.ops import LayerOp, ops_of
from tests.compare.support.faults import EVERY, put


def alone(layer, shape):
    """A network of that one layer, with normal weights.

    Args:
        shape: of one sample.
    """
    model = scratch.Sequential([scratch.Input(shape), layer])
    rng = np.random.default_rng(0)
    for name, weight in layer.params.items():
        weight[...] = rng.standard_normal(weight.shape)
        if name in layer.non_trainable:
            weight[...] = np.abs(weight) + 0.5
    return model


def batch(shape, samples=4):
    """Normal numbers; a tuple of arrays for a list of shapes."""
    rng = np.random.default_rng(1)
    if isinstance(shape, list):
        return tuple(rng.standard_normal((samples, *each)).astype("float32") for each in shape)
    return rng.standard_normal((samples, *shape)).astype("float32")


def diagnosed(layer, shape, *faults, **options):
    """The finding on one layer with these faults in it.

    Args:
        shape: of one sample, or a list of shapes for a layer that merges.
        faults: see `tests.compare.support.faults.put`.
        options: of `diagnose_op`.
    """
    if isinstance(shape, list):
        layer.name = "merging"
        layer.build([(None, *each) for each in shape])
        op, config = LayerOp(put(layer, *faults), bare=False), layer.get_config()
        return diagnose_op(op, config, batch(shape), **options)
    model = alone(layer, shape)
    put(layer, *faults)
    return _diagnosed(model, layer, batch(shape), **options)


def diagnosed_at_home(identifier: str, part: int = 0, **options):
    """The finding on the layer that a fault of the catalogue is in, from its own network.

    Args:
        part: 0 for the layer, 1 for the activation inside it.
    """
    fault = EVERY[identifier]
    model = fault.network.build()
    fault.inject(model)
    layer = model.get_layer(fault.inject.layer)
    read = [model.layers[source].output_shape[1:]
            for source in model.sources[model.layers.index(layer)]]
    return _diagnosed(model, layer, batch(read if layer.merges else read[0]), part, **options)


def _diagnosed(model, layer, x, part=0, noise=None, **options):
    config = next(entry["config"] for entry in keras_config(model)["layers"]
                  if entry["config"].get("name") == layer.name)
    if noise == "dropout":
        rng = np.random.default_rng(2)
        kept = rng.random(x.shape) >= config["rate"]
        noise = (kept / (1 - config["rate"])).astype(x.dtype)
    op = [op for op in ops_of(model) if op.name == layer.name][part]
    return diagnose_op(op, config, x, noise=noise, **options)
