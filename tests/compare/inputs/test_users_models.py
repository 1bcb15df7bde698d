"""Networks as users of Keras build them: handed over, each of them is checked, and holds."""

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import batches, twins
from tests.compare.support.users_models import MODELS, text_cnn


@pytest.fixture(scope="module", params=MODELS, ids=lambda build: build.__name__)
def case(request, keras):
    keras.utils.set_random_seed(3)
    twin = request.param(keras)
    rng = np.random.default_rng(4)
    twin.set_weights([w + 0.1 * np.abs(rng.normal(size=w.shape)) for w in twin.get_weights()])
    model, _ = twins.twins(twin)
    sizes = [6, 4] if twin.input_shape == (None, None, None, 3) else None
    x, y = batches.random(model, 3, 5, sizes)
    if request.param is text_cnn:
        x = np.floor(np.abs(x) * 4)  # words by their numbers
    return request.param, model, twin, x, y


@pytest.mark.sampled(4)
def test_parity_holds(case):
    _, model, twin, x, y = case
    report = compare.check(model, twin, x, y, steps=1)
    assert report, str(report)
    assert {"forward", "backward", "update", "lockstep"} <= {row.gate for row in report.rows}


@pytest.mark.sampled(4)
def test_a_weight_that_is_off_is_seen(case):
    _, model, twin, x, _ = case
    name = next(layer.name for layer in model.layers if layer.params)
    other = scratch.clone_model(model)
    other.set_weights(model.get_weights())
    layer = next(layer for layer in other.layers if layer.name == name)
    weight = next(iter(layer.params.values()))
    weight.flat[0] += 0.01
    report = compare.check(other, twin, x, gradients=False, probes=False)
    assert not report and report.first_failure.layer == name
