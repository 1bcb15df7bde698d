"""What is global in a process that uses Keras, given back as it was found.

Keras draws seeds from Python's generator and numbers from one of its own, and its default precision
belongs to every thread.
"""

import contextlib
import random
from collections.abc import Iterator

import numpy as np

from reference.quiet import LOCK, global_state, keras

GENERATOR = "global_seed_generator"  # by which Keras knows its own


@contextlib.contextmanager
def untouched() -> Iterator[None]:
    """One thread at a time; generators and the default precision are as before at the end."""
    with LOCK:
        python, numpy_, floatx = random.getstate(), np.random.get_state(), keras.config.floatx()
        keras.config.dtype_policy()  # see `precision`
        generator = global_state.get_global_attribute(GENERATOR)
        state = None if generator is None else np.array(generator.state.numpy())
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy_)
            keras.config.set_floatx(floatx)
            if generator is None:
                global_state.set_global_attribute(GENERATOR, None)
            else:
                generator.state.assign(state)
