"""Lockstep training: two runs of the same mathematics stay within what an ulp at the start does."""

import numpy as np
import pytest

import compare
import scratch
from compare.checks import training_trajectory
from compare.checks.training_trajectory import KINKS, MARGIN, Lockstep, gaps, one_ulp, share
from compare.inputs import twins
from tests.compare.support import examples

NAN, INF = np.nan, np.inf


def run(model, steps=5, twin=None, **options):
    twin = twin or twins.twins(examples.network("inside", optimizer=scratch.optimizers.get(
        scratch.optimizers.serialize(model.optimizer) | {"class_name": "SGD"}),
        dtype=model.dtype.name))[1]
    return training_trajectory.run(model, twin, *examples.batch(), steps, **options)


def network(optimizer=None, **options):
    return examples.network("inside", optimizer=optimizer, **options)


SETTINGS = [dict(), dict(momentum=0.9), dict(momentum=0.9, nesterov=True)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_same_network_stays_inside_the_envelope(settings, dtype):
    found = run(network(scratch.SGD(0.1, **settings), dtype=dtype))
    row = found.row()
    assert row.passed and row.over == 0, found
    assert len(found.gaps) == 5 and row.size == 5
    assert len(found.controls) == 6, "each pair of the reference and three controls"
    unit = np.finfo(dtype).eps / 2
    assert all(unit / 50 < edge < 1000 * unit for edge in found.envelope)
    assert list(found.envelope) == sorted(found.envelope)
    for ours, theirs in found.losses:
        assert ours == pytest.approx(theirs, rel=100 * float(unit))
    first, last = found.losses[0][0], found.losses[-1][0]
    assert first != last, "it learns something"


class Slips(scratch.SGD):
    """Right at its first step, wrong from the second one on."""

    def apply(self, gradients, variables):
        if self.iterations:
            gradients = self.slip(gradients, variables)
        super().apply(gradients, variables)


class ForgetsItsMomentum(Slips):
    def slip(self, gradients, variables):
        for velocity in self.momentums:
            velocity *= 0
        return gradients


class LosesALittleMomentum(Slips):
    def slip(self, gradients, variables):
        self.momentums = [v * np.float32(0.98) for v in self.momentums]
        return gradients


class AddsUpGradients(scratch.SGD):
    """As if gradients were not cleared between steps."""

    def apply(self, gradients, variables):
        self.sums = [s + g for s, g in zip(getattr(self, "sums", [0] * len(gradients)), gradients)]
        super().apply(self.sums, variables)


class Decays(Slips):
    def slip(self, gradients, variables):
        return [g * np.float32(0.98) for g in gradients]


class MovesOneWeight(Slips):
    def slip(self, gradients, variables):
        variables[-1][0] += np.float32(0.01)
        return gradients


@pytest.mark.parametrize("optimizer", [ForgetsItsMomentum, LosesALittleMomentum, AddsUpGradients,
                                       Decays, MovesOneWeight])
def test_a_slip_from_the_second_step_on_is_seen_here_and_nowhere_else(optimizer):
    model = network(optimizer(0.1, momentum=0.9))
    twin = twins.twins(network(scratch.SGD(0.1, momentum=0.9)))[1]
    report = compare.check(model, twin, *examples.batch())
    assert [row.gate for row in report.rows if not row.passed] == ["lockstep"], report
    row = report.first_failure
    assert row.index[0] >= 2 and not row.downstream
    assert "after step" in row.note and row.used > 1
    assert "lockstep" in report.summary()


def test_a_failure_of_a_layer_explains_the_one_of_the_run():
    class Off(scratch.Dense):
        def affine(self, x):
            return super().affine(x) * np.float32(1.01)

    model = network(dense=Off)
    report = compare.check(model, twins.twins(network())[1], *examples.batch())
    row = next(row for row in report.rows if row.gate == "lockstep")
    assert not row.passed and row.downstream and report.first_failure.layer == "dense"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_that_all_start_at_zero_are_no_false_alarm(dtype):
    """One ulp of zero is so small that it would be no control of anything."""
    model = scratch.Sequential([scratch.Input((5,)), scratch.Dense(4), scratch.Dense(
        3, activation="softmax")], dtype=dtype)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.compile(scratch.SGD(0.1), "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).standard_normal((6, 5))
    found = training_trajectory.run(*twins.twins(model), x, np.array([1, 1, 2, 0, 1, 2]), 5)
    assert found.row().passed, found
    assert found.envelope[0] > 0


def test_neither_model_is_trained():
    model, twin = twins.twins(network(scratch.SGD(0.1, momentum=0.9)))
    before = examples.everything(model), examples.everything(twin)
    run(model, twin=twin)
    assert (examples.everything(model), examples.everything(twin)) == before


def test_a_past_of_the_optimizer_plays_no_part():
    fresh, used = (network(scratch.SGD(0.1, momentum=0.9)) for _ in range(2))
    used.train_on_batch(*examples.batch(seed=9))
    used.set_weights(fresh.get_weights())
    twin = twins.twins(fresh)[1]
    again = twins.twins(fresh)[1]
    again.train_on_batch(examples.batch(seed=9)[0].astype("float32"), examples.batch(seed=9)[1])
    again.set_weights(fresh.get_weights())
    assert run(fresh, twin=twin).gaps == run(used, twin=again).gaps


def test_frozen_layers_stay_where_they_are_on_both_sides():
    model = network()
    model.get_layer("second").trainable = False
    assert run(model, twin=twins.twins(model)[1]).row().passed


def of(gaps, *controls, travelled=None):
    return Lockstep(gaps, list(controls), travelled or [0.0] * len(gaps), [])


def test_the_envelope_is_the_widest_control_so_far():
    found = of([0, 0, 0], [1, 4, 2], [3, 1, 2])
    np.testing.assert_array_equal(found.envelope, [3, 4, 4])


def test_the_verdict_is_that_of_the_worst_step():
    assert of([MARGIN, 2 * MARGIN], [1, 2]).row().passed
    row = of([0.5, 3 * MARGIN, MARGIN], [1, 1, 1]).row()
    assert not row.passed
    assert (row.index, row.over, row.size, row.used) == ((2,), 1, 3, 3)
    assert (row.actual, row.allowed, row.max_abs) == (3 * MARGIN, MARGIN, 3 * MARGIN)
    assert (row.gate, row.kind) == ("lockstep", "normwise")


def test_a_kink_may_turn_a_part_of_the_way():
    """One rectifier's sign, open within rounding, changes one gradient entry of thousands."""
    way = [1.0, 2.0, 3.0]
    assert of([KINKS, 2 * KINKS, 3 * KINKS], [0, 0, 0], travelled=way).row().passed
    row = of([KINKS, 4 * KINKS, 3 * KINKS], [0, 0, 0], travelled=way).row()
    assert not row.passed and row.index == (2,) and row.used == pytest.approx(2)
    assert 0 < KINKS <= 1e-3


def test_the_way_is_what_the_reference_travels_step_by_step():
    model = network()
    found = run(model)
    trained, ways = model.get_weights(), [0.0]
    for _ in range(5):
        before = trained
        model.train_step(*examples.batch())
        trained = model.get_weights()
        ways.append(ways[-1] + gaps([trained], [before])[0])
    assert found.travelled == pytest.approx(ways[1:], rel=1e-3)


@pytest.mark.parametrize("gap, control, passed", [
    (0, 0, True), (1e-30, 0, False), (INF, 1, False), (INF, INF, True), (1, INF, True),
    (0, INF, True)])
def test_runs_that_end_in_nan_or_stand_still(gap, control, passed):
    row = of([gap, gap], [control, control]).row()
    assert row.passed == passed and not np.isnan(row.used)


def test_a_gap_is_relative_and_infinite_where_one_run_alone_has_nan():
    a, b = [np.array([3.0, 4.0]), np.array([[0.0]])], [np.array([3.0, 0.0]), np.array([[4.0]])]
    assert gaps([a], [b]) == [np.sqrt(32) / 5]
    with_nan = [np.array([3.0, NAN]), np.array([[4.0]])]
    assert gaps([with_nan], [with_nan]) == [0]
    assert gaps([with_nan], [b]) == [INF] == gaps([b], [with_nan])
    infinite = [np.array([INF, 1.0]), np.array([[4.0]])]
    assert gaps([infinite], [infinite]) == [0]


def test_a_run_that_diverges_alone_is_a_failure():
    class Breaks(scratch.SGD):
        def apply(self, gradients, variables):
            super().apply(gradients, variables)
            variables[0][...] = NAN

    row = run(network(Breaks(0.1)), twin=twins.twins(network(scratch.SGD(0.1)))[1]).row()
    assert not row.passed and row.used == INF


def test_runs_that_both_diverge_are_the_same_run():
    with np.errstate(all="ignore"):
        found = run(network(scratch.SGD(3e37)))
    assert not np.isfinite(found.losses[-1]).all(), "this learning rate is too large for anything"
    assert found.row().passed, found


def test_an_ulp_is_that_of_the_start_or_of_the_first_step():
    weight = np.array([1.0, 0.0, -4.0, 0.0, 1.0], "float32")
    after = np.array([0.5, 1.0, -4.0, 0.0, NAN], "float32")
    eps = np.finfo("float32").eps
    ulps = one_ulp(weight, after)
    assert ulps.dtype == np.float32
    np.testing.assert_array_equal(ulps[[0, 1, 2, 4]], [eps, eps, 4 * eps, eps])
    assert 0 < ulps[3] < 1e-40


def test_share_is_never_nan():
    for gap in (0, 1, INF):
        for allowed in (0, 1, INF):
            assert not np.isnan(share(gap, allowed))
            assert (share(gap, allowed) > 1) == (gap > allowed)
