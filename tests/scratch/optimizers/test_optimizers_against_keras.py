"""The optimizers and schedules against Keras's: step by step, settings and files' contents."""

import numpy as np
import pytest

import scratch
from reference.quiet import precision
from tests.scratch.support.checks import DTYPES, real
from tests.scratch.support.optimizer_cases import CASES, SCHEDULES, ident

SHAPES = [(3, 4), (5,), ()]


def pair(keras, name, settings):
    """(scratch's optimizer, Keras's) with the same settings."""
    return getattr(scratch, name)(**settings), getattr(keras.optimizers, name)(**settings)


def run(keras, ours, theirs, dtype, steps=5):
    """Both on the same gradients: (our weights, theirs) after each step."""
    weights = [np.asarray(real(i, shape), dtype) for i, shape in enumerate(SHAPES)]
    variables = [keras.Variable(weight.copy(), dtype=dtype, name=f"w{i}")
                 for i, weight in enumerate(weights)]
    for step in range(steps):
        gradients = [np.asarray(real(100 * step + i, shape), dtype)
                     for i, shape in enumerate(SHAPES)]
        gradients[0][step % 3] = 0
        ours.apply(gradients, weights)
        theirs.apply([keras.ops.convert_to_tensor(g, dtype) for g in gradients], variables)
        yield weights, [variable.numpy() for variable in variables]


@pytest.mark.sampled(4, of="name")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_five_steps(keras, name, settings, dtype):
    allowed = 1e-5 if dtype == "float32" else 1e-13
    with precision(dtype if name == "Muon" else "float32"):  # which computes a root in the default
        ours, theirs = pair(keras, name, settings)
        ours.compute_in(keras.config.floatx())
        for step, (weights, expected) in enumerate(run(keras, ours, theirs, dtype)):
            for weight, value in zip(weights, expected):
                assert weight.dtype == value.dtype == dtype
                np.testing.assert_allclose(weight, value, rtol=allowed, atol=allowed,
                                           err_msg=f"step {step + 1}")


@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_what_a_file_keeps_is_in_keras_order(keras, name, settings):
    """Its values go from one to the other and back."""
    ours, theirs = pair(keras, name, settings)
    *_, (weights, _) = run(keras, ours, theirs, "float32", steps=3)
    mine, keras_own = {}, {}
    ours.save_own_variables(mine)
    theirs.save_own_variables(keras_own)
    assert mine.keys() == keras_own.keys()
    for key, value in keras_own.items():
        assert mine[key].dtype == value.dtype and mine[key].shape == value.shape, key
        np.testing.assert_allclose(mine[key], value, rtol=1e-4, atol=1e-6, err_msg=key)
    fresh = getattr(scratch, name)(**settings)
    fresh.build(weights)
    fresh.load_own_variables(keras_own)
    for a, b in zip(fresh.variables, theirs.variables):
        np.testing.assert_array_equal(a, b.numpy())


@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_configs_go_both_ways(keras, name, settings):
    ours, theirs = pair(keras, name, settings)
    mine, keras_own = ours.get_config(), theirs.get_config()
    assert mine.pop("name") == {"SGD": "sgd", "Adam": "adam", "AdamW": "adam_w",
                                "RMSprop": "rm_sprop", "ScheduleFreeAdamW": "schedule_free_adam_w"
                                }.get(name, name.lower())
    assert keras_own.pop("name").startswith(ours.name)
    assert mine == keras_own
    assert keras.saving.deserialize_keras_object(
        scratch.optimizers.serialize(ours)).get_config() == ours.get_config()
    again = scratch.optimizers.get(keras.optimizers.serialize(theirs))
    assert type(again).__name__ == name and again.get_config() == theirs.get_config()


@pytest.mark.parametrize("schedule", SCHEDULES, ids=ident)
def test_schedules_at_many_steps(keras, schedule):
    name, settings = schedule
    ours = getattr(scratch.optimizers.schedules, name)(**settings)
    theirs = getattr(keras.optimizers.schedules, name)(**settings)
    for step in [*range(45), 63, 64, 65, 97, 1000, 10**6]:
        value = ours(step)
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, float(theirs(step)), rtol=1e-5, atol=1e-8,
                                   err_msg=f"step {step}")


@pytest.mark.parametrize("schedule", SCHEDULES, ids=ident)
def test_a_schedules_config_goes_both_ways(keras, schedule):
    name, settings = schedule
    ours = scratch.Adam(getattr(scratch.optimizers.schedules, name)(**settings))
    theirs = keras.optimizers.Adam(getattr(keras.optimizers.schedules, name)(**settings))
    mine, keras_own = ours.get_config(), theirs.get_config()
    assert mine["learning_rate"] == keras_own["learning_rate"]
    twin = keras.optimizers.deserialize(scratch.optimizers.serialize(ours))
    again = scratch.optimizers.get(keras.optimizers.serialize(theirs))
    for step in (0, 5, 12):
        assert float(twin._learning_rate(step)) == float(theirs._learning_rate(step))
        again.iterations = ours.iterations = step
        assert again.learning_rate == ours.learning_rate
    assert len(ours.variables) == len(theirs.variables) == 1  # no learning rate among them


def test_a_scheduled_run(keras):
    ours = scratch.RMSprop(scratch.optimizers.schedules.CosineDecay(
        0.01, 3, warmup_target=0.1, warmup_steps=3))
    theirs = keras.optimizers.RMSprop(keras.optimizers.schedules.CosineDecay(
        0.01, 3, warmup_target=0.1, warmup_steps=3))
    for step, (weights, expected) in enumerate(run(keras, ours, theirs, "float64")):
        for weight, value in zip(weights, expected):
            np.testing.assert_allclose(weight, value, rtol=1e-6, err_msg=f"step {step + 1}")


def test_exclusions_from_decay(keras):
    weights = [real(1, (3, 2)), real(2, (2,)), real(3, (2,))]
    names = ["kernel", "bias", "gamma"]
    variables = [keras.Variable(w, name=n, dtype="float64") for w, n in zip(weights, names)]
    ours, theirs = pair(keras, "AdamW", dict(weight_decay=0.5, learning_rate=0.1))
    ours.exclude_from_weight_decay(var_list=[weights[2]], var_names=["ia"])
    theirs.exclude_from_weight_decay(var_list=[variables[2]], var_names=["ia"])
    ours.build(weights, names)
    for seed in range(3):
        gradients = [real(seed, w.shape) for w in weights]
        ours.apply(gradients, weights)
        theirs.apply([keras.ops.convert_to_tensor(g, "float64") for g in gradients], variables)
    for weight, variable in zip(weights, variables):
        np.testing.assert_allclose(weight, variable.numpy(), rtol=1e-13)


def test_defaults_are_those_of_keras(keras):
    for name in [cls.__name__ for cls in scratch.optimizers.CLASSES.values()]:
        ours, theirs = pair(keras, name, {})
        config = theirs.get_config()
        assert {key: value for key, value in ours.get_config().items() if key != "name"} == \
            {key: value for key, value in config.items() if key != "name"}
