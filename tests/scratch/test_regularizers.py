"""Regularizers: the definitions, Keras's penalties and gradients, names and configs."""

import math

import numpy as np
import pytest

import scratch
from scratch import regularization, regularizers
from tests.scratch.support.checks import DTYPES, assert_close, real

MADE = {
    "l1": lambda r: r.L1(0.03), "l2": lambda r: r.L2(0.07), "both": lambda r: r.L1L2(0.02, 0.05),
    "l1 alone": lambda r: r.L1L2(l1=0.02), "nothing": lambda r: r.L1L2(),
    "default l1": lambda r: r.L1(), "default l2": lambda r: r.L2(None),
}


def with_zeros(seed, shape, dtype):
    """Real numbers, some of them exactly 0, where |x| has no slope of its own."""
    values = real(seed, shape)
    values[np.abs(values) < 0.3] = 0
    assert (values == 0).any()
    return values.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_penalty_and_gradient_are_the_definitions(dtype):
    array = with_zeros(1, (4, 5), dtype)
    before = array.copy()
    l1, l2 = float(np.float32(0.02)), float(np.float32(0.05))
    regularizer = regularizers.L1L2(0.02, 0.05)
    terms = [l1 * abs(float(v)) + l2 * float(v) ** 2 for v in array.flat]
    penalty, gradient = regularizer.penalty(array), regularizer.gradient(array)
    unit = np.finfo(dtype).eps / 2
    assert penalty.dtype == gradient.dtype == dtype and np.shape(penalty) == ()
    assert abs(float(penalty) - math.fsum(terms)) <= 30 * unit * math.fsum(terms)
    expected = [l1 * np.sign(float(v)) + 2 * l2 * float(v) for v in array.flat]
    assert_close(gradient.ravel(), expected, 4 * unit * np.abs(expected))
    assert (gradient[array == 0] == 0).all()
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", MADE)
def test_keras_penalizes_the_same(keras, name, dtype):
    """The factors included, which Keras rounds to float32 even for float64 weights."""
    import tensorflow as tf

    ours, theirs = MADE[name](regularizers), MADE[name](keras.regularizers)
    for seed, shape in enumerate([(6, 7), (3, 2, 4, 5), (1,), (9,)]):
        array = with_zeros(seed, shape, dtype) if seed % 2 == 0 and shape != (1,) \
            else real(seed, shape).astype(dtype)
        weight = tf.constant(array)
        with tf.GradientTape() as tape:
            tape.watch(weight)
            penalty = theirs(weight)
        gradient = tape.gradient(penalty, weight)
        gradient = np.zeros(shape) if gradient is None else gradient.numpy()
        unit = np.finfo(dtype).eps / 2
        assert_close(ours.penalty(array), penalty.numpy(), 2 * array.size * unit * penalty.numpy())
        assert_close(ours.gradient(array), gradient, 2 * unit * np.abs(gradient), name)
        if "both" not in name:  # one rounding only
            np.testing.assert_array_equal(ours.gradient(array), gradient)


@pytest.mark.parametrize("name", MADE)
def test_configs_are_keras_own_and_read_back(keras, name):
    ours, theirs = MADE[name](regularizers), MADE[name](keras.regularizers)
    config = regularizers.serialize(ours)
    assert config == keras.regularizers.serialize(theirs)
    assert keras.regularizers.serialize(keras.regularizers.get(config)) == config
    again = regularizers.get(keras.regularizers.serialize(theirs))
    assert type(again) is type(ours) and regularizers.serialize(again) == config


@pytest.mark.parametrize("name", ["l1", "l2", "l1l2", "L1", "L2", "L1L2"])
def test_names_mean_what_they_mean_to_keras(keras, name):
    assert regularizers.serialize(regularizers.get(name)) == \
        keras.regularizers.serialize(keras.regularizers.get(name))


def test_a_name_that_keras_describes_but_does_not_find(keras):
    with pytest.raises(ValueError, match="l1_l2"):
        keras.regularizers.get("l1_l2")
    assert regularizers.serialize(regularizers.get("l1_l2")) == \
        keras.regularizers.serialize(keras.regularizers.L1L2(0.01, 0.01))


def test_none_and_objects_are_taken_as_they_are():
    regularizer = regularizers.L2(0.5)
    assert regularizers.get(None) is None and regularizers.serialize(None) is None
    assert regularizers.get(regularizer) is regularizer


