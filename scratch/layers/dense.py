"""The fully connected layer."""

import numpy as np

from scratch import activations
from scratch.layers.affine import AffineLayer
from scratch.layers.arguments import positive


class Dense(AffineLayer):
    """activation(x @ kernel + bias) on the last axis.

    Weights: kernel (in, units), bias (units,).

    Args:
        units: how many numbers come out for each row of numbers that comes in.
        activation: the name of an activation, an `activations.Activation`, or the config of a
            layer that is one; None for none.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: how the first weights are drawn, a name or an object
            of `scratch.initializers`.
        kernel_regularizer, bias_regularizer: penalties on the weights, a name or an object of
            `scratch.regularizers`; None for none.
        kernel_constraint, bias_constraint: what keeps the weights in bounds, a name or an object of
            `scratch.constraints`; None for none.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ..., in), with `in` known.

    Output shape:
        (batch, ..., units).

    Raises:
        ValueError: for units below 1 or an input without a feature axis.
        UnsupportedError: for quantization or adapters (LoRA).

    Example:
        >>> layer = scratch.Dense(2, activation="relu", bias_initializer="ones")
        >>> layer.build((None, 3))
        >>> layer.kernel[...] = [[1, -1], [2, -2], [3, -3]]
        >>> layer([[1.0, 0.0, 1.0]]).tolist()  # 1 + 3 + 1, and max(-1 - 3 + 1, 0)
        [[5.0, 0.0]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def __init__(self, units, activation=None, use_bias=True, **kwargs):
        super().__init__(activations.get(activation), use_bias, **kwargs)
        self.units = positive(units, "units", self)

    def compute_output_shape(self, input_shape):
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(f"{self}: expected an input of shape (batch, ..., features) with the "
                             f"features known. Received: input_shape={tuple(input_shape)}")
        return (*input_shape[:-1], self.units)

    def build(self, input_shape):
        super().build(input_shape)
        self.add_weight("kernel", (input_shape[-1], self.units), self.initializers["kernel"])
        if self.use_bias:
            self.add_weight("bias", (self.units,), self.initializers["bias"])

    def in_memory_order(self, name, weight):
        # in memory as (units, in): its products are faster with the longer axis innermost
        # (in, units) stays its shape
        return np.asfortranarray(weight)

    def affine(self, x):
        self._x = x
        # (batch, ..., in) -> (rows, in); (rows, in) @ (in, units) -> (rows, units)
        z = x.reshape(-1, x.shape[-1]) @ self.kernel
        if self.use_bias:
            z += self.bias
        # (rows, units) -> (batch, ..., units)
        return z.reshape(*x.shape[:-1], self.units)

    def affine_backward(self, dz, wants_input_gradient):
        shape = self._x.shape
        # (batch, ..., in) -> (rows, in); (batch, ..., units) -> (rows, units)
        x, dz = self._x.reshape(-1, shape[-1]), dz.reshape(-1, self.units)
        # (units, rows) @ (rows, in) -> (units, in), in memory like the kernel; BLAS is slow at a
        # single row, which makes an outer product, (units, 1) * (1, in)
        gradient = dz.T @ x if len(x) > 1 else dz.T * x
        # (units, in) -> (in, units)
        self.grads["kernel"] = gradient.T
        if self.use_bias:
            # (rows, units) -> (units,)
            self.grads["bias"] = np.add.reduce(dz, axis=0)
        if not wants_input_gradient:
            return None
        # (rows, units) @ (units, in) -> (rows, in) -> (batch, ..., in)
        return (dz @ self.kernel.T).reshape(shape)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
