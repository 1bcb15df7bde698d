"""Normalization by statistics of data: adapted, given, read from Keras's files and written; and
what the layers of given numbers, images and norms refuse."""

import numpy as np
import pytest

import reference
import scratch
from tests.scratch.support.checks import DTYPES

SHAPE = (8, 6, 3)


def data(seed=0, dtype="float32"):
    return np.random.default_rng(seed).normal(3, 2, (20, *SHAPE)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [-1, 1, (1, 3), None])
def test_adapting_takes_the_statistics_that_keras_takes(keras, axis, dtype):
    ours = scratch.Normalization(axis=axis, dtype=dtype)
    theirs = keras.layers.Normalization(axis=axis, dtype=dtype)
    for layer in (ours, theirs):
        layer.adapt(data(dtype=dtype))
    mean, variance, count = theirs.get_weights()
    unit = 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(ours.params["mean"], mean, rtol=unit)
    np.testing.assert_allclose(ours.params["variance"], variance, rtol=unit)
    assert ours.params["count"] == count == 0 and ours.count_params() == theirs.count_params()
    x = data(1, dtype)
    np.testing.assert_allclose(ours(x), theirs(x), rtol=0, atol=40 * unit)
    if axis == -1:
        normal = ours(data(dtype=dtype))
        assert abs(normal.mean()) < 1e-5 and abs(normal.var() - 1) < 1e-5


def adapted(keras):
    layer = keras.layers.Normalization()
    layer.adapt(data())
    model = keras.Sequential([keras.Input(SHAPE), layer, keras.layers.Conv2D(4, 3)])
    model.compile("sgd", "mse")
    return model


def test_a_file_with_adapted_statistics(keras, tmp_path):
    """What Keras saved we read, and the other way round; the count is a whole number."""
    theirs, x = adapted(keras), data(1)
    theirs.save(tmp_path / "theirs.keras")
    ours = scratch.load_model(tmp_path / "theirs.keras")
    assert ours.layers[0].params["count"].dtype == np.int64
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-4)
    ours.save(tmp_path / "ours.keras")
    back = keras.saving.load_model(tmp_path / "ours.keras")
    np.testing.assert_array_equal(back.predict(x, verbose=0), theirs.predict(x, verbose=0))
    ours.save_weights(tmp_path / "w.weights.h5")
    theirs.load_weights(tmp_path / "w.weights.h5")


def test_keras_computes_with_copies_that_reference_renews(keras):
    """After `set_weights` Keras goes on with the old statistics."""
    model, x = adapted(keras), data(1)
    right = model.predict(x, verbose=0)
    other = keras.Sequential.from_config(model.get_config())
    other.set_weights(model.get_weights())
    assert np.abs(other.predict(x, verbose=0) - right).max() > 0.1
    reference.set_weights(other, model.get_weights())
    other.predict_function = None
    np.testing.assert_array_equal(other.predict(x, verbose=0), right)
    np.testing.assert_array_equal(reference.clone(model).predict(x, verbose=0), right)


def test_an_op_runs_with_the_statistics_that_it_is_given(keras):
    model, x = adapted(keras), data(1)
    (op, _), kept = reference.ops_of(model), model.layers[0].mean
    weights = {"mean": np.zeros(3, "f"), "variance": np.full(3, 4, "f"), "count": np.zeros(())}
    y, dx, gradients = reference.run_op(op, x, np.ones_like(x), weights)
    np.testing.assert_array_equal(y, x / 2)
    np.testing.assert_array_equal(dx, np.full(x.shape, 0.5, "f"))
    assert gradients == {} and model.layers[0].mean is kept and not op.differs_at_inference


def test_what_is_given_is_no_weight(keras):
    given = dict(axis=-1, mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0])
    layer = scratch.Normalization(**given)
    y = layer(data())
    assert layer.params == {} and layer.non_trainable == ()
    np.testing.assert_allclose(y, keras.layers.Normalization(**given)(data()), atol=1e-6)
    with pytest.raises(ValueError, match="without given statistics to adapt"):
        layer.adapt(data())


