"""Which images make up which batch: drawn once, from a seed, for both sides alike."""

import zlib
from collections.abc import Iterator

import numpy as np

STEPS_PER_CALL = 200
IMAGES_PER_CALL = 2048


def orders(seed: int, samples: int, epochs: int) -> Iterator[np.ndarray]:
    """For each epoch a new order of all samples, shape (samples,)."""
    generator = np.random.default_rng(seed)
    for _ in range(epochs):
        yield generator.permutation(samples)


def steps_per_call(batch_size: int) -> int:
    """How many batches are decoded, and handed over, together."""
    return max(1, min(STEPS_PER_CALL, IMAGES_PER_CALL // batch_size))


def chunks(order: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """Cuts an epoch's order into groups of batches: arrays (steps, batch) of sample numbers.

    A last batch that is short comes on its own, as (1, what is left).
    """
    whole = len(order) // batch_size
    batches = order[:whole * batch_size].reshape(whole, batch_size)  # (n,) -> (steps, batch)
    for start in range(0, whole, steps_per_call(batch_size)):
        yield batches[start:start + steps_per_call(batch_size)]
    rest = order[whole * batch_size:]
    if len(rest):
        yield rest[np.newaxis]  # (b,) -> (1, b)


def checksum(value: int, x: np.ndarray, y: np.ndarray) -> int:
    """CRC-32 of everything trained on so far, so that two sides can prove they saw the same."""
    value = zlib.crc32(repr((x.shape, x.dtype.str, y.shape, y.dtype.str)).encode(), value)
    value = zlib.crc32(np.ascontiguousarray(x).data, value)
    return zlib.crc32(np.ascontiguousarray(y).data, value)
