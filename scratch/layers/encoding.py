"""Numbers as classes, and classes as zeros and ones."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers.arguments import positive
from scratch.layers.array_arguments import from_config
from scratch.layers.base import Layer

MODES = ("one_hot", "multi_hot", "count")


class Encoding(Layer):
    """Base: a class number as a row of zeros with a one at its place. Nothing is learned, and the
    input has no gradient: a class cannot change by a little.

    Args:
        output_mode: 'one_hot' for a row each; 'multi_hot' for one row of each sample, with ones at
            all of its classes; 'count' for how often each occurs.
        sparse: False; no other is supported.
    """

    without_input_gradient = True
    modes: tuple[str, ...] = MODES

    def __init__(self, output_mode, sparse=False, **kwargs):
        super().__init__(**kwargs)
        if output_mode not in self.modes:
            raise ValueError(f"{self}: expected output_mode to be one of {', '.join(self.modes)}. "
                             f"Received: output_mode={output_mode!r}")
        if sparse:
            raise UnsupportedError(f"{self} does not support sparse={sparse!r}. Expected: False.")
        self.output_mode, self.sparse = output_mode, False

    @property
    def depth(self) -> int:
        """How many classes there are."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        shape = tuple(input_shape)
        if self.output_mode == "int":
            return shape
        if len(shape) < 2:
            raise ValueError(f"{self}: expected inputs of shape (batch, ...), at least two axes. "
                             f"Received: input_shape={shape}")
        if self.output_mode == "one_hot":
            return (*(shape[:-1] if shape[-1] == 1 else shape), self.depth)
        return (shape[0], *shape[2:], self.depth)

    def encoded(self, classes: np.ndarray) -> np.ndarray:
        """What stands for class numbers (N, ...)."""
        if self.output_mode == "one_hot" and classes.shape[-1] == 1:
            classes = classes[..., 0]
        # (N, T, ...) -> (N, T, ..., classes)
        ones = (classes[..., None] == np.arange(self.depth)).astype(self.dtype)
        if self.output_mode == "one_hot":
            return ones
        # (N, T, ..., classes) -> (N, ..., classes)
        return ones.max(axis=1) if self.output_mode == "multi_hot" else ones.sum(axis=1)

    def backward(self, dy, wants_input_gradient=True):
        self.grads = {}


class CategoryEncoding(Encoding):
    """Class numbers as rows of zeros and ones.

    Args:
        num_tokens: how many classes there are.
        output_mode: 'multi_hot' ('binary' is another name of it), 'one_hot' or 'count', see
            `Encoding`.
        sparse: False; no other is supported.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, places) or (batch, places, ...), class numbers from 0 to num_tokens - 1. What is
        behind a point is cut off.

    Output shape:
        (batch, ..., num_tokens) for 'multi_hot' and 'count', which join the places;
        (batch, places, ..., num_tokens) for 'one_hot', where a last axis of size 1 goes.

    The input has no gradient, so that `backward` returns None, and no layer that learns may stand
    before this one.

    Raises:
        ValueError: for another mode, or a num_tokens that is no positive integer; in `forward` for
            a class that there is not.
        UnsupportedError: for sparse outputs.

    Example:
        >>> scratch.CategoryEncoding(4, output_mode="count")([[0, 3, 3]]).tolist()
        [[1.0, 0.0, 0.0, 2.0]]
        >>> scratch.CategoryEncoding(3, output_mode="one_hot")([[2, 0]]).tolist()
        [[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]]
    """

    sample_by_sample = True

    def __init__(self, num_tokens=None, output_mode="multi_hot", sparse=False, **kwargs):
        super().__init__("multi_hot" if output_mode == "binary" else output_mode, sparse, **kwargs)
        self.num_tokens = positive(num_tokens, "num_tokens", self)

    @property
    def depth(self):
        return self.num_tokens

    def forward(self, x, training=False):
        strange = x[~((x > -1) & (x < self.num_tokens))]  # a NaN is neither
        if strange.size:
            raise ValueError(f"{self}: expected class numbers from 0 to {self.num_tokens - 1} "
                             f"(num_tokens={self.num_tokens}). Received: {strange.reshape(-1)[0]}")
        return self.encoded(x.astype(np.int64))

    def get_config(self):
        return {**super().get_config(), "num_tokens": self.num_tokens,
                "output_mode": self.output_mode}


