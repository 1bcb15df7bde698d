"""What all kinds of attention have: masks, and a dropout of what they weigh their values by."""

import numbers

import numpy as np

from scratch import seed as seeding
from scratch.errors import UnsupportedError
from scratch.layers.base import Layer
from scratch.layers.noise import between_zero_and_one


class DroppingAttention(Layer):
    """Base: of query, value and perhaps key, with masks if one of them comes with any: behind them
    it then reads which queries and which keys count, (batch, queries) and (batch, keys).

    Called with `use_causal_mask=True` a query does not see the keys behind its own place; all calls
    of the layer have to say the same.

    In training the weights of the values are multiplied by noise, which is 0 with probability
    `dropout` and else 1 / (1 - dropout), one number for each query and key.

    Args:
        dropout: the share of the weights that are dropped, from 0 to below 1.
        seed: a whole number, from which the layer draws by a generator of its own, or None for
            the common one that `set_random_seed` restarts.

    Raises:
        ValueError: for another dropout or seed, or for noise of another shape than the weights'.
    """

    uses_masks = hands_masks_on = calls_with_several = True
    use_causal_mask: bool | None = None  # as was said at the calls before; None before the first

    def __init__(self, dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.dropout, self.seed = between_zero_and_one(dropout, "dropout", self), seed
        if self.dropout == 1:
            raise ValueError(f"{self}: expected dropout to be below 1. Received: dropout={dropout}")
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, numbers.Integral)):
            raise ValueError(f"{self}: expected seed to be an integer or None. "
                             f"Received: seed={seed!r}")
        self._generator = None if seed is None else np.random.default_rng(abs(int(seed)))
        self.sample_by_sample = not self.dropout

    def __call__(self, inputs, training=False, use_causal_mask=False):
        self.take_causal_mask(use_causal_mask)
        return super().__call__(inputs, training)

    def take_causal_mask(self, value) -> None:
        """Whether a query sees no keys behind its own place, from now on.

        Raises:
            UnsupportedError: if another call said otherwise.
        """
        value = bool(value)
        if self.use_causal_mask not in (None, value):
            raise UnsupportedError(f"{self} does not support use_causal_mask={value} beside a call "
                                   f"with use_causal_mask={not value}. Expected the same at all.")
        self.use_causal_mask = value

    def seen(self, queries: int, keys: int) -> np.ndarray | None:
        """Which keys each query sees, (1 or N, Q, K), by the causal mask and that of the keys; None
        for all."""
        causal = np.tri(queries, keys, dtype=bool)[None] if self.use_causal_mask else None
        if self._keys is None:
            return causal
        # (N, K) -> (N, 1, K)
        return self._keys[:, None] if causal is None else causal & self._keys[:, None]

    @property
    def active(self) -> bool:
        """Whether there is anything to draw."""
        return self.dropout > 0

    @staticmethod
    def unmasked(reads):
        """Of what it reads query, value and key, if there is one: without masks."""
        return reads if len(reads) < 4 else reads[:-2]

    def take_masks(self, makers):
        self.masked_by = makers
        if self.input_shape is not None:
            shapes = self.unmasked(self.input_shape)
            masks = [(None, shape[1]) for shape in shapes[:2]] if makers else []
            self.input_shape = [*shapes, *masks]

    def parted(self, x):
        """(query, value, key; which queries and keys count, of shapes (N, Q) and (N, K), or None).
        """
        self._of_three = len(self.unmasked(x)) == 3
        self._queries, self._keys = (mask != 0 for mask in x[-2:]) if len(x) > 3 else (None, None)
        query, value, *key = self.unmasked(x)
        return query, value, key[0] if key else value

    def gradients(self, dq, dv, dk):
        """Those of all that was read, in order; masks have none."""
        masks = [None, None] if self._keys is not None else []
        return [dq, dv, dk, *masks] if self._of_three else [dq, dv + dk, *masks]

    def build_config(self):
        config = super().build_config()
        return {key: self.unmasked(shapes) for key, shapes in config.items()}

    def draw(self, rng: np.random.Generator, shape: tuple) -> np.ndarray:
        """Noise for weights of that shape."""
        kept = rng.random(shape, np.float32) >= self.dropout
        return np.where(kept, self.dtype.type(1 / (1 - self.dropout)), self.dtype.type(0))

    def dropped(self, weights: np.ndarray, training: bool) -> np.ndarray:
        """The weights times the noise, which is kept for the way back; as they are without any."""
        self.noise = None
        if not (training and self.active):
            return weights
        noise = self._given_noise
        if noise is None:
            noise = self.draw(self._generator or seeding.generator(), weights.shape)
        self.noise = np.asarray(noise, self.dtype)
        if self.noise.shape != weights.shape:
            raise ValueError(f"{self}: expected noise of the shape of the weights {weights.shape}. "
                             f"Received: {self.noise.shape}")
        return weights * self.noise

    def dropped_backward(self, dw: np.ndarray) -> np.ndarray:
        """The gradient of the weights, given that of what `dropped` returned."""
        return dw if self.noise is None else dw * self.noise

    def get_config(self):
        return {**super().get_config(), "dropout": self.dropout, "seed": self.seed}
