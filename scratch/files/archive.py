"""The zip archive that a `.keras` file is."""

import io
import os
import zipfile

from scratch.errors import shortened
from scratch.files.limits import TEXT, RefusedFile, require_held

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def pack(members: dict[str, bytes]) -> bytes:
    """An archive of these members, stored as they are."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def unpack(path, names, optional=()) -> dict[str, bytes]:
    """The contents of the named members of the archive at `path`; no other is looked at.

    Args:
        optional: names of such as may be missing.

    Raises:
        OSError: if the file cannot be read; a FileNotFoundError if there is none.
        ValueError: if it is no such archive, lacks a member, or one of them is damaged or absurd.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                held = os.fstat(file.fileno()).st_size
                there = [name for name in optional if name in archive.NameToInfo]
                return {name: _read(archive, name, held) for name in (*names, *there)}
        except RefusedFile as refusal:
            raise ValueError(f"{path}: {refusal}") from None
        except Exception as error:  # a damaged archive makes zipfile and zlib raise all sorts
            raise ValueError(f"{path}: expected a model saved by Keras, a zip archive of {CONFIG}, "
                             f"{METADATA} and {WEIGHTS}. "
                             f"Received: {type(error).__name__}: {shortened(error)}") from None


def _read(archive: zipfile.ZipFile, name: str, held: int) -> bytes:
    if name not in archive.NameToInfo:
        there = [each[:100] for each in archive.namelist()[:10]]
        raise RefusedFile(f"expected a model saved by Keras, with a member {name}. "
                          f"Received: {there}")
    info = archive.getinfo(name)
    if name in (CONFIG, METADATA) and info.file_size > TEXT:
        raise RefusedFile(f"expected a {name} of at most {TEXT} bytes. Received: {info.file_size}")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # LZMA lets the file choose how much memory it takes to unpack it
        raise RefusedFile(f"expected {name} to be stored or deflated. "
                          f"Received: method {info.compress_type}")
    require_held(info.file_size, held, f"a member {name}")
    with archive.open(info) as member:
        return member.read(info.file_size)  # raises if the checksum is another
