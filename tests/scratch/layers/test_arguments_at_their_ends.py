"""Arguments at and beyond their ends, as Keras takes and refuses them."""

import numpy as np
import pytest

import compare
import scratch

IMAGES = (4, 5, 3)


@pytest.mark.parametrize("factor", [(-2, 0.1), (0.5, 3), (-0.3, 0.2), (-0.2, 0.3), 1.5, -0.1])
def test_shears_beyond_zero_and_one_are_refused_as_in_keras(keras, factor):
    for package in (keras.layers, scratch):
        for arguments in ({"x_factor": factor}, {"y_factor": factor}):
            with pytest.raises(ValueError):
                package.RandomShear(**arguments)


def test_what_keras_writes_of_one_shear_is_read(keras):
    config = keras.layers.RandomShear(0.3).get_config()
    assert scratch.RandomShear.from_config(config).x_factor == (-0.3, 0.3)


@pytest.mark.parametrize("name", ["RandomGaussianBlur", "RandomInvert"])
@pytest.mark.parametrize("value_range", [5, None, (0, 1, 2), "ab"])
def test_a_value_range_is_two_numbers(name, value_range):
    with pytest.raises(ValueError, match="value_range to be two numbers"):
        getattr(scratch, name)(value_range=value_range)


def test_a_range_whose_lower_end_is_larger_leaves_that_alone(keras):
    x = np.random.default_rng(0).random((3, *IMAGES)).astype("float32")
    model = scratch.Sequential([scratch.Input(IMAGES), scratch.RandomGaussianBlur(
        value_range=(1, 0), seed=1)])
    model.compile("sgd", "mse")
    assert (model(x, training=True) == 1).all()
    report = compare.check(model, compare.twin(model), x, x)
    assert report, report


@pytest.mark.parametrize("layer", [
    scratch.RandomTranslation(np.float64(0.25), (np.float64(0.25), 0.5), fill_value=np.float32(2)),
    scratch.RandomRotation(np.float64(0.25), seed=np.int64(3)),
    scratch.RandomSharpness(np.float64(0.25), value_range=(np.int64(0), np.float32(1))),
    scratch.Dropout(np.float32(0.25))], ids=lambda layer: type(layer).__name__)
def test_numbers_of_numpy_go_into_files(keras, tmp_path, layer):
    model = scratch.Sequential([scratch.Input(IMAGES), layer])
    model.save(tmp_path / "model.keras")
    loaded = scratch.load_model(tmp_path / "model.keras")
    own, read = (made.layers[0].get_config() for made in (model, loaded))
    for key, value in own.items():
        assert np.array_equal(read[key], value), key
    x = np.ones((2, *IMAGES), "float32")
    theirs = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(theirs.predict(x, verbose=0), model.predict(x))


def test_the_sizes_of_grouped_queries_are_refused_by_their_names():
    for name in ("head_dim", "num_query_heads", "num_key_value_heads"):
        sizes = {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 2, name: 0}
        with pytest.raises(ValueError, match=f"expected {name} to be a positive integer"):
            scratch.GroupedQueryAttention(**sizes)


@pytest.mark.parametrize("output_size, error", [((2, 2), ValueError), (2.5, TypeError)])
def test_sizes_of_a_sequence_that_keras_refuses(keras, output_size, error):
    for package in (keras.layers, scratch):
        with pytest.raises(error):
            package.AdaptiveAveragePooling1D(output_size)
