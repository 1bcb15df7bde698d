"""Random batches suit the loss of the model that they are for."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

import scratch
from compare.inputs import batches


def model(loss):
    end = "sigmoid" if loss and "Binary" in loss else "softmax"
    made = scratch.Sequential([scratch.Input((5,)), scratch.Dense(4, activation=end)])
    if loss:
        made.compile("sgd", loss)
    return made


@pytest.mark.parametrize("loss", [*scratch.losses.CLASSES])
def test_every_loss_takes_its_random_targets(loss):
    made = model(loss)
    x, y = batches.random(made, 6, seed=3)
    assert x.shape == (6, 5) and x.dtype == "float32" and len(y) == 6
    value, _, _ = made.loss_and_gradients(x, y)
    assert np.isfinite(value)
    again = batches.random(made, 6, seed=3)
    np.testing.assert_array_equal(x, again[0])
    np.testing.assert_array_equal(y, again[1])
    assert not np.array_equal(x, batches.random(made, 6, seed=4)[0])
    assert len(np.unique(y, axis=0)) > 1, "not all alike"


@pytest.mark.parametrize("loss, holds", [
    ("SparseCategoricalCrossentropy", lambda y: y.shape == (6,) and set(y) <= {0, 1, 2, 3}),
    ("CategoricalCrossentropy", lambda y: (y.sum(axis=1) == 1).all() and set(y.flat) == {0, 1}),
    ("BinaryCrossentropy", lambda y: y.shape == (6, 4) and set(y.flat) == {0, 1}),
    ("CategoricalGeneralizedCrossEntropy", lambda y: y.shape == (6,) and y.dtype.kind == "i"),
    ("CategoricalHinge", lambda y: (y.sum(axis=1) == 1).all()),
    ("Dice", lambda y: set(y.flat) == {0, 1}), ("CosineSimilarity", lambda y: (y < 0).any()),
    ("KLDivergence", lambda y: np.allclose(y.sum(axis=1), 1) and (y > 0).all()),
    ("Poisson", lambda y: (y >= 0).all()), ("MeanSquaredError", lambda y: (y < 0).any())])
def test_what_targets_are(loss, holds):
    assert holds(batches.random(model(loss), 6, seed=3)[1])


def test_a_model_without_a_loss_has_no_targets():
    assert batches.random(model(None), 6, seed=3)[1] is None


def header(shape, descr="<f4"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False,
                                                "shape": shape})
    return file.getvalue()


def packed(folder, **members):
    """A file of that name with members that NumPy would not have written."""
    path = folder / "batch.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


@pytest.mark.parametrize("x", [
    header((10**8,)) + bytes(4 * 10**8), header((10**12,)), header((10**9, 10**9)) + bytes(100),
    header((2, 0, 10**12)) + b"1", header((1,), "|O") + b"cos\nsystem\n.", b"", b"no array",
    header((2,), "|V1000000000"), header((2,), "|S1000000000")])
def test_a_file_is_measured_before_it_is_read(x, tmp_path):
    path = packed(tmp_path, x=x)
    tracemalloc.start()
    with pytest.raises(ValueError, match="batch.npz, which cannot be read"):
        batches.from_file(path)
    assert tracemalloc.get_traced_memory()[1] < 40_000_000
    tracemalloc.stop()


def test_other_arrays_of_a_file_are_not_looked_at(tmp_path):
    file = io.BytesIO()
    np.save(file, np.ones((2, 5)))
    path = packed(tmp_path, x=file.getvalue(), more=header((10**8,)) + bytes(4 * 10**8))
    tracemalloc.start()
    x, y = batches.from_file(path)
    assert tracemalloc.get_traced_memory()[1] < 40_000_000
    tracemalloc.stop()
    assert y is None and (x == 1).all() and x.shape == (2, 5)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_is_what_numpy_saved(save, tmp_path):
    x, y = np.random.default_rng(0).normal(size=(300, 5)), np.arange(300)
    save(tmp_path / "a.npz", x=x, y=y)
    for given, expected in zip(batches.from_file(tmp_path / "a.npz"), (x, y), strict=True):
        np.testing.assert_array_equal(given, expected)
