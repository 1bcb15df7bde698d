"""Files of other versions of Keras: each gives what that Keras predicted, and goes on training.

They were made by `other_versions/make.py`, run with the versions themselves.
"""

import tarfile
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

import scratch
from scratch.files import read_model

FOLDER = Path(__file__).parent / "other_versions"
ARCHIVES = sorted(FOLDER.glob("*.tar.xz"))
VERSIONS = [path.name.removeprefix("keras-").removesuffix(".tar.xz") for path in ARCHIVES]
NETWORKS = ("stack", "nested", "arithmetic")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The unpacked files of each version."""
    found = {}
    for version, path in zip(VERSIONS, ARCHIVES):
        found[version] = tmp_path_factory.mktemp(version)
        with tarfile.open(path) as archive:
            archive.extractall(found[version], filter="data")
    return found


def is_2(version):
    return version.startswith("2.")


def test_every_minor_version_of_keras_3_is_there():
    assert {version.split(".")[1] for version in VERSIONS if not is_2(version)} == {
        str(minor) for minor in range(16)}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_model_predicts_as_its_own_keras(version, ending, network, folders):
    if (network, ending) == ("arithmetic", ".h5") and not is_2(version):
        pytest.skip("which Keras 3 itself cannot read")
    path = folders[version] / f"{network}{ending}"
    given = np.load(path.with_suffix(".npz"))
    model = scratch.load_model(path)
    assert model.optimizer.iterations == 2
    np.testing.assert_allclose(model(given["x"]), given["predictions"], rtol=2e-6, atol=5e-7)
    assert read_model(path).version.startswith(version[:4].rstrip("."))


@pytest.mark.parametrize("network", ["nested", "arithmetic"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_training_goes_on_from_the_optimizers_state(version, ending, network, folders):
    if (network, ending) == ("arithmetic", ".h5") and not is_2(version):
        pytest.skip("which Keras 3 itself cannot read")
    if (version, network) == ("3.2.1", "nested"):
        pytest.skip("this Keras trained another graph than it saved")
    path = folders[version] / f"{network}{ending}"
    given = np.load(path.with_suffix(".npz"))
    model = scratch.load_model(path)
    model.train_on_batch(given["x"], given["y"])
    moved = np.abs(given["continued"] - given["predictions"]).max()
    assert moved > 1e-3
    # before Keras 2.11 the epsilon of RMSprop stood outside of the square root
    former = network == "arithmetic" and version in ("2.4.0", "2.10.0")
    np.testing.assert_allclose(model(given["x"]), given["continued"], rtol=1e-4,
                               atol=max(1e-5, moved / (50 if former else 1000)))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("version", VERSIONS)
def test_weights_alone(version, network, folders):
    path = folders[version] / f"{network}.weights.h5"
    given = np.load(folders[version] / f"{network}.npz")
    model = scratch.load_model(path.with_name(f"{network}.keras"), compile=False)
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.load_weights(path)
    np.testing.assert_allclose(model(given["x"]), given["predictions"], rtol=2e-6, atol=5e-7)


def changed(path, folder, change):
    """A copy of an HDF5 file with its config changed as a text."""
    copy = folder / path.name
    copy.write_bytes(path.read_bytes())
    with h5py.File(copy, "r+") as store:
        store.attrs["model_config"] = change(store.attrs["model_config"])
    return copy


@pytest.mark.parametrize("change, named", [
    (lambda text: text.replace('"softplus"', '"hard_sigmoid"'), "hard_sigmoid is 0.2 x + 0.5"),
    (lambda text: text.replace('"LeakyReLU"', '"ThresholdedReLU"'), "ThresholdedReLU"),
    (lambda text: text.replace('"MaxPooling2D"', '"mine>Pooling"'), "mine>Pooling"),
    (lambda text: text.replace('"Flatten", "config": {', '"Lambda", "config": {"function": '
                               '["4wEAAAAAAAAAAAAAAAEAAAADAAAAQ3MIAAAA", null, null], '), "Lambda"),
    (lambda text: text[:-40], "JSON"),
])
def test_what_cannot_be_read_is_called_keras_2s(change, named, folders, tmp_path):
    path = changed(folders["2.15.0"] / "stack.h5", tmp_path, change)
    with pytest.raises(ValueError) as caught:
        scratch.load_model(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: saved by Keras 2.15.0: ") and named in message
    assert "4wEAAAA" not in message and "\n" not in message


def test_an_operation_of_tensorflow_is_named(folders, tmp_path):
    path = changed(folders["2.13.1"] / "arithmetic.h5", tmp_path,
                   lambda text: text.replace("math.multiply", "math.sin"))
    with pytest.raises(scratch.UnsupportedError, match="math.sin"):
        scratch.load_model(path)


def test_a_saved_model_is_refused_with_the_nearest_way(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(scratch.UnsupportedError, match=r"SavedModel.*\.save\('model.keras'\)"):
        scratch.load_model(tmp_path)


def test_layers_by_name(folders):
    """Two layers of the file's have a namesake; the third keeps what it has."""
    path = folders["2.10.0"] / "stack.weights.h5"
    model = scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(3, (3, 2), name="conv2d"),
        scratch.BatchNormalization(name="batch_normalization"), scratch.Conv2D(2, 2, name="new")])
    kept = model.layers[2].get_weights()
    whole = scratch.load_model(path.with_name("stack.h5"))
    with pytest.raises(ValueError, match="expected the weights of"):
        model.load_weights(path)
    model.load_weights(path, by_name=True)
    for i in range(2):
        for a, b in zip(model.layers[i].get_weights(), whole.layers[i].get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(model.layers[2].get_weights(), kept, strict=True):
        np.testing.assert_array_equal(a, b)


def test_by_name_is_for_files_with_names(folders):
    model = scratch.load_model(folders["3.15.1"] / "stack.keras")
    with pytest.raises(ValueError, match="by_name=True"):
        model.load_weights(folders["3.15.1"] / "stack.weights.h5", by_name=True)


@pytest.mark.parametrize("version, ending", [("3.15.1", ".weights.h5"), ("3.15.1", ".h5"),
                                             ("2.15.0", ".h5")])
def test_skip_mismatch(version, ending, folders):
    """Another head: the layers before it are taken over, the head stays, and a warning says so."""
    path = folders[version] / f"stack{ending}"
    whole = scratch.load_model(path.with_name("stack.keras"))
    config = whole.get_config()
    config["layers"][-1]["config"]["units"] = 7
    model = scratch.Sequential.from_config(config)
    head = model.layers[-1].get_weights()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"Received: .*\(18, 4\)"):
        model.load_weights(path)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="it keeps what it has") as caught:
        model.load_weights(path, skip_mismatch=True)
    assert len(caught) == 1
    for a, b in zip(model.get_weights()[:-2], whole.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(model.layers[-1].get_weights(), head, strict=True):
        np.testing.assert_array_equal(a, b)


def test_skip_mismatch_says_nothing_where_all_fits(folders):
    model = scratch.load_model(folders["3.15.1"] / "nested.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.load_weights(folders["3.15.1"] / "nested.weights.h5", skip_mismatch=True)