@pytest.mark.parametrize("identifier, named", [
    ("spectral", "spectral"),
    ({"class_name": "OrthogonalRegularizer", "config": {"rate": 0.1}}, "OrthogonalRegularizer"),
    ({"class_name": "L2", "config": {"l3": 1}}, "L2 does not support"),
    (["l2"], "l2"), (0.01, "0.01"),
])
def test_what_is_not_supported_is_refused_by_name(identifier, named):
    with pytest.raises(scratch.UnsupportedError, match=named):
        regularizers.get(identifier)


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, "0.1", True])
@pytest.mark.parametrize("make", [regularizers.L1, regularizers.L2,
                                  lambda value: regularizers.L1L2(0.1, value)])
def test_factors_out_of_range_are_refused(make, value):
    with pytest.raises(ValueError, match="expected l[12] to be a finite number, not below 0"):
        make(value)


def normalizing(trainable):
    layer = scratch.BatchNormalization(gamma_regularizer="l2", beta_regularizer=regularizers.L1(),
                                       trainable=trainable)
    layer.build((None, 3))
    for i, name in enumerate(layer.params):
        layer.params[name][...] = np.abs(real(i, (3,)))
    layer.forward(real(5, (4, 3)).astype("float32"), training=True)
    layer.backward(real(6, (4, 3)).astype("float32"))
    return layer


def test_penalties_of_layers_add_up_and_those_of_frozen_ones_count_for_nothing(keras):
    layers = [normalizing(True), normalizing(False), normalizing(True)]
    twins = []
    for layer in layers:
        twins.append(keras.layers.BatchNormalization.from_config(
            {**layer.get_config(), "name": "twin"}))
        twins[-1].build((None, 3))
        twins[-1].set_weights(list(layer.params.values()))
    theirs = sum(float(loss) for twin in twins for loss in twin.losses)
    assert regularization.penalty(layers) == pytest.approx(theirs, rel=1e-6)
    assert regularization.penalty(layers).dtype == np.float32
    assert regularization.penalty([scratch.ReLU(), layers[1]]) == 0


def test_gradients_are_added_once_to_each_trained_weight():
    layers = [normalizing(True), normalizing(False)]
    before = [dict(layer.grads) for layer in layers]
    copies = [{name: value.copy() for name, value in grads.items()} for grads in before]
    regularization.add_gradients(layers)
    trained, frozen = layers
    for name, regularizer in (("gamma", regularizers.L2()), ("beta", regularizers.L1())):
        added = regularizer.gradient(trained.params[name])
        np.testing.assert_array_equal(trained.grads[name], copies[0][name] + added)
        assert np.abs(added).max() > 0
        np.testing.assert_array_equal(frozen.grads[name], copies[1][name])
        np.testing.assert_array_equal(before[0][name], copies[0][name])  # not written to


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["l1", "l2", "both"])
def test_activity_penalties_are_divided_by_the_batch_size_as_in_keras(keras, name, dtype):
    import tensorflow as tf

    ours, theirs = MADE[name](regularizers), MADE[name](keras.regularizers)
    x = with_zeros(3, (5, 3, 4), dtype)
    layer = keras.layers.Activation("linear", activity_regularizer=theirs, dtype=dtype)
    source = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        layer(source)
        (penalty,) = layer.losses
    gradient = tape.gradient(penalty, source).numpy()
    unit = np.finfo(dtype).eps / 2
    made = regularization.activity_penalty(ours, x)
    assert made.dtype == dtype
    assert_close(made, penalty.numpy(), 2 * x.size * unit * penalty.numpy())
    assert_close(regularization.activity_gradient(ours, x), gradient, 6 * unit * np.abs(gradient))


def test_a_layer_that_penalizes_what_passes(keras):
    layer = scratch.ActivityRegularization(l1=0.1, l2=0.2)
    layer.build((None, 3))
    x = real(1, (4, 3)).astype("float32")
    assert layer.forward(x, training=True) is x and layer.backward(x) is x
    twin = keras.layers.ActivityRegularization.from_config(
        {**layer.get_config(), "name": "twin"})
    twin(x)
    penalty = regularization.activity_penalty(layer.activity_regularizer, x)
    assert float(twin.losses[0]) == pytest.approx(float(penalty), rel=1e-6)
    again = scratch.ActivityRegularization.from_config(twin.get_config())
    assert {**again.get_config(), "name": None} == layer.get_config()
    assert set(twin.get_config()) == set(layer.get_config())


