"""Constraints against a loop over their definitions, and against Keras's, in training and files."""

import math

import numpy as np
import pytest

import scratch
from compare.oracle.constraints import constrained
from compare.oracle.running_error import Bounded, Rounding
from scratch import constraints
from tests.scratch.support.checks import DTYPES, real

SHAPE = (2, 3, 4, 5)
CASES = [
    ("NonNeg", {}), ("MaxNorm", {}), ("MaxNorm", {"max_value": 1.3, "axis": [0, 1, 2]}),
    ("UnitNorm", {}), ("UnitNorm", {"axis": [0, 2]}), ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 0.8, "max_value": 1.1, "rate": 0.3, "axis": 1}),
    ("MinMaxNorm", {"min_value": 2.0, "max_value": 3.0, "axis": (0, 1, 2, 3)}),
]


def by_hand(name, config, weight):
    """One number after the other, in float64."""
    made = np.zeros(weight.shape)
    axes = [axis % weight.ndim for axis in np.atleast_1d(config.get("axis", 0))]
    for at in np.ndindex(weight.shape):
        along = tuple(slice(None) if axis in axes else i for axis, i in enumerate(at))
        norm = math.sqrt(math.fsum(float(w) ** 2 for w in np.ravel(weight[along])))
        w = float(weight[at])
        if name == "NonNeg":
            made[at] = max(w, 0.0)
            continue
        own = config.get("min_value", 0), config.get("max_value", 1), config.get("rate", 1)
        low, high, rate = {"MaxNorm": (0, config.get("max_value", 2), 1),
                           "UnitNorm": (1, 1, 1)}.get(name, own)
        made[at] = w * (rate * min(max(norm, low), high) + (1 - rate) * norm) / (1e-7 + norm)
    return made


def weights(dtype):
    made = np.asarray(2 * real(1, SHAPE), dtype)
    made[:, 1, 2], made[0, 0, 0, 0] = 0, -0.0
    return made


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, config", CASES, ids=str)
def test_all_sides_are_within_the_bounds_of_the_definition(keras, name, config, dtype):
    weight = weights(dtype)
    right = constrained(Bounded(weight, Rounding.of(dtype)), {"class_name": name, "config": config})
    ours = constraints.CLASSES[name](**config)
    kept = weight.copy()
    made = {"scratch": ours(weight), "keras": keras.ops.convert_to_numpy(
        getattr(keras.constraints, name)(**config)(keras.ops.convert_to_tensor(weight)))}
    np.testing.assert_array_equal(weight, kept)
    for side, array in made.items():
        assert array.dtype == dtype and array.shape == SHAPE, side
        assert (np.abs(array - right.value) <= right.bound).all(), side
    np.testing.assert_allclose(right.value, by_hand(name, config, weight), rtol=1e-6)
    assert (right.bound <= 400 * np.finfo(dtype).eps * (np.abs(right.value) + 1e-7)).all()
    if name == "NonNeg":
        assert (made["scratch"] >= 0).all()


def test_a_column_that_may_be_zero_stays_about_zero_under_max_norm():
    """Where rounding may have made a norm of 0, its ratio may be any from 0 to 1."""
    rng = np.random.default_rng(7)
    right = constrained(Bounded(np.zeros((4, 3)), Rounding.of("float32"), 1e-6),
                        {"class_name": "MaxNorm", "config": {}})
    for size in (1e-12, 1e-8, 1e-7, 1e-6):
        near = (size * rng.uniform(-1, 1, (4, 3))).astype(np.float32)
        assert (np.abs(constraints.MaxNorm()(near)) <= right.bound).all()
    assert (right.bound <= 3e-6).all()


@pytest.mark.parametrize("name, config", CASES, ids=str)
def test_configs_go_both_ways(keras, name, config):
    config = {key: list(value) if isinstance(value, tuple) else value
              for key, value in config.items()}
    twin, ours = getattr(keras.constraints, name)(**config), constraints.CLASSES[name](**config)
    assert ours.get_config() == twin.get_config()
    assert constraints.serialize(ours)["config"] == keras.constraints.serialize(twin)["config"]
    again = constraints.get(keras.constraints.serialize(twin))
    assert type(again) is type(ours) and again.get_config() == twin.get_config()


