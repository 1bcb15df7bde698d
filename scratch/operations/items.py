"""Parts of a tensor by their indices: x[:, 0], x[..., ::2, None], and what Keras writes of them."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.operations.operation import Operation

SLICE, ELLIPSIS = "__slice__", "__ellipsis__"


def described_key(key):
    """An index, or several, as Keras's config has them: dictionaries for slices and `...`."""
    if isinstance(key, tuple):
        return [described_key(each) for each in key]
    if isinstance(key, slice):
        return {"class_name": SLICE,
                "config": {"start": key.start, "stop": key.stop, "step": key.step}}
    return {"class_name": ELLIPSIS, "config": {}} if key is Ellipsis else key


class GetItemOperation(Operation, operator="[]"):
    """The numbers at some indices, of all samples.

    Args:
        key: what stands in the brackets; a list where there are several. Slices and `...` may also
            be written as Keras's config has them.
        operands, name: see `Operation`.

    Raises:
        UnsupportedError: for anything but whole numbers, slices, `...` and None, or if it leaves
            samples out.
        ValueError: for indices that the input does not have.
    """

    said_at_call = ("operands", "key")
    sample_by_sample = True

    def __init__(self, key, **kwargs):
        super().__init__(**kwargs)
        self.key = described_key(tuple(key) if isinstance(key, list) else key)
        listed = self.key if isinstance(self.key, list) else [self.key]
        self.indices = tuple(map(self._index, listed))

    def _index(self, entry):
        if isinstance(entry, dict) and entry.get("class_name") == ELLIPSIS:
            return Ellipsis
        if isinstance(entry, dict) and entry.get("class_name") == SLICE:
            limits = [entry["config"].get(name) for name in ("start", "stop", "step")]
            if all(n is None or type(n) is int for n in limits) and limits[2] != 0:
                return slice(*limits)
        elif entry is None or type(entry) is int:
            return entry
        raise UnsupportedError(f"{self} does not support the index {entry!r:.80}. Expected: whole "
                               "numbers, slices of such, ... and None.")

    @classmethod
    def settings_of_call(cls, args, kwargs, owner):
        return {"key": args[1] if len(args) == 2 else kwargs.pop("key", None)}

    def arguments(self, tensors):
        return (*tensors, self.key)

    def compute_output_shape(self, input_shape):
        sample = tuple(input_shape[1:])
        first = self.indices[0] if self.indices else Ellipsis
        whole = first is Ellipsis and self.indices[1:].count(None) + len(sample) >= len(
            self.indices) - 1 or first == slice(None)
        if not whole:
            raise UnsupportedError(f"{self} does not support an index of the batch. Expected: all "
                                   f"samples, as in x[:, ...]. Received: {self._said()}")
        try:
            # what two samples become shows what each does
            made = np.empty((2, *sample), bool)[self.indices].shape
        except IndexError as error:
            raise ValueError(f"{self}: expected indices of an input of shape {tuple(input_shape)}. "
                             f"Received: {self._said()}: {error}") from None
        return (input_shape[0], *made[1:])

    def _said(self) -> str:
        def said(index) -> str:
            if isinstance(index, slice):
                start, stop, step = ("" if n is None else str(n)
                                     for n in (index.start, index.stop, index.step))
                return f"{start}:{stop}" + (f":{step}" if step else "")
            return "..." if index is Ellipsis else str(index)

        return f"[{', '.join(map(said, self.indices))}]"

    def forward(self, x, training=False):
        self._shape = x.shape
        # (N, a, b) -> (N, b) where the indices are [:, 0]
        return x[self.indices]

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        # (N, b) -> (N, a, b): zeros where nothing was taken
        dx = np.zeros(self._shape, dy.dtype)
        dx[self.indices] = dy
        return dx

    def get_config(self):
        return {**super().get_config(), "key": self.key}
