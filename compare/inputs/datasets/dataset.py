"""What the loader hands out: images, labels, and an honest title."""

import operator
from dataclasses import dataclass, field, replace

import numpy as np

from .pixels import Pixels, pixel_table


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels for training and for testing.

    Attributes:
        name: which data this really is, "fashion-mnist" or "digits".
        title: the name to print, with the numbers of images, and what it stands in for, if so.
        source: where it was found, in short.
        x_train, x_test: images, uint8, shape (N, H, W, 1).
        y_train, y_test: labels, int64, shape (N,), from 0 to `classes` - 1.
        class_names: what each label means.
        scale: the byte that becomes +0.5 (see `table`).
        fallback_reason: None, or a sentence saying why this is not the data that was asked for.

    The arrays are made read-only, so no model can alter what another one is given.

    Raises:
        ValueError: if the arrays do not fit the description above, or each other.
    """

    name: str
    title: str
    source: str
    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    class_names: tuple[str, ...] = field(repr=False)
    scale: int = 255
    fallback_reason: str | None = None

    def __post_init__(self):
        for part in ("train", "test"):
            x = np.asarray(getattr(self, f"x_{part}"))
            y = np.asarray(getattr(self, f"y_{part}"))
            if x.dtype != np.uint8 or x.ndim != 4 or x.shape[1:] != self.input_shape:
                raise ValueError(
                    f"Expected: x_{part} as uint8 of shape (N, H, W, 1), H and W those of x_train. "
                    f"Received: {x.dtype} of shape {x.shape}."
                )
            if y.dtype != np.int64 or y.shape != x.shape[:1]:
                raise ValueError(
                    f"Expected: y_{part} as int64 of shape {x.shape[:1]}, a label per image. "
                    f"Received: {y.dtype} of shape {y.shape}."
                )
            # A view is frozen, not the caller's own array.
            for key, array in ((f"x_{part}", x.view()), (f"y_{part}", y.view())):
                array.flags.writeable = False
                object.__setattr__(self, key, array)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one image, (H, W, 1)."""
        return np.shape(self.x_train)[1:]

    @property
    def classes(self) -> int:
        """How many kinds of things there are to tell apart."""
        return len(self.class_names)

    def table(self, dtype) -> np.ndarray:
        """The float that stands for each byte, shape (256,): `byte / scale - 0.5` in `dtype`."""
        return pixel_table(self.scale, dtype)

    def pixels(self, x: np.ndarray, dtype) -> Pixels:
        """The images `x` (uint8) as floats from -0.5 to 0.5, computed where they are indexed."""
        return Pixels(x, self.table(dtype))

    def limited(self, n_train: int | None, n_test: int | None = None) -> "Dataset":
        """The same data with only the first `n_train` and `n_test` images. None keeps all.

        Raises:
            ValueError: if there are not that many images, or none would be left.
        """
        train = _checked_count("n_train", n_train, len(self.x_train), self.title)
        test = _checked_count("n_test", n_test, len(self.x_test), self.title)
        if (train, test) == (len(self.x_train), len(self.x_test)):
            return self
        return replace(
            self,
            title=f"{self.title}, of which only the first {train:,} + {test:,} are used",
            x_train=self.x_train[:train],
            y_train=self.y_train[:train],
            x_test=self.x_test[:test],
            y_test=self.y_test[:test],
        )


def describe(name: str, x_train: np.ndarray, x_test: np.ndarray) -> str:
    """The title of a whole dataset: 'Name (60,000 + 10,000 images of 28x28)'."""
    height, width = x_train.shape[1:3]
    return f"{name} ({len(x_train):,} + {len(x_test):,} images of {height}x{width})"


def _checked_count(argument: str, count: int | None, available: int, title: str) -> int:
    if count is None:
        return available
    count = operator.index(count)
    if not 1 <= count <= available:
        raise ValueError(
            f"{title} cannot be limited so. Expected: {argument} from 1 to {available}. "
            f"Received: {argument}={count}."
        )
    return count
