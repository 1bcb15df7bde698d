"""BLAS's own threads, asked to stand aside while this package's threads are at work.

NumPy hands matrix products to OpenBLAS, which may split each of them over all cores. Where whole
blocks of a batch already run on all cores, that second split only makes threads wait for one
another. OpenBLAS can be told so at run time, through the library that NumPy has loaded.
"""

import ctypes
import threading
from contextlib import contextmanager

import numpy as np

PREFIXES = ("scipy_openblas", "openblas")  # NumPy's own wheels; other builds
SUFFIXES = ("64_", "", "_64")


def _functions():
    """(get, set) of the number of threads, or None with another BLAS."""
    try:
        library = ctypes.CDLL(np._core._multiarray_umath.__file__)
    except (AttributeError, OSError):
        return None
    for prefix in PREFIXES:
        for suffix in SUFFIXES:
            try:
                return (getattr(library, f"{prefix}_get_num_threads{suffix}"),
                        getattr(library, f"{prefix}_set_num_threads{suffix}"))
            except AttributeError:
                continue
    return None


FUNCTIONS = _functions()
CONTROLLABLE = FUNCTIONS is not None

_lock = threading.Lock()
_inside = 0  # how many callers are inside `single_threaded`
_threads = 1  # BLAS's number of threads before the first of them


@contextmanager
def single_threaded():
    """Inside, every product runs in the thread that asks for it; nested and concurrent use is fine.

    Does nothing where BLAS cannot be controlled.
    """
    global _inside, _threads
    if not CONTROLLABLE:
        yield
        return
    get, set_ = FUNCTIONS
    with _lock:
        if _inside == 0:
            _threads = get()
            set_(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                set_(_threads)