@pytest.mark.parametrize("make", [lambda s, r: s.ReLU(activity_regularizer=r),
                                  lambda s, r: s.BatchNormalization(activity_regularizer=r),
                                  lambda s, r: s.Dense(2, activity_regularizer=r)])
def test_any_layer_takes_an_activity_regularizer_and_writes_keras_config(keras, make):
    for regularizer in ("l2", None):
        ours, theirs = make(scratch, regularizer), make(keras.layers, regularizer)
        config = theirs.get_config()
        assert ours.get_config().get("activity_regularizer") == config.get("activity_regularizer")
        again = type(ours).from_config(config)
        assert (again.activity_regularizer is None) == (regularizer is None)


def by_pairs(matrix, factor):
    """The penalty on plain numbers, row by row."""
    rows = [[float(v) for v in row] for row in matrix]
    lengths = [max(math.sqrt(math.fsum(v * v for v in row)), 1e-7) for row in rows]
    found = [abs(math.fsum(a * b for a, b in zip(rows[i], rows[j]))) / lengths[i] / lengths[j]
             for i in range(len(rows)) for j in range(i)]
    return factor * math.fsum(found) / len(found)


@pytest.mark.parametrize("mode", ["rows", "columns"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_pairs_that_are_not_orthogonal_are_penalized_as_in_keras(keras, mode, dtype):
    import tensorflow as tf

    from compare.oracle import regularization as oracle
    from compare.oracle.running_error import Bounded, Rounding

    ours = regularizers.OrthogonalRegularizer(0.3, mode)
    theirs = keras.regularizers.OrthogonalRegularizer(0.3, mode)
    config = regularizers.serialize(ours)
    for seed, shape in enumerate([(5, 3), (3, 5), (2, 2), (4, 1)]):
        if shape[mode == "columns"] == 1:
            continue
        matrix = real(seed, shape).astype(dtype)
        matrix[1] *= 3
        weight = tf.constant(matrix)
        by_keras = []
        if dtype == "float32":  # Keras's own raises an error for float64 tensors
            with tf.GradientTape() as tape:
                tape.watch(weight)
                penalty = theirs(weight)
            by_keras = [(penalty.numpy(), tape.gradient(penalty, weight).numpy())]
        exact = Bounded(matrix, Rounding.of(dtype))
        right, slope = oracle.penalty(config, exact), oracle.gradient(config, exact)
        rows = matrix if mode == "rows" else matrix.T
        assert float(right.value) == pytest.approx(by_pairs(rows, 0.3), rel=1e-12)
        both = [(ours.penalty(matrix), ours.gradient(matrix)), *by_keras]
        for made, _ in both:
            assert abs(float(made) - float(right.value)) <= float(right.bound)
        for _, made in both:
            assert made.dtype == dtype and (np.abs(made - slope.value) <= slope.bound).all()
        step = 1e-6
        for i in np.ndindex(shape):
            moved = [rows.astype(float) + d * (np.indices(shape)[0] == i[0]) * (
                np.indices(shape)[1] == i[1]) if mode == "rows" else
                (matrix.astype(float) + d * (np.indices(shape)[0] == i[0]) * (
                    np.indices(shape)[1] == i[1])).T for d in (step, -step)]
            change = (by_pairs(moved[0], 0.3) - by_pairs(moved[1], 0.3)) / (2 * step)
            assert float(slope.value[i]) == pytest.approx(change, abs=1e-6)
    again = regularizers.get(keras.regularizers.serialize(theirs))
    assert again.get_config() == theirs.get_config()
    assert type(regularizers.get("orthogonal_regularizer")) is regularizers.OrthogonalRegularizer


def test_what_no_orthogonality_can_be_asked_of_is_refused():
    with pytest.raises(ValueError, match="mode to be 'rows' or 'columns'. Received: mode='both'"):
        regularizers.OrthogonalRegularizer(mode="both")
    with pytest.raises(ValueError, match=r"two axes. Received: one of shape \(2, 3, 4\)"):
        regularizers.OrthogonalRegularizer().penalty(np.ones((2, 3, 4)))
    with pytest.raises(scratch.UnsupportedError, match="activity_regularizer=OrthogonalReg"):
        scratch.Dense(3, activity_regularizer="orthogonal_regularizer")
