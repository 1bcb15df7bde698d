"""Files that are either whole or not there: written beside their place, then renamed."""

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)$")


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a path beside `path` to write to, which takes its place if the block succeeds.

    What is there keeps its mode. What is no regular file (a pipe, a terminal, /dev/null) and what
    the process has open (/dev/stdout, /dev/fd/63) cannot be replaced: the whole of it is sent there
    once it is made.

    Raises:
        OSError: if it cannot be written; it names `path`, also where the system names none.
    """
    number, target = descriptor(path), Path(path).resolve()
    sent = number is not None or (target.exists() and not target.is_file())
    # a name may be as long as the system allows, and this one is to be no longer
    beside = target.with_name(f".{target.name[:40]}.{os.getpid()}.part")
    if sent:
        handle, name = tempfile.mkstemp(prefix="parity-", suffix=".part")
        os.close(handle)
        beside = Path(name)
    try:
        yield beside
        if sent:
            _send(beside, target if number is None else number)
        else:
            if target.exists():
                shutil.copymode(target, beside)
            os.replace(beside, target)
    except OSError as error:
        if error.strerror and str(error.filename or beside) == str(beside):
            error.filename = os.fspath(path)
            error.filename2 = None
        raise
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def descriptor(path: str | os.PathLike) -> int | None:
    """The number of the open file that a path such as /dev/stdout or /dev/fd/63 stands for."""
    name = os.path.abspath(path)
    found = DESCRIPTOR.match(name)
    return STREAMS.get(name, int(found[1]) if found else None)


def write(path: str | os.PathLike, data: bytes) -> None:
    """Write a file, complete or not at all; what was there before stays if anything fails.

    Raises:
        OSError: if it cannot be written.
    """
    with replacing(path) as target:
        target.write_bytes(data)


def _send(source: Path, target: Path | int) -> None:
    """Copy a file into what is open, or into a device or a pipe.

    An open file is not opened again: that would begin at its start, over what stands there.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()  # what has been printed before comes before it
    sink = os.dup(target) if isinstance(target, int) else target
    with open(sink, "wb") as out, open(source, "rb") as made:
        shutil.copyfileobj(made, out)
