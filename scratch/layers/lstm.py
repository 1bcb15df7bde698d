"""Long short-term memory (Hochreiter and Schmidhuber, 1997; with a forget gate, Gers et al., 2000).
"""

import numpy as np

from scratch import activations
from scratch.layers.recurrent import Recurrent


class LSTM(Recurrent):
    """With gates i, f, o = recurrent_activation(...) and g = activation(...), each of
    x_t @ kernel + h_(t-1) @ recurrent_kernel + bias: c_t = f c_(t-1) + i g and
    h_t = o activation(c_t), from zeros.

    Weights: kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units,), each
    for i, f, g, o in this order.

    Args:
        units: how many numbers a state has.
        activation: see `Recurrent`.
        recurrent_activation: of the gates, likewise.
        unit_forget_bias: whether the bias of the forget gate f begins with ones.
        use_bias, return_sequences, go_backwards, unroll: see `Recurrent`.
        kernel_initializer, recurrent_initializer, bias_initializer: see `Recurrent`.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: see `Recurrent`.
        kernel_constraint, recurrent_constraint, bias_constraint: see `Recurrent`.
        dropout, recurrent_dropout, return_state, stateful: see `Recurrent`.
        zero_output_for_mask, implementation, use_cudnn, seed: see `Recurrent`.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, steps, features).

    Output shape:
        (batch, steps, units), or (batch, units) without return_sequences.

    Raises:
        ValueError: if units is no positive integer, or for inputs of another rank.
        UnsupportedError: for the settings that `Recurrent` does not support.

    Example:
        >>> layer = scratch.LSTM(3, return_sequences=True)
        >>> layer(np.ones((2, 5, 4))).shape, layer.params["bias"].tolist()
        ((2, 5, 3), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    """

    sample_by_sample = True
    gates = 4
    states = 2

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid",
                 unit_forget_bias=True, **kwargs):
        super().__init__(units, activation, **kwargs)
        self.recurrent_activation = self._activation(recurrent_activation)
        self.unit_forget_bias = bool(unit_forget_bias)

    def bias_rule(self):
        rule = self.initializers["bias"]
        if not self.unit_forget_bias:
            return rule

        def drawn(shape, dtype):
            first, last = rule((self.units,), dtype), rule((2 * self.units,), dtype)
            return np.concatenate([first, np.ones(self.units, dtype), last])

        return drawn

    def step(self, z, states):
        before, c_before = states
        zi, zf, zg, zo = np.split(z + self.state_product(before), 4, axis=-1)
        gate, squash = self.recurrent_activation.function, self.activation.function
        i, f, g, o = gate(zi), gate(zf), squash(zg), gate(zo)
        c = f * c_before + i * g
        squashed = squash(c)
        return [o * squashed, c], (before, c_before, (zi, zf, zg, zo), (i, f, g, o), c, squashed)

    def step_back(self, d_states, kept):
        before, c_before, (zi, zf, zg, zo), (i, f, g, o), c, squashed = kept
        dh, dc = d_states
        gate, squash = self.recurrent_activation.gradient, self.activation.gradient
        dc = dc + squash(dh * o, c, squashed)
        dz = np.concatenate([gate(dc * g, zi, i), gate(dc * c_before, zf, f),
                             squash(dc * i, zg, g), gate(dh * squashed, zo, o)], axis=-1)
        return dz, [self.state_product_back(before, dz), dc * f]

    def get_config(self):
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias,
                "recurrent_activation": activations.serialize(self.recurrent_activation,
                                                              self.dtype)}
