"""Reads the IDX format, in which MNIST and Fashion-MNIST are published.

An unpacked IDX file is a header and then nothing but values, the last dimension fastest:

    byte 0, 1     always 0
    byte 2        what a value is; 0x08 is an unsigned byte, the only kind used here
    byte 3        the number of dimensions: 3 for images, 1 for labels
    4 each        the size of each dimension, big-endian
    the rest      the values

Nothing is taken on trust: an array comes out only if every byte of the file is accounted for.
"""

import gzip
import math
import zlib

import numpy as np

UNSIGNED_BYTE = 0x08


class DataError(ValueError):
    """A data file is not what it should be. The message says what was expected and received."""


def parse(packed: bytes, shape: tuple[int, ...], where: str) -> np.ndarray:
    """Unpacks a gzipped IDX file that must hold unsigned bytes of exactly this shape.

    Args:
        packed: the contents of the .gz file.
        shape: (N, H, W) for images, (N,) for labels.
        where: the file's name, for error messages.

    Returns:
        A read-only uint8 array of that shape.

    Raises:
        DataError: if the gzip stream is corrupt or cut short, or if the magic number, the
            dimensions or the number of bytes differ from what `shape` calls for.
    """
    try:
        data = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{where} cannot be unpacked. Expected: a complete gzip file. "
            f"Received: {len(packed)} bytes, in which {type(error).__name__}: {error}."
        ) from error

    header = 4 + 4 * len(shape)
    if len(data) < header:
        raise DataError(
            f"{where} is too short. Expected: an IDX header of {header} bytes. "
            f"Received: {len(data)} bytes in all."
        )
    magic = int.from_bytes(data[:4], "big")
    expected_magic = UNSIGNED_BYTE << 8 | len(shape)
    if magic != expected_magic:
        raise DataError(
            f"{where} is not such an IDX file. Expected: magic number 0x{expected_magic:08x} "
            f"(unsigned bytes, {len(shape)} dimension(s)). Received: 0x{magic:08x}."
        )
    sizes = tuple(int(size) for size in np.frombuffer(data, ">u4", len(shape), offset=4))
    if sizes != shape:
        raise DataError(
            f"{where} has other dimensions. Expected: {shape}. Received: {sizes}."
        )
    if len(data) != header + math.prod(shape):
        raise DataError(
            f"{where} does not hold what its header says. "
            f"Expected: {math.prod(shape)} values after the header, for {shape}. "
            f"Received: {len(data) - header}."
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def check_labels(labels: np.ndarray, classes: int, where: str) -> None:
    """Raises DataError, naming the first offender, unless all labels are below `classes`."""
    wrong = np.flatnonzero(labels >= classes)
    if wrong.size:
        raise DataError(
            f"{where} has labels that stand for no class. Expected: 0 to {classes - 1}. "
            f"Received: {labels[wrong[0]]} at position {wrong[0]} ({wrong.size} such in all)."
        )
