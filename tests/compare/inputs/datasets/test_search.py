"""Where Fashion-MNIST is looked for, and that only the right files are accepted.

The published checksums are replaced by those of a tiny dataset, written here.
"""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from compare.inputs import datasets
from compare.inputs.datasets import download, fashion_mnist, search

RNG = np.random.default_rng(3)
ARRAYS = {
    "train-images-idx3-ubyte.gz": RNG.integers(0, 256, (6, 5, 4), dtype=np.uint8),
    "train-labels-idx1-ubyte.gz": np.array([9, 0, 4, 4, 1, 0], np.uint8),
    "t10k-images-idx3-ubyte.gz": RNG.integers(0, 256, (3, 5, 4), dtype=np.uint8),
    "t10k-labels-idx1-ubyte.gz": np.array([2, 9, 0], np.uint8),
}


def pack(array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), mtime=0)


CONTENTS = {name: pack(array) for name, array in ARRAYS.items()}


def official(contents, shape):
    return fashion_mnist.Official(len(contents), hashlib.sha256(contents).hexdigest(), shape)


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path):
    """A world of its own: tiny files are the published ones, and they are nowhere yet."""
    for name, contents in CONTENTS.items():
        monkeypatch.setitem(fashion_mnist.FILES, name, official(contents, ARRAYS[name].shape))
    monkeypatch.delenv("FASHION_MNIST_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(search, "__file__",
                        str(tmp_path / "checkout/compare/inputs/datasets/search.py"))
    monkeypatch.setattr(download, "unreachable", lambda url: "there is no network in this test")
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout/pyproject.toml").touch()
    (tmp_path / "elsewhere/here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere/here")
    return tmp_path


