"""What is global in a process, locked while a check runs and given back as it was found."""

import contextlib
import functools
import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import numpy as np

from compare.tracing.ops import untouched_generator
from scratch import blas

# Rows tell of every NaN and infinity; NumPy need not warn of them besides.
QUIET: dict[str, Any] = {"divide": "ignore", "over": "ignore", "invalid": "ignore"}

Given = ParamSpec("Given")
Made = TypeVar("Made")

# A check changes what belongs to every thread: Keras's precision, BLAS's threads, the model while
# it trains. The checks of two threads take turns. Keras's own lock is taken after this one.
LOCK = threading.RLock()


@contextlib.contextmanager
def untouched() -> Iterator[None]:
    """One thread at a time; the generators of Python, NumPy, scratch and Keras, and Keras's default
    precision, are at the end what they were.

    Meanwhile BLAS works in the calling thread alone: a check makes thousands of small products, and
    threads of which one waits for a processor that others use make all of them wait for it. On two
    busy cores that was 50 times the time of a product.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(LOCK)
        stack.enter_context(blas.single_threaded())
        stack.callback(random.setstate, random.getstate())
        stack.callback(np.random.set_state, np.random.get_state())
        stack.enter_context(untouched_generator())
        # else there is nothing that could be changed yet, or nothing that will be
        if "keras" in sys.modules and sys.modules["keras"].backend.backend() == "tensorflow":
            import reference.global_state

            stack.enter_context(reference.global_state.untouched())
        yield


def leaving_no_trace(function: Callable[Given, Made]) -> Callable[Given, Made]:
    """Decorator of what people call: it runs in `untouched`."""
    @functools.wraps(function)
    def wrapped(*args: Given.args, **given: Given.kwargs) -> Made:
        __tracebackhide__ = True
        with untouched():
            return function(*args, **given)

    return wrapped
