"""Loss scaling against Keras's own: steps, skipped steps, the scale, and its state in files."""

import keras
import numpy as np
import pytest

import scratch
from scratch.optimizers import LossScaleOptimizer

GROWTH = 3


def gradients(number: int):
    """Those of step `number`, some of which are not finite."""
    rng = np.random.default_rng(number)
    found = [rng.standard_normal(shape).astype(np.float32) * 100 for shape in ((3, 2), (2,))]
    if number in (2, 7):
        found[1][0] = np.inf
    if number == 8:
        found[0][1, 1] = np.nan
    return found


@pytest.mark.parametrize("inner", ["SGD", "Adam"])
def test_twelve_steps_are_kerass(inner):
    start = gradients(100)
    ours = [w.copy() for w in start]
    theirs = [keras.Variable(w) for w in start]
    own = LossScaleOptimizer(scratch.optimizers.CLASSES[inner.lower()](0.1), 64.0, GROWTH)
    reference = keras.optimizers.LossScaleOptimizer(
        getattr(keras.optimizers, inner)(0.1), initial_scale=64.0, dynamic_growth_steps=GROWTH)
    scales = []
    for number in range(12):
        before = [w.copy() for w in ours]
        handed = gradients(number)
        own.apply(handed, ours)
        reference.apply([keras.ops.convert_to_tensor(g) for g in gradients(number)], theirs)
        for g, same in zip(handed, gradients(number)):
            np.testing.assert_array_equal(g, same, "gradients are not changed")
        if number in (2, 7, 8):
            for w, kept in zip(ours, before):
                np.testing.assert_array_equal(w, kept, "a skipped step")
        for w, v in zip(ours, theirs):
            np.testing.assert_allclose(w, v.numpy(), rtol=2e-6, atol=1e-7)
        scales.append(own.loss_scale)
        assert own.loss_scale == float(reference.dynamic_scale.numpy())
        assert own.step_counter == int(reference.step_counter.numpy())
        assert own.iterations == int(reference.iterations.numpy())
    assert len(set(scales)) > 2, "it grew and shrank"


def test_a_scale_that_is_a_factor_alone():
    weights = [np.array([1.0, 2.0], np.float32)]
    optimizer = scratch.SGD(0.5, loss_scale_factor=8.0)
    assert optimizer.loss_scale == 8.0
    optimizer.apply([np.array([8.0, -16.0], np.float32)], weights)
    assert weights[0].tolist() == [0.5, 3.0]
    assert scratch.SGD.from_config(optimizer.get_config()).loss_scale_factor == 8.0


def model(layers=scratch.layers, kind=scratch.Sequential, source=scratch.Input):
    return kind([source((4,)), layers.Dense(3, activation="relu"), layers.Dense(2)])


def test_its_state_comes_back_from_a_file_of_either(tmp_path):
    import reference

    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((6, n)).astype(np.float32) for n in (4, 2))
    own = model()
    own.compile(LossScaleOptimizer(scratch.SGD(0.1, momentum=0.9), 16.0, 2), "mse")
    own.fit(x, y, batch_size=2, epochs=1, verbose=0)
    own.save(tmp_path / "ours.keras")
    again = scratch.load_model(tmp_path / "ours.keras")
    theirs = reference.load(tmp_path / "ours.keras")
    for loaded in (again.optimizer, theirs.optimizer):
        assert float(np.asarray(loaded.dynamic_scale)) == own.optimizer.dynamic_scale == 32.0
        assert int(np.asarray(loaded.step_counter)) == own.optimizer.step_counter == 1
    theirs.save(tmp_path / "theirs.keras")
    back = scratch.load_model(tmp_path / "theirs.keras").optimizer
    for a, b in zip(back.variables, own.optimizer.variables):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("arguments, said", [
    (("sgd",), "inner_optimizer"), ((scratch.SGD(0.1), 0.0), "initial_scale"),
    ((scratch.SGD(0.1), 2.0, -1), "dynamic_growth_steps"),
    ((LossScaleOptimizer(scratch.SGD(0.1)),), "inner_optimizer")])
