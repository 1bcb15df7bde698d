"""Somebody's layer that draws at random in training, and lets its mask be read.

It cannot be told which numbers to use. So for each mask that it drew the state is kept from which
it drew it: the object's own, generators in it included, the common ones of NumPy and of Python, and
those that its module holds.
Where a pass has to use the same mask once more, it is made again from that state.
"""

import contextlib
import copy
import random
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from compare.adapters import accessors
from compare.adapters.calls import numbers
from compare.adapters.gradient_recovery import unit
from compare.adapters.layer import Whole
from scratch.layers import Dropout, GaussianDropout, GaussianNoise

KINDS = (Dropout, GaussianDropout, GaussianNoise)
KEPT = 256  # states, the oldest of which are forgotten
ROUNDINGS = 6  # granted to x * mask / (1 - rate) beyond the product with the noise as it is read


class Drawing(Whole):
    """An object that draws its own mask, which is then the layer's noise.

    Attributes:
        states: by each mask that was drawn, from what; of all copies of the layer together.
        noise_slack: by how much 'output' and 'input_gradient' of the last pass may be off for the
            noise being read as it is, and not as it was multiplied.
    """

    draws_by_itself = True

    def __init_subclass__(cls, **given):
        super().__init_subclass__(**given)
        cls.states: dict[tuple, tuple] = {}

    noise: Any
    _given_noise: Any

    def forward(self, x, training=False):
        self.noise, self.noise_slack = None, {}
        if not (training and self.active):
            return super().forward(x, training)
        given = None if self._given_noise is None else np.asarray(self._given_noise)
        state = _now(self.foreign.obj) if given is None else self.states.get(_key(given))
        if state is None:
            super().forward(x, training)
            self._read(x)  # where it cannot be read, that is what is to be said
            raise ValueError(f"expected noise that {self.how.name} drew itself, for its mask can "
                             "be read, but not be set. Received other noise, such as that of a "
                             "recorded trace")
        with _as_then(None if given is None else state):
            self.foreign.obj = copy.deepcopy(state[0])
            y = super().forward(x, training)
        self.noise = self._read(x)
        if given is not None and not np.array_equal(self.noise, given):
            raise ValueError(f"expected {self.how.name} to draw the same mask again from the same "
                             "state of the object, of numpy.random, of random, and of generators "
                             "in its module. Received another one: keep the generator that it "
                             "draws from as an attribute of it")
        self.states[_key(self.noise)] = state
        while len(self.states) > KEPT:
            self.states.pop(next(iter(self.states)))
        added = np.abs(self.noise) if isinstance(self, GaussianNoise) else 0.0
        self.noise_slack = {"output": self._rounded(np.abs(y) + added)}
        return y

    def backward(self, dy, wants_input_gradient=True):
        dx = super().backward(dy, wants_input_gradient)
        if self.noise is not None and dx is not None:
            self.noise_slack["input_gradient"] = self._rounded(np.abs(dx))
        return dx

    def _rounded(self, size: np.ndarray) -> np.ndarray:
        return ROUNDINGS * unit(self.dtype) * size.astype(np.float64)

    def _read(self, x: np.ndarray) -> np.ndarray:
        """The mask as noise: 0, or 1 / (1 - rate) where it is not 0; other noise as it is.

        Raises:
            AttributeError, TypeError: if there is none.
            ValueError: for one that does not fit the input.
        """
        mask = numbers(accessors.read(self.foreign.obj, self.how.mask), "the mask")
        if mask.ndim == x.ndim:
            mask = self.foreign.source.to_keras(mask)
        try:
            np.broadcast_to(mask, x.shape)
        except ValueError:
            raise ValueError(f"expected a mask for an input of shape {x.shape}. "
                             f"Received: {mask.shape}") from None
        if isinstance(self, Dropout):
            scale = 1 / (1 - self.rate) if self.rate < 1 else 0.0
            mask = np.where(mask != 0, self.dtype.type(scale), self.dtype.type(0))
            shape = self.shape_of_noise(x.shape)
            if mask.shape != shape and mask.ndim == len(shape):
                one = mask[tuple(slice(0, size) for size in shape)]
                mask = one if np.array_equal(np.broadcast_to(one, mask.shape), mask) else mask
        return np.array(mask, self.dtype)


def _now(obj: Any) -> tuple:
    return copy.deepcopy(obj), np.random.get_state(), random.getstate(), \
        [each.bit_generator.state for each in _of_modules(obj)]


def _of_modules(obj: Any) -> list[np.random.Generator]:
    """The generators that the modules hold in which the object's class and its bases stand."""
    modules = dict.fromkeys(cls.__module__ for cls in type(obj).__mro__)
    return [each for name in modules if name in sys.modules
            for each in vars(sys.modules[name]).values() if isinstance(each, np.random.Generator)]


def _key(noise: np.ndarray) -> tuple:
    return noise.shape, noise.tobytes()


@contextlib.contextmanager
def _as_then(state: tuple | None) -> Iterator[None]:
    """All generators outside of the object as they were then, for as long as the block lasts;
    None to draw on from where they are."""
    if state is None:
        yield
        return
    now = _now(state[0])
    _set(state)
    try:
        yield
    finally:
        _set(now)


def _set(state: tuple) -> None:
    obj, of_numpy, of_python, of_modules = state
    np.random.set_state(of_numpy)
    random.setstate(of_python)
    for generator, each in zip(_of_modules(obj), of_modules):
        generator.bit_generator.state = each
