"""Inputs whose sizes each batch says anew, as fully convolutional networks have them."""

import numpy as np
import pytest

import scratch


def segmenting(L=scratch, Input=scratch.Input, Model=scratch.Model):
    """A U-Net in small: what is halved and doubled again is joined with what it came from."""
    x = Input((None, None, 2))
    a = L.Conv2D(3, 3, padding="same", activation="relu", name="a")(x)
    b = L.Conv2D(4, (3, 2), padding="same", name="b")(L.AveragePooling2D(2, name="half")(a))
    b = L.BatchNormalization(name="norm")(L.UpSampling2D(name="double")(b))
    return Model(x, L.Conv2D(2, 1, name="last")(L.Concatenate(name="both")([a, b])))


def classifying(L=scratch, Input=scratch.Input, Model=scratch.Sequential):
    return Model([Input((None, None, 3)), L.Conv2D(4, 3, name="conv"), L.MaxPooling2D(name="pool"),
                  L.GlobalAveragePooling2D(name="mean"), L.Dense(2, name="last")])


def pair(keras, make, kind):
    theirs = make(keras.layers, keras.Input, kind)
    ours = scratch.model_from_config(theirs.get_config())
    rng = np.random.default_rng(0)
    theirs.set_weights([rng.uniform(0.1, 1, w.shape) for w in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    for model, sgd in ((theirs, keras.optimizers.SGD(0.01)), (ours, scratch.SGD(0.01))):
        model.compile(sgd, "mean_squared_error")
    return theirs, ours


@pytest.mark.parametrize("make, kind", [(segmenting, "Model"), (classifying, "Sequential")])
def test_batches_of_other_sizes_are_learned_as_by_keras(keras, make, kind):
    theirs, ours = pair(keras, make, getattr(keras, kind))
    assert ours.input_shape == theirs.input_shape and ours.output_shape == theirs.output_shape
    rng = np.random.default_rng(1)
    for size in ((8, 6), (10, 14), (8, 6), (4, 22)):
        x = rng.standard_normal((3, *size, ours.input_shape[-1])).astype("float32")
        want = np.array(theirs(x, training=False))
        np.testing.assert_allclose(ours.predict(x, verbose=0), want, rtol=1e-4, atol=1e-5)
        y = rng.standard_normal(want.shape).astype("float32")
        theirs.train_on_batch(x, y)
        ours.train_on_batch(x, y)
        for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("make, kind", [(segmenting, "Model"), (classifying, "Sequential")])
def test_configs_and_files_leave_the_sizes_open(keras, make, kind, tmp_path):
    theirs, ours = pair(keras, make, getattr(keras, kind))
    x = np.random.default_rng(1).standard_normal((2, 12, 8, ours.input_shape[-1]))
    ours.predict(x, verbose=0)  # which builds it for these sizes
    again = type(theirs).from_config(ours.get_config())
    assert again.input_shape == theirs.input_shape
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    assert keras.models.load_model(tmp_path / "ours.keras").input_shape == theirs.input_shape
    read = scratch.load_model(tmp_path / "theirs.keras")
    np.testing.assert_array_equal(read.predict(x, verbose=0), ours.predict(x, verbose=0))


def test_the_summary_shows_what_is_open(capsys):
    segmenting().summary()
    text = capsys.readouterr().out
    assert "(None, None, None, 4)" in text and "128" not in text


def test_a_model_of_any_size_inside_another_is_called_on_several(keras):
    L = keras.layers
    base = keras.Sequential([keras.Input((None, None, 2)), L.Conv2D(3, 3), L.MaxPooling2D(),
                             L.GlobalMaxPooling2D()], name="base")
    source = keras.Input((12, 9, 2))
    theirs = keras.Model(source, L.Concatenate()([base(source), base(L.MaxPooling2D()(source))]))
    ours = scratch.model_from_config(theirs.get_config())
    ours.set_weights(theirs.get_weights())
    x = np.random.default_rng(0).standard_normal((2, 12, 9, 2)).astype("float32")
    np.testing.assert_allclose(ours.forward(x), theirs(x), rtol=1e-5, atol=1e-6)


def test_what_depends_on_the_sizes_is_refused():
    with pytest.raises(ValueError, match="'last': expected inputs that go with its weights"):
        scratch.Sequential([scratch.Input((None, 3)), scratch.Flatten(),
                            scratch.Dense(2, name="last")])
    model = classifying()
    with pytest.raises(ValueError, match=r"expected inputs of shape \(None, None, None, 3\)"):
        model.forward(np.ones((2, 8, 8, 4)))
    with pytest.raises(ValueError, match="'conv'"):
        model.forward(np.ones((2, 2, 2, 3)))
    assert model.forward(np.ones((2, 8, 8, 3))).shape == (2, 2)


@pytest.mark.parametrize("shape", [(0, 3), (-1, 3), (1.5, 3), None])
def test_sizes_are_positive_or_open(shape):
    with pytest.raises(ValueError, match="positive integers or None"):
        scratch.Input(shape)
