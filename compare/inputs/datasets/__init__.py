"""The images that both networks are trained on: Fashion-MNIST, or small digits in its place.

    dataset = load()                               # found on disk, downloaded, or stood in for
    x = dataset.pixels(dataset.x_train, "float32")
    x[:64]                                         # (64, 28, 28, 1), bytes / 255 - 0.5

Reading order: dataset.py (what comes out), pixels.py (bytes into floats), search.py (where the
files may be), download.py (when they are nowhere), fashion_mnist.py (the four official files and
their checksums), idx.py (the file format), digits.py (the stand-in).

Only NumPy is needed to import this; scikit-learn is imported when the digits are loaded, pooch when
something is downloaded.
"""

import os

from . import digits, download, fashion_mnist, search
from .dataset import Dataset
from .idx import DataError
from .pixels import Pixels

__all__ = ["NAMES", "DataError", "Dataset", "Pixels", "load"]

NAMES = ("fashion-mnist", "digits")


def load(
    name: str = "fashion-mnist",
    data_dir: str | os.PathLike | None = None,
    allow_download: bool = True,
) -> Dataset:
    """Loads "fashion-mnist" or "digits".

    Fashion-MNIST is taken from the first of: `data_dir`; `$FASHION_MNIST_DIR`;
    `data/fashion-mnist`; `../shared/fashion-mnist`; Keras's cache; a download into that cache.
    A folder that was named, by `data_dir` or by the environment, is the only one looked at. When
    Fashion-MNIST is nowhere and cannot be downloaded, scikit-learn's digits stand in for it:
    the result's `name`, `title` and `fallback_reason` say so.

    Raises:
        ValueError: for an unknown name, or a `data_dir` for the digits, which have no files.
        FileNotFoundError: if a named folder is missing or lacks one of the four files.
        DataError: (a ValueError) if a file is not, bit for bit, the published one.
    """
    if name not in NAMES:
        raise ValueError(
            f"Unknown dataset. Expected: one of {', '.join(map(repr, NAMES))}. Received: {name!r}."
        )
    if name == "digits":
        if data_dir is not None:
            raise ValueError(
                "The digits come with scikit-learn and are read from no folder. "
                f"Expected: data_dir=None. Received: data_dir={os.fspath(data_dir)!r}."
            )
        return digits.load()

    found, looked_in = search.find(data_dir)
    if found is not None:
        return fashion_mnist.read(found)
    obstacle = "downloading was not allowed"
    if allow_download:
        try:
            return fashion_mnist.read(download.fetch(search.keras_cache()))
        except download.Unavailable as error:
            obstacle = str(error)
    return digits.load(
        fallback_reason=f"Fashion-MNIST was neither found (looked in {'; '.join(looked_in)}) "
        f"nor downloaded ({obstacle}), so scikit-learn's digits stand in for it."
    )
