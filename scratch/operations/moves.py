"""Numbers moved, repeated, or put between others: keras.ops.pad, roll, flip, tile, repeat."""

import numbers

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers.axes import axis_of, distinct_axes, whole_axes, whole_axis
from scratch.operations.operation import Operation


class PadOperation(Operation):
    """A border on every axis but the batch's, of one number or of what lies inside, mirrored.

    Args:
        pad_width: (before, after) for each axis, the batch's (0, 0) first; or one pair or number
            for all of them, which then has to be 0.
        mode: 'constant', 'reflect' (without the outermost) or 'symmetric' (with it).
        constant_values: the number; None for 0.
        operands, name: see `Operation`.

    Raises:
        ValueError: for widths below 0 or for the batch, or mirrored ones that exceed what there is.
        UnsupportedError: for another mode.
    """

    said_at_call = ("operands", "constant_values")
    sample_by_sample = True

    def __init__(self, pad_width, mode="constant", constant_values=None, **kwargs):
        super().__init__(**kwargs)
        if mode not in ("constant", "reflect", "symmetric"):
            raise UnsupportedError(f"{self} does not support mode={mode!r}. Expected: 'constant', "
                                   "'reflect' or 'symmetric'.")
        if constant_values is not None and not isinstance(constant_values, numbers.Real):
            raise UnsupportedError(f"{self} does not support constant_values="
                                   f"{constant_values!r:.80}. Expected: one number.")
        self.mode, self.constant_values = mode, constant_values
        self.pad_width = np.asarray(pad_width, object).tolist()

    @classmethod
    def settings_of_call(cls, args, kwargs, owner):
        return {"constant_values": kwargs.pop("constant_values", None)}

    def keyword_arguments(self):
        return {"constant_values": self.constant_values}

    def _widths(self, shape: tuple) -> list[tuple[int, int]]:
        try:
            given = np.broadcast_to(np.asarray(self.pad_width), (len(shape), 2))
        except ValueError:
            given = None
        limit = {"constant": np.inf, "reflect": -1, "symmetric": 0}[self.mode]
        if given is None or given.dtype.kind not in "iu" or (given < 0).any() or given[0].any() \
                or any(max(pair) > n + limit for pair, n in zip(given[1:], shape[1:])):
            raise ValueError(f"{self}: expected (before, after) for each of {len(shape)} axes, "
                             "whole numbers, (0, 0) for the batch"
                             f"{'' if self.mode == 'constant' else ', and no more than there is'}. "
                             f"Received: pad_width={self.pad_width}, "
                             f"input_shape={tuple(shape)}")
        return [(int(before), int(after)) for before, after in given]

    def compute_output_shape(self, input_shape):
        widths = self._widths(tuple(input_shape))
        return (input_shape[0], *(n + before + after
                                  for n, (before, after) in zip(input_shape[1:], widths[1:])))

    def forward(self, x, training=False):
        self._widths_used, self._shape = self._widths(x.shape), x.shape
        fill = {"constant_values": self.constant_values or 0} if self.mode == "constant" else {}
        # (N, H, W, C) -> (N, top + H + bottom, left + W + right, C)
        return np.pad(x, self._widths_used, self.mode, **fill)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        if self.mode != "constant":
            for axis, (before, after) in enumerate(self._widths_used):
                dy = self._folded(dy, axis, before, after)
        # (N, top + H + bottom, left + W + right, C) -> (N, H, W, C)
        return dy[tuple(slice(before, before + n)
                        for (before, _), n in zip(self._widths_used, self._shape))]

    def _folded(self, dy, axis, before, after):
        """dy with its border along an axis added to what it mirrors."""
        dy = np.moveaxis(dy, axis, 0).copy()
        size, apart = len(dy) - before - after, self.mode == "reflect"
        inside = dy[before:before + size]
        inside[apart:apart + before] += dy[:before][::-1]
        inside[size - apart - after:size - apart] += dy[before + size:][::-1]
        return np.moveaxis(dy, 0, axis)

    def get_config(self):
        return {**super().get_config(), "pad_width": self.pad_width, "mode": self.mode,
                "constant_values": self.constant_values}


