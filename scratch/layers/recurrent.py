"""What recurrent layers have in common: a loop over steps, forward and back through time."""

import numpy as np

from scratch import activations, initializers, regularizers
from scratch.errors import UnsupportedError
from scratch.layers.arguments import positive
from scratch.layers.recurrent_dropout import DroppingRecurrence, beside
from scratch.layers.states import HandsStates, of_input


class Recurrent(HandsStates, DroppingRecurrence):
    """h_t from x_t and what is kept of the steps before; a subclass says how, in `step`.

    Weights: kernel (features, gates units), recurrent_kernel (units, gates units), bias.

    Args:
        units: how many numbers a state has.
        activation: the name of an activation, an `activations.Activation`, or the config of a
            layer that is one; None for none.
        use_bias: whether there is a bias.
        return_sequences: whether every step's state comes out, not the last one's alone.
        go_backwards: whether the steps are read from the last to the first; the states come out in
            the order in which they were made.
        unroll: changes nothing.
        kernel_initializer, recurrent_initializer, bias_initializer: how the first weights are
            drawn, a name or an object of `scratch.initializers`.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights, a
            name or an object of `scratch.regularizers`; None for none.
        kernel_constraint, recurrent_constraint, bias_constraint: a name or an object of
            `scratch.constraints`; None for none.
        dropout: the share of the input's features that are dropped in training, from 0 to below 1:
            those of a sample, the same ones at every step. The noise is (batch, 1, features).
        recurrent_dropout: likewise of the state that goes into the product with the recurrent
            kernel. Each gate then reads features and a state of its own dropping; the noise is
            (batch, 1, features of all gates and states of all gates), see `shape_of_noise`.
        return_state: whether the states after the last step come out behind the output, each
            (batch, units).
        stateful: whether a batch begins with the states after the one before, in training and
            outside of it, until `reset_states()`; sample i goes on with sample i, so that all
            batches are of one size, which the Input says. No gradient goes back to the batch
            before.
        zero_output_for_mask: whether masked steps put out zeros, and not what the step before did.
        implementation, use_cudnn: change nothing.
        seed: of the dropout, see `RandomLayer`.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, steps, features); of a network with a mask also that, (batch, steps). Masked steps
        leave the states as they are. As in Keras, a layer that is called on initial states is not
        handed the mask that comes with its input.

    Output shape:
        (batch, steps, units), or (batch, units) without return_sequences.

    Raises:
        ValueError: if units is no positive integer, or for inputs of another rank.
        UnsupportedError: for the settings above that are not supported, and for masks of a layer
            that is unrolled with zero_output_for_mask, where Keras turns the mask round.

    Example:
        >>> class Sum(scratch.layers.Recurrent):  # of all inputs so far
        ...     def step(self, z, states):
        ...         return [states[0] + z], None
        ...     def step_back(self, d_states, kept):
        ...         return d_states[0], d_states
        >>> layer = Sum(1, activation=None, kernel_initializer="ones", return_sequences=True)
        >>> layer([[[1.0], [2.0], [4.0]]]).tolist()
        [[[1.0], [3.0], [7.0]]]
    """

    sample_by_sample = True
    has_inner_activation = False
    uses_masks = True
    states = 1
    arguments = {"kernel": "kernel", "recurrent_kernel": "recurrent", "bias": "bias"}
    neutral = {"kernel_constraint": (None,), "recurrent_constraint": (None,),
               "bias_constraint": (None,),
               "implementation": (1, 2), "use_cudnn": ("auto", True, False)}

    def __init__(self, units, activation="tanh", use_bias=True,
                 kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                 bias_initializer="zeros", kernel_regularizer=None, recurrent_regularizer=None,
                 bias_regularizer=None, dropout=0.0, recurrent_dropout=0.0, seed=None,
                 return_sequences=False, return_state=False, go_backwards=False,
                 stateful=False, unroll=False, zero_output_for_mask=False, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.stateful, self._carried = bool(stateful), []
        self._take_dropout(dropout, recurrent_dropout)
        self.units = positive(units, "units", self)
        self.activation = self._activation(activation)
        self.use_bias = bool(use_bias)
        self.return_sequences, self.go_backwards = bool(return_sequences), bool(go_backwards)
        self.return_state = bool(return_state)
        self.unroll, self.zero_output_for_mask = bool(unroll), bool(zero_output_for_mask)
        drawn = (kernel_initializer, recurrent_initializer, bias_initializer)
        penalties = (kernel_regularizer, recurrent_regularizer, bias_regularizer)
        self.initializers = {name: initializers.get(rule)
                             for name, rule in zip(self.arguments, drawn)}
        self.regularizers = {name: regularizers.get(rule) for name, rule in zip(
            self.arguments, penalties) if rule is not None}

    def _activation(self, named):
        found = activations.get(named)
        activations.require_precision(found, self.requested_policy, self)
        return found

    @classmethod
    def argument_of(cls, weight):
        return cls.arguments[weight]

    def _weight_of(self, argument):
        return next(weight for weight, own in self.arguments.items() if own == argument)

    def file_group(self, weight):
        return "/cell"

    @property
    def hands_masks_on(self):
        return self.return_sequences

    def take_masks(self, makers):
        if makers and self.unroll and self.zero_output_for_mask:
            raise UnsupportedError(f"{self} does not support a mask with unroll=True and "
                                   "zero_output_for_mask=True. Expected: unroll=False.")
        super().take_masks(makers)

    @property
    def state_widths(self):
        return [self.units] * self.states

    @property
    def returns_sequences(self):
        return self.return_sequences

    def width_of_output(self, place):
        return self.units

    def shapes_of_outputs(self, input_shape):
        if len(input_shape) != 3:
            raise ValueError(f"{self}: expected inputs of shape (batch, steps, features). "
                             f"Received: input_shape={tuple(input_shape)}")
        steps = (input_shape[1],) if self.return_sequences else ()
        return [(input_shape[0], *steps, self.units)]

    def build(self, input_shape):
        self.take_batch_size(input_shape)
        super().build(input_shape)
        for name, shape in self.kernel_shapes(of_input(input_shape)).items():
            self.add_weight(name, shape, self.initializers[name])
        if self.use_bias:
            self.add_weight("bias", self.bias_shape(), self.bias_rule())

    def kernel_shapes(self, input_shape) -> dict[str, tuple]:
        """Of the input's kernel and of that of the states."""
        width = self.gates * self.units
        return {"kernel": (input_shape[-1], width), "recurrent_kernel": (self.units, width)}

    def bias_shape(self) -> tuple:
        return (self.gates * self.units,)

    def bias_rule(self):
        """How the bias is drawn: a function of its shape and dtype."""
        return self.initializers["bias"]

    def step(self, z: np.ndarray, states: list) -> tuple[list, tuple | None]:
        """(the states after a step, the first of which comes out; what `step_back` needs).

        Args:
            z: the input's part of the step, x_t @ kernel + bias, (batch, gates units).
            states: after the step before.
        """
        raise NotImplementedError

    def step_back(self, d_states: list, kept) -> tuple[np.ndarray, list]:
        """(the gradient of the step's z, those of the states before it), given those of the states
        after it; adds to the gradients of the weights that the step itself uses."""
        raise NotImplementedError

    def _input_bias(self):
        return self.params.get("bias")

    def forward(self, x, training=False):
        x, given, mask = self.parted(x)
        self.noise = self._noise_for(x) if training and self.active else None
        self._input_noise, self._state_noise = self._noise_by_gate(x.shape[2])
        x = in_order(x, self.go_backwards)
        self._read = [x if noise is None else x * in_order(noise, self.go_backwards)
                      for noise in self._input_noise]
        z = self._through_kernel()
        if self.use_bias:
            z += self._input_bias()
        self._counts = None if mask is None else in_order(mask != 0, self.go_backwards)[..., None]
        states = given or list(self.carried(len(x))) or [
            np.zeros((len(x), *self.state_shape), z.dtype) for _ in range(self.states)]
        self._kept, outputs = [], []
        for t in range(x.shape[1]):
            before = states
            states, kept = self.step(z[:, t], states)
            if self._counts is not None:
                states = [np.where(self._counts[:, t], new, old)
                          for new, old in zip(states, before)]
            self._kept.append(kept)
            outputs.append(self._put_out(states[0], t))
        self.carry(states)
        y = np.stack(outputs, axis=1) if self.return_sequences else np.array(outputs[-1])
        return self.side_by_side([y], states)

    def _put_out(self, state, t):
        """A step's output, given its state, or the gradients of these."""
        if self._counts is None or not self.zero_output_for_mask:
            return state
        return np.where(self._counts[:, t], state, state.dtype.type(0))

    @property
    def state_shape(self) -> tuple:
        """Of one sample's state."""
        return (self.units,)

    def _through_kernel(self) -> np.ndarray:
        """The part of all steps that comes of what was read, without the bias: (N, T, gates U)."""
        # (N T, D) @ (D, gates U) -> (N, T, gates U)
        z = beside([read.reshape(-1, read.shape[2]) @ self.params["kernel"][:, own]
                    for read, own in zip(self._read, self.columns(self._read))])
        return z.reshape(*self._read[0].shape[:2], -1)

    def _through_kernel_back(self, dz: np.ndarray, wants_input_gradient: bool):
        """The gradient of the inputs in the order in which they are read, given that of
        `_through_kernel`; leaves the kernel's in `grads`."""
        samples, steps, features = self._read[0].shape
        rows = dz.reshape(-1, dz.shape[-1])
        # (D, N T) @ (N T, gates U) -> (D, gates U)
        parts = list(zip(self._read, self.columns(self._read)))
        self.grads["kernel"] = beside([x.reshape(-1, features).T @ rows[:, own]
                                       for x, own in parts])
        if not wants_input_gradient:
            return None
        # (N T, gates U) @ (gates U, D) -> (N, T, D)
        sent = [(rows[:, own] @ self.params["kernel"][:, own].T).reshape(samples, steps, features)
                for _, own in parts]
        sent = [each if noise is None else each * in_order(noise, self.go_backwards)
                for each, noise in zip(sent, self._input_noise)]
        return sum(sent[1:], start=sent[0])

    def backward(self, dy, wants_input_gradient=True):
        samples, steps = self._read[0].shape[:2]
        self.grads = {name: np.zeros_like(weight) for name, weight in self.params.items()}
        (dy,), d_states = self.apart(dy)
        dz = np.empty((samples, steps, *self.state_shape[:-1], self.gates * self.units), dy.dtype)
        d_states = d_states or [np.zeros((samples, *self.state_shape), dy.dtype)
                                for _ in range(self.states)]
        for t in reversed(range(steps)):
            if self.return_sequences:
                d_states[0] = d_states[0] + self._put_out(dy[:, t], t)
            elif t == steps - 1:
                d_states[0] = d_states[0] + self._put_out(dy, t)
            dz[:, t], d_states = self._back(d_states, t)
        dx = self._through_kernel_back(dz, wants_input_gradient)
        if self.use_bias:
            self._bias_backward(dz.reshape(-1, dz.shape[-1]).sum(axis=0))
        if dx is not None and self.go_backwards:
            dx = np.ascontiguousarray(dx[:, ::-1])
        if self.own_inputs == 1 and self._counts is None:
            return dx
        mask = [] if self._counts is None else [None]
        return [dx, *(d_states if self.own_inputs > 1 else ()), *mask]

    def _back(self, d_states, t):
        """`step_back`, around which the gradients of masked steps pass."""
        if self._counts is None:
            return self.step_back(d_states, self._kept[t])
        zero, counts = d_states[0].dtype.type(0), self._counts[:, t]
        dz, found = self.step_back([np.where(counts, d, zero) for d in d_states], self._kept[t])
        return dz, [np.where(counts, new, d) for new, d in zip(found, d_states)]

    def _bias_backward(self, total: np.ndarray) -> None:
        """Take in the sum of the gradients of all steps' z."""
        self.grads["bias"] = total

    def get_config(self):
        config = {**super().get_config(), "units": self.units,
                  "activation": activations.serialize(self.activation, self.dtype),
                  "use_bias": self.use_bias, "return_sequences": self.return_sequences,
                  "return_state": self.return_state, "stateful": self.stateful,
                  "go_backwards": self.go_backwards, "unroll": self.unroll, "dropout": self.dropout,
                  "recurrent_dropout": self.recurrent_dropout,
                  "zero_output_for_mask": self.zero_output_for_mask}
        for name, argument in self.arguments.items():
            config[f"{argument}_initializer"] = initializers.serialize(self.initializers[name])
            config[f"{argument}_regularizer"] = regularizers.serialize(self.regularizers.get(name))
        for argument in ("implementation", "use_cudnn"):
            config.pop(argument, None)  # which Keras leaves out
        return {"activity_regularizer": None, **config}


def in_order(array: np.ndarray, backwards: bool) -> np.ndarray:
    """An array (N, T, ...) in the order in which the steps are read."""
    return array[:, ::-1] if backwards else array
