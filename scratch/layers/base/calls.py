"""A layer at several places of a network: which inputs it fits, and what its calls share."""

import copy
from functools import cached_property
from typing import Any, Self

import numpy as np

from scratch import initializers


class HasCalls:
    """May be called once more: at another place, or on inputs of another shape."""

    merges: bool
    name: Any
    dtype: Any
    params: dict
    grads: dict
    tied_to: str | None
    input_shape: Any
    last_output: np.ndarray | None
    noise: np.ndarray | None
    _given_noise: np.ndarray | None

    def build(self, input_shape: tuple | list) -> None:
        raise NotImplementedError

    def fits(self, input_shape) -> bool:
        """Whether the layer was built for such inputs, whatever the size of the batch."""
        if not self.merges:
            return self.input_shape[1:] == tuple(input_shape[1:])
        return [s[1:] for s in self.input_shape] == [tuple(s[1:]) for s in input_shape]

    def another_call(self, name: str, tied_to: str | None = None) -> Self:
        """The same layer at another place: it shares the weights, and whether they are trained,
        but remembers a forward pass of its own and has gradients of its own."""
        call = copy.copy(self)
        call.name, call.tied_to, call.grads = name, tied_to, {}
        call.last_output = call.noise = call._given_noise = None
        return call

    def take_inputs(self, input_shape: tuple | list) -> None:
        """Be built for inputs of another shape, with the weights that are there.

        Raises:
            ValueError: if weights for such inputs are of another shape.
        """
        kept = self.params
        for name in [name for name in vars(self)
                     if isinstance(getattr(type(self), name, None), cached_property)]:
            del vars(self)[name]  # what was worked out for the other shape
        self.params = {}
        try:
            with initializers.undrawn():
                self.build(input_shape)
            there, needed = ({name: weight.shape for name, weight in params.items()}
                             for params in (kept, self.params))
            if there != needed:
                raise ValueError(f"{self}: expected inputs that go with its weights {there}. "
                                 f"Received: {input_shape}, for which they are {needed}")
        finally:
            self.params = kept

    def _as_batch(self, inputs) -> tuple[Any, Any]:
        """(arrays, their shapes without the size of the batch), each of them a list if it merges.

        Raises:
            ValueError: if a layer that merges gets no list.
        """
        if not self.merges:
            x = np.asarray(inputs, self.dtype)
            return x, (None, *x.shape[1:])
        if not isinstance(inputs, (list, tuple)):
            raise ValueError(f"{self}: expected to be called on a list of inputs. Received: "
                             f"{type(inputs).__name__}")
        arrays = [np.asarray(array, self.dtype) for array in inputs]
        return arrays, [(None, *array.shape[1:]) for array in arrays]
