"""Lockstep training: each step of two right networks leads where it should, as far as rounding lets
it; a step that goes elsewhere is seen, whatever kept it from going right."""

import dataclasses

import numpy as np
import pytest

import compare
import scratch
from compare.checks import training_trajectory
from compare.checks.training_trajectory import Lockstep, Weight, apart, share
from compare.inputs import twins
from tests.compare.checks import trajectories
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


@pytest.mark.sampled(3)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_same_network_goes_the_same_way(settings, dtype):
    model = network(scratch.SGD(0.1, **settings), dtype=dtype)
    found = run(model)
    row = found.row()
    assert row.passed and row.over == 0 and row.off == "", found
    judged = len(model.get_weights()) + 1  # and the loss
    assert len(found.weights) == row.size == 5 * judged
    assert [weight.step for weight in found.weights[::judged]] == [1, 2, 3, 4, 5]
    assert {weight.name for weight in found.weights[judged - 1::judged]} == {"loss value"}
    unit = np.finfo(dtype).eps / 2
    for weight in found.weights:
        assert 0 < weight.allowed < 1000 * unit, weight
        assert max(weight.candidate, weight.reference) <= weight.allowed
    assert row.max_abs <= row.allowed, "what holds shows no more than was allowed"


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


class GrowsByAMillionth(Slips):
    def slip(self, gradients, variables):
        for variable in variables:
            variable *= 1 + np.float32(1e-6)
        return gradients


class ChangesItsRate(Slips):
    """By a two-thousandth."""

    def slip(self, gradients, variables):
        return [g * np.float32(1.0005) for g in gradients]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("optimizer", [
    ForgetsItsMomentum, LosesALittleMomentum, AddsUpGradients, Decays, MovesOneWeight,
    GrowsByAMillionth, ChangesItsRate])
