"""The declared differences of configs, files and training, each shown on both sides."""

import numpy as np
import pytest

import compare
import scratch
from compare.evaluation import deviations
from compare.inputs import twins
from tests.compare.support.differing import IMAGE, batches, dense, fitted, real

pytestmark = pytest.mark.compiled


def test_huber_delta_in_config(keras):
    assert "delta" not in keras.losses.Huber(delta=0.3).get_config()
    assert scratch.losses.Huber(delta=0.3).get_config()["delta"] == 0.3
    lost = keras.losses.deserialize(scratch.losses.serialize(scratch.losses.Huber(delta=0.3)))
    assert "delta" not in lost.get_config()
    assert scratch.losses.get(keras.losses.serialize(lost)).delta == 1.0
    twin = dense(keras, lost)
    model, _ = twins.twins(twin)
    assert model.loss.delta == pytest.approx(0.3)


def test_sparse_axis_in_config(keras):
    loss = keras.losses.SparseCategoricalCrossentropy(axis=1)
    assert "axis" not in loss.get_config()
    assert scratch.losses.get(keras.losses.serialize(loss)).get_config()["name"] == loss.name
    with pytest.raises(scratch.UnsupportedError, match="axis=1"):
        scratch.losses.SparseCategoricalCrossentropy(axis=1)


def test_ellipsis_of_einsum_dense(keras):
    arguments = {"equation": "...x,xy->...y", "output_shape": 5}
    theirs, ours = keras.layers.EinsumDense(**arguments), scratch.EinsumDense(**arguments)
    assert theirs.compute_output_shape((None, 2, 3, 4)) == (None, 3, 2, 5)
    assert ours.compute_output_shape((None, 2, 3, 4)) == (None, 2, 3, 5)
    x = real((7, 2, 3, 4))
    assert tuple(theirs(x).shape) == ours(x).shape == (7, 2, 3, 5)
    assert theirs.compute_output_shape((None, 3, 4)) == ours.compute_output_shape((None, 3, 4))


def test_shape_of_joined_classes(keras):
    x = np.ones((7, 2, 3), "float32")
    theirs, ours = (package.layers.CategoryEncoding(4) for package in (keras, scratch))
    assert theirs.compute_output_shape((None, 2, 3)) == (None, 2, 4)
    assert ours.compute_output_shape((None, 2, 3)) == (None, 3, 4)
    assert tuple(theirs(x).shape) == ours(x).shape == (7, 3, 4)


def test_classes_out_of_range(keras):
    x = np.array([[0.0, 7.0]])
    assert np.array(keras.layers.CategoryEncoding(3)(x)).tolist() == [[1, 0, 0]]
    with pytest.raises(ValueError, match="class numbers from 0 to 2"):
        scratch.CategoryEncoding(3)(x)


def test_l1_l2_by_name(keras):
    with pytest.raises(ValueError, match="l1_l2"):
        keras.regularizers.get("l1_l2")
    config = scratch.regularizers.serialize(scratch.regularizers.get("l1_l2"))
    assert keras.regularizers.get(config).get_config() == pytest.approx({"l1": 0.01, "l2": 0.01})


def test_constant_by_name(keras):
    with pytest.raises(KeyError):
        keras.initializers.get("constant")
    assert (scratch.initializers.get("constant")((2, 3)) == 0).all()


def test_trainable_of_a_sequential(keras):
    twin = dense(keras)
    twin.trainable = False
    config = twin.get_config()
    assert config["trainable"] is False
    assert keras.Sequential.from_config(config).trainable is True
    model = scratch.Sequential.from_config(config)
    assert model.trainable is False and twins.twins(model)[1].trainable is False


def test_transposed_output_without_way_back(keras):
    arguments = dict(filters=2, kernel_size=(3, 2), strides=2, padding="same",
                     output_padding=(1, 0))
    for dtype in ("float32", "float64"):  # which run on other kernels, and fail in other words
        layer = keras.layers.Conv2DTranspose(**arguments, dtype=dtype)
        layer.build(IMAGE)
        with pytest.raises(Exception, match="Exception encountered when calling Conv2DTranspose"):
            layer(np.ones(IMAGE, dtype))
    with pytest.raises(ValueError, match="no convolution leads back"):
        scratch.Conv2DTranspose(**arguments).build((None, *IMAGE[1:]))


