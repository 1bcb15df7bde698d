"""One random generator for initial weights and shuffling, seeded as in `keras.utils`."""

import numpy as np

_generator = np.random.default_rng()


def set_random_seed(seed: int) -> None:
    """Restart the generator, so that initial weights and shuffles repeat from here on.

    Keras draws from other generators: equal seeds do not give equal weights. Copy the weights.
    """
    global _generator
    _generator = np.random.default_rng(seed)


def generator() -> np.random.Generator:
    """The generator in use."""
    return _generator
