"""The plain recurrent layer."""

from scratch.errors import UnsupportedError
from scratch.layers.recurrent import Recurrent


class SimpleRNN(Recurrent):
    """h_t = activation(x_t @ kernel + h_(t-1) @ recurrent_kernel + bias), from h_0 = 0.

    Weights: kernel (features, units), recurrent_kernel (units, units), bias (units,).

    Args:
        units: how many numbers a state has.
        activation: see `Recurrent`.
        use_bias, return_sequences, go_backwards, unroll: see `Recurrent`.
        kernel_initializer, recurrent_initializer, bias_initializer: see `Recurrent`.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: see `Recurrent`.
        kernel_constraint, recurrent_constraint, bias_constraint: see `Recurrent`.
        dropout, recurrent_dropout, return_state, stateful: see `Recurrent`.
        zero_output_for_mask, implementation, use_cudnn, seed: see `Recurrent`.
        activity_regularizer: None, for Keras takes one and forgets it.
        name, trainable, dtype: see `Layer`.

    Input shape:
        (batch, steps, features).

    Output shape:
        (batch, steps, units), or (batch, units) without return_sequences.

    Raises:
        ValueError: if units is no positive integer, or for inputs of another rank.
        UnsupportedError: for the settings that `Recurrent` does not support.

    Example:
        >>> layer = scratch.SimpleRNN(1, activation="linear", kernel_initializer="ones",
        ...                           recurrent_initializer="ones", return_sequences=True)
        >>> layer([[[1.0], [2.0], [4.0]]]).tolist()
        [[[1.0], [3.0], [7.0]]]
    """

    sample_by_sample = True

    def __init__(self, units, activation="tanh", seed=None, activity_regularizer=None, **kwargs):
        if activity_regularizer is not None:
            raise UnsupportedError("SimpleRNN does not support activity_regularizer="
                                   f"{activity_regularizer!r}, which Keras's layer of that name "
                                   "takes and forgets. Expected: None.")
        super().__init__(units, activation, seed=seed, **kwargs)

    def step(self, z, states):
        (before,) = states
        z = z + self.state_product(before)
        h = self.activation.function(z)
        return [h], (before, z, h)

    def step_back(self, d_states, kept):
        before, z, h = kept
        dz = self.activation.gradient(d_states[0], z, h)
        return dz, [self.state_product_back(before, dz)]

    def get_config(self):
        config = super().get_config()
        del config["seed"]  # which Keras's layer of that name leaves out
        return config