def write_files(folder, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    for name, contents in {**CONTENTS, **changes}.items():
        (folder / name).write_bytes(contents)
    return folder


def test_the_arrays_are_those_in_the_files(tmp_path):
    dataset = datasets.load(data_dir=write_files(tmp_path / "mine"))
    assert dataset.name == "fashion-mnist"
    assert dataset.title == "Fashion-MNIST (6 + 3 images of 5x4)"
    assert dataset.source == str(tmp_path / "mine")
    assert dataset.fallback_reason is None
    assert dataset.classes == 10
    assert dataset.class_names[9] == "Ankle boot"
    for part, prefix in (("train", "train"), ("test", "t10k")):
        x, y = getattr(dataset, f"x_{part}"), getattr(dataset, f"y_{part}")
        np.testing.assert_array_equal(x[..., 0], ARRAYS[f"{prefix}-images-idx3-ubyte.gz"])
        np.testing.assert_array_equal(y, ARRAYS[f"{prefix}-labels-idx1-ubyte.gz"])
        assert (x.dtype, y.dtype) == (np.uint8, np.int64)
        assert x.shape == (len(y), 5, 4, 1)


# From the last place looked in to the first.
PLACES = [
    "keras/datasets/fashion-mnist",
    "shared/fashion-mnist",
    "elsewhere/shared/fashion-mnist",
    "checkout/data/fashion-mnist",
    "elsewhere/here/data/fashion-mnist",
]


def test_each_place_goes_before_the_ones_after_it(tmp_path, monkeypatch):
    for place in PLACES:
        write_files(tmp_path / place)
        assert Path(datasets.load().source) == tmp_path / place
    write_files(tmp_path / "from environment")
    monkeypatch.setenv("FASHION_MNIST_DIR", str(tmp_path / "from environment"))
    assert datasets.load().source == str(tmp_path / "from environment")
    write_files(tmp_path / "argument")
    assert datasets.load(data_dir=tmp_path / "argument").source == str(tmp_path / "argument")


def test_an_installed_package_does_not_look_around_itself(tmp_path):
    (tmp_path / "checkout/pyproject.toml").unlink()
    write_files(tmp_path / "checkout/data/fashion-mnist")
    assert datasets.load().name == "digits"


def test_a_place_with_only_some_of_the_files_is_passed_over_and_named(tmp_path):
    here = write_files(tmp_path / "elsewhere/here/data/fashion-mnist")
    (here / "train-labels-idx1-ubyte.gz").unlink()
    fallback = datasets.load()
    assert f"{here}, which lacks train-labels-idx1-ubyte.gz;" in fallback.fallback_reason
    write_files(tmp_path / "keras/datasets/fashion-mnist")
    assert datasets.load().source == str(tmp_path / "keras/datasets/fashion-mnist")


def test_keras_home_defaults_to_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    write_files(tmp_path / "home/.keras/datasets/fashion-mnist")
    assert datasets.load().source == str(tmp_path / "home/.keras/datasets/fashion-mnist")


@pytest.mark.parametrize("by", ["data_dir", "$FASHION_MNIST_DIR"])
def test_a_named_folder_that_is_wrong_is_an_error_whatever_lies_elsewhere(
    by, tmp_path, monkeypatch
):
    write_files(tmp_path / "elsewhere/here/data/fashion-mnist")
    folder = tmp_path / "named"

    def load():
        if by == "data_dir":
            return datasets.load(data_dir=str(folder))
        monkeypatch.setenv("FASHION_MNIST_DIR", str(folder))
        return datasets.load()

    with pytest.raises(FileNotFoundError) as caught:
        load()
    assert str(caught.value).startswith(f"{by} does not lead to Fashion-MNIST. Expected: ")
    assert all(name in str(caught.value) for name in CONTENTS)
    assert str(caught.value).endswith(f"{str(folder)!r}, which is not a folder that exists.")

    write_files(folder)
    (folder / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match="which lacks t10k-images-idx3-ubyte.gz.$"):
        load()


def test_an_empty_environment_variable_counts_as_unset(tmp_path, monkeypatch):
    monkeypatch.setenv("FASHION_MNIST_DIR", "")
    write_files(tmp_path / "shared/fashion-mnist")
    assert datasets.load().source == str(tmp_path / "shared/fashion-mnist")


def flipped(contents):
    return contents[:20] + bytes([contents[20] ^ 1]) + contents[21:]


def cut(contents):
    return contents[:-1]


def extended(contents):
    return contents + b"\0"


def emptied(contents):
    return b""


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("damage", [flipped, cut, extended, emptied])
@pytest.mark.parametrize("place", ["named", PLACES[0], PLACES[-1]])
def test_a_file_that_differs_by_a_bit_is_refused(name, damage, place, tmp_path):
    good, bad = CONTENTS[name], damage(CONTENTS[name])
    folder = write_files(tmp_path / place, **{name: bad})
    with pytest.raises(datasets.DataError) as caught:
        datasets.load(data_dir=folder if place == "named" else None)
    message = str(caught.value)
    assert message.startswith(f"{folder / name} is not the published file")
    assert f"Expected: {len(good)} bytes, sha256 {hashlib.sha256(good).hexdigest()}." in message
    assert f"Received: {len(bad)} bytes, sha256 {hashlib.sha256(bad).hexdigest()}." in message
    # Somebody else's file is theirs to delete.
    assert (folder / name).read_bytes() == bad


def test_other_peoples_data_under_the_official_names_is_refused(tmp_path):
    name = "train-images-idx3-ubyte.gz"
    mine = pack(255 - ARRAYS[name])
    with pytest.raises(ValueError, match="is not the published file of Fashion-MNIST"):
        datasets.load(data_dir=write_files(tmp_path / "mine", **{name: mine}))


def test_labels_are_looked_at_even_if_the_checksum_is_right(tmp_path, monkeypatch):
    name = "t10k-labels-idx1-ubyte.gz"
    wrong = pack(np.array([2, 10, 0], np.uint8))
    monkeypatch.setitem(fashion_mnist.FILES, name, official(wrong, (3,)))
    with pytest.raises(datasets.DataError, match="Expected: 0 to 9. Received: 10 at position 1"):
        datasets.load(data_dir=write_files(tmp_path / "mine", **{name: wrong}))


def test_without_files_and_network_the_digits_stand_in_and_say_so(tmp_path):
    fallback = datasets.load()
    assert fallback.name == "digits"
    assert fallback.title == (
        "scikit-learn digits (1,500 + 297 images of 8x8) standing in for Fashion-MNIST"
    )
    assert fallback.limited(100).title.startswith(fallback.title)
    assert fallback.limited(100).fallback_reason == fallback.fallback_reason
    reason = fallback.fallback_reason
    assert reason.startswith("Fashion-MNIST was neither found")
    assert "there is no network in this test" in reason
    assert all(str(tmp_path / place) in reason for place in PLACES)
    assert not (tmp_path / "keras").exists()


def test_no_connection_is_tried_when_downloads_are_not_allowed(monkeypatch):
    monkeypatch.setattr(download, "unreachable", lambda url: pytest.fail("asked the network"))
    fallback = datasets.load(allow_download=False)
    assert "downloading was not allowed" in fallback.fallback_reason
