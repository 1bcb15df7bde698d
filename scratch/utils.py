"""`keras.utils`, as far as these networks need it."""

import numpy as np


def to_categorical(x, num_classes: int | None = None) -> np.ndarray:
    """Class numbers as rows of one 1 among 0s, as `categorical_crossentropy` takes them.

    Args:
        x: class numbers from 0, of any shape; a last axis of length 1 is left out.
        num_classes: how many there are; None for one more than the largest number.

    Returns:
        (*x.shape, num_classes), float64, as Keras gives them.

    Raises:
        ValueError: for what are no class numbers below num_classes.

    Example:
        >>> to_categorical([2, 0]).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    given = np.asarray(x)
    numbers = given.astype(np.int64)
    if (numbers != given).any():
        raise ValueError(f"Expected whole class numbers. Received: {given!r:.200}")
    if numbers.ndim > 1 and numbers.shape[-1] == 1:
        numbers = numbers[..., 0]
    count = int(numbers.max(initial=-1)) + 1 if num_classes is None else num_classes
    if numbers.size and not (0 <= numbers.min() and numbers.max() < count):
        raise ValueError(f"Expected class numbers from 0 to {count - 1}. Received: "
                         f"{numbers.min()} to {numbers.max()}")
    return np.eye(count)[numbers]
