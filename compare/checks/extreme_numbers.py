"""Numbers at the ends of their range, at kinks and at ties: one kind for each sample of a batch.

Ordinary batches hold none of them, and yet a formula is most easily wrong there: exp overflows, a
logarithm meets 0, a difference loses its digits, a sign is asked for at exactly 0.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

BEYOND = 1.15  # times the exponent from which on exp overflows: 102 in float32, 816 in float64
OFFSET = 3000.0  # beside which a spread of 1 is lost if both are squared
KINDS = ("large", "peak", "low", "tiny", "equal", "zero", "mixed", "kinks", "offset")
LINEAR = (1.0, 1e5, 1e-6)  # sizes of the samples of layers that add up products
CHANNELS = (1e-12, 1.0, 1e-6)  # and of the gradients of their channels


def sample(kind: str, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike,
           kinks: Sequence[float] = (), largest: float = 4.0) -> np.ndarray:
    """Numbers of one kind, (...), in float64 but such as the precision holds.

    Args:
        kind: 'large' (exp overflows, or underflows to 0), 'peak' (one of a row is 0, all
            others are far below), 'low' (all far below 0), 'tiny', 'equal', 'zero', 'mixed' (all
            magnitudes), 'kinks' (exactly at them, next to them, and others), 'offset' (spread by 1
            around a large number).
        kinks: where a formula changes; 0 is one of them always.
        largest: the exponent of 10 of the largest numbers of 'mixed'.
    """
    top = BEYOND * math.log(float(np.finfo(dtype).max))
    normal = rng.standard_normal(shape)
    if kind == "zero":
        made = np.zeros(shape)
    elif kind == "equal":
        made = np.full(shape, rng.standard_normal())
    elif kind == "large":
        made = np.sign(normal) * top * rng.uniform(0.9, 1.0, shape)
    elif kind == "peak":
        made = np.full(shape, -2 * top)
        rows = made.reshape(-1, shape[-1])
        rows[np.arange(len(rows)), rng.integers(shape[-1], size=len(rows))] = 0.0
    elif kind == "low":
        made = normal - top
    elif kind == "tiny":
        made = np.sign(normal) * 10.0 ** rng.uniform(-20, -4, shape)
    elif kind == "mixed":
        made = np.sign(normal) * 10.0 ** rng.uniform(-8, largest, shape)
    elif kind == "offset":
        made = normal + OFFSET
    else:
        made = np.where(rng.random(shape) < 0.8, beside(kinks, rng, shape, dtype), normal)
    return np.asarray(made, dtype).astype(np.float64)


def beside(kinks: Sequence[float], rng: np.random.Generator, shape: tuple[int, ...],
           dtype: DTypeLike) -> np.ndarray:
    """Kinks, 0 among them, and the numbers of that precision next to them; 0 has none, for they
    may be read as 0."""
    at = np.array(sorted({0.0, *kinks}), dtype)
    every = np.concatenate([at, at, *[np.nextafter(at[at != 0], np.asarray(way, dtype))
                                      for way in (-np.inf, np.inf)]])
    return rng.choice(every.astype(np.float64), shape)


def samples(kinds: Sequence[str], shape: tuple[int, ...], seed: int, dtype: DTypeLike,
            kinks: Sequence[float] = ()) -> np.ndarray:
    """A batch of one sample of each kind, (kinds, ...)."""
    rng = np.random.default_rng(seed)
    return np.stack([sample(kind, shape, rng, dtype, kinks) for kind in kinds]).astype(dtype)


def upstream(shape: tuple[int, ...], seed: int, dtype: DTypeLike) -> np.ndarray:
    """Gradients of all magnitudes down to 1e-8, (batch, ...)."""
    rng = np.random.default_rng([seed, 1])
    signs = np.sign(rng.standard_normal(shape))
    return np.asarray(signs * 10.0 ** rng.uniform(-8, 0, shape), dtype)


def scaled(x: np.ndarray, dy: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """(x, dy) for a layer that adds up products, of such sizes that small results stand beside
    large ones in each of its tensors.

    Args:
        x, dy: normal numbers, (batch, ...), as many samples as `LINEAR` has sizes.
        axis: the channels' axis of dy.
    """
    sizes = np.array(LINEAR)
    channels = np.fromiter(itertools.islice(itertools.cycle(CHANNELS), dy.shape[axis]), float)
    along = [1] * dy.ndim
    along[axis] = -1
    first = (-1, *[1] * (x.ndim - 1))
    return (np.asarray(x * sizes.reshape(first), x.dtype),
            np.asarray(dy / sizes.reshape(-1, *[1] * (dy.ndim - 1)) * channels.reshape(along),
                       dy.dtype))
