"""A child process towards its parent: it says what ended it, and ends when the parent does."""

import contextlib
import ctypes
import os
import re
import sys

HELD = "PARITY_HELD"  # where native code's words are held back, see reference.quiet
PARENT_DIED = 1  # prctl's PR_SET_PDEATHSIG


def hold_back_in(descriptor: int) -> None:
    """Have what native code says, while a library is starting, written to that open file."""
    os.environ[HELD] = f"{os.getpid()}:{descriptor}"


def last_words(held: bytes) -> str:
    """The last line that is not empty, without the marks that TensorFlow puts before it."""
    lines = [text.strip() for text in held.decode(errors="replace").splitlines() if text.strip()]
    return re.sub(r"^[IWEF]\d{4} \S+\s+\d+ \S+\] ", "", lines[-1]) if lines else ""


def end_with_parent(number: int) -> None:
    """On Linux: ask for that signal when the thread that started this process ends, however."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PARENT_DIED, number)
