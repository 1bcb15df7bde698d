"""At a kink, the slope of one of its sides; and small numbers that are taken for 0."""

from collections.abc import Callable

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside

STEP = 1e-6  # how far off a kink an input is moved, to be on one side of it

# the sign of a number at a kink -> the direction in which it is moved
SIDES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "of larger numbers": np.ones_like, "of smaller numbers": lambda at: -np.ones_like(at),
    "of numbers nearer to 0": lambda at: -np.sign(at), "of numbers further from 0": np.sign}
OF_ERRORS = ("MeanAbsoluteError", "MeanAbsolutePercentageError")  # with a kink where nothing is off


def of_loss_kinks(c) -> list[Variant]:
    """The gradient of a loss at its kinks."""
    if c.tensor != "gradient" or c.class_name not in (*OF_ERRORS, "Hinge"):
        return []
    return [inside("loss-kink", f"there it is the slope {said}",
                   lambda c, side=side: c.changed(output=_beside(c, side)))
            for said, side in SIDES.items()]


def _beside(c, side) -> np.ndarray:
    output = np.asarray(c.output, np.float64)
    y = np.asarray(c.y, np.float64)
    y = y.reshape(output.shape) if y.size == output.size else y[..., None]
    if c.class_name == "Hinge" and np.isin(y, (0, 1)).all():
        y = 2 * y - 1
    at = output * y == 1 if c.class_name == "Hinge" else output == y
    return nudged(output, at, side)


def nudged(x, at, side) -> np.ndarray:
    """x, but to one side where it lies at a kink."""
    x = np.asarray(x, np.float64)
    return np.where(at, x + side(x) * STEP * np.maximum(1.0, np.abs(x)), x)


def of_small_values() -> list[Variant]:
    """All numbers below some size are 0."""
    def detail(steps):
        return f"those below about {max(limit(c, made) for c, made in steps):.2g}"

    def change(c, made):
        least = limit(c, made)
        return c.then(lambda result: result.where(np.abs(result.value) > least)) if least else c

    return [Variant("small-values-dropped", detail, change)]


def limit(c, made) -> float:
    """The largest number that is 0 instead, if all others are larger and there; 0.0 if none is.

    Raises:
        ValueError: if it is not the size that tells them apart.
    """
    size = np.abs(c.evaluate().value)
    made = np.asarray(made)
    if size.shape != made.shape:
        raise ValueError(f"Expected numbers of shape {size.shape}. Received: {made.shape}")
    dropped, kept = (made == 0) & (size > 0), made != 0
    if not dropped.any():
        return 0.0
    least = float(size[dropped].max())
    if not kept.any() or size[kept].min() <= least:
        raise ValueError("Expected all larger numbers to be there. Received: some that are not")
    return least
