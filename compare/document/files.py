"""Output files that are either whole or not there, and paths that are tried before the work.

A benchmark takes minutes: a path that cannot be written to must be refused before it starts.
"""

import os
import tempfile
from pathlib import Path

from scratch.files.atomic import descriptor, replacing


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text`, as UTF-8, whole or not at all."""
    with replacing(path) as target:
        target.write_text(text, encoding="utf-8")


def require_writable_file(path: str | os.PathLike[str], option: str) -> None:
    """Checks that a file can be written at `path`, without leaving anything there.

    Args:
        option: where the path came from, for the message: '--json'.

    Raises:
        OSError: naming the option, the path and what is in the way.
    """
    number = descriptor(path)
    if number is not None:
        _require_open(number, path, option)
        return
    target = Path(path).resolve()
    if target.is_dir():
        raise IsADirectoryError(f"{option}: expected a file to write. Received: {path}, "
                                "which is a directory. Give the path of a file in it.")
    if target.exists() and not target.is_file():
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{option}: expected a file in a directory that exists. "
                                f"Received: {path}, and {target.parent} is no directory. Make it "
                                "first, or give another path.")
    _try_to_write(target.parent, path, option)


def require_writable_directory(path: str | os.PathLike[str], option: str) -> None:
    """Makes the directory `path` if it is missing, and checks that files can be made in it.

    Raises:
        OSError: naming the option, the path and what is in the way.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(f"{option}: expected a directory. Received: {path}, "
                                 "which is a file. Give another path.") from None
    except OSError as error:
        raise OSError(f"{option}: expected a directory that can be made. Received: {path}: "
                      f"{error.strerror}. Give another path.") from None
    _try_to_write(Path(path), path, option)


def _require_open(number: int, path: str | os.PathLike[str], option: str) -> None:
    try:
        os.fstat(number)
    except OSError:
        raise OSError(f"{option}: expected something that is open for writing. Received: {path}, "
                      "which is not. Give another path.") from None


def _try_to_write(directory: Path, path: str | os.PathLike[str], option: str) -> None:
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        raise OSError(f"{option}: expected a place that can be written to. Received: {path}: "
                      f"{error.strerror}. Give another path.") from None