def test_overwriting_files(keras, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("builtins.input", lambda *text: asked.append(text) or "n")
    model, twin = dense(scratch), dense(keras)
    for save, ending in (("save", ".keras"), ("save_weights", ".weights.h5")):
        path = tmp_path / f"model{ending}"
        getattr(model, save)(path)
        before = path.read_bytes()
        with pytest.raises(FileExistsError):
            getattr(model, save)(path, overwrite=False)
        getattr(twin, save)(path, overwrite=False)
        assert path.read_bytes() == before
    assert len(asked) == 2


def test_random_draws(keras):
    """Equal seeds, other weights."""
    for library in (keras, scratch):
        (library.utils if library is keras else library).set_random_seed(3)
    theirs, ours = (dense(library, units=4).get_weights()[0] for library in (keras, scratch))
    assert theirs.shape == ours.shape and not np.isclose(theirs, ours).any()


@pytest.mark.parametrize("settings, in_keras, in_scratch", [
    ({}, [(0, 1, 2, 3), (0, 1), (0, 1)], [(0, 1, 2, 3)]),
    ({"steps_per_epoch": 3}, [(0, 1, 2), (3,), (0, 1)], [(0, 1, 2), (3,)])])
def test_exhausted_generator(keras, settings, in_keras, in_scratch):
    """Nothing is learned, so that an epoch's loss tells which batches it saw."""
    for library, expected in ((keras, in_keras), (scratch, in_scratch)):
        model = dense(library, weights=[np.zeros((3, 1), "f"), np.zeros(1, "f")])
        model.optimizer.learning_rate = 0.0
        four = ((np.ones((2, 3), "f"), np.full((2, 1), float(number))) for number in range(4))
        history, said = fitted(model, four, epochs=3, shuffle=False, **settings)
        assert history["loss"] == pytest.approx([np.mean(np.square(seen)) for seen in expected])
        assert "ran out" in said[0]


def test_class_weight_with_generators(keras):
    weights = {0: 1.0, 1: 3.0}
    arguments = dict(loss="sparse_categorical_crossentropy", units=2, activation="softmax")
    with pytest.raises(ValueError, match="class_weight"):
        fitted(dense(keras, **arguments), batches(2), class_weight=weights)
    by_generator, by_arrays = dense(scratch, **arguments), dense(scratch, **arguments)
    by_arrays.set_weights(by_generator.get_weights())
    fitted(by_generator, batches(2), class_weight=weights)
    for x, y in batches(2):
        by_arrays.train_on_batch(x, y, class_weight=weights)
    for a, b in zip(by_generator.get_weights(), by_arrays.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_targets_wider_than_outputs(keras):
    x, y = np.ones((6, 3), "float32"), np.arange(24.0).reshape(6, 4)
    twin, model = dense(keras), dense(scratch)
    expected = np.mean((twin.predict(x, verbose=0) - y) ** 2)
    assert twin.test_on_batch(x, y) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match=r"\(6, 1\).*\(6, 4\)"):
        model.test_on_batch(x, y)


def test_labels_that_are_no_whole_numbers(keras):
    arguments = dict(loss="sparse_categorical_crossentropy", units=2, activation="softmax")
    x, twin, model = real((4, 3)), dense(keras, **arguments), dense(scratch, **arguments)
    labels = np.array([0.5, 1.9, 0, 1])
    assert twin.test_on_batch(x, labels) == pytest.approx(twin.test_on_batch(x, np.floor(labels)))
    for run in (model.test_on_batch, lambda x, y: compare.check(model, twin, x, y)):
        with pytest.raises(ValueError, match="whole numbers.*0.5"):
            run(x, labels)


def test_loss_that_is_not_finite(keras):
    x, y = np.ones((4, 3), "float32"), np.full((4, 1), np.nan)
    assert np.isnan(fitted(dense(keras), x, y)[0]["loss"]).all()
    with pytest.raises(scratch.NonFiniteLossError, match="epoch 1, step 2"):
        dense(scratch).fit(x, [[1], [1], [np.nan], [1]], batch_size=2, shuffle=False, verbose=0)


def test_fused_mish(keras, onednn):
    x = np.linspace(-22, 3, 3 * 4 * 6, dtype="float32").reshape(3, 4, 6, 1)
    twin = keras.Sequential([keras.Input((4, 6, 1)), keras.layers.Conv2D(1, 1, activation="mish")])
    twin.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    model = twins.twins(twin)[0]
    right = x.astype(float) * np.tanh(np.log1p(np.exp(x.astype(float))))

    def off(made):
        return np.max(np.abs(made - right) / np.abs(right))

    assert off(twin(x).numpy()) < 1e-5 and off(model.predict(x, verbose=0)) < 1e-5
    assert (off(twin.predict(x, verbose=0)) > 0.5) == onednn("float32")
    before = twin.predict(x, verbose=0)
    report = compare.check(model, twin, x, upstream=np.ones_like(x))
    assert report, str(report)
    np.testing.assert_array_equal(twin.predict(x, verbose=0), before, "as it was before the check")


def test_classes_squared_apart(keras):
    """Gradients of -1 and -3 of one class: the square of their sum is 16, the sum of squares 10."""
    x, y, found = np.array([[1, 1]]), np.array([[[1.0], [3.0]]]), {}
    for package in (keras, scratch):
        for penalty in (None, "l2"):
            model = package.Sequential([package.Input((2,)), package.layers.Embedding(
                3, 1, embeddings_initializer="zeros", embeddings_regularizer=penalty)])
            model.compile(package.optimizers.Adam(0.5, beta_2=0.5), "mse")
            model.train_on_batch(x, y)
            if package is keras:
                found[package, penalty] = float(model.optimizer.variables[-1][1, 0])
            else:
                found[package, penalty] = float(
                    model.optimizer.variables[-1][1, 0])
    assert found == {(keras, None): 5, (keras, "l2"): 8, (scratch, None): 8, (scratch, "l2"): 8}


def test_schedule_free_start(keras):
    rng = np.random.default_rng(1)
    x, y = (rng.standard_normal((6, n)).astype("float32") for n in (3, 1))
    moved = {}
    for built in (False, True):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
        model.set_weights([np.full((3, 1), 5, np.float32)])
        model.compile(keras.optimizers.ScheduleFreeAdamW(0.01), "mse")
        ours = scratch.Sequential([scratch.Input((3,)), scratch.Dense(1, use_bias=False)])
        ours.set_weights(model.get_weights())
        ours.compile(scratch.ScheduleFreeAdamW(0.01), "mse")
        if built:
            model.optimizer.build(model.trainable_variables)
        model.train_on_batch(x, y)
        ours.train_on_batch(x, y)
        moved[built] = np.abs(model.get_weights()[0] - 5).max()
        assert np.abs(ours.get_weights()[0] - 5).max() < 0.011
    assert moved[True] < 0.011 and moved[False] > 4.9


def test_swapped_by_predict(keras):
    x = np.ones((2, 1), np.float32)
    after = {}
    for package in (keras, scratch):
        model = package.Sequential([package.Input((1,)),
                                    package.layers.Dense(1, use_bias=False)])
        model.set_weights([np.ones((1, 1), np.float32)])
        model.compile(package.optimizers.SGD(0.25, use_ema=True, ema_momentum=0.5), "mse")
        model.train_on_batch(x, 3 * x)  # the weight is 2
        model.train_on_batch(x, 3 * x)  # and 2.5, the average 2.25
        model.predict(x, verbose=0, callbacks=[package.callbacks.SwapEMAWeights()])
        after[package] = float(model.get_weights()[0][0, 0])
    assert after == {keras: 2.25, scratch: 2.5}


def test_augmentation_not_drawn(keras):
    x = np.random.default_rng(0).random((3, 6, 5, 3)).astype("float32")
    for name in ("RandomPerspective", "RandomHue"):
        assert not np.allclose(getattr(keras.layers, name)(0.4, seed=1)(x, training=True), x)
        assert getattr(scratch, name)(0.4, seed=1)(x, training=True) is x
    named = {subject for subject in deviations.ALL["augmentation_not_drawn"].concerns}
    assert named == {name for name, cls in scratch.layers.LAYERS.items()
                     if getattr(cls, "undrawn", False)}


def test_shear_in_config(keras):
    theirs, ours = (package.RandomShear(0.2) for package in (keras.layers, scratch))
    assert theirs.get_config()["x_factor"] == ours.get_config()["x_factor"] == (-0.2, 0.2)
    with pytest.raises(TypeError, match="in the range"):
        keras.layers.RandomShear.from_config(theirs.get_config())
    assert scratch.RandomShear.from_config(ours.get_config()).get_config() == ours.get_config()
