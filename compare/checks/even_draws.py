"""Whether the numbers that an augmentation draws for each image are spread evenly, and each by
itself."""

import math
from collections.abc import Iterator

import numpy as np

from compare.checks import randomness
from compare.checks.gate import Gate
from compare.checks.randomness import Outcome
from compare.checks.row import Row
from compare.oracle.layers.augmentation import EvenlyDrawn

NAMES = ("calls", "samples", "rows", "columns", "numbers of an image")  # along each axis


def even(name: str, noise: np.ndarray, oracle: EvenlyDrawn, shape: tuple[int, ...]
         ) -> tuple[Row, list[Outcome]]:
    """(the row, what the tests found) for draws (calls, N, 1, 1, draws), for images of a shape."""
    ranges = oracle.ranges(shape)
    low, high = ranges[0]
    deviation = float(noise[..., 0].std())
    expected = math.hypot((high - low) / math.sqrt(12), (high + low) / 2 * oracle.turned)
    row = Row(Gate.FORWARD, name, "noise", passed=True, shape=noise.shape, size=noise.size,
              kind="normwise", actual=deviation, expected=expected,
              max_abs=abs(deviation - expected))
    if noise.shape[2:] != (1, 1, len(ranges)):
        many = "one draw" if len(ranges) == 1 else f"{len(ranges)} draws"
        received = noise[0, 0].size if noise[0, 0].size <= len(ranges) else "several"
        return row, [Outcome(np.inf, f"expected {many} for each image, received {received}")]
    if oracle.alike:
        if not (noise == noise[..., :1]).all():
            return row, [Outcome(np.inf, "expected one draw for both axes, received two")]
        noise, ranges = noise[..., :1], ranges[:1]
    found = [each for i, limits in enumerate(ranges)
             for each in _spread(noise[..., i], limits, oracle.turned)]
    upper = halves(noise, oracle, shape)
    if upper.shape[-1]:
        found += randomness.independence(upper, 0.5, NAMES, fields=1)
    if oracle.turned and all(low >= 0 for low, _ in ranges):
        apart = (noise.min(-1) < 0) & (noise.max(-1) > 0)
        if apart.any():
            found.append(Outcome(np.inf, "expected both numbers of an image of one sign, received "
                                         f"{int(apart.sum())} others"))
    return row, found


def halves(noise: np.ndarray, oracle: EvenlyDrawn, shape: tuple[int, ...]) -> np.ndarray:
    """Whether each draw lies in the upper half of its range, (calls, N, 1, 1, draws); without those
    that have no range."""
    kept = []
    for each, (low, high) in zip(np.moveaxis(noise, -1, 0), oracle.ranges(shape)):
        if high > low:
            kept.append((np.abs(each) if oracle.turned and low >= 0 else each) > (low + high) / 2)
    return np.stack(kept, axis=-1) if kept else np.zeros((*noise.shape[:-1], 0), bool)


def _spread(noise: np.ndarray, limits: tuple[float, float], turned: bool) -> Iterator[Outcome]:
    """Whether numbers lie between two limits, and evenly; half of them with the other sign if
    `turned`."""
    low, high = limits
    # numbers, and the limits themselves, are rounded to float32
    slack = 4 * float(np.finfo(np.float32).eps) * max(abs(low), abs(high))
    outside = (noise < low - slack) | (noise > high + slack)
    if turned:
        outside &= (noise < -high - slack) | (noise > -low + slack)
    said = f"from {low:.4g} to {high:.4g}" + ", or of the other sign" * turned
    if outside.any():
        yield Outcome(np.inf, f"expected numbers {said}, received {int(outside.sum())} others")
    if high > low:
        def share(x: np.ndarray) -> np.ndarray:
            up = np.clip((x - low) / (high - low), 0, 1)
            return (up + np.clip((x + high) / (high - low), 0, 1)) / 2 if turned else up

        yield Outcome(randomness.distribution(noise, share),
                      f"the draws are not spread evenly {said}")
