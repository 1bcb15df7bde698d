"""Numbers brought to mean 0 and variance 1 by statistics of a whole data set."""

import numpy as np

from scratch.layers.array_arguments import from_config, real_numbers
from scratch.layers.axes import distinct_axes, whole_axis
from scratch.layers.base import Layer

SMALLEST_DEVIATION = 1e-7  # Keras's epsilon: what is smaller is taken for it


class Normalization(Layer):
    """(x - mean) / deviation by given statistics, or by those that `adapt` has taken of data.

    The deviation is the root of the variance, at least 1e-7. Nothing is learned: the statistics are
    the same in training and at inference.

    Weights: mean and variance, with the sizes of the axes in `axis`, and count, one whole number of
    which Keras makes no use; none of them where mean and variance are arguments.

    Args:
        axis: the axis, or a list of those, that have statistics of their own; None for a single
            mean and variance.
        mean, variance: numbers, or arrays that broadcast to the sizes of the axes; both or neither.
        invert: whether to go the other way: x * deviation + mean.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), with the sizes along `axis` known.

    Output shape:
        As the input.

    Raises:
        TypeError: for axes that are no integers.
        ValueError: for axes that the input lacks, the batch's, or one named twice; for statistics
            that do not fit, or one of them alone.

    Example:
        >>> layer = scratch.Normalization()
        >>> layer.adapt([[1.0, 10.0], [3.0, 50.0]])
        >>> layer([[1.0, 30.0]]).tolist()
        [[-1.0, 0.0]]
        >>> scratch.Normalization(axis=None, mean=2.0, variance=4.0)([[6.0, 2.0]]).tolist()
        [[2.0, 0.0]]
    """

    sample_by_sample = True
    takes_low_precision = True
    non_trainable = ("mean", "variance", "count")
    constants = non_trainable

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        named = () if axis is None else axis if isinstance(axis, (list, tuple)) else (axis,)
        self.axis = tuple(whole_axis(each, self) for each in named)
        self.mean, self.variance = from_config(mean), from_config(variance)
        self.invert = bool(invert)
        if (self.mean is None) != (self.variance is None):
            raise ValueError(f"{self}: expected both mean and variance, or neither. "
                             f"Received: mean={mean!r:.100}, variance={variance!r:.100}")
        self._given = {} if self.mean is None else {
            name: real_numbers(as_list(value), name, self)  # as out of a config
            for name, value in (("mean", self.mean), ("variance", self.variance))}
        if self._given:
            self.non_trainable = self.constants = ()  # there are no weights
        if len({array.shape for array in self._given.values()}) > 1:
            raise ValueError(f"{self}: expected mean and variance of one shape. Received: "
                             f"{self._given['mean'].shape} and {self._given['variance'].shape}")

    def compute_output_shape(self, input_shape):
        self._axes_of(input_shape)
        return tuple(input_shape)

    def _axes_of(self, input_shape) -> tuple[int, ...]:
        if not self.axis:
            return ()
        return tuple(sorted(distinct_axes(list(self.axis), input_shape, self)))

    def build(self, input_shape):
        super().build(input_shape)
        axes = self._axes_of(input_shape)
        sizes = tuple(input_shape[axis] for axis in axes)
        self._broadcast = tuple(size if i in axes else 1 for i, size in enumerate(input_shape))
        self._reduced = tuple(i for i in range(len(input_shape)) if i not in axes)
        if not self._given:
            self.params["mean"] = np.zeros(sizes, self.dtype)
            self.params["variance"] = np.ones(sizes, self.dtype)
            self.params["count"] = np.zeros((), np.int64)
            return
        for name, array in self._given.items():
            try:
                np.broadcast_to(array, sizes)
            except ValueError:
                raise ValueError(f"{self}: expected {name} to broadcast to {sizes}, the sizes "
                                 f"along axis={self.axis}. Received: {name} of shape "
                                 f"{array.shape}") from None

    def adapt(self, data) -> None:
        """Take mean and variance of data, an array with the batch first.

        Raises:
            ValueError: for a layer whose mean and variance are arguments.
        """
        if self._given:
            raise ValueError(f"{self}: expected a layer without given statistics to adapt.")
        data = np.asarray(data, self.dtype)
        if not self.built:
            self.build((None, *data.shape[1:]))
        # (N, H, W, C) -> (C,), likewise for other axes
        self.params["mean"][...] = data.mean(axis=self._reduced)
        self.params["variance"][...] = data.var(axis=self._reduced)

    def _statistic(self, name: str) -> np.ndarray:
        # (C,) -> (1, 1, 1, C)
        array = self._given.get(name)
        if array is None:
            return self.params[name].reshape(self._broadcast)
        sizes = tuple(self._broadcast[i] for i in range(len(self._broadcast))
                      if i not in self._reduced)
        given = np.broadcast_to(array, sizes).astype(self.dtype).reshape(self._broadcast)
        return self.rounded(given)

    def _deviation(self) -> np.ndarray:
        return np.maximum(np.sqrt(self._statistic("variance")),
                          self.dtype.type(SMALLEST_DEVIATION))

    def forward(self, x, training=False):
        # (N, H, W, C) with (1, 1, 1, C) -> (N, H, W, C)
        if self.invert:
            return x * self._deviation() + self._statistic("mean")
        return (x - self._statistic("mean")) / self._deviation()

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        return dy * self._deviation() if self.invert else dy / self._deviation()

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "invert": self.invert,
                "mean": as_list(self.mean), "variance": as_list(self.variance)}


def as_list(value):
    """Numbers as a config of this layer holds them: in lists, never as an array."""
    return None if value is None else np.asarray(value).tolist()