def test_numbers_that_are_no_array_are_rounded_to_float32_as_in_keras(keras):
    for cls, given in (("Rescaling", {"scale": 0.1, "offset": [0.1, 0.2, 0.3]}),
                       ("Normalization", {"mean": [0.1] * 3, "variance": [0.3] * 3})):
        ours = getattr(scratch, cls)(**given, dtype="float64")
        theirs = getattr(keras.layers, cls)(**given, dtype="float64")
        x = data(dtype="float64")
        np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-15)
    array = scratch.Rescaling(np.array(0.1), dtype="float64")
    assert array([[1.0]])[0, 0] == 0.1 != scratch.Rescaling(0.1, dtype="float64")([[1.0]])[0, 0]


@pytest.mark.parametrize("make, shape, said", [
    (lambda: scratch.Normalization(mean=1.0), SHAPE, "both mean and variance, or neither"),
    (lambda: scratch.Normalization(mean=[1.0], variance=2.0), SHAPE, "of one shape"),
    (lambda: scratch.Normalization(mean=[1.0, 2.0], variance=[1.0, 2.0]), SHAPE,
     r"broadcast to \(3,\)"),
    (lambda: scratch.Normalization(axis=4), SHAPE, "an axis of the input"),
    (lambda: scratch.Normalization(axis=(1, 1)), SHAPE, "each named once"),
    (lambda: scratch.Rescaling([1.0, 2.0]), SHAPE, "scale to broadcast to inputs"),
    (lambda: scratch.Rescaling("half"), SHAPE, "scale to be a number or an array"),
    (lambda: scratch.Rescaling({"class_name": "Dense", "config": {}}), SHAPE, "an array of them"),
    (lambda: scratch.GroupNormalization(0), SHAPE, "groups to be a positive integer, or -1"),
    (lambda: scratch.GroupNormalization(2), SHAPE, "divides that of the channels"),
    (lambda: scratch.GroupNormalization(32), SHAPE, "divides that of the channels"),
    (lambda: scratch.GroupNormalization(1, axis=0), SHAPE, "other than the batch"),
    (lambda: scratch.RMSNormalization(axis=1), SHAPE, "whose sizes fit the last axes"),
    (lambda: scratch.UnitNormalization(axis=[1, -3]), SHAPE, "each named once"),
    (lambda: scratch.RepeatVector(0), (3,), "n to be a positive integer"),
    (lambda: scratch.RepeatVector(2), SHAPE, r"of shape \(batch, features\)"),
    (lambda: scratch.CenterCrop(0, 3), SHAPE, "height to be a positive integer"),
    (lambda: scratch.Resizing(3, 3), (8, 6), "expected inputs of shape"),
    (lambda: scratch.Resizing(3, 3, "cubic"), SHAPE, "interpolation to be one of"),
    (lambda: scratch.Resizing(3, 3, fill_mode="edge"), SHAPE, "fill_mode to be 'constant'"),
    (lambda: scratch.Resizing(3, 3, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), SHAPE,
     "at most one of"),
    (lambda: scratch.Dot((1, 2, 3)), None, "two integers"),
])
def test_arguments_that_do_not_fit_are_refused(make, shape, said):
    with pytest.raises(ValueError, match=said):
        layer = make()
        layer.build((None, *shape))


@pytest.mark.parametrize("make, said", [
    (lambda: scratch.Resizing(3, 3, "lanczos3"), "interpolation='lanczos3'"),
    (lambda: scratch.Resizing(3, 3, antialias=True), "antialias=True"),
    (lambda: scratch.GroupNormalization(1, gamma_constraint="mine"), "gamma_constraint")])
def test_what_is_not_supported_is_refused_by_name(make, said):
    with pytest.raises(scratch.UnsupportedError, match=said):
        make()


@pytest.mark.parametrize("axes, shapes, said", [
    (0, [(3, 4), (3, 4)], "not the batch's"), (3, [(3, 4), (3, 4)], "axes of the inputs"),
    (1, [(3, 4), (3, 5)], "equal sizes along the axes"), (1, [(3, 4)], "exactly 2 inputs")])
def test_inputs_that_have_no_product_are_refused(axes, shapes, said):
    with pytest.raises(ValueError, match=said):
        scratch.Dot(axes).build([(None, *shape[1:]) for shape in shapes])