class Discretization(Encoding):
    """The number of the bin into which a number falls: how many boundaries are not above it.

    Args:
        bin_boundaries: in ascending order, as float32 holds them; None for those that `adapt` has
            taken of data.
        num_bins: how many bins `adapt` is to make; None where bin_boundaries are given.
        epsilon: how coarse the quantiles are that `adapt` takes, from 0 (exactly) to 1.
        output_mode: 'int' for the bins' numbers, or how those are encoded, see `Encoding`.
        sparse: False; no other is supported.
        name, trainable, dtype: see `Layer`.

    Input shape:
        (batch, ...).

    Output shape:
        As the input for 'int'; else as of `CategoryEncoding`, with one bin more than boundaries.

    The input has no gradient: `backward` returns None, and no layer that learns may stand before.

    Raises:
        ValueError: for another mode, for both boundaries and their number or neither, or boundaries
            that do not ascend; in `forward` where there are none yet.
        UnsupportedError: for sparse outputs.

    Example:
        >>> layer = scratch.Discretization([0.0, 10.0])
        >>> layer([[-1.0, 0.0, 9.5, 10.0]]).tolist()  # a boundary belongs to the bin above it
        [[0.0, 1.0, 1.0, 2.0]]
    """

    sample_by_sample = True
    modes = ("int", *MODES)

    def __init__(self, bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int",
                 sparse=False, **kwargs):
        super().__init__(output_mode, sparse, **kwargs)
        if (bin_boundaries is None) == (num_bins is None):
            raise ValueError(f"{self}: expected either bin_boundaries or num_bins. Received: "
                             f"bin_boundaries={bin_boundaries!r:.100}, num_bins={num_bins!r}")
        self.num_bins = None if num_bins is None else positive(num_bins, "num_bins", self)
        self.epsilon = epsilon
        self.bin_boundaries: list | None = None
        if bin_boundaries is not None:
            self._take(bin_boundaries)

    def _take(self, boundaries) -> None:
        given = from_config(boundaries)
        values = np.asarray(given, np.float64)
        if values.ndim != 1 or not (np.diff(values) >= 0).all():
            raise ValueError(f"{self}: expected bin_boundaries in ascending order. Received: "
                             f"{boundaries!r:.100}")
        self.bin_boundaries = values.tolist() if isinstance(given, np.ndarray) else list(given)

    def adapt(self, data) -> None:
        """Take `num_bins` - 1 boundaries of data: its quantiles, as fine as `epsilon`.

        Raises:
            ValueError: for a layer whose boundaries are arguments.
        """
        if self.num_bins is None:
            raise ValueError(f"{self}: expected a layer without given boundaries to adapt.")
        values = np.sort(np.asarray(data, np.float32).reshape(-1))
        step = max(values.size * self.epsilon, 1)
        kept = values[int(step) - 1::int(step)]
        quantiles = thinned(np.stack([kept, np.ones_like(kept) * step]), self.epsilon)
        self.bin_boundaries = thinned(quantiles, 1 / self.num_bins)[0, :-1].tolist()

    def _boundaries(self) -> list:
        if self.bin_boundaries is None:
            raise ValueError(f"{self}: expected bin_boundaries, or adapt(data) before the first "
                             "batch. Received: neither")
        return self.bin_boundaries

    @property
    def depth(self):
        return len(self._boundaries()) + 1

    def forward(self, x, training=False):
        edges = np.asarray(self._boundaries(), np.float32).astype(self.dtype)
        bins = np.searchsorted(edges, x, side="right")
        return bins.astype(self.dtype) if self.output_mode == "int" else self.encoded(bins)

    def get_config(self):
        return {"bin_boundaries": self.bin_boundaries, "num_bins": self.num_bins,
                "epsilon": self.epsilon, "output_mode": self.output_mode, "sparse": self.sparse,
                "name": self.name, "dtype": self.dtype.name}

    @classmethod
    def from_config(cls, config):
        adapted = config.get("num_bins") is not None and config.get("bin_boundaries") is not None
        layer = cls(**{**config, "bin_boundaries": None} if adapted else config)
        if adapted:
            layer._take(config["bin_boundaries"])
        return layer


def thinned(summary: np.ndarray, share: float) -> np.ndarray:
    """Values and how many numbers each stands for, (2, n), made fewer: quantiles `share` apart."""
    if summary.shape[1] * share < 1:
        return summary
    wanted = share + np.arange(0, 1, share)
    total = summary[1].cumsum()
    values = np.interp(wanted, total / total[-1], summary[0])
    total = np.interp(wanted, total / total[-1], total)
    return np.stack([values, np.diff(total, prepend=0)]).astype(np.float32)
