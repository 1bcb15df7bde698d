"""The optimizers: the sequences of weights that their rules give, worked out by hand."""

import copy

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import DTYPES, real
from tests.scratch.support.optimizer_cases import CASES, by_hand, ident

NUMBERS = [("SGD", dict(learning_rate=-1)), ("SGD", dict(learning_rate=float("nan"))),
           ("SGD", dict(learning_rate=float("inf"))), ("SGD", dict(momentum=-0.1)),
           ("SGD", dict(momentum=1.1)), ("SGD", dict(momentum=float("nan"))),
           ("Adam", dict(beta_1=-0.5)), ("AdamW", dict(beta_2=1.5)), ("Adam", dict(epsilon=-1e-7)),
           ("RMSprop", dict(rho=2)), ("Adagrad", dict(initial_accumulator_value=-0.1))]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("settings, expected", [
    (dict(), [0.9, 0.8, 0.7]),
    (dict(momentum=0.9), [0.9, 0.71, 0.439]),
    (dict(momentum=0.9, nesterov=True), [0.81, 0.539, 0.1951]),
])
def test_three_steps_from_1_with_gradient_1(settings, expected, dtype):
    optimizer = scratch.SGD(0.1, **settings)
    weight, gradient = np.ones((2, 3), dtype), np.ones((2, 3), dtype)
    for step, value in enumerate(expected):
        assert optimizer.iterations == step
        optimizer.apply([gradient], [weight])
        np.testing.assert_allclose(weight, value, rtol=8 * np.finfo("float32").eps)
    assert weight.dtype == dtype and (gradient == 1).all()


@pytest.mark.parametrize("settings", [dict(), dict(momentum=0.5),
                                      dict(momentum=0.5, nesterov=True)])
def test_each_weight_follows_its_own_gradients(settings):
    """Steps of powers of two, exact in float32, against the formulas on plain numbers."""
    shapes = [(2, 3), (3,), ()]
    rng = np.random.default_rng(4)
    weights = [np.asarray(rng.integers(-8, 9, shape), "float32") for shape in shapes]
    expected = [weight.astype(float) for weight in weights]
    velocity = [np.zeros(shape) for shape in shapes]
    optimizer = scratch.SGD(0.25, **settings)
    beta, nesterov = settings.get("momentum", 0), settings.get("nesterov", False)
    for _ in range(4):
        gradients = [np.asarray(rng.integers(-8, 9, shape), "float32") for shape in shapes]
        optimizer.apply(gradients, weights)
        for i, gradient in enumerate(gradients):
            velocity[i] = beta * velocity[i] - 0.25 * gradient
            expected[i] += beta * velocity[i] - 0.25 * gradient if nesterov else velocity[i]
    for weight, value in zip(weights, expected):
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight, value)


def test_rate_and_momentum_are_rounded_to_float32_even_for_float64_weights():
    """As in Keras; everything else is computed in the weights' precision."""
    rate, beta = float(np.float32(0.1)), float(np.float32(0.9))
    weight, gradient = np.array([1.0]), np.array([1.0])
    optimizer = scratch.SGD(0.1, momentum=0.9)
    optimizer.apply([gradient], [weight])
    assert weight[0] == 1 - rate
    optimizer.apply([gradient], [weight])
    assert weight[0] == pytest.approx(1 - rate - (beta * rate + rate), rel=1e-15)


def test_a_step_is_computed_in_the_weights_precision():
    """0.1 is not a float32: rate and product are rounded to float32, as in Keras."""
    weight = np.random.default_rng(1).standard_normal(100).astype("float32")
    gradient = np.random.default_rng(2).standard_normal(100).astype("float32")
    expected = [w - g * np.float32(0.1) for w, g in zip(weight, gradient)]  # float32 scalars
    scratch.SGD(0.1).apply([gradient], [weight])
    np.testing.assert_array_equal(weight, expected)


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError):
        scratch.SGD().apply([np.ones(2)], [np.ones(2), np.ones(2)])


@pytest.mark.parametrize("name, arguments", NUMBERS, ids=str)
def test_numbers_out_of_range_are_refused(name, arguments):
    (key, value), = arguments.items()
    with pytest.raises(ValueError, match=f"{name}: expected {key} .*Received: {key}={value}"):
        getattr(scratch, name)(**arguments)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
@pytest.mark.parametrize("settings", [
    dict(decay=0.1), dict(learning_rate={"class_name": "ExponentialDecay", "config": {}}),
    dict(learning_rate=lambda: 0.1)], ids=lambda settings: next(iter(settings)))
