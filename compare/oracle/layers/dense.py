"""The oracle of the dense layer."""

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.running_error import bilinear


@judges("Dense")
class Dense(Oracle):
    """y[..., u] = sum over i of x[..., i] w[i, u] + b[u]."""

    operation = "sums of products of input and kernel"
    outputs = ("units",)

    def forward(self, x, weights):
        self.x, self.kernel = x, weights["kernel"]
        return bilinear(np.matmul, x, self.kernel, weights.get("bias"))

    def backward(self, dy):
        dx = bilinear(lambda d, w: d @ w.T, dy, self.kernel)
        axes = list(range(len(dy.shape) - 1))
        gradients = {"kernel": bilinear(lambda x, d: np.tensordot(x, d, axes=(axes, axes)),
                                        self.x, dy)}
        if self.config["use_bias"]:
            gradients["bias"] = dy.sum(axis=tuple(axes))
        return dx, gradients

    def reductions(self, input_shape, output_shape):
        rows = int(np.prod(output_shape[:-1]))
        return {"output": input_shape[-1] + 1, "input_gradient": output_shape[-1],
                "kernel_gradient": rows, "bias_gradient": rows}