@pytest.mark.parametrize("name", ["max_norm", "non_neg", "unit_norm", "min_max_norm", "MaxNorm",
                                  "NonNeg", "UnitNorm", "MinMaxNorm"])
def test_names_are_keras_names(keras, name):
    assert type(constraints.get(name)).__name__ == type(keras.constraints.get(name)).__name__
    assert constraints.get(name).get_config() == keras.constraints.get(name).get_config()


@pytest.mark.parametrize("identifier", ["mine", 3, len, {"class_name": "Mine", "config": {}},
                                        {"class_name": "MaxNorm", "config": {"most": 2}}])
def test_others_are_refused(identifier):
    with pytest.raises(scratch.UnsupportedError, match="Constraint .*support"):
        constraints.get(identifier)
    with pytest.raises(scratch.UnsupportedError, match="Dense 'd' does not support kernel_constr"):
        scratch.Dense(3, kernel_constraint=identifier, name="d")


def network(library):
    k = library.constraints
    return [
        library.Input((6, 5, 2)),
        library.layers.Conv2D(3, (2, 3), kernel_constraint=k.MaxNorm(0.5, axis=[0, 1, 2]),
                              bias_constraint="non_neg"),
        library.layers.BatchNormalization(gamma_constraint=k.MinMaxNorm(0.2, 0.9, 0.7)),
        library.layers.DepthwiseConv2D(2, depthwise_constraint=k.UnitNorm(axis=[0, 1])),
        library.layers.SeparableConv2D(4, 2, pointwise_constraint=k.NonNeg(),
                                       depthwise_constraint=k.MaxNorm(0.1)),
        library.layers.PReLU(alpha_constraint=k.NonNeg()), library.layers.Flatten(),
        library.layers.Dense(3, kernel_constraint=k.UnitNorm(), trainable=False),
        library.layers.Dense(3, activation="softmax", kernel_constraint=k.UnitNorm())]


def test_training_keeps_to_them_as_keras_does(keras, tmp_path):
    import compare
    from compare.inputs import twins

    twin = keras.Sequential(network(keras))
    twin.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    model, _ = twins.twins(twin)
    x, y = np.asarray(real(3, (4, 6, 5, 2)), "float32"), np.array([0, 2, 1, 1])
    assert compare.check(model, twin, x, y, probes=False)
    frozen = model.layers[-2].params["kernel"].copy()
    for _ in range(5):
        model.train_on_batch(x, y)
        twin.train_on_batch(x, y)
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    np.testing.assert_array_equal(model.layers[-2].params["kernel"], frozen)
    norms = np.linalg.norm(model.layers[-1].params["kernel"], axis=0)
    np.testing.assert_allclose(norms, 1, atol=1e-5)
    assert (model.layers[3].params["pointwise_kernel"] >= 0).all()
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert again.layers[0].kernel_constraint.get_config() == {"max_value": 0.5, "axis": [0, 1, 2]}
    assert scratch.load_model(tmp_path / "m.keras").get_config() == model.get_config()


def test_a_constraint_that_is_left_out_or_wrong_is_found(keras):
    import compare
    from compare.checks.gate import Gate
    from compare.inputs import twins

    twin = keras.Sequential(network(keras))
    twin.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.asarray(real(3, (4, 6, 5, 2)), "float32"), np.array([0, 2, 1, 1])
    for wrong in (lambda weight: weight, lambda weight: weight / np.linalg.norm(weight, axis=0)**2):
        model, _ = twins.twins(twin)
        made = constraints.UnitNorm()
        made.scaled = lambda weight, norms, divisor, wrong=wrong: wrong(weight)
        model.layers[-1].constraints["kernel"] = made
        report = compare.check(model, twin, x, y, probes=False)
        first = report.first_failure
        assert (first.gate, first.layer, first.tensor) == (
            Gate.UPDATE, model.layers[-1].name, "kernel")
