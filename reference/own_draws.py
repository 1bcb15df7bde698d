"""Numbers that a custom layer draws by keras.random.normal, as inputs of the model around it.

A sampling layer of a variational autoencoder draws at every call, in training and outside. What it
draws cannot be compared; what it makes of a draw can. So the draw comes in from outside, where both
networks get the same.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reference.quiet import keras

# by the shape of what is drawn
OTHERS = ("uniform", "randint", "truncated_normal", "gamma", "beta", "binomial")


@contextlib.contextmanager
def drawing(given: Callable[[tuple], Any]) -> Iterator[None]:
    """Within the block keras.random.normal gives what a function of the shape gives, stretched and
    moved as it is asked to.

    Raises:
        ValueError: within it, for a mean or a deviation that is no number.
    """
    def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
        if not all(isinstance(number, (int, float)) for number in (mean, stddev)):
            raise ValueError("Expected numbers as mean and stddev of keras.random.normal. "
                             f"Received: {mean!r} and {stddev!r}")
        made = given(tuple(shape))
        made = made if stddev == 1 else made * stddev
        return made if mean == 0 else made + mean

    own = keras.random.normal
    keras.random.normal = normal
    try:
        yield
    finally:
        keras.random.normal = own


@contextlib.contextmanager
def refusing_others(normal: bool) -> Iterator[None]:
    """Within the block the other draws of keras.random, of as many numbers as there are samples,
    raise an error that names them; so does keras.random.normal, if that is said.

    Raises:
        ValueError: within it, for such a draw.
    """
    def named(name, draw):
        def drawn(shape, *args, **kwargs):
            if isinstance(shape, (tuple, list)) and None in shape:
                raise ValueError("Expected draws by keras.random.normal, in training and outside. "
                                 f"Received: keras.random.{name}")
            return draw(shape, *args, **kwargs)
        return drawn

    own = {name: getattr(keras.random, name) for name in (*OTHERS, *["normal"] * normal)}
    for name, draw in own.items():
        setattr(keras.random, name, named(name, draw))
    try:
        yield
    finally:
        for name, draw in own.items():
            setattr(keras.random, name, draw)


def draws_of(model, x: list) -> list:
    """What a model's layers draw in one call on a batch, in turn, of normal distributions of mean 0
    and deviation 1.

    Raises:
        ValueError: for a draw that is not one for each sample.
    """
    found: list = []
    own = keras.random.normal

    def drawn(shape: tuple):
        if not shape or shape[0] != len(x[0]):
            raise ValueError("Expected draws for each sample. Received: keras.random.normal of "
                             f"shape {shape} for {len(x[0])} samples")
        made = own(shape, dtype=keras.config.floatx())
        found.append(np.array(made))
        return made

    with drawing(drawn):
        model(x if len(x) > 1 else x[0], training=False)
    return found


def names_of(count: int) -> list[str]:
    """What the inputs for so many draws are called."""
    return [f"drawn_normal_{i}" if i else "drawn_normal" for i in range(count)]


def drawn_inputs(model) -> list[str]:
    """The names of a model's inputs that take the place of its layers' own draws."""
    return [source.name for source in model.inputs if source.name in names_of(len(model.inputs))]
