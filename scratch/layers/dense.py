"""The fully connected layer."""

import math

from scratch import activations
from scratch.layers.arguments import positive
from scratch.layers.base import AffineLayer


class Dense(AffineLayer):
    """activation(x @ kernel + bias) on the last axis: (batch, ..., in) -> (batch, ..., units).

    Weights: kernel (in, units), bias (units,).

    Raises:
        ValueError: for units below 1 or an input without a feature axis.
        UnsupportedError: for regularizers, constraints or quantization.
    """

    neutral = {"kernel_regularizer": (None,), "bias_regularizer": (None,),
               "kernel_constraint": (None,), "bias_constraint": (None,)}

    def __init__(self, units, activation=None, use_bias=True,
                 kernel_initializer="glorot_uniform", bias_initializer="zeros", **kwargs):
        super().__init__(activations.get(activation), use_bias, kernel_initializer,
                         bias_initializer, **kwargs)
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

    def affine(self, x):
        self._x = x
        # (batch ..., in) @ (in, units)
        z = x.reshape(math.prod(x.shape[:-1]), x.shape[-1]) @ self.kernel
        if self.use_bias:
            z += self.bias
        return z.reshape(*x.shape[:-1], self.units)

    def affine_backward(self, dz, wants_input_gradient):
        rows = math.prod(dz.shape[:-1])
        dz = dz.reshape(rows, self.units)
        x = self._x.reshape(rows, self._x.shape[-1])
        # (in, rows) @ (rows, units); BLAS is slow at a single row, which makes an outer product
        self.grads["kernel"] = x.T @ dz if rows > 1 else x.T * dz
        if self.use_bias:
            self.grads["bias"] = dz.sum(axis=0)
        if not wants_input_gradient:
            return None
        return (dz @ self.kernel.T).reshape(self._x.shape)

    def get_config(self):
        return {**super().get_config(), "units": self.units}
