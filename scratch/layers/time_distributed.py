"""One layer for every step of a sequence."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers.wrapper import Wrapper


class TimeDistributed(Wrapper):
    """The same layer, with the same weights, on each step of a sequence by itself.

    Weights: those of the layer, under their names.

    Args:
        layer: the layer, see `Wrapper`: no BatchNormalization, which counts. One that drops draws
            anew for each step; the noise is (batch, steps, ...), for each step the layer's.
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

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self.sample_by_sample = not self.active
        shape = getattr(self.layer, "noise_shape", None)
        if shape is not None and shape[0] is not None:
            raise UnsupportedError(f"{self} does not support noise_shape={shape} of the layer "
                                   "inside. Expected: None first, noise for each sample.")
        self.params = self.layer.params  # one dictionary, by which calls are known to be tied

    def _of_a_step(self, input_shape) -> tuple:
        if len(input_shape) < 3:
            raise ValueError(f"{self}: expected inputs of shape (batch, steps, ...), at least "
                             f"three axes. Received: input_shape={tuple(input_shape)}")
        return (input_shape[0], *input_shape[2:])

    def compute_output_shape(self, input_shape):
        batch, *sizes = self.layer.compute_output_shape(self._of_a_step(input_shape))
        return (batch, input_shape[1], *sizes)

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
        # (N, T, ...) -> (N T, ...): steps are as good as samples
        y = self.layer.forward(x.reshape(-1, *x.shape[2:]), training)
        return y.reshape(*x.shape[:2], *y.shape[1:])

    def backward(self, dy, wants_input_gradient=True):
        dx = self.layer.backward(dy.reshape(-1, *dy.shape[2:]), wants_input_gradient)
        self.grads = dict(self.layer.grads)
        # (N T, ...) -> (N, T, ...)
        return None if dx is None else dx.reshape(*dy.shape[:2], *dx.shape[1:])
