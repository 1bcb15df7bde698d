"""The gated recurrent unit (Cho et al., 2014)."""

import numpy as np

from scratch import activations
from scratch.layers.recurrent import Recurrent


class GRU(Recurrent):
    """With gates z, r = recurrent_activation(x_t @ kernel + h_(t-1) @ recurrent_kernel + bias):
    h_t = z h_(t-1) + (1 - z) activation(x_t @ kernel + bias + reset), from zeros, where reset is
    r (h_(t-1) @ recurrent_kernel + bias), or (r h_(t-1)) @ recurrent_kernel if not reset_after.
    A recurrent dropout leaves z h_(t-1) as it is.

    Weights: kernel (features, 3 units), recurrent_kernel (units, 3 units), each for z, r and the
    new state in this order; bias (2, 3 units), of the input and of the state before, or (3 units,)
    if not reset_after.

    Args:
        units: how many numbers a state has.
        activation: see `Recurrent`.
        recurrent_activation: of the gates, likewise.
        reset_after: whether the gate r acts after the product with the recurrent kernel.
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
        >>> layer = scratch.GRU(3)
        >>> layer(np.ones((2, 5, 4))).shape, layer.params["bias"].shape
        ((2, 3), (2, 9))
    """

    sample_by_sample = True
    gates = 3

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", reset_after=True,
                 **kwargs):
        super().__init__(units, activation, **kwargs)
        self.recurrent_activation = self._activation(recurrent_activation)
        self.reset_after = bool(reset_after)

    def bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _input_bias(self):
        return self.params["bias"][0] if self.reset_after else self.params["bias"]

    def step(self, z, states):
        (before,), units = states, self.units
        recurrent = self.params["recurrent_kernel"]
        if self.reset_after:
            own = self.state_product(before)
            if self.use_bias:
                own += self.params["bias"][1]
        else:
            own = self.state_product(before, 2)
        gates = z[:, :2 * units] + own[:, :2 * units]
        both = [self.recurrent_activation.function(part) for part in np.split(gates, 2, axis=1)]
        update, reset = both
        if self.reset_after:
            inner = z[:, 2 * units:] + reset * own[:, 2 * units:]
        else:
            left = self.state_left(before, 2)
            inner = z[:, 2 * units:] + (reset * left) @ recurrent[:, 2 * units:]
        new = self.activation.function(inner)
        return [update * before + (1 - update) * new], (before, gates, both, own, inner, new)

    def step_back(self, d_states, kept):
        before, gates, (update, reset), own, inner, new = kept
        (dh,), units = d_states, self.units
        recurrent, total = self.params["recurrent_kernel"], self.grads["recurrent_kernel"]
        d_inner = self.activation.gradient(dh * (1 - update), inner, new)
        d_before = dh * update
        if self.reset_after:
            d_reset, d_own = d_inner * own[:, 2 * units:], d_inner * reset
        else:
            sent = d_inner @ recurrent[:, 2 * units:].T  # to reset * what is left of before
            left = self.state_left(before, 2)
            d_reset = sent * left
            d_before = d_before + self.state_left(sent * reset, 2)
            total[:, 2 * units:] += (reset * left).T @ d_inner
        z_update, z_reset = np.split(gates, 2, axis=1)
        d_gates = np.concatenate([
            self.recurrent_activation.gradient(dh * (before - new), z_update, update),
            self.recurrent_activation.gradient(d_reset, z_reset, reset)], axis=1)
        dz = np.concatenate([d_gates, d_inner], axis=1)
        if not self.reset_after:
            return dz, [d_before + self.state_product_back(before, d_gates, 2)]
        d_own = np.concatenate([d_gates, d_own], axis=1)
        if self.use_bias:
            self.grads["bias"][1] += d_own.sum(axis=0)
        return dz, [d_before + self.state_product_back(before, d_own)]

    def _bias_backward(self, total):
        if self.reset_after:
            self.grads["bias"][0] = total
        else:
            self.grads["bias"] = total

    def get_config(self):
        return {**super().get_config(), "reset_after": self.reset_after,
                "recurrent_activation": activations.serialize(self.recurrent_activation,
                                                              self.dtype)}
