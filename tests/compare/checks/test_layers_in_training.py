"""`compare.check` on layers that behave differently in training: noise, moving averages, penalties.
"""

import numpy as np
import pytest

import compare
import reference
import scratch
from tests.scratch.support.checks import real


def network(frozen):
    """Everything that training changes or draws, with regularizers of weights and outputs."""
    model = scratch.Sequential([
        scratch.Input((7, 6, 2)), scratch.Conv2D(4, 3, kernel_regularizer="l2"),
        scratch.BatchNormalization(gamma_regularizer="l1", trainable=not frozen),
        scratch.ReLU(activity_regularizer="l2"), scratch.Dropout(0.3),
        scratch.BatchNormalization(axis=1, scale=False), scratch.GaussianNoise(0.2),
        scratch.SpatialDropout2D(0.4), scratch.ActivityRegularization(0.01, 0.02),
        scratch.Flatten(), scratch.LayerNormalization(), scratch.Dense(3, activation="softmax")])
    model.set_weights([np.abs(real(i, w.shape)) + 0.1 for i, w in enumerate(model.get_weights())])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.sampled(2)
@pytest.mark.parametrize("frozen", [False, True])
def test_parity_holds_with_noise_moving_averages_and_penalties(keras, frozen):
    scratch.set_random_seed(5)
    model = network(frozen)
    twin = reference.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    twin.compile("sgd", "sparse_categorical_crossentropy")
    report = compare.check(model, twin, real(1, (5, 7, 6, 2)), np.array([0, 2, 1, 1, 0]))
    assert report, str(report)
    found = {(row.gate, row.layer, row.tensor) for row in report.rows}
    moving = {("update", layer, "moving_variance")
              for layer in ("batch_normalization", "batch_normalization_1")}
    assert found & moving == ({("update", "batch_normalization_1", "moving_variance")} if frozen
                              else moving)
