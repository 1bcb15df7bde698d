"""The real Fashion-MNIST, where it is on this machine; nothing is downloaded."""

import numpy as np
import pytest

from compare.inputs import datasets
from compare.inputs.datasets import search


@pytest.fixture(scope="module")
def dataset():
    folder, looked_in = search.find(None)
    if folder is None:
        pytest.skip(f"Fashion-MNIST is not here (looked in {'; '.join(looked_in)})")
    return datasets.load(allow_download=False)


def test_shapes_and_title(dataset):
    assert dataset.title == "Fashion-MNIST (60,000 + 10,000 images of 28x28)"
    assert dataset.x_train.shape == (60000, 28, 28, 1)
    assert dataset.x_test.shape == (10000, 28, 28, 1)
    assert dataset.fallback_reason is None


def test_every_class_has_its_published_share(dataset):
    assert np.bincount(dataset.y_train).tolist() == [6000] * 10
    assert np.bincount(dataset.y_test).tolist() == [1000] * 10


def test_the_published_mean_and_spread(dataset):
    # Known far and wide for the training images on a scale of 0 to 1: 0.2860 and 0.3530.
    counts = np.bincount(dataset.x_train.ravel(), minlength=256)  # (256,), how often each byte
    table = dataset.table("float64")
    mean = counts @ table / counts.sum()
    spread = np.sqrt(counts @ (table - mean) ** 2 / counts.sum())
    assert round(mean + 0.5, 4) == 0.2860
    assert round(spread, 4) == 0.3530


def test_the_first_image_is_the_well_known_ankle_boot(dataset):
    assert dataset.class_names[dataset.y_train[0]] == "Ankle boot"
    boot = dataset.x_train[0, ..., 0]  # (28, 28)
    # It is wider than high: nothing above and below, the sole from edge to edge.
    assert boot[:3].max() == boot[26:].max() == 0
    assert (boot[21] > 0).sum() > 20
    # And its shaft is on the right.
    assert boot[:12, 14:].sum() > 2 * boot[:12, :14].sum()
