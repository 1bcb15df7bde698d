"""Every mistake of the catalogue is made, one at a time, and named: first, and by its own name."""

import numpy as np
import pytest

import scratch
from compare.diagnosis import CATALOGUE, diagnose_op
from compare.tracing.configs import keras_config
from compare.tracing.ops import LayerOp, ops_of
from tests.compare.support.faults_of_layers import FAULTS


def step_of(layer, shape, part=0, dtype="float32"):
    """(the step, the layer's config) of a network of that one layer, with normal weights."""
    if isinstance(shape, list):
        layer.name = "merging"
        layer.build([(None, *each) for each in shape])
        return LayerOp(layer, bare=False), layer.get_config()
    model = scratch.Sequential([scratch.Input(shape), layer], dtype=dtype)
    rng = np.random.default_rng(0)
    state = [f"{layer.name}/{name}" for name in layer.non_trainable]
    for name, weight in layer.params.items():
        weight[...] = rng.standard_normal(weight.shape)
        if f"{layer.name}/{name}" in state:
            weight[...] = np.abs(weight) + 0.5
    config = next(entry["config"] for entry in keras_config(model)["layers"]
                  if entry["config"].get("name") == layer.name)
    return ops_of(model)[part], config


def batch(shape, samples=4, dtype="float32"):
    rng = np.random.default_rng(1)
    if isinstance(shape, list):
        return tuple(rng.standard_normal((samples, *each)).astype(dtype) for each in shape)
    return rng.standard_normal((samples, *shape)).astype(dtype)


def diagnosed(layer, shape, part=0, noise=None, **options):
    step, config = step_of(layer, shape, part)
    x = batch(shape)
    if noise == "dropout":
        rng = np.random.default_rng(2)
        noise = np.where(rng.random(x.shape) < config["rate"], 0, 1 / (1 - config["rate"]))
        noise = noise.astype(x.dtype)
    return diagnose_op(step, config, x, noise=noise, **options)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_mistake_is_named_first(fault):
    finding = diagnosed(fault.make(), fault.shape, fault.part, **fault.options)
    assert finding is not None, f"{fault}: nothing was found"
    assert (finding.tensor, finding.identifier) == (fault.tensor, fault.cause), str(finding)
    assert fault.said in finding.causes[0].detail, str(finding)
    assert finding.after is None or finding.after <= 1 < finding.before
    assert finding.identifier in CATALOGUE