def test_settings_that_change_the_step_are_refused_by_name(name, settings):
    (key, _), = settings.items()
    with pytest.raises(scratch.UnsupportedError, match=f"{name} does not support .*{key}"):
        getattr(scratch, name)(**settings)


@pytest.mark.parametrize("settings", [
    dict(use_ema=True, ema_momentum=1.5), dict(use_ema=True, ema_momentum=-0.1),
    dict(use_ema=True, ema_overwrite_frequency=-2),
    dict(use_ema=True, ema_overwrite_frequency=2.5), dict(gradient_accumulation_steps=1),
    dict(gradient_accumulation_steps=2.5)], ids=ident)
def test_settings_of_averages_and_accumulation_out_of_range_are_refused(settings):
    key, value = list(settings.items())[-1]
    with pytest.raises(ValueError, match=f"SGD: expected {key} to be .*Received: {key}={value}"):
        scratch.SGD(**settings)


@pytest.mark.parametrize("name, key", [("Adafactor", "clip_threshold"),
                                       ("ScheduleFreeAdamW", "beta_1")])
def test_what_is_divided_by_is_above_0(name, key):
    with pytest.raises(ValueError, match=f"{name}: expected {key} to be above 0. Received"):
        getattr(scratch, name)(**{key: 0.0})


def test_muon_tells_weights_apart_by_their_names():
    """By Adam's rule the first step has one length for all; excluded are parts of their paths."""
    for words, by_adam in (([], [False, False, True]), (["head"], [False, True, True]),
                           (["body/ker"], [True, False, True])):
        weights = [real(1, (3, 4)), real(2, (4, 2)), real(3, (5, 2))]
        optimizer = scratch.Muon(exclude_layers=words)
        optimizer.build(weights, ["body/kernel", "head/kernel", "word_Embedding/table"])
        assert [v is not None for v in optimizer.adam_velocities] == by_adam
        before = [weight.copy() for weight in weights]
        optimizer.apply([real(10 + i, w.shape) for i, w in enumerate(weights)], weights)
        for weight, start, alike in zip(weights, before, by_adam):
            decay = np.float32(0.004) * optimizer.learning_rate
            assert np.allclose(np.abs(weight - start * (1 - decay)), 1e-3, rtol=2e-3) == alike
    with pytest.raises(ValueError, match="Muon: expected the weights' names, since .*head"):
        scratch.Muon(exclude_layers=["head"]).apply([np.ones((2, 2))], [np.ones((2, 2))])


@pytest.mark.parametrize("clips", [dict(clipnorm=1.0, clipvalue=1.0),
                                   dict(clipvalue=0.0, global_clipnorm=2.0)], ids=ident)
def test_two_ways_of_clipping_at_once_are_refused(clips):
    with pytest.raises(ValueError, match="at most one of clipnorm, clipvalue and global_clipnorm"):
        scratch.Adam(**clips)


def test_adamw_without_decay_is_refused():
    with pytest.raises(ValueError, match="weight_decay to be a number. Received"):
        scratch.AdamW(weight_decay=None)


def problem(dtype):
    """(weights, gradients of five steps) of three shapes."""
    shapes = [(2, 3), (4,), ()]
    weights = [real(i, shape).astype(dtype) for i, shape in enumerate(shapes)]
    steps = [[np.asarray(real(10 * step + i, shape), dtype) for i, shape in enumerate(shapes)]
             for step in range(1, 6)]
    steps[2][0][...] = 0
    return weights, steps


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_five_steps_are_those_of_the_rule_on_plain_numbers(name, settings, dtype):
    weights, steps = problem(dtype)
    optimizer = getattr(scratch, name)(**settings)
    expected = by_hand(name, optimizer.get_config(), weights, steps)
    for t, (gradients, values) in enumerate(zip(steps, expected), start=1):
        kept = [gradient.copy() for gradient in gradients]
        optimizer.apply(gradients, weights)
        assert optimizer.iterations == t // (settings.get("gradient_accumulation_steps") or 1)
        for weight, value, gradient, before in zip(weights, values, gradients, kept):
            assert weight.dtype == dtype
            np.testing.assert_allclose(weight, value, rtol=0, err_msg=f"step {t}",
                                       atol=(1e-5 if dtype == "float32" else 1e-12))
            np.testing.assert_array_equal(gradient, before)


def test_adam_by_hand():
    """m = .1, v = .001, alpha = lr sqrt(.001) / .1: the first step is lr g / (|g| + eps'), and a
    constant gradient goes on with steps of lr."""
    optimizer, weight = scratch.Adam(0.5), np.array([1.0])
    optimizer.apply([np.array([3.0])], [weight])
    assert weight[0] == pytest.approx(0.5, abs=1e-5)
    optimizer.apply([np.array([3.0])], [weight])
    assert weight[0] == pytest.approx(0.0, abs=1e-5)