def test_a_slip_from_the_second_step_on_is_seen_here_and_in_later_steps_alone(optimizer):
    model = network(optimizer(0.1, momentum=0.9))
    twin = twins.twins(network(scratch.SGD(0.1, momentum=0.9)))[1]
    report = compare.check(model, twin, *examples.batch())
    *others, row = [row for row in report.rows if not row.passed]
    assert row.gate == "lockstep", report
    assert others and all(row.gate == "update" and "at iteration" in row.tensor for row in others)
    assert row.index[0] >= 2 and row.downstream
    assert "after step" in row.note and row.used > 1 and row.off == "candidate"
    assert row.candidate_error > row.allowed > row.reference_error
    assert "First at gate 'update'" in report.summary()


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
    model = scratch.Sequential([scratch.Input((5,)), scratch.Dense(4), scratch.Dense(
        3, activation="softmax")], dtype=dtype)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.compile(scratch.SGD(0.1), "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).standard_normal((6, 5))
    found = training_trajectory.run(*twins.twins(model), x, np.array([1, 1, 2, 0, 1, 2]), 5)
    assert found.row().passed, found


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
    assert run(fresh, twin=twin) == run(used, twin=again)


def test_frozen_layers_stay_where_they_are_on_both_sides():
    model = network()
    model.get_layer("second").trainable = False
    assert run(model, twin=twins.twins(model)[1]).row().passed


class KeepsTheFirst:
    """A network whose training keeps what it is told of its first batch."""

    def __init__(self, *kept):
        self.kept = kept

    def __call__(self, model):
        kept, first = self.kept, {}

        class Stale(type(model)):
            def train_step(self, x, y, sample_weight=None):
                given = {"x": x, "y": y, "sample_weight": sample_weight}
                for name in kept:
                    value = first.setdefault(name, given[name])
                    if len(value) >= len(x):  # of a shorter batch it can keep the beginning only
                        given[name] = value[:len(x)]
                return super().train_step(**given)

        model.__class__ = Stale
        return model


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kept", [("x",), ("y",), ("x", "y"), ("sample_weight",)], ids=str)
def test_what_is_kept_of_the_first_batch_is_seen(kept):
    model, twin = KeepsTheFirst(*kept)(network()), twins.twins(network())[1]
    weights = np.array([0.5, 1, 2, 0, 3], "float32")
    report = compare.check(model, twin, *examples.batch(), sample_weight=weights)
    assert [row.gate for row in report.rows if not row.passed] == ["lockstep"], report
    assert report.first_failure.index[0] >= 2 and report.first_failure.off == "candidate"


def test_labels_that_the_loss_keeps_are_seen():
    model, twin = twins.twins(network())
    base = type(model.loss)

    class Cached(base):
        def weigh(self, y, sample_weight, dtype):
            self.kept = getattr(self, "kept", {})
            return super().weigh(self.kept.setdefault(np.shape(y), y), sample_weight, dtype)

    Cached.__name__ = base.__name__
    model.loss.__class__ = Cached
    assert not compare.check(model, twin, *examples.batch())


def test_a_mean_over_the_first_batchs_size_is_seen():
    class Divides(scratch.SGD):
        def apply(self, gradients, variables):
            super().apply([g * np.float32(samples[-1] / 5) for g in gradients], variables)

    class Counts(scratch.Sequential):
        def train_step(self, x, y, sample_weight=None):
            samples.append(len(x))
            return super().train_step(x, y, sample_weight)

    samples: list[int] = []
    model = network(Divides(0.1))
    model.__class__ = Counts
    row = training_trajectory.run(model, twins.twins(network())[1], *examples.batch(), 5).row()
    assert not row.passed and row.index[0] >= 2, row


def test_a_reference_that_trains_otherwise_is_said_to_be_off():
    row = training_trajectory.run(network(), twins.twins(network(scratch.SGD(0.11)))[1],
                                  *examples.batch(), 5,
                                  reference=compare.record(network(), *examples.batch())).row()
    assert not row.passed and row.off == "reference"
    assert row.reference_error > row.allowed > row.candidate_error


@pytest.mark.sampled(5)
@pytest.mark.parametrize("number", range(len(trajectories.HARD)),
                         ids=[kind.__name__ for kind in trajectories.HARD])
def test_hard_networks_give_no_alarm(number):
    row = trajectories.run(trajectories.made(number)).row()
    assert row.passed and row.allowed < INF, row


def test_the_count_of_alarms_can_be_other_than_zero(monkeypatch, capsys):
    cases = [trajectories.made(4), trajectories.made(5)]
    monkeypatch.setattr(trajectories, "cases", lambda count, first: cases)
    assert trajectories.main(2, 0) == 0
    assert capsys.readouterr().out.startswith("0 alarms in 2 networks")
    monkeypatch.setattr(trajectories, "run", lambda case: of(1.0, 3.0))
    assert trajectories.main(2, 0) == 1
    said = capsys.readouterr().out
    assert "ALARM one_sample 0 Adam: candidate off, 3 times" in said and "2 alarms in 2" in said


@pytest.mark.parametrize("how", [{"run_eagerly": True}, {"jit_compile": True},
                                 {"jit_compile": False}], ids=str)
def test_keras_trains_as_it_is_compiled(keras, how):
    model, twin = twins.twins(network())
    twin.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", **how)
    ran = []

    class Watching(type(twin)):
        def train_on_batch(self, *batch, **options):
            ran.append({key: getattr(self, key) for key in how})
            return super().train_on_batch(*batch, **options)

    twin.__class__ = Watching
    assert run(model, twin=twin).row().passed
    assert ran == [how] * 5


def of(*shares, off="candidate"):
    """A lockstep of one weight, of which the side that is off uses these shares at each step."""
    return Lockstep([Weight(step + 1, "dense kernel", *(
        (used, 0.5) if off == "candidate" else (0.5, used)), allowed=1.0)
        for step, used in enumerate(shares)])


def test_the_verdict_is_that_of_the_worst_step():
    assert of(0.5, 1.0).row().passed
    row = of(0.5, 3.0, 2.0).row()
    assert not row.passed and row.off == "candidate"
    assert (row.index, row.over, row.size, row.used) == ((2,), 2, 3, 3)
    assert (row.actual, row.allowed, row.max_abs) == (3, 1, 3)
    assert (row.gate, row.kind) == ("lockstep", "normwise")
    assert row.note == "dense kernel after step 2 of 3, relative to its size"
    assert of(0.5, 3.0, off="reference").row().off == "reference"
    assert Lockstep(of(2.0).weights + of(2.0, off="reference").weights).row().off == "both"


def test_a_weight_that_rounding_moves_as_it_likes_is_not_judged():
    kernel = Weight(1, "dense kernel", 5.0, 0.1, 1.0, chaotic=True)
    bias = Weight(1, "dense bias", 0.5, 0.1, 1.0)
    row = Lockstep([kernel, bias]).row()
    assert row.passed and row.unjudged == 1 and row.used == 0.5
    assert "1 of 2 weights not judged" in row.note
    assert not Lockstep([dataclasses.replace(kernel, chaotic=False), bias]).row().passed
    alone = Lockstep([kernel]).row()
    assert alone.passed and alone.unjudged == 1 and alone.note.startswith("1 of 1 weights not judg")


def test_rounding_moves_statistics_of_samples_that_are_alike_as_it_likes():
    def chaotic(apart):
        scratch.set_random_seed(5)
        layers = [kind() for _ in range(3) for kind in (
            lambda: scratch.Dense(6), lambda: scratch.BatchNormalization(epsilon=1e-12))]
        model = scratch.Sequential([scratch.Input((4,)), *layers, scratch.Dense(2)])
        model.compile("sgd", "mse")
        x = np.random.default_rng(6).normal(size=(1, 4)).astype("float32")
        x = np.concatenate([x, x + np.float32(apart)])
        found = training_trajectory.run(model, compare.twin(model), x,
                                        np.eye(2, dtype="float32"), steps=1).weights
        return [weight.name for weight in found if weight.chaotic]

    statistics = "batch_normalization_1 moving_variance"
    assert statistics in chaotic(1e-6) and statistics not in chaotic(1.0)


def test_of_a_network_without_weights_the_loss_is_judged():
    model = scratch.Sequential([scratch.Input((4,)), scratch.Softmax()])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).random((3, 4))
    pair = twins.twins(model)
    found = training_trajectory.run(*pair, x, x, 2)
    assert found.row().passed and [weight.name for weight in found.weights] == ["loss value"] * 2
    pair[0].train_on_batch = lambda *batch, **options: {"loss": 0.5}
    row = training_trajectory.run(*pair, x, x, 2).row()
    assert not row.passed and row.off == "candidate"


