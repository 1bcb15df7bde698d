"""What may be chosen about a benchmark, checked before anything is loaded."""

import math
import numbers
import operator
import os
from dataclasses import dataclass

from compare.inputs import datasets, training_protocols
from compare.inputs.training_protocols import PROTOCOLS, Protocol

QUICK_EPOCHS = 1
QUICK_LIMIT = 1500  # training images, as many as the digits have; testing is quick anyway


@dataclass(frozen=True)
class Settings:
    """The defaults are those of the published runs.

    Attributes:
        network: a name from `protocols.PROTOCOLS`.
        dataset: 'fashion-mnist' or 'digits'.
        data_dir: the folder with Fashion-MNIST's files; None looks in the usual places.
        epochs: passes over the training images; None, here and in the next two: the network's own.
        batch_size: images per step; the last batch of an epoch may be shorter.
        learning_rate: of the network's optimizer.
        seed: of the initial weights and of the order of the images.
        limit: only the first so many training images; None for all.
        test_limit: only the first so many test images; None for all.

    Raises:
        ValueError: for a number out of range, or an unknown dataset.
    """

    dataset: str = training_protocols.DATASET
    data_dir: str | None = None
    epochs: int = None  # type: ignore[assignment]  # here and below: __post_init__ puts a number
    batch_size: int = None  # type: ignore[assignment]
    learning_rate: float = None  # type: ignore[assignment]
    seed: int = 0
    limit: int | None = None
    test_limit: int | None = None
    network: str = "benchmark"

    def __post_init__(self):
        if self.network not in PROTOCOLS:
            raise ValueError(f"expected network to be one of {', '.join(PROTOCOLS)}. "
                             f"Received: {self.network!r}")
        for name in ("epochs", "batch_size", "learning_rate"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(self.protocol, name))
        if self.dataset not in datasets.NAMES:
            raise ValueError(f"expected dataset to be one of {', '.join(datasets.NAMES)}. "
                             f"Received: {self.dataset!r}")
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
            _require_integer(name, getattr(self, name), least)
        for name in ("limit", "test_limit"):
            if getattr(self, name) is not None:
                _require_integer(name, getattr(self, name), 1)
        rate = self.learning_rate
        if not isinstance(rate, numbers.Real) or not math.isfinite(rate) or rate < 0:
            raise ValueError("expected learning_rate to be a finite number, not negative. "
                             f"Received: {rate!r}")
        if self.data_dir is not None:
            object.__setattr__(self, "data_dir", os.fspath(self.data_dir))

    @property
    def protocol(self) -> Protocol:
        """How the network was trained when its figures were published."""
        return PROTOCOLS[self.network]

    def load(self) -> datasets.Dataset:
        """The data to train and to test on, limited as asked.

        Raises:
            ValueError: for damaged files, or a limit beyond the number of images.
            FileNotFoundError: if `data_dir` does not lead to the files.
        """
        whole = datasets.load(self.dataset, self.data_dir)
        for name, count in (("limit", len(whole.x_train)), ("test_limit", len(whole.x_test))):
            asked = getattr(self, name)
            if asked is not None and asked > count:
                raise ValueError(f"expected {name} to be at most {count}, the images that "
                                 f"{whole.title} has for it. Received: {asked}")
        return whole.limited(self.limit, self.test_limit)


def _require_integer(name: str, value, least: int) -> None:
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < least:
        raise ValueError(f"expected {name} to be a whole number of at least {least}. "
                         f"Received: {value!r}")
