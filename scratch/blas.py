"""BLAS, which NumPy hands matrix products to: how many threads it takes, and what it is quick in.

OpenBLAS may split each product over all cores. Where whole blocks of a batch already run on all
cores, that second split only makes threads wait for one another. OpenBLAS can be told so at run
time, through the library that NumPy has loaded; and it tells for which processor its kernels are.
"""

import ctypes
import threading
from contextlib import contextmanager

import numpy as np

PREFIXES = ("scipy_openblas", "openblas")  # NumPy's own wheels; other builds
SUFFIXES = ("64_", "", "_64")


# The processors for which OpenBLAS has kernels of their own for small and thin products (AVX-512).
WITH_THIN_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")


def _function(name: str):
    """OpenBLAS's function of that name; None with another BLAS."""
    try:
        library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    found = (getattr(library, f"{prefix}_{name}{suffix}", None)
             for prefix in PREFIXES for suffix in SUFFIXES)
    return next((function for function in found if function is not None), None)


def _kernels() -> str:
    """The processor that BLAS's kernels are for; empty with another BLAS."""
    tell = _function("get_corename")
    if tell is None:
        return ""
    tell.restype = ctypes.c_char_p
    return tell().decode()


FUNCTIONS = _function("get_num_threads"), _function("set_num_threads")
CONTROLLABLE = None not in FUNCTIONS
THIN_PRODUCTS = _kernels() in WITH_THIN_KERNELS  # whether a product of few rows is quick, too

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
