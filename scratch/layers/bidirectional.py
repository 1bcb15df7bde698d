"""Two recurrent layers, one of which reads the steps backwards."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers.recurrent import Recurrent
from scratch.layers.states import HandsStates
from scratch.layers.wrapper import Wrapper

FORWARD, BACKWARD = "forward_", "backward_"


class Bidirectional(HandsStates, Wrapper):
    """A recurrent layer and another one that reads the steps backwards, their outputs merged.

    Weights: those of both under their names, behind 'forward_layer/' and 'backward_layer/'.

    Args:
        layer: the recurrent layer that reads forwards.
        merge_mode: 'concat' (along the last axis), 'sum', 'ave' or 'mul'; None puts out both.
        backward_layer: the one that reads backwards; None for another one like `layer`.
        weights: None; no other is supported.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Initial states, and those that a layer with return_state puts out, are the first layer's and
    then the second's. The dropouts of both layers draw for themselves; the noise is that of the
    first, and behind it along the last axis that of the second.

    Input shape:
        (batch, steps, features).

    Output shape:
        As of the layer, (batch, steps, units) or (batch, units); with 'concat' the units of both;
        with merge_mode=None two of them.

    Raises:
        ValueError: for layers that are not recurrent, read in the same direction, or put out
            states of other shapes.
        UnsupportedError: for the settings that its layers do not support.

    Example:
        >>> layer = scratch.Bidirectional(scratch.LSTM(3))
        >>> layer(np.ones((2, 5, 4))).shape, layer.layer.name, layer.backward_layer.name
        ((2, 6), 'forward_lstm', 'backward_lstm')
    """

    sample_by_sample = True
    uses_masks = True
    takes_random = random_inside = takes_several = True
    inner_layers = ("layer", "backward_layer")
    neutral = {"weights": (None,)}

    def __init__(self, layer, merge_mode="concat", backward_layer=None, **kwargs):
        super().__init__(layer, **kwargs)
        if merge_mode not in ("concat", "sum", "ave", "mul", None):
            raise ValueError(f"{self}: expected merge_mode to be concat, sum, ave, mul or None. "
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
        ways = [(each.go_backwards, each.return_sequences, each.return_state, each.stateful)
                for each in (layer, self.backward_layer)]
        if ways[0][0] == ways[1][0] or ways[0][1:] != ways[1][1:]:
            raise ValueError(f"{self}: expected layers of which one reads backwards, with the same "
                             "return_sequences, return_state and stateful. Received: "
                             "(go_backwards, return_sequences, return_state, stateful)="
                             f"{ways}")
        if layer.stateful and layer.return_state:
            raise UnsupportedError(f"{self} does not support return_state=True of stateful layers, "
                                   "for which Keras's own raises an error. Expected: one of the "
                                   "two.")
        for each in (layer, self.backward_layer):
            each.zero_output_for_mask = each.return_sequences  # as Keras
        self.sample_by_sample = not self.active and not self.stateful

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

    @property
    def return_state(self):
        return self.layer.return_state

    @property
    def stateful(self):
        return self.layer.stateful

    @property
    def returns_sequences(self):
        return self.layer.return_sequences

    @property
    def state_widths(self):
        return [*self.layer.state_widths, *self.backward_layer.state_widths]

    @property
    def number_of_outputs(self):
        return 1 if self.merge_mode else 2

    def width_of_output(self, place):
        return self.layer.units + (self.backward_layer.units if self.merge_mode == "concat" else 0)

    def take_batch_size(self, input_shape):
        super().take_batch_size(input_shape)
        for _, inner in self._both():
            inner.batch_size = self.batch_size

    def reset_states(self):
        for _, inner in self._both():
            inner.reset_states()

    reset_state = reset_states

    def read_states(self, count):
        super().read_states(count)
        for _, inner in self._both():
            inner.read_states(count and len(inner.state_widths))

    def shapes_of_outputs(self, input_shape):
        a, b = (inner.shapes_of_outputs(input_shape)[0] for _, inner in self._both())
        if self.merge_mode == "concat":
            return [(*a[:-1], a[-1] + b[-1])]
        if a != b:
            raise ValueError(f"{self}: expected as many units of both layers for merge_mode="
                             f"{self.merge_mode!r}. Received: {a[-1]} and {b[-1]}")
        return [a] if self.merge_mode else [a, b]

    def build(self, input_shape):
        self.take_batch_size(input_shape)
        super().build(input_shape)
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        for (prefix, inner), own in zip(self._both(), self._by_way(shapes[:self.own_inputs])):
            self.build_inner(inner, own if len(own) > 1 else own[0])
            for kind in ("params", "initializers", "regularizers", "constraints"):
                getattr(self, kind).update({prefix + name: value for name, value
                                            in getattr(inner, kind).items()})

    def file_group(self, weight):
        argument, _, name = weight.partition("/")
        return f"/{argument}{dict(self._both())[f'{argument}/'].file_group(name)}"

    def _by_way(self, read: list) -> list[list]:
        """What each layer reads of it all: the input, its part of the initial states, the mask."""
        own, at = self.own_inputs, 1 + len(self.layer.state_widths)
        first, second = (read[1:at], read[at:own]) if own > 1 else ([], [])
        return [[read[0], *states, *read[own:]] for states in (first, second)]

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
        read = list(x) if isinstance(x, (list, tuple)) else [x]
        self._hand_noise(read[0])
        ways, states = [], []
        for (prefix, inner), own in zip(self._both(), self._by_way(read)):
            inner.params.update({name: self.params[prefix + name] for name in inner.params})
            (y,), last = inner.apart(inner.forward(own if len(own) > 1 else own[0], training))
            ways.append(y)
            states += last or []
        a, b = ways[0], self._turned(ways[1])
        drawn = [inner.noise for _, inner in self._both() if inner.noise is not None]
        self.noise = np.concatenate(drawn, axis=2) if drawn else None
        self._ways = a, b
        return self.side_by_side(self._merged(a, b), states)

    def _merged(self, a, b) -> list:
        """The outputs, given what the layers put out, in the input's order."""
        if self.merge_mode is None:
            return [a, b]
        if self.merge_mode == "concat":
            return [np.concatenate([a, b], axis=-1)]
        if self.merge_mode == "mul":
            return [a * b]
        return [a + b if self.merge_mode == "sum" else (a + b) / 2]

    def _merged_back(self, dy: list) -> tuple:
        """The gradients of what the layers put out, given those of the outputs."""
        if self.merge_mode is None:
            return tuple(dy)
        (only,), (a, b) = dy, self._ways
        if self.merge_mode == "concat":
            return only[..., :a.shape[-1]], only[..., a.shape[-1]:]
        if self.merge_mode == "mul":
            return only * b, only * a
        return (only, only) if self.merge_mode == "sum" else (only / 2, only / 2)

    def backward(self, dy, wants_input_gradient=True):
        dy, d_states = self.apart(dy)
        da, db = self._merged_back(dy)
        half, sent = len(self.layer.state_widths), []
        for inner, each, states in ((self.layer, da, (d_states or [])[:half]),
                                    (self.backward_layer, self._turned(db),
                                     (d_states or [])[half:])):
            sent.append(inner.backward(inner.side_by_side([each], states), wants_input_gradient))
        self.grads = {prefix + name: gradient for prefix, inner in self._both()
                      for name, gradient in inner.grads.items()}
        if not isinstance(sent[0], list):
            return sent[0] + sent[1] if wants_input_gradient else None
        (first, *more), (second, *others) = sent
        states = [each for each in (*more, *others) if each is not None]
        mask = [] if self.layer._counts is None else [None]
        return [first + second if wants_input_gradient else None, *states, *mask]

    def get_config(self):
        config = {**super().get_config(), "merge_mode": self.merge_mode}
        del config["weights"]  # which Keras leaves out
        return config