def test_a_distance_is_infinite_where_one_side_alone_has_no_number():
    exact = np.array([3.0, 4.0])
    assert apart(np.array([3.0, 0.0]), exact, exact) == 4
    for other in (NAN, INF, -INF):
        assert apart(np.array([3.0, other]), exact, exact) == INF
        assert apart(np.array([3.0, other]), np.array([0.0, NAN]), exact) == 0


def test_a_run_that_diverges_alone_is_a_failure():
    class Breaks(scratch.SGD):
        def apply(self, gradients, variables):
            super().apply(gradients, variables)
            variables[0][...] = NAN

    row = run(network(Breaks(0.1)), twin=twins.twins(network(scratch.SGD(0.1)))[1]).row()
    assert not row.passed and row.used == INF


def test_runs_that_both_diverge_are_the_same_run():
    """This learning rate is too large for anything. The first step is judged all the same, and
    nothing behind it, where numbers overflow or not as the order of summation has it."""
    with np.errstate(all="ignore"):
        found = run(network(scratch.SGD(3e37)))
        assert {weight.step for weight in found.weights} == {1}
        assert found.row().passed, found
        assert not run(network(scratch.SGD(3.01e37)), twin=twins.twins(
            network(scratch.SGD(3e37)))[1]).row().passed


def test_share_is_never_nan():
    for gap in (0, 1, INF):
        for allowed in (0, 1, INF):
            assert not np.isnan(share(gap, allowed))
            assert (share(gap, allowed) > 1) == (gap > allowed)


def test_a_share_is_never_nan():
    for distance, allowed in ((NAN, 1.0), (1.0, NAN), (NAN, NAN), (1.0, 0.0)):
        assert share(distance, allowed) == INF
    assert share(0.0, 0.0) == 0 and share(0.5, 1.0) == 0.5