def test_rmsprop_and_adagrad_by_hand():
    weight = np.array([1.0])
    scratch.RMSprop(0.5, rho=0.75, epsilon=0.0).apply([np.array([-4.0])], [weight])
    assert weight[0] == pytest.approx(1 + 0.5 * 4 / np.sqrt(0.25 * 16), rel=1e-14)
    weight = np.array([1.0])
    optimizer = scratch.Adagrad(0.5, initial_accumulator_value=0.0, epsilon=0.0)
    for expected in (0.5, 0.5 - 0.5 * 2 / np.sqrt(5)):
        optimizer.apply([np.array([1.0 if optimizer.iterations == 0 else 2.0])], [weight])
        assert weight[0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("limit", [0, 0.0, -1.0])
@pytest.mark.parametrize("key", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_a_limit_of_0_or_below_limits_nothing(key, limit):
    weight = np.zeros(3)
    scratch.SGD(1.0, **{key: limit}).apply([np.array([3.0, -4.0, 100.0])], [weight])
    assert weight.tolist() == [-3, 4, -100]


def test_clipping_by_hand():
    gradients = [np.array([3.0, -4.0]), np.array([0.0, 12.0])]  # norms 5 and 12, together 13
    for key, limit, expected in [
            ("clipnorm", 1.0, [[-0.6, 0.8], [0, -1]]), ("clipnorm", 6.0, [[-3, 4], [0, -6]]),
            ("clipvalue", 3.5, [[-3, 3.5], [0, -3.5]]),
            ("global_clipnorm", 6.5, [[-1.5, 2], [0, -6]]),
            ("global_clipnorm", 26.0, [[-3, 4], [0, -12]])]:
        weights = [np.zeros(2), np.zeros(2)]
        scratch.SGD(1.0, **{key: limit}).apply(gradients, weights)
        np.testing.assert_allclose(weights, expected, rtol=1e-14, err_msg=f"{key}={limit}")
    nothing = [np.zeros(2), np.zeros(2)]
    for key in ("clipnorm", "clipvalue", "global_clipnorm"):
        weights = [np.ones(2), np.ones(2)]
        scratch.SGD(1.0, **{key: 0.5}).apply(nothing, weights)
        np.testing.assert_array_equal(weights, np.ones((2, 2)))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e200])
def test_a_joint_norm_that_is_not_finite_makes_every_weight_nan_as_in_keras(number):
    gradients = [np.array([number, 1.0]), np.array([2.0])]  # the square of 1e200 overflows
    weights = [np.zeros(2), np.zeros(1)]
    with np.errstate(over="ignore", invalid="ignore"):
        scratch.SGD(1.0, global_clipnorm=1.0).apply(gradients, weights)
    assert np.isnan(weights[0]).all() and np.isnan(weights[1]).all()