class RollOperation(Operation):
    """Everything moved along some axes, what leaves at one end coming in at the other.

    Args:
        shift: by how much, one number or one for each axis.
        axis: one or several, not the batch's.
        operands, name: see `Operation`.

    Raises:
        ValueError: for axes that the input does not have, the batch's, or another number of shifts.
    """

    sample_by_sample = True

    def __init__(self, shift, axis=None, **kwargs):
        super().__init__(**kwargs)
        self.shift = whole_axes(shift, self)
        self.axis = None if axis is None else whole_axes(axis, self)

    def compute_output_shape(self, input_shape):
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        shifts = self.shift if isinstance(self.shift, list) else [self.shift]
        if None in axes or len(axes) != len(shifts):
            raise ValueError(f"{self}: expected an axis for each shift. Received: "
                             f"shift={self.shift}, axis={self.axis}")
        for axis in axes:
            axis_of(axis, tuple(input_shape), self)
        return tuple(input_shape)

    def forward(self, x, training=False):
        # out[i] = x[i - shift], the index taken modulo the axis' size
        return np.roll(x, self.shift, self.axis)

    def backward(self, dy, wants_input_gradient=True):
        back = [-n for n in self.shift] if isinstance(self.shift, list) else -self.shift
        return np.roll(dy, back, self.axis) if wants_input_gradient else None

    def get_config(self):
        return {**super().get_config(), "shift": self.shift, "axis": self.axis}


class FlipOperation(Operation):
    """Some axes read from their ends.

    Args:
        axis: one or several, not the batch's.
        operands, name: see `Operation`.

    Raises:
        ValueError: for axes that the input does not have, or the batch's.
    """

    sample_by_sample = True

    def __init__(self, axis=None, **kwargs):
        super().__init__(**kwargs)
        if axis is None:
            raise ValueError(f"{self}: expected axes other than the batch. Received: axis=None")
        self.axis = whole_axes(axis, self)

    def compute_output_shape(self, input_shape):
        distinct_axes(self.axis, tuple(input_shape), self)
        return tuple(input_shape)

    def forward(self, x, training=False):
        return np.flip(x, self.axis)

    def backward(self, dy, wants_input_gradient=True):
        return np.flip(dy, self.axis) if wants_input_gradient else None

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class TileOperation(Operation):
    """The whole input several times side by side.

    Args:
        repeats: how many times along each axis; the batch's 1 first.
        operands, name: see `Operation`.

    Raises:
        ValueError: for another number of axes, numbers below 1, or more than 1 for the batch.
    """

    sample_by_sample = True

    def __init__(self, repeats, **kwargs):
        super().__init__(**kwargs)
        self.repeats = [whole_axis(n, self) for n in repeats] \
            if isinstance(repeats, (list, tuple)) else [whole_axis(repeats, self)]

    def compute_output_shape(self, input_shape):
        if len(self.repeats) != len(input_shape) or min(self.repeats) < 1 or self.repeats[0] != 1:
            raise ValueError(f"{self}: expected a number of times for each of {len(input_shape)} "
                             f"axes, 1 for the batch. Received: repeats={self.repeats}")
        return (input_shape[0], *(n * times for n, times in zip(input_shape[1:], self.repeats[1:])))

    def forward(self, x, training=False):
        self._shape = x.shape
        return np.tile(x, self.repeats)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        # (N, 2 a, 3 b) -> (1, N, 2, a, 3, b) -> (N, a, b): copies add up
        apart = [n for pair in zip(self.repeats, self._shape) for n in pair]
        return dy.reshape(apart).sum(axis=tuple(range(0, len(apart), 2)))

    def get_config(self):
        return {**super().get_config(), "repeats": self.repeats}


class RepeatOperation(Operation):
    """Every number several times in a row along an axis.

    Args:
        repeats: how many times, one number.
        axis: not the batch's.
        operands, name: see `Operation`.

    Raises:
        ValueError: for an axis that the input does not have, the batch's, or a number below 1.
    """

    sample_by_sample = True

    def __init__(self, repeats, axis=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(repeats, (list, tuple)) and len(repeats) == 1:
            repeats = repeats[0]
        self.repeats = whole_axis(repeats, self)
        self.axis = None if axis is None else whole_axis(axis, self)
        if self.repeats < 1 or axis is None:
            raise ValueError(f"{self}: expected a positive number of times, and an axis. "
                             f"Received: repeats={repeats}, axis={axis}")

    def compute_output_shape(self, input_shape):
        axis = axis_of(self.axis, tuple(input_shape), self)
        return tuple(n * self.repeats if i == axis else n for i, n in enumerate(input_shape))

    def forward(self, x, training=False):
        return x.repeat(self.repeats, self.axis)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        axis = self.axis % dy.ndim
        # (N, a repeats, b) -> (N, a, repeats, b) -> (N, a, b): copies add up
        apart = (*dy.shape[:axis], dy.shape[axis] // self.repeats, self.repeats,
                 *dy.shape[axis + 1:])
        return dy.reshape(apart).sum(axis=axis + 1)

    def get_config(self):
        return {**super().get_config(), "repeats": self.repeats, "axis": self.axis}