def test_bad_arguments(arguments, said):
    with pytest.raises(ValueError, match=said):
        LossScaleOptimizer(*arguments)


@pytest.mark.parametrize("factor", [0, -1.0, np.nan, "2"])
def test_bad_factors(factor):
    with pytest.raises(ValueError, match="loss_scale_factor"):
        scratch.SGD(0.1, loss_scale_factor=factor)


@pytest.mark.parametrize("dtype, scaled", [
    ("mixed_float16", True), ("mixed_bfloat16", False), ("float32", False)])
def test_compile_scales_the_loss_as_keras_does(dtype, scaled):
    keras.config.set_dtype_policy(dtype)
    try:
        twin = model(keras.layers, keras.Sequential, keras.Input)
        twin.compile("sgd", "mse")
        without = model(keras.layers, keras.Sequential, keras.Input)
        without.compile("sgd", "mse", auto_scale_loss=False)
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(twin.optimizer, keras.optimizers.LossScaleOptimizer) == scaled
    own = scratch.Sequential([scratch.Input((4,)), scratch.Dense(2)], dtype=dtype)
    own.compile("sgd", "mse")
    assert isinstance(own.optimizer, LossScaleOptimizer) == scaled
    own.compile("sgd", "mse", auto_scale_loss=False)
    assert type(own.optimizer) is scratch.SGD and type(without.optimizer) is keras.optimizers.SGD


def test_a_training_step_that_overflows_is_skipped_and_the_next_ones_are_not():
    layers = [scratch.Input((4,)), scratch.Dense(2, kernel_initializer="ones")]
    own = scratch.Sequential(layers, dtype="mixed_float16")
    own.compile(scratch.SGD(0.01), "mse")
    x, y = np.ones((1, 4), np.float32), np.zeros((1, 2), np.float32)
    before, scales = own.get_weights(), []
    for _ in range(10):
        own.train_on_batch(x, y)
        scales.append(own.optimizer.loss_scale)
        if np.array_equal(before[0], own.get_weights()[0]):
            continue
        break
    # the output is 4, its gradient 4 times the scale, and float16 ends at 65504
    assert scales == [2.0**14, 2.0**13, 2.0**13]
    assert np.isfinite(own.get_weights()[0]).all()


def test_a_skipped_step_leaves_also_what_a_constraint_would_change():
    """As Keras, whose constraints are part of the step."""
    rng = np.random.default_rng(4)
    x, y = (rng.standard_normal((6, n)).astype(np.float32) for n in (4, 2))

    def made(package, source):
        built = package.Sequential([source((4,)), package.layers.Dense(
            3, kernel_constraint=package.constraints.MaxNorm(0.5), activation="sigmoid"),
            package.layers.Dense(2)])
        built.compile(package.optimizers.LossScaleOptimizer(package.optimizers.SGD(0.1), 64.0),
                      "mse")
        return built

    own, twin = made(scratch, scratch.Input), made(keras, keras.Input)
    weights = [rng.standard_normal(w.shape).astype(np.float32) for w in own.get_weights()]
    assert np.linalg.norm(weights[0], axis=0).max() > 0.5, "the constraint would change it"
    for each in (own, twin):
        each.set_weights(weights)
        with np.errstate(over="ignore", invalid="ignore"):  # the scaled gradient is infinite
            each.fit(x, y * np.float32(1e38), epochs=1, batch_size=6, verbose=0)
        for w, kept in zip(each.get_weights(), weights):
            np.testing.assert_array_equal(w, kept)
        each.fit(x[:2], y[:2], epochs=1, batch_size=2, verbose=0)
        assert np.linalg.norm(each.get_weights()[0], axis=0).max() <= 0.5 + 1e-6
