"""Arrays in a `.npz` file, read once it is sure that they are as large as they say.

A few bytes can say that an array has a billion entries, or unpack to as many zeros, and NumPy would
make room for them.
"""

import io
import math
import zipfile
from collections.abc import Collection
from typing import IO

import numpy as np

from compare.tracing.types import Weights
from scratch.files.limits import RefusedFile, require_held


def read(contents: bytes, what: str, names: Collection[str] | None = None) -> Weights:
    """The arrays of a `.npz` file by their names.

    Args:
        contents: of the file.
        what: they are, for messages: 'the arrays of a trace'.
        names: read no others than these; None for all.

    Raises:
        RefusedFile: if they are not as large as they say, or take up far more than the file;
            besides whatever a damaged archive makes zipfile and numpy raise.
    """
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        members = [member for member in archive.infolist()
                   if names is None or member.filename.removesuffix(".npy") in names]
        require_held(sum(member.file_size for member in members), len(contents), what)
        for member in members:
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise RefusedFile(f"{member.filename!r:.80} is packed by an unusual method")
            with archive.open(member) as file:
                _require_whole(file, member)
    with np.load(io.BytesIO(contents), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files if names is None or name in names}


def names(contents: bytes, most: int = 20) -> list[str]:
    """The first names of arrays in a `.npz` file, shortened."""
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        return [name.removesuffix(".npy")[:80] for name in archive.namelist()[:most]]


def _require_whole(file: IO[bytes], member: zipfile.ZipInfo) -> None:
    """That a member holds an array of plain values, all of them: numpy makes room by its shape."""
    read = {(1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0}[np.lib.format.read_magic(file)]
    shape, _, dtype = read(file)
    if dtype.kind not in "biufcU" or file.tell() + math.prod(shape) * dtype.itemsize \
            != member.file_size:
        raise RefusedFile(f"{member.filename!r:.80} holds {member.file_size} bytes, which are no "
                          f"array of {dtype} of shape {shape}")
