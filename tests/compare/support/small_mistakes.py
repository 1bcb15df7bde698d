"""Two layers that are wrong by a thousandth: one forward, one on the way back."""

import numpy as np

import scratch


class DoubledBias(scratch.Conv2D):
    def affine(self, x):
        return super().affine(x) + self.bias * np.float32(1e-3)


class GradientOff(scratch.Dense):
    def affine_backward(self, dz, wants_input_gradient):
        dx = super().affine_backward(dz, wants_input_gradient)
        self.grads["kernel"] = self.grads["kernel"] * np.float32(1 + 1e-3)
        return dx
