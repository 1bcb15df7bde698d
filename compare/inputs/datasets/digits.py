"""The stand-in that needs no files: scikit-learn's 1,797 handwritten digits of 8x8 pixels.

Their pixels run from 0 to 16, so 16 takes the place of 255 when they are turned into floats.

scikit-learn does not say which images are for testing; the split made here is always the same.
All images are put into a fixed random order, and of each class the first 16.53% (297/1797,
rounded; 29 or 30 images) are for testing. That gives 1,500 and 297 images, with every class
having the same share of both.
"""

import numpy as np

from .dataset import Dataset, describe

SPLIT_SEED = 20
TEST_SHARE = 297 / 1797
CLASSES = 10


def load(fallback_reason: str | None = None) -> Dataset:
    """The digits.

    Args:
        fallback_reason: given when they stand in for Fashion-MNIST, a sentence saying why.
    """
    from sklearn.datasets import load_digits

    bundle = load_digits()
    images = bundle.images.astype(np.uint8)[..., np.newaxis]  # (1797, 8, 8) -> (1797, 8, 8, 1)
    labels = bundle.target.astype(np.int64)  # (1797,)
    train, test = split(labels)
    title = describe("scikit-learn digits", images[train], images[test])
    return Dataset(
        name="digits",
        title=title if fallback_reason is None else f"{title} standing in for Fashion-MNIST",
        source="scikit-learn, load_digits",
        x_train=images[train],
        y_train=labels[train],
        x_test=images[test],
        y_test=labels[test],
        class_names=tuple(str(digit) for digit in range(CLASSES)),
        scale=16,
        fallback_reason=fallback_reason,
    )


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices for training and for testing, in the same fixed random order.

    Args:
        labels: shape (N,).
    """
    # RandomState, unlike default_rng, is promised never to change between versions of NumPy.
    order = np.random.RandomState(SPLIT_SEED).permutation(len(labels))
    for_test = np.zeros(len(labels), dtype=bool)
    for digit in range(CLASSES):
        members = order[labels[order] == digit]
        for_test[members[: round(len(members) * TEST_SHARE)]] = True
    return order[~for_test[order]], order[for_test[order]]
