"""Fashion-MNIST: its four official files, accepted bit for bit or not at all.

A report that says "Fashion-MNIST" is worth something only if that is what was used, so every
file's length and SHA-256 are compared with the published ones before a byte of it is unpacked.

Source of the data, by Zalando SE under the MIT licence: github.com/zalandoresearch/fashion-mnist.
"""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .dataset import Dataset, describe
from .idx import DataError, check_labels, parse

TRAIN_IMAGES = "train-images-idx3-ubyte.gz"
TRAIN_LABELS = "train-labels-idx1-ubyte.gz"
TEST_IMAGES = "t10k-images-idx3-ubyte.gz"
TEST_LABELS = "t10k-labels-idx1-ubyte.gz"

CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip


class Official(NamedTuple):
    """What is known of a published file: its length, its SHA-256, and the array inside."""

    bytes: int
    sha256: str
    shape: tuple[int, ...]


FILES = {
    TRAIN_IMAGES: Official(
        26421880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        (60000, 28, 28),
    ),
    TRAIN_LABELS: Official(
        29515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        (60000,),
    ),
    TEST_IMAGES: Official(
        4422102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        (10000, 28, 28),
    ),
    TEST_LABELS: Official(
        5148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        (10000,),
    ),
}


def missing_files(folder: Path) -> list[str]:
    """The names of those of the four files that are not in `folder`, which need not exist."""
    # os.path, unlike pathlib, also answers False for a folder that may not be entered.
    return [name for name in FILES if not os.path.isfile(folder / name)]


def check_official(name: str, contents: bytes, where: str, advice: str) -> None:
    """Raises DataError unless `contents` is the published file `name`.

    Args:
        where: what to call the contents in the message: a path or an address.
        advice: the message's last sentence, what to do about it.
    """
    official = FILES[name]
    sha256 = hashlib.sha256(contents).hexdigest()
    if (len(contents), sha256) != (official.bytes, official.sha256):
        raise DataError(
            f"{where} is not the published file of Fashion-MNIST. "
            f"Expected: {official.bytes} bytes, sha256 {official.sha256}. "
            f"Received: {len(contents)} bytes, sha256 {sha256}. {advice}"
        )


def read(folder: Path) -> Dataset:
    """Reads the four files in `folder`.

    Raises:
        DataError: if a file differs from the published one.
        OSError: if a file cannot be read.
    """
    x_train, y_train = _read_part(folder, TRAIN_IMAGES, TRAIN_LABELS)
    x_test, y_test = _read_part(folder, TEST_IMAGES, TEST_LABELS)
    return Dataset(
        name="fashion-mnist",
        title=describe("Fashion-MNIST", x_train, x_test),
        source=str(folder),
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=CLASS_NAMES,
    )


def _read_part(folder: Path, images: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    x = _read_array(folder / images)  # (N, H, W)
    y = _read_array(folder / labels)  # (N,)
    check_labels(y, len(CLASS_NAMES), str(folder / labels))
    return x[..., np.newaxis], y.astype(np.int64)  # (N, H, W, 1), (N,)


def _read_array(path: Path) -> np.ndarray:
    # The bytes that were checked are the bytes that are unpacked: the file is read only once.
    contents = path.read_bytes()
    check_official(path.name, contents, str(path), "Download the original, or pass another "
                   "folder as --data-dir.")
    return parse(contents, FILES[path.name].shape, str(path))
