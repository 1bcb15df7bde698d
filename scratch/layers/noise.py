"""What the layers that draw random numbers in training have in common.

In training such a layer draws its `noise`, unless it was given some, and combines it with the input
element by element; at inference it hands the input through. The gradient passes the same way.
"""

import numbers

import numpy as np

from scratch import seed as seeding
from scratch.layers.base import Layer


class RandomLayer(Layer):
    """Base of the layers that are random in training.

    A subclass says what `draw` draws, and `combine` and its gradient.

    Args:
        seed: a whole number, from which the layer then draws by a generator of its own; None for
            the common generator that `set_random_seed` restarts. Keras draws other numbers from the
            same seed: hand over the noise to compare two networks.

    Raises:
        ValueError: for another seed, or for noise that does not fit the input.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, numbers.Integral)):
            raise ValueError(f"{self}: expected seed to be an integer or None. "
                             f"Received: seed={seed!r}")
        self.seed = seed
        self._generator = None if seed is None else np.random.default_rng(abs(int(seed)))

    @property
    def active(self) -> bool:
        """Whether there is anything to draw."""
        raise NotImplementedError

    def draw(self, rng: np.random.Generator, shape: tuple) -> np.ndarray:
        """Noise for an input of that shape, to which it must broadcast."""
        raise NotImplementedError

    def combine(self, x: np.ndarray, noise: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def combine_backward(self, dy: np.ndarray, noise: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def forward(self, x, training=False):
        self.noise = self._noise_for(x) if training and self.active else None
        return x if self.noise is None else self.combine(x, self.noise)

    def backward(self, dy, wants_input_gradient=True):
        return dy if self.noise is None else self.combine_backward(dy, self.noise)

    def fresh_noise(self, shape: tuple) -> np.ndarray:
        """New noise for an input of that shape, by the layer's own generator or the common one."""
        return self.draw(seeding.generator() if self._generator is None else self._generator, shape)

    def _noise_for(self, x) -> np.ndarray:
        noise = self.fresh_noise(x.shape) if self._given_noise is None else self._given_noise
        noise = self.rounded(np.asarray(noise, self.dtype))
        self._require_fit(noise, x)
        return noise

    def _require_fit(self, noise: np.ndarray, x: np.ndarray) -> None:
        behind = x.shape[max(0, x.ndim - noise.ndim):]
        if noise.ndim > x.ndim or any(n not in (1, size) for n, size in zip(noise.shape, behind)):
            raise ValueError(f"{self}: expected noise that broadcasts to the input's shape "
                             f"{x.shape}. Received: noise of shape {noise.shape}")

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


def between_zero_and_one(value, name: str, owner) -> float:
    """A number from 0 to 1, both included."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not 0 <= value <= 1:
        raise ValueError(f"{owner}: expected {name} to be a number between 0 and 1. "
                         f"Received: {name}={value!r}")
    return value
