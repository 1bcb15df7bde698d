"""One layer, or one model, for every step of a sequence."""

from collections.abc import Callable
from typing import Any

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers.base import Layer
from scratch.layers.batch_normalization import BatchNormalization
from scratch.layers.normalization import Normalization
from scratch.layers.wrapper import Wrapper

AROUND_MODELS: dict[str, Callable] = {}  # by this class's name; filled where models are known


class TimeDistributed(Wrapper):
    """The same layer, with the same weights, on each step of a sequence by itself.

    Around a model it makes a `scratch.stepwise.StepwiseModel`, whose layers are of this class.

    Weights: those of the layer, under their names.

    Args:
        layer: the layer, see `Wrapper`, or a model. One that drops draws anew for each step; the
            noise is (batch, steps, ...), for each step the layer's. A BatchNormalization takes the
            moments of each step by themselves, and its moving averages follow step after step.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, steps, ...), what the layer takes behind the steps.

    Output shape:
        (batch, steps, ...), what the layer puts out behind the steps.

    Raises:
        ValueError: for inputs that have no steps, or that the layer cannot take.
        UnsupportedError: for layers that `Wrapper` does not take.

    Example:
        >>> layer = scratch.TimeDistributed(scratch.Conv2D(2, 3))
        >>> layer.build((None, 4, 8, 6, 1))
        >>> layer.output_shape, layer.params["kernel"].shape
        ((None, 4, 6, 4, 2), (3, 3, 1, 2))
    """

    sample_by_sample = True

    takes_random = True
    takes_counting = True
    # of whatever stands inside; a layer's own are those that it has
    non_trainable = BatchNormalization.non_trainable + Normalization.non_trainable

    def __new__(cls, layer: Any = None, **kwargs):
        """Another kind of thing for a model, of which Python then takes the constructor."""
        if hasattr(layer, "calls"):
            return AROUND_MODELS[cls.__name__](layer, **kwargs)
        return super().__new__(cls)

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self._take_from_inside()

    @classmethod
    def around(cls, layer: Layer) -> "TimeDistributed":
        """On every step what a model has inside: a call of a layer, of several inputs maybe, built
        or not, with its name, weights, penalties and flags."""
        made = cls.__new__(cls)
        Layer.__init__(made, name=layer.name)
        made.layer, made._flags, made.tied_to = layer, layer._flags, layer.tied_to
        made.requested_policy = layer.requested_policy
        made.activity_regularizer, made.merges = layer.activity_regularizer, layer.merges
        made._take_from_inside()
        return made

    def _take_from_inside(self) -> None:
        self.sample_by_sample = self.layer.sample_by_sample
        shape = getattr(self.layer, "noise_shape", None)
        if shape is not None and shape[0] is not None:
            raise UnsupportedError(f"{self} does not support noise_shape={shape} of the layer "
                                   "inside. Expected: None first, noise for each sample.")
        self.params = self.layer.params  # one dictionary, by which calls are known to be tied
        self.non_trainable, self.constants = self.layer.non_trainable, self.layer.constants

    def _of_a_step(self, input_shape) -> Any:
        if self.merges:
            return list(map(self._without_steps, input_shape))
        return self._without_steps(input_shape)

    def _without_steps(self, input_shape) -> tuple:
        if len(input_shape) < 3:
            raise ValueError(f"{self}: expected inputs of shape (batch, steps, ...), at least "
                             f"three axes. Received: input_shape={tuple(input_shape)}")
        return (input_shape[0], *input_shape[2:])

    def compute_output_shape(self, input_shape):
        batch, *sizes = self.layer.compute_output_shape(self._of_a_step(input_shape))
        steps = {shape[1] for shape in (input_shape if self.merges else [input_shape])}
        if len(steps) > 1:
            raise ValueError(f"{self}: expected inputs of as many steps. Received: {input_shape}")
        return (batch, *steps, *sizes)

    def build(self, input_shape):
        super().build(input_shape)
        self.build_inner(self.layer, self._of_a_step(input_shape))
        self.params, self.initializers = self.layer.params, self.layer.initializers
        self.regularizers, self.constraints = self.layer.regularizers, self.layer.constraints

    def file_group(self, weight):
        return f"/layer{self.layer.file_group(weight)}"

    def fresh_noise(self, shape: tuple) -> np.ndarray:
        """New noise for an input of that shape, step after step."""
        drawn = [self.layer.fresh_noise((shape[0], *shape[2:])) for _ in range(shape[1])]
        axes = len(shape) - 1 - drawn[0].ndim  # which a noise_shape may leave out
        return np.stack([each.reshape((1,) * axes + each.shape) for each in drawn], axis=1)

    def _hand_noise(self, x) -> None:
        """The layer the noise for all steps, which are its samples."""
        noise = self.fresh_noise(x.shape) if self._given_noise is None else self._given_noise
        self.noise = noise = self.rounded(np.asarray(noise, self.dtype))
        if noise.ndim < 3 or noise.shape[0] not in (1, len(x)) or noise.shape[1] != x.shape[1]:
            raise ValueError(f"{self}: expected noise of shape {(*x.shape[:2], '...')}. "
                             f"Received: noise of shape {noise.shape}")
        rows = np.broadcast_to(noise, (len(x), *noise.shape[1:]))
        self.layer.give_noise(rows.reshape(-1, *noise.shape[2:]))

    def forward(self, x, training=False):
        self.noise = None
        if training and self.active:
            self._hand_noise(x)
        inputs = x if self.merges else [x]
        self._first = batch, steps = inputs[0].shape[:2]
        self._calls = [self.layer]
        if training and self.layer.moved_by_passes:
            return self._step_after_step(inputs, steps)
        # (N, T, ...) -> (N T, ...): steps are as good as samples
        y = self.layer.forward(self._inside([each.reshape(-1, *each.shape[2:])
                                             for each in inputs]), training)
        return y.reshape(batch, steps, *y.shape[1:])

    def _inside(self, inputs: list) -> Any:
        return inputs if self.merges else inputs[0]

    def _step_after_step(self, inputs: list, steps: int) -> np.ndarray:
        """In training, of a layer that looks at the whole batch and counts: each step is a call of
        its own, (N, T, ...) -> T times (N, ...)."""
        self._calls = [self.layer.another_call(self.layer.name) for _ in range(steps)]
        made = [call.forward(self._inside([each[:, t] for each in inputs]), True)
                for t, call in enumerate(self._calls)]
        self._before = self._calls[0]._before
        return np.stack(made, axis=1)

    def backward(self, dy, wants_input_gradient=True):
        if len(self._calls) > 1 or self._calls[0] is not self.layer:
            found = [call.backward(dy[:, t], wants_input_gradient)
                     for t, call in enumerate(self._calls)]
            self.grads = {name: np.sum([call.grads[name] for call in self._calls], axis=0)
                          for name in self._calls[0].grads}
            return np.stack(found, axis=1) if wants_input_gradient else None
        dx = self.layer.backward(dy.reshape(-1, *dy.shape[2:]), wants_input_gradient)
        self.grads = dict(self.layer.grads)
        # (N T, ...) -> (N, T, ...)
        return [self._apart(each) for each in dx] if self.merges else self._apart(dx)

    def _apart(self, dx):
        return None if dx is None else dx.reshape(*self._first, *dx.shape[1:])
