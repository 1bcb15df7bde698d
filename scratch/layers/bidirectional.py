"""Two recurrent layers, one of which reads the steps backwards."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers.recurrent import Recurrent, of_input
from scratch.layers.wrapper import Wrapper

FORWARD, BACKWARD = "forward_", "backward_"


class Bidirectional(Wrapper):
    """A recurrent layer and another one that reads the steps backwards, their outputs merged.

    Weights: those of both under their names, behind 'forward_layer/' and 'backward_layer/'.

    Args:
        layer: the recurrent layer that reads forwards.
        merge_mode: 'concat' (along the last axis), 'sum', 'ave' or 'mul'.
        backward_layer: the one that reads backwards; None for another one like `layer`.
        weights: None; no other is supported.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    The dropouts of both layers draw for themselves; the noise is that of the first, and behind it
    along the last axis that of the second.

    Input shape:
        (batch, steps, features).

    Output shape:
        As of the layer, (batch, steps, units) or (batch, units); with 'concat' the units of both.

    Raises:
        ValueError: for layers that are not recurrent, read in the same direction, or put out
            states of other shapes.
        UnsupportedError: for merge_mode=None, which puts out two arrays.

    Example:
        >>> layer = scratch.Bidirectional(scratch.LSTM(3))
        >>> layer(np.ones((2, 5, 4))).shape, layer.layer.name, layer.backward_layer.name
        ((2, 6), 'forward_lstm', 'backward_lstm')
    """

    sample_by_sample = True
    uses_masks = True
    takes_random = random_inside = True
    inner_layers = ("layer", "backward_layer")
    neutral = {"weights": (None,)}

    def __init__(self, layer, merge_mode="concat", backward_layer=None, **kwargs):
        super().__init__(layer, **kwargs)
        if merge_mode is None:
            raise UnsupportedError(f"{self} does not support merge_mode=None. Expected: one of "
                                   "concat, sum, ave, mul.")
        if merge_mode not in ("concat", "sum", "ave", "mul"):
            raise ValueError(f"{self}: expected merge_mode to be concat, sum, ave or mul. "
                             f"Received: merge_mode={merge_mode!r}")
        self.merge_mode = merge_mode
        for given in (layer, backward_layer):
            if given is not None and not isinstance(given, Recurrent):
                raise ValueError(f"{self}: expected recurrent layers. Received: {given}")
        name = layer.name.removeprefix(FORWARD)
        layer.name = FORWARD + name
        if backward_layer is None:
            backward_layer = type(layer).from_config({
                **layer.get_config(), "name": BACKWARD + name, "dtype": layer.requested_dtype,
                "go_backwards": not layer.go_backwards})
        self.backward_layer = self._checked(backward_layer)
        ways = [(each.go_backwards, each.return_sequences)
                for each in (layer, self.backward_layer)]
        if ways[0][0] == ways[1][0] or ways[0][1] != ways[1][1]:
            raise ValueError(f"{self}: expected layers of which one reads backwards, with the same "
                             f"return_sequences. Received: (go_backwards, return_sequences)={ways}")

        for each in (layer, self.backward_layer):
            each.zero_output_for_mask = each.return_sequences  # as Keras
        self.sample_by_sample = not self.active

    def _both(self):
        return (("forward_layer/", self.layer), ("backward_layer/", self.backward_layer))

    @property
    def hands_masks_on(self):
        return self.layer.return_sequences

    def take_masks(self, makers):
        for _, inner in self._both():
            if makers and inner.unroll and inner.zero_output_for_mask:
                raise UnsupportedError(f"{self} does not support a mask around layers with "
                                       "unroll=True. Expected: unroll=False.")
        super().take_masks(makers)

    def build_config(self):
        return {"input_shape": of_input(self.input_shape)}

    def compute_output_shape(self, input_shape):
        input_shape = of_input(input_shape)
        shapes = [inner.compute_output_shape(input_shape) for _, inner in self._both()]
        if self.merge_mode == "concat":
            return (*shapes[0][:-1], shapes[0][-1] + shapes[1][-1])
        if shapes[0] != shapes[1]:
            raise ValueError(f"{self}: expected as many units of both layers for merge_mode="
                             f"{self.merge_mode!r}. Received: {shapes[0][-1]} and {shapes[1][-1]}")
        return shapes[0]

    def build(self, input_shape):
        super().build(input_shape)
        for prefix, inner in self._both():
            self.build_inner(inner, of_input(input_shape))
            for kind in ("params", "initializers", "regularizers", "constraints"):
                getattr(self, kind).update({prefix + name: value for name, value
                                            in getattr(inner, kind).items()})

    def file_group(self, weight):
        argument, _, name = weight.partition("/")
        return f"/{argument}{dict(self._both())[f'{argument}/'].file_group(name)}"

    def _turned(self, array):
        """What the layer that reads backwards puts out, or its gradient, in the input's order."""
        return array[:, ::-1] if self.layer.return_sequences else array

    def fresh_noise(self, shape: tuple) -> np.ndarray:
        """New noise for an input of that shape, by the layers' own generators."""
        return np.concatenate([inner.fresh_noise(shape) for _, inner in self._both()
                               if inner.active], axis=2)

    def _hand_noise(self, x) -> None:
        """Each layer its part of the given noise."""
        widths = [inner.shape_of_noise(x.shape)[2] for _, inner in self._both()]
        given = self._given_noise
        if given is not None and (given.ndim != 3 or given.shape[1:] != (1, sum(widths))):
            raise ValueError(f"{self}: expected noise of shape {(len(x), 1, sum(widths))}. "
                             f"Received: noise of shape {given.shape}")
        parts = [None] * 2 if given is None else np.split(given, widths[:1], axis=2)
        for (_, inner), part in zip(self._both(), parts):
            inner.give_noise(part if inner.active else None)

    def forward(self, x, training=False):
        self._hand_noise(x[0] if isinstance(x, (list, tuple)) else x)
        for prefix, inner in self._both():
            inner.params.update({name: self.params[prefix + name] for name in inner.params})
        a = self.layer.forward(x, training)
        b = self._turned(self.backward_layer.forward(x, training))
        drawn = [inner.noise for _, inner in self._both() if inner.noise is not None]
        self.noise = np.concatenate(drawn, axis=2) if drawn else None
        self._ways = a, b
        if self.merge_mode == "concat":
            return np.concatenate([a, b], axis=-1)
        if self.merge_mode == "mul":
            return a * b
        return a + b if self.merge_mode == "sum" else (a + b) / 2

    def backward(self, dy, wants_input_gradient=True):
        a, b = self._ways
        if self.merge_mode == "concat":
            da, db = dy[..., :a.shape[-1]], dy[..., a.shape[-1]:]
        elif self.merge_mode == "mul":
            da, db = dy * b, dy * a
        else:
            da = db = dy if self.merge_mode == "sum" else dy / 2
        gradients = [inner.backward(each, wants_input_gradient) for inner, each in (
            (self.layer, da), (self.backward_layer, self._turned(db)))]
        self.grads = {prefix + name: gradient for prefix, inner in self._both()
                      for name, gradient in inner.grads.items()}
        if self.layer._counts is None:
            return gradients[0] + gradients[1] if wants_input_gradient else None
        return [gradients[0][0] + gradients[1][0] if wants_input_gradient else None, None]

    def get_config(self):
        config = {**super().get_config(), "merge_mode": self.merge_mode}
        del config["weights"]  # which Keras leaves out
        return config
