"""The gate 'update' at later iterations: right optimizers hold, wrong ones are found and named."""

import copy

import numpy as np
import pytest

import compare
import scratch
from compare.checks import later_updates
from compare.checks.gate import Gate
from compare.checks.later_updates import LATER, NAMED
from compare.evaluation.faults.catalogue import by_identifier, variants
from compare.evaluation.faults.scoring import Cases
from compare.inputs import twins
from compare.tracing.recorder import record
from scratch.optimizers import schedules
from tests.scratch.support.optimizer_cases import CASES, ident

FAULTS = [name for name in by_identifier()
          if name.startswith(("later-", "clip-", "schedule-"))
          and not name.startswith("clip-operation-")]
VARIANTS = [variant for variant in variants() if variant.family == "Right training"]


@pytest.fixture(scope="module")
def cases(keras):
    return Cases()


def network(optimizer=None):
    model = scratch.Sequential([scratch.Input((6,)), scratch.Dense(5, activation="relu"),
                                scratch.Dense(3)])
    model.compile(optimizer or scratch.SGD(0.05, momentum=0.9), "mean_squared_error")
    return model


def batch():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(4, 6)).astype("float32"), rng.normal(size=(4, 3)).astype("float32"))


def rows_of(model, twin=None):
    x, y = batch()
    return later_updates.rows(model, record(twin or model, x, y), twin)


@pytest.mark.sampled(4, of="name")
@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_a_right_optimizer_has_one_row_for_weights_and_one_for_each_slot(keras, name, settings):
    model, twin = twins.twins(network(scratch.optimizers.CLASSES[name.lower()](**settings)))
    rows = rows_of(model, twin)
    assert all(row.passed and row.gate is Gate.UPDATE and row.layer == LATER for row in rows)
    assert rows[0].tensor == "weights"
    slots = {"SGD": ["momentum"] * bool(settings.get("momentum")),
             "Adagrad": ["accumulator"], "Ftrl": ["accumulator", "linear"], "Lion": ["momentum"],
             "Adamax": ["momentum", "norm"],
             "Adadelta": ["accumulated_grad", "accumulated_delta_var"],
             "Adafactor": ["row", "column", "velocity"], "Muon": ["momentum", "adam_velocity"],
             "RMSprop": ["velocity"] + ["momentum"] * bool(settings.get("momentum"))
             + ["average_gradient"] * bool(settings.get("centered"))}.get(
                 name, ["momentum", "velocity"] + ["velocity_hat"] * bool(settings.get("amsgrad")))
    slots += ["average"] * bool(settings.get("use_ema"))
    slots += ["gradient_accumulator"] * bool(settings.get("gradient_accumulation_steps"))
    assert [row.tensor for row in rows[1:]] == slots
    assert 0 < max(row.used for row in rows) < 0.5, "rounding shows, and much is left"


@pytest.mark.sampled(6)
@pytest.mark.parametrize("identifier", FAULTS)
def test_a_fault_shows_at_this_gate_alone(identifier, cases):
    """Without a step in lockstep, and on the right side."""
    fault = by_identifier()[identifier]
    clean = cases[fault.network]
    reference = record(clean.twin, clean.x, clean.y, sample_weight=clean.weight)
    with np.errstate(all="ignore"):
        rows = later_updates.rows(clean.broken(fault).model, reference, clean.twin)
    failing = [row for row in rows if not row.passed]
    assert failing and {row.off for row in failing} == {"candidate"}
    right = later_updates.rows(clean.model, reference, clean.twin)
    assert right and all(row.passed for row in right)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.identifier)
def test_the_same_rule_in_another_form_holds(variant, cases):
    clean = cases[variant.network]
    model = copy.deepcopy(clean.model)
    variant.inject(model)
    reference = record(clean.twin, clean.x, clean.y, sample_weight=clean.weight)
    with np.errstate(all="ignore"):
        rows = later_updates.rows(model, reference, clean.twin)
    assert rows and all(row.passed for row in rows)


class Patched(scratch.SGD):
    """SGD that does wrong to its second weight once 2 steps were made."""

    def update_step(self, gradient, variable, rate, position):
        super().update_step(gradient, variable, rate, position)
        if position == 1 and self.iterations >= 2:
            variable += variable.dtype.type(0.01)


def test_what_fails_is_named_by_weight_and_iteration(keras):
    model, twin = twins.twins(network())
    model.optimizer = Patched(0.05, momentum=0.9)
    failing = [row for row in rows_of(model, twin) if not row.passed]
    assert [(row.layer, row.tensor) for row in failing] == [
        ("dense", f"bias at iteration {i}") for i in (2, 1000, 100000)]
    assert len(failing) == NAMED
    holding = [row for row in rows_of(model, twin) if row.passed]
    assert [row.tensor for row in holding] == ["weights", "momentum"]
    report = compare.check(model, twin, *batch(), steps=0)
    assert not report and "bias at iteration 2" in str(report)
    assert report.first_failure.tensor == "bias at iteration 2"


def test_more_failing_iterations_are_told_in_a_note():
    rate = schedules.PiecewiseConstantDecay([7, 90, 400], [0.1, 0.2, 0.3, 0.4])
    twin, model = network(scratch.SGD(rate)), network(scratch.SGD(rate))
    model.set_weights(twin.get_weights())

    class Ahead(scratch.SGD):
        """Its schedule is one step ahead."""

        @property
        def learning_rate(self):
            return float(self._learning_rate(self.iterations + 1))

    model.optimizer = Ahead(rate)
    failing = [row for row in rows_of(model, twin) if not row.passed]
    assert [int(row.tensor.split()[-1]) for row in failing] == [7, 90, 400], "where it changes"


