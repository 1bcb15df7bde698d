"""What recurrent layers have in common: a loop over steps, forward and back through time."""

import numpy as np

from scratch import activations, initializers, regularizers
from scratch.errors import UnsupportedError
from scratch.layers.arguments import positive
from scratch.layers.noise import RandomLayer, between_zero_and_one


class Recurrent(RandomLayer):
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
        recurrent_dropout: 0; no other is supported.
        return_state, stateful: False; states are kept from no batch to the next.
        zero_output_for_mask: whether masked steps put out zeros, and not what the step before did.
        implementation, use_cudnn: change nothing.
        seed: of the dropout, see `RandomLayer`.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, steps, features); of a network with a mask also that, (batch, steps). Masked steps
        leave the states as they are.

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
    gates = 1
    states = 1
    arguments = {"kernel": "kernel", "recurrent_kernel": "recurrent", "bias": "bias"}
    neutral = {"kernel_constraint": (None,), "recurrent_constraint": (None,),
               "bias_constraint": (None,), "recurrent_dropout": (0.0,),
               "return_state": (False,), "stateful": (False,),
               "implementation": (1, 2), "use_cudnn": ("auto", True, False)}

    def __init__(self, units, activation="tanh", use_bias=True,
                 kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal",
                 bias_initializer="zeros", kernel_regularizer=None, recurrent_regularizer=None,
                 bias_regularizer=None, dropout=0.0, seed=None, return_sequences=False,
                 go_backwards=False, unroll=False, zero_output_for_mask=False, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.dropout = between_zero_and_one(dropout, "dropout", self)
        if self.dropout == 1:
            raise ValueError(f"{self}: expected dropout to be below 1. Received: dropout={dropout}")
        self.sample_by_sample = not self.dropout
        self.units = positive(units, "units", self)
        self.activation = self._activation(activation)
        self.use_bias = bool(use_bias)
        self.return_sequences, self.go_backwards = bool(return_sequences), bool(go_backwards)
        self.unroll, self.zero_output_for_mask = bool(unroll), bool(zero_output_for_mask)
        drawn = (kernel_initializer, recurrent_initializer, bias_initializer)
        penalties = (kernel_regularizer, recurrent_regularizer, bias_regularizer)
        self.initializers = {name: initializers.get(rule)
                             for name, rule in zip(self.arguments, drawn)}
        self.regularizers = {name: regularizers.get(rule) for name, rule in zip(
            self.arguments, penalties) if rule is not None}

    @property
    def active(self):
        return self.dropout > 0

    def draw(self, rng, shape):
        # (N, T, D) -> (N, 1, D)
        kept = rng.random((shape[0], 1, shape[2]), np.float32) >= self.dropout
        return np.where(kept, self.dtype.type(1 / (1 - self.dropout)), self.dtype.type(0))

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

    def take_mask(self, maker):
        if maker is not None and self.unroll and self.zero_output_for_mask:
            raise UnsupportedError(f"{self} does not support a mask with unroll=True and "
                                   "zero_output_for_mask=True. Expected: unroll=False.")
        super().take_mask(maker)

    def build_config(self):
        return {"input_shape": of_input(self.input_shape)}

    def compute_output_shape(self, input_shape):
        input_shape = of_input(input_shape)
        if len(input_shape) != 3:
            raise ValueError(f"{self}: expected inputs of shape (batch, steps, features). "
                             f"Received: input_shape={tuple(input_shape)}")
        steps = (input_shape[1],) if self.return_sequences else ()
        return (input_shape[0], *steps, self.units)

    def build(self, input_shape):
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
        x, mask = x if isinstance(x, (list, tuple)) else (x, None)
        self.noise = self._noise_for(x) if training and self.active else None
        x = x if self.noise is None else x * self.noise
        self._x = x[:, ::-1] if self.go_backwards else x
        z = self._through_kernel(self._x)
        if self.use_bias:
            z += self._input_bias()
        self._counts = None if mask is None else in_order(mask != 0, self.go_backwards)
        states = [np.zeros((len(x), *self.state_shape), z.dtype) for _ in range(self.states)]
        self._kept, outputs = [], []
        for t in range(x.shape[1]):
            before = states
            states, kept = self.step(z[:, t], states)
            if self._counts is not None:
                states = [np.where(self._counts[:, t], new, old)
                          for new, old in zip(states, before)]
            self._kept.append(kept)
            outputs.append(self._put_out(states[0], t))
        return np.stack(outputs, axis=1) if self.return_sequences else np.array(outputs[-1])

    def _put_out(self, state, t):
        """A step's output, given its state, or the gradients of these."""
        if self._counts is None or not self.zero_output_for_mask:
            return state
        return np.where(self._counts[:, t], state, state.dtype.type(0))

    @property
    def state_shape(self) -> tuple:
        """Of one sample's state."""
        return (self.units,)

    def _through_kernel(self, x: np.ndarray) -> np.ndarray:
        """The input's part of all steps, without the bias: (N, T, D) -> (N, T, gates U)."""
        # (N T, D) @ (D, gates U) -> (N, T, gates U)
        return (x.reshape(-1, x.shape[-1]) @ self.params["kernel"]).reshape(*x.shape[:2], -1)

    def _through_kernel_back(self, dz: np.ndarray, wants_input_gradient: bool):
        """The gradient of what `_through_kernel` took in; leaves the kernel's in `grads`."""
        rows = dz.reshape(-1, dz.shape[-1])
        # (D, N T) @ (N T, gates U) -> (D, gates U)
        self.grads["kernel"] = self._x.reshape(-1, self._x.shape[-1]).T @ rows
        if not wants_input_gradient:
            return None
        # (N T, gates U) @ (gates U, D) -> (N, T, D)
        return (rows @ self.params["kernel"].T).reshape(self._x.shape)

    def backward(self, dy, wants_input_gradient=True):
        samples, steps = self._x.shape[:2]
        self.grads = {name: np.zeros_like(weight) for name, weight in self.params.items()}
        dz = np.empty((samples, steps, *self.state_shape[:-1], self.gates * self.units), dy.dtype)
        d_states = [np.zeros((samples, *self.state_shape), dy.dtype) for _ in range(self.states)]
        for t in reversed(range(steps)):
            if self.return_sequences:
                d_states[0] = d_states[0] + self._put_out(dy[:, t], t)
            elif t == steps - 1:
                d_states[0] = self._put_out(dy, t)
            dz[:, t], d_states = self._back(d_states, t)
        dx = self._through_kernel_back(dz, wants_input_gradient)
        if self.use_bias:
            self._bias_backward(dz.reshape(-1, dz.shape[-1]).sum(axis=0))
        if dx is None:
            return None if self._counts is None else [None, None]
        dx = np.ascontiguousarray(dx[:, ::-1]) if self.go_backwards else dx
        dx = dx if self.noise is None else dx * self.noise
        return dx if self._counts is None else [dx, None]

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
                  "go_backwards": self.go_backwards, "unroll": self.unroll, "dropout": self.dropout,
                  "zero_output_for_mask": self.zero_output_for_mask}
        for name, argument in self.arguments.items():
            config[f"{argument}_initializer"] = initializers.serialize(self.initializers[name])
            config[f"{argument}_regularizer"] = regularizers.serialize(self.regularizers.get(name))
        for argument in ("implementation", "use_cudnn"):
            config.pop(argument, None)  # which Keras leaves out
        return {"activity_regularizer": None, **config}


def of_input(shape) -> tuple:
    """The input's shape, of that and a mask's."""
    return shape[0] if isinstance(shape, list) else shape


def in_order(mask: np.ndarray, backwards: bool) -> np.ndarray:
    """A mask (N, T) as (N, T, 1), in the order in which the steps are read."""
    return (mask[:, ::-1] if backwards else mask)[..., None]
