"""The smallest case of what fails at the ends of the numbers alone."""

import numpy as np
import pytest

import compare
import scratch
from compare.reduction.minimize import minimize
from tests.compare.support.differing import real


class Naive(scratch.Softmax):
    """Without the shift."""

    def forward(self, x, training=False):
        super().forward(x, training)
        powers = np.exp(x)
        return powers / powers.sum(axis=-1, keepdims=True)


class Shared(scratch.Softmax):
    def forward(self, x, training=False):
        y = super().forward(x, training)
        kept = self.__dict__.setdefault("memory", {}).setdefault(y.shape, np.empty_like(y))
        kept[...] = y
        return kept


def model(kind):
    made = scratch.Sequential([scratch.Input((6,)), kind(name="soft"), scratch.Dense(3)])
    made.compile(scratch.SGD(0.1), "mse")
    return made


@pytest.mark.parametrize("kind", [Naive, Shared])
def test_a_case_starts_from_the_numbers_on_which_it_failed(kind):
    right, wrong = model(scratch.Softmax), model(kind)
    wrong.set_weights(right.get_weights())
    x, y = real((4, 6)), real((4, 3), 1)
    with np.errstate(all="ignore"):
        report = compare.check(wrong, right, x, y)
        row = report.first_failure
        assert (row.gate, row.name) == ("extremes", "soft output")
        found = minimize(wrong, compare.record(right, x, y), row)
    if kind is Shared:
        assert found is None  # it takes two calls
        return
    assert found.tensor == "output" and np.size(found.case.x) <= 6
    assert not np.isfinite(found.actual).all() and np.isfinite(found.expected).all()