def test_decay_leaves_out_what_is_excluded():
    weights = [np.full(2, 8.0), np.full(2, 8.0), np.full(2, 8.0)]
    nothing = [np.zeros(2)] * 3
    optimizer = scratch.AdamW(0.5, weight_decay=0.25)
    optimizer.exclude_from_weight_decay(var_list=[weights[0]], var_names=["bias"])
    optimizer.build(weights, ["kernel", "kernel", "bias"])
    optimizer.apply(nothing, weights)
    assert [weight[0] for weight in weights] == [8, 7, 8]
    with pytest.raises(ValueError, match="before the first step"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_a_model_tells_its_optimizer_the_names():
    for word, index in (("bias", 1), ("kernel", 0)):
        model = scratch.Sequential([scratch.Input((2,)), scratch.Dense(2)])
        model.set_weights([np.ones((2, 2)), np.ones(2)])
        optimizer = scratch.SGD(1.0, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_names=[word])
        model.compile(optimizer, "mse")
        model.train_on_batch(np.zeros((3, 2)), np.ones((3, 2)))  # no error, so no gradient
        expected = [0.5, 0.5]
        expected[index] = 1
        assert [weight.reshape(-1)[0] for weight in model.get_weights()] == expected


def test_some_of_the_variables_keep_their_own_slots():
    """What is not trained for a while is left alone, slots and all."""
    a, b = np.ones(2), np.ones(3)
    optimizer, alone = scratch.SGD(0.5, momentum=0.5), scratch.SGD(0.5, momentum=0.5)
    twin = b.copy()
    optimizer.apply([np.ones(2), np.ones(3)], [a, b])
    optimizer.apply([np.ones(3)], [b])
    optimizer.apply([np.ones(3), np.ones(2)], [b, a])
    for _ in range(3):
        alone.apply([np.ones(3)], [twin])
    np.testing.assert_array_equal(b, twin)
    assert a.tolist() == [-0.25, -0.25]  # 1 - .5, then - (.25 + .5)
    with pytest.raises(ValueError, match="unknown one of shape \\(3,\\); make a new optimizer"):
        optimizer.apply([np.ones(3)], [np.ones(3)])
    optimizer.apply([], [])
    assert optimizer.iterations == 3


def test_a_copy_of_a_model_goes_on_with_its_own_slots():
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)])
    model.compile(scratch.Adam(0.1), "mse")
    x, y = real(1, (4, 3)), real(2, (4, 2))
    model.train_on_batch(x, y)
    twin = copy.deepcopy(model)
    before = twin.get_weights()
    for _ in range(2):
        model.train_on_batch(x, y)
    for a, b in zip(before, twin.get_weights()):
        np.testing.assert_array_equal(a, b)
    for _ in range(2):
        twin.train_on_batch(x, y)
    for a, b in zip(model.get_weights(), twin.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_variables_are_all_that_is_needed_to_go_on(name, settings):
    weights, steps = problem("float32")
    optimizer = getattr(scratch, name)(**settings)
    for gradients in steps[:2]:
        optimizer.apply(gradients, weights)
    kept = [weight.copy() for weight in weights]
    store = {}
    optimizer.save_own_variables(store)
    store = {key: np.array(value) for key, value in store.items()}
    other = getattr(scratch, name).from_config(optimizer.get_config())
    other.build(kept)
    other.load_own_variables(store)
    calls = settings.get("gradient_accumulation_steps") or 1
    assert other.iterations == 2 // calls and other.learning_rate == optimizer.learning_rate
    for gradients in steps[2:]:
        optimizer.apply(gradients, weights)
        other.apply(gradients, kept)
    for a, b in zip(weights, kept):
        np.testing.assert_array_equal(a, b)
    if len(store) > 2:
        store["2"] = np.zeros((9, 9))
        with pytest.raises(ValueError, match=r"expected arrays of shapes .*Received.*\(9, 9\)"):
            other.load_own_variables(store)


def test_the_learning_rate_can_be_set_and_is_rounded():
    optimizer = scratch.Adam()
    assert optimizer.learning_rate == float(np.float32(0.001))
    optimizer.learning_rate = 0.3
    assert optimizer.learning_rate == float(np.float32(0.3))
    with pytest.raises(ValueError, match="learning_rate to be a finite number"):
        optimizer.learning_rate = -1.0
    optimizer.learning_rate = schedule = scratch.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    assert optimizer.learning_rate == 0.5
    with pytest.raises(TypeError, match="learning-rate schedule, so its rate cannot be set"):
        optimizer.learning_rate = 0.1
    assert optimizer.get_config()["learning_rate"]["config"] == schedule.get_config()


def test_a_schedule_sets_each_steps_rate():
    weight = np.zeros(1)
    optimizer = scratch.SGD(scratch.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5))
    for expected in (-0.5, -0.75, -0.875):
        optimizer.apply([np.ones(1)], [weight])
        assert weight[0] == expected


def test_get_knows_names_objects_and_configs():
    optimizer = scratch.SGD(0.5, momentum=0.25, nesterov=True)
    assert scratch.optimizers.get(optimizer) is optimizer
    # Keras keeps a rate in float32; a config's is taken as it is
    assert scratch.optimizers.get("sgd").learning_rate == float(np.float32(0.01))
    exact = scratch.optimizers.get({"class_name": "SGD", "config": {"learning_rate": 0.01}})
    assert exact.learning_rate == 0.01
    again = scratch.optimizers.get(scratch.optimizers.serialize(optimizer))
    assert (again.learning_rate, again.momentum, again.nesterov) == (0.5, 0.25, True)


@pytest.mark.parametrize("name, settings", CASES, ids=ident)
def test_a_config_gives_the_same_optimizer(name, settings):
    optimizer = getattr(scratch, name)(**settings)
    dictionary = scratch.optimizers.serialize(optimizer)
    again = scratch.optimizers.deserialize(dictionary)
    assert type(again) is type(optimizer) and again.get_config() == optimizer.get_config()
    assert type(scratch.optimizers.get(name.lower())) is type(scratch.optimizers.get(name))


@pytest.mark.parametrize("identifier", ["adafactory", None, 3,
                                        {"class_name": "Lambda", "config": {}}])
def test_optimizers_that_are_not_known_are_refused(identifier):
    with pytest.raises(scratch.UnsupportedError, match="not supported.*Expected one of: sgd, adam"):
        scratch.optimizers.get(identifier)
