"""Where somebody's own Adam adds its epsilon: as in the paper, and inside the root."""

import numpy as np
import pytest

import compare
import scratch
from tests.compare.support.differing import real


class Corrected(scratch.Adam):
    """Adam by the paper's algorithm 1, on its first step: m and v are corrected, then divided."""

    outside = True

    def update_step(self, gradient, variable, factor, position):
        m = gradient * (1 - self.beta_1) / (1 - self.beta_1)
        v = gradient**2 * (1 - self.beta_2) / (1 - self.beta_2)
        root = np.sqrt(v) + self.epsilon if self.outside else np.sqrt(v + self.epsilon)
        variable -= (float(self.learning_rate) * m / root).astype(variable.dtype)


class Inside(Corrected):
    outside = False


PLACES = [(Corrected, "to the root of the corrected velocity"),
          (Inside, "inside the square root, beside the corrected")]


def first_steps_differ(keras, own, epsilon):
    """The report on Keras's Adam beside somebody's own one with the same settings."""
    twin = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(2, 3),
                             keras.layers.Flatten(), keras.layers.Dense(3)])
    twin.compile(keras.optimizers.Adam(0.01, epsilon=epsilon), "mse")
    model = scratch.model_from_config(twin.get_config())
    model.set_weights(twin.get_weights())
    model.compile(own(0.01, epsilon=epsilon), "mse")
    return compare.check(model, twin, real((4, 6, 6, 1)), real((4, 3), 2), steps=0)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("own, place", PLACES)
def test_the_place_of_epsilon_is_named(keras, own, place):
    report = first_steps_differ(keras, own, 1e-3)
    assert {row.gate for row in report.rows if not row.passed} == {"update"}
    assert report.diagnosis
    for finding in report.diagnosis:
        assert [cause.identifier for cause in finding.causes] == ["epsilon"], str(finding)
        assert place in str(finding)


def test_where_a_first_step_tells_no_more_epsilon_comes_first(keras):
    """At Keras's own epsilon the paper's place looks like beta_2 for 1 - beta_2, at first."""
    first = first_steps_differ(keras, Corrected, 1e-7).diagnosis[0]
    assert first.causes[0].identifier == "epsilon", str(first)
    assert "to the root of the corrected velocity" in str(first)
