"""One of several arrays that a layer puts out, taken from all of them side by side."""

import numpy as np

from scratch.layers.base import Layer


class OneOutput(Layer):
    """One output of a layer that has several, such as an LSTM with return_state=True.

    Inside a network such a layer puts out one array, (batch, numbers): its states, and behind them
    its outputs, each sample's numbers in a row. A layer of this kind behind it takes out what
    others read.

    Args:
        start: the first column.
        units: how many numbers stand in a row of it.
        share: None for a state: `units` columns from `start` on. Otherwise (k, n): of all columns
            from `start` on the k-th of n equal parts, counted from 0.
        return_sequences: whether that part is a sequence of rows.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, numbers).

    Output shape:
        (batch, units), or (batch, steps, units) with return_sequences.

    Example:
        >>> from scratch.layers.one_output import OneOutput
        >>> layer = OneOutput(start=2, units=2, share=(0, 1), return_sequences=True)
        >>> layer([[8.0, 9.0, 1.0, 2.0, 3.0, 4.0]]).tolist()
        [[[1.0, 2.0], [3.0, 4.0]]]
    """

    sample_by_sample = True

    def __init__(self, start, units, share=None, return_sequences=False, **kwargs):
        super().__init__(**kwargs)
        self.start, self.units = int(start), int(units)
        self.share = None if share is None else tuple(share)
        self.return_sequences = bool(return_sequences)

    @property
    def hands_masks_on(self):
        """Whether the mask of the layer before goes along: with a sequence, not with a state."""
        return self.return_sequences

    def columns(self, width: int) -> slice:
        """Which of so many columns it takes."""
        if self.share is None:
            return slice(self.start, self.start + self.units)
        place, count = self.share
        size = (width - self.start) // count
        return slice(self.start + place * size, self.start + (place + 1) * size)

    def compute_output_shape(self, input_shape):
        own = self.columns(input_shape[1])
        steps = ((own.stop - own.start) // self.units,) if self.return_sequences else ()
        return (input_shape[0], *steps, self.units)

    def forward(self, x, training=False):
        self._width = x.shape[1]
        return x[:, self.columns(self._width)].reshape(
            len(x), *self.compute_output_shape(x.shape)[1:])

    def backward(self, dy, wants_input_gradient=True):
        dx = np.zeros((len(dy), self._width), dy.dtype)
        dx[:, self.columns(self._width)] = dy.reshape(len(dy), -1)
        return dx

    def get_config(self):
        return {**super().get_config(), "start": self.start, "units": self.units,
                "share": None if self.share is None else list(self.share),
                "return_sequences": self.return_sequences}
