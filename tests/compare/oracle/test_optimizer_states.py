"""Steps from drawn states: the oracle's bounds hold for Keras and for scratch, and the states are
such that every part of a rule counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from compare.oracle.adaptive_optimizers import optimizer_for
from compare.oracle.learning_rates import rate_at, turning_points
from compare.oracle.optimizer_states import (
    ABOVE,
    BELOW,
    exact_step,
    iterations,
    states,
)
from compare.oracle.running_error import Rounding
from compare.tracing.optimizer_steps import OptimizerSteps
from tests.scratch.support.checks import DTYPES
from tests.scratch.support.optimizer_cases import CASES, SCHEDULES, ident

SHAPES = [(3, 2, 5), (7,), (), (3, 2, 5)]
KEYS = [("a", "kernel"), ("a", "bias"), ("b", "bias"), ("b", "kernel")]


class Model:
    """What has an optimizer, and weights of these names that it may exclude from decay."""

    layers = ()

    def __init__(self, optimizer):
        self.optimizer = optimizer


def config_of(name, settings):
    return scratch.optimizers.CLASSES[name.lower()](**settings).get_config()


def assert_within(made, right):
    for array, value in zip(made[0], right[0], strict=True):
        assert (np.abs(array.astype(float) - value.value) <= value.bound).all()
        assert np.isfinite(value.bound).all()
    for ours, theirs in zip(made[1], right[1], strict=True):
        assert ours.keys() == theirs.keys()
        for slot in ours:
            error = np.abs(ours[slot].astype(float) - theirs[slot].value)
            assert (error <= theirs[slot].bound).all(), slot


def keras_steps(keras, name, config, dtype):
    import reference

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, dtype=dtype)])
    reference.compile_model(model, {
        "optimizer": scratch.optimizers.serialize(
            scratch.optimizers.get({"class_name": name, "config": config})),
        "loss": "mean_squared_error"})
    variables = [keras.Variable(np.zeros(shape), dtype=dtype) for shape in SHAPES]
    return reference.OptimizerSteps(model, variables,
                                    [s.shape for s in drawn(name, config, dtype)[0].weights])


def drawn(name, config, dtype, others=()):
    return states(name, config, SHAPES, dtype, others, ["/".join(key) for key in KEYS])


@pytest.mark.sampled(4, of="name")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_scratch_and_keras_stay_within_the_bounds_from_every_state(keras, name, settings, dtype):
    config = config_of(name, settings)
    ours = OptimizerSteps(Model(scratch.optimizers.get({"class_name": name, "config": config})),
                          KEYS)
    theirs = keras_steps(keras, name, config, dtype)
    oracle = optimizer_for(name, config, dtype)
    for state in drawn(name, config, dtype, (17,)):
        given_ = state.iteration, state.weights, state.gradients, state.slots
        right = exact_step(oracle, state)
        assert_within(ours.step(*given_), right)
        assert_within(theirs.step(*given_), right)


@pytest.mark.sampled(4, of="name")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, settings", SCHEDULES, ids=ident)
def test_both_follow_a_schedule_around_all_its_turns(keras, name, settings, dtype):
    rate = scratch.optimizers.schedules.CLASSES[name](**settings)
    config = config_of("SGD", dict(learning_rate=rate, momentum=0.9))
    ours = OptimizerSteps(Model(scratch.optimizers.get({"class_name": "SGD", "config": config})),
                          KEYS)
    theirs = keras_steps(keras, "SGD", config, dtype)
    oracle = optimizer_for("SGD", config, dtype)
    for state in drawn("SGD", config, dtype):
        given_ = state.iteration, state.weights, state.gradients, state.slots
        right = exact_step(oracle, state)
        assert_within(ours.step(*given_), right)
        assert_within(theirs.step(*given_), right)


@given(st.data())
def test_scratch_stays_within_the_bounds_of_any_setting_and_iteration(data):
    name = data.draw(st.sampled_from([cls.__name__ for cls in scratch.optimizers.CLASSES.values()]))
    share = st.floats(0.3, 0.999)
    momentum = st.one_of(st.just(0.0), share)
    own = {"SGD": dict(momentum=momentum, nesterov=st.booleans()),
           "Adam": dict(beta_1=share, beta_2=share, amsgrad=st.booleans()),
           "RMSprop": dict(rho=share, momentum=momentum, centered=st.booleans()),
           "Adadelta": dict(rho=share), "Adamax": dict(beta_1=share, beta_2=share),
           "Nadam": dict(beta_1=share, beta_2=share), "Lion": dict(beta_1=share, beta_2=share),
           "Ftrl": dict(initial_accumulator_value=st.floats(0.01, 10),
                        l1_regularization_strength=st.floats(0, 0.1), beta=st.floats(0, 1)),
           "Lamb": dict(beta_1=share, beta_2=share),
           "Adafactor": dict(beta_2_decay=st.floats(-2, -0.1), clip_threshold=st.floats(0.1, 10),
                             epsilon_2=st.sampled_from([1e-3, 0.7])),
           "Muon": dict(momentum=share, nesterov=st.booleans(), adam_beta_1=share,
                        adam_lr_ratio=st.sampled_from([1, 0.1]), ns_steps=st.integers(0, 5),
                        rms_rate=st.sampled_from([0.2, None]),
                        exclude_layers=st.sampled_from([[], ["b/k"], ["^a"]])),
           "ScheduleFreeAdamW": dict(beta_1=share, beta_2=share,
                                     warmup_steps=st.sampled_from([0, 2, 5000])),
           "Adagrad": dict(initial_accumulator_value=st.floats(0, 10))}
    settings = {key: data.draw(values) for key, values in
                own["Adam" if name == "AdamW" else name].items()}
    settings.update({key: data.draw(values) for key, values in {
        "use_ema": st.booleans(), "ema_momentum": share,
        "ema_overwrite_frequency": st.sampled_from([None, 1, 3]),
        "gradient_accumulation_steps": st.sampled_from([None, 2, 5])}.items()})
    if name not in ("SGD", "Lion", "Ftrl", "Adafactor"):
        settings["epsilon"] = data.draw(st.sampled_from([1e-8, 1e-7, 1e-5, 1e-3, 1.0]))
    settings["weight_decay"] = data.draw(st.sampled_from([0.004, 0.5]))
    clip = data.draw(st.sampled_from(["", "clipnorm", "global_clipnorm", "clipvalue"]))
    if clip:
        settings[clip] = data.draw(st.floats(1e-3, 1e3))
    schedule = data.draw(st.sampled_from([None, *SCHEDULES]))
    settings["learning_rate"] = (
        data.draw(st.floats(1e-5, 1)) if schedule is None
        else scratch.optimizers.schedules.CLASSES[schedule[0]](**schedule[1]))
    config = config_of(name, settings)
    ours = OptimizerSteps(Model(scratch.optimizers.get({"class_name": name, "config": config})),
                          KEYS)
    dtype = data.draw(st.sampled_from(DTYPES))
    more = (data.draw(st.integers(0, 2**24 - 1)),)
    oracle = optimizer_for(name, config, dtype)
    for state in drawn(name, config, dtype, more):
        assert_within(ours.step(state.iteration, state.weights, state.gradients, state.slots),
                      exact_step(oracle, state))


def test_weights_that_are_excluded_do_not_decay(keras):
    config = config_of("AdamW", dict(weight_decay=0.5))
    oracle = optimizer_for("AdamW", config, "float32")
    oracle.decays = [True, False, False, True]
    state = drawn("AdamW", config, "float32")[2]
    right = exact_step(oracle, state)
    model = keras_steps(keras, "AdamW", config, "float32")
    model.optimizer.exclude_from_weight_decay(var_list=[model.copies[1], model.copies[2]])
    made = model.step(state.iteration, state.weights, state.gradients, state.slots)
    assert_within(made, right)
    oracle.decays = []
    everything = exact_step(oracle, state)[0]
    assert (np.abs(made[0][1] - everything[1].value) > everything[1].bound).any()


@pytest.mark.parametrize("key, limit", [("clipnorm", 0.01), ("clipnorm", 100.0),
                                        ("global_clipnorm", 0.5), ("clipvalue", 0.2)])
def test_gradients_lie_on_both_sides_of_a_limit(key, limit):
    config = config_of("SGD", {key: limit})
    found = drawn("SGD", config, "float32")
    assert {state.about for state in found} == {BELOW, ABOVE}
    for state in found:
        norms = [np.linalg.norm(g.astype(float)) for g in state.gradients]
        if key == "global_clipnorm":
            reached = np.linalg.norm(norms) > limit
        elif key == "clipnorm":
            reached = max(norms) > limit
        else:
            values = np.concatenate([np.ravel(g) for g in state.gradients])
            reached = values.max() > limit and values.min() < -limit
            assert reached or (np.abs(values) < limit).all()
        assert reached == (state.about == ABOVE)
    assert any(not np.any(g) for state in found for g in state.gradients), "one of zeros alone"


def test_what_is_remembered_counts_and_is_possible():
    config = config_of("RMSprop", dict(centered=True, momentum=0.5))
    for state in drawn("RMSprop", config, "float32"):
        for slots in state.slots:
            assert (slots["velocity"] > np.square(slots["average_gradient"])).all()
            assert slots["momentum"].any()
    config = config_of("Adam", dict(amsgrad=True))
    slots = [slots for state in drawn("Adam", config, "float32") for slots in state.slots]
    larger = np.concatenate([np.ravel(s["velocity_hat"] > s["velocity"]) for s in slots])
    assert larger.any() and not larger.all()
    small = min(np.sqrt(s["velocity"]).min() for s in slots)
    assert small < 1e-6, "of the size of epsilon"


def test_states_are_the_same_every_time():
    config = config_of("Adam", {})
    for one, other in zip(drawn("Adam", config, "float32"), drawn("Adam", config, "float32")):
        assert all(map(np.array_equal, one.gradients, other.gradients))


def test_iterations_are_the_first_ones_late_ones_and_a_schedules_turns():
    assert iterations({"learning_rate": 0.1}) == [0, 1, 2, 1000, 100000]
    assert 500 in iterations({"learning_rate": 0.1}, (500,))
    rate = scratch.optimizers.schedules
    for schedule, turns in ((rate.PiecewiseConstantDecay([5, 300], [1.0, 0.1, 0.2]), (5, 300)),
                            (rate.CosineDecay(0.1, 50, warmup_target=1.0, warmup_steps=20),
                             (20, 70)),
                            (rate.CosineDecayRestarts(0.1, 40), (40, 120)),
                            (rate.PolynomialDecay(0.1, 30, cycle=True), (30, 60))):
        config = config_of("SGD", dict(learning_rate=schedule))
        assert set(turns) <= set(turning_points(config["learning_rate"]))
        found = iterations(config)
        assert {turn + k for turn in turns for k in (-1, 0, 1)} <= set(found)


@pytest.mark.parametrize("t_mul", [1.5, 2.0, 3.0])
def test_a_restart_that_rounding_may_move_allows_both(t_mul):
    """At each restart, what Keras and scratch compute in float32 is within the bound."""
    schedule = scratch.optimizers.schedules.CosineDecayRestarts(0.1, 10, t_mul=t_mul, m_mul=0.8)
    config = scratch.optimizers.schedules.serialize(schedule)
    length, start = 10.0, 0.0
    for _ in range(6):
        start, length = start + length, length * t_mul
        for step in (int(start) - 1, int(start), int(start) + 1):
            right = rate_at(config, step, Rounding.of("float32"))
            assert abs(float(schedule(step)) - float(right.value)) <= float(right.bound)


def test_a_rule_that_divides_by_the_rate_is_judged_while_there_is_one():
    """A schedule's rate underflows in the end."""
    rate = scratch.optimizers.schedules.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5)
    late = [state.iteration for state in drawn("Ftrl", config_of("Ftrl", dict(
        learning_rate=rate)), "float32")]
    assert late[:3] == [0, 1, 2] and max(late) < 100
    assert 100_000 in [state.iteration for state in drawn("SGD", config_of("SGD", dict(
        learning_rate=rate)), "float32")]
