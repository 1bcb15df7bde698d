"""Memory that is free, and that the C library keeps for later."""

import contextlib
import ctypes
from typing import Any

TRIM: Any = None  # glibc's function, looked for once
with contextlib.suppress(OSError, TypeError, AttributeError):
    TRIM = ctypes.CDLL(None).malloc_trim


def give_back() -> None:
    """Hand what is free back to the system, as far as the C library can: glibc's keeps what lies
    between arrays that are still there, which after a gate on a large network are gigabytes.
    Elsewhere this does nothing."""
    if TRIM is not None:
        TRIM(0)
