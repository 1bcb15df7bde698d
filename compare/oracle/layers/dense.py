"""The oracle of the dense layer."""

from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.running_error import Bounded, bilinear


@judges("Dense")
class Dense(Oracle):
    """y[..., u] = sum over i of x[..., i] w[i, u] + b[u]."""

    operation = "sums of products of input and kernel"
    outputs = ("units",)

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x, self.kernel = x, weights["kernel"]
        return bilinear(np.matmul, x, self.kernel, weights.get("bias"),
                        wide=True)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dx = bilinear(lambda d, w: d @ w.T, dy, self.kernel, wide=True)
        axes = list(range(len(dy.shape) - 1))
        gradients = {"kernel": bilinear(lambda x, d: np.tensordot(x, d, axes=(axes, axes)),
                                        self.x, dy, wide=True)}
        if self.config["use_bias"]:
            gradients["bias"] = dy.sum(axis=tuple(axes))
        return dx, gradients

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        rows = int(np.prod(output_shape[:-1]))
        return {"output": input_shape[-1] + 1, "input_gradient": output_shape[-1],
                "kernel_gradient": rows, "bias_gradient": rows}