def test_the_side_that_is_off_may_be_kerass(keras):
    class Off(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, learning_rate)
            slot = self.momentums[self._get_variable_index(variable)]
            slot.assign(slot * 1.001)

    Off.__name__ = "SGD"
    model, twin = twins.twins(network())
    twin.optimizer = Off(0.05, momentum=0.9)
    x, y = batch()
    failing = [row for row in later_updates.rows(model, record(twin, x, y), twin)
               if not row.passed]
    assert failing and {row.off for row in failing} == {"reference"}
    assert all("momentum" in row.tensor for row in failing)


def test_a_recorded_reference_needs_no_keras(tmp_path):
    twin, (x, y) = network(), batch()
    record(twin, x, y).save(tmp_path / "trace.npz")
    golden = compare.Trace.load(tmp_path / "trace.npz")
    model = network()
    model.set_weights(twin.get_weights())
    report = compare.check(model, golden)
    assert report and any(row.layer == LATER for row in report.rows)
    model.optimizer = Patched(0.05, momentum=0.9)
    assert not compare.check(model, golden)


def test_traces_alone_have_no_later_steps():
    model, (x, y) = network(), batch()
    report = compare.diff(record(model, x, y), record(model, x, y))
    assert report and not any(row.layer == LATER for row in report.rows)


def test_models_without_labels_or_without_weights_have_none():
    model, (x, y) = network(), batch()
    upstream = record(model, x, upstream=np.ones((4, 3), "float32"))
    assert not later_updates.rows(model, upstream)
    model.trainable = False
    assert not later_updates.rows(model, record(model, x, y))


class OwnVelocity(scratch.SGD):
    """Keeps its velocities in a dictionary, so that nobody can set them."""

    kept_share = 1.0

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.kept = {}

    def update_step(self, gradient, variable, rate, position):
        velocity = np.float32(self.momentum) * self.kept.get(position, 0) - rate * gradient
        variable += velocity
        self.kept[position] = np.asarray(velocity * self.kept_share, variable.dtype)


def test_an_optimizer_with_a_state_of_its_own_is_followed_from_its_start():
    twin = network()
    model = network(OwnVelocity(0.05, momentum=0.9))
    model.set_weights(twin.get_weights())
    rows = rows_of(model, twin)
    assert [row.tensor for row in rows] == ["weights"] and rows[0].passed
    OwnVelocity.kept_share = 0.999
    try:
        failing = [row for row in rows_of(model, twin) if not row.passed]
        assert failing and failing[0].tensor.endswith("at iteration 1")
    finally:
        OwnVelocity.kept_share = 1.0


def test_an_optimizer_that_changes_its_gradients_is_told():
    class InPlace(scratch.SGD):
        def apply(self, gradients, variables):
            super().apply(gradients, variables)
            gradients[0][...] = 0

    twin, model = network(), network()
    model.set_weights(twin.get_weights())
    model.optimizer = InPlace(0.05, momentum=0.9)
    report = compare.check(model, twin, *batch())
    row = report.first_failure
    assert (row.layer, row.tensor) == (LATER, "gradients") and "in place" in row.note
    assert report.cause.causes[0].identifier == "input-modified"


def test_an_optimizer_that_raises_is_a_row():
    class Raises(scratch.SGD):
        def update_step(self, gradient, variable, rate, position):
            if self.iterations > 1:
                raise RuntimeError("no third step")
            super().update_step(gradient, variable, rate, position)

    twin, model = network(), network()
    model.set_weights(twin.get_weights())
    model.optimizer = Raises(0.05, momentum=0.9)
    rows = rows_of(model, twin)
    assert not rows[0].passed and "no third step" in rows[0].note


def test_a_user_in_the_middle_of_a_schedule_is_judged_there(keras):
    """At the iteration of the user's own optimizer, of either side."""
    rate = schedules.ExponentialDecay(0.1, 100, 0.9)
    model, twin = twins.twins(network(scratch.SGD(rate)))
    x, y = batch()

    class WrongAt(scratch.SGD):
        wrong = 4

        @property
        def learning_rate(self):
            return float(self._learning_rate(self.iterations)) * (
                1.01 if self.iterations == self.wrong else 1)

    model.optimizer = WrongAt(rate)
    assert all(row.passed for row in rows_of(model, twin))
    twin.fit(x, y, epochs=4, verbose=0)
    before = int(twin.optimizer.iterations.numpy()), twin.get_weights()
    failing = [row for row in rows_of(model, twin) if not row.passed]
    assert failing and failing[0].tensor.endswith("at iteration 4")
    assert int(twin.optimizer.iterations.numpy()) == before[0], "nothing of the user's changes"
    for one, other in zip(before[1], twin.get_weights()):
        assert np.array_equal(one, other)
    model.optimizer.iterations = 9
    WrongAt.wrong = 9
    failing = [row for row in rows_of(model, twin) if not row.passed]
    assert failing and failing[0].tensor.endswith("at iteration 9")
    assert model.optimizer.iterations == 9
