"""The oracle of the dense layer between any axes."""

import math
import string
from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.running_error import Bounded, bilinear


@judges("EinsumDense")
class EinsumDense(Oracle):
    """y = einsum(equation, x, w) + b: every element is a sum of products of x and w."""

    operation = "sums of products of input and kernel"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x, self.kernel, self.bias = x, weights["kernel"], weights.get("bias")
        self.read(len(x.shape))
        return bilinear(lambda a, w: np.einsum(f"{self.of_x},{self.of_w}->{self.of_y}", a, w),
                        x, self.kernel, self.bias)

    def read(self, rank: int) -> None:
        """The axes' letters, an ellipsis written out, for inputs of so many axes."""
        before, self.of_y = self.config["equation"].split("->")
        self.of_x, self.of_w = before.split(",")
        more = rank - len(self.of_x.replace("...", ""))
        spare = [c for c in string.ascii_uppercase + string.ascii_lowercase
                 if c not in self.config["equation"]]
        self.of_x, self.of_y = (named.replace("...", "".join(spare[:more]))
                                for named in (self.of_x, self.of_y))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        # a letter that only the input has: its axis is summed, and all of it has one gradient
        lone = [i for i, c in enumerate(self.of_x) if c not in self.of_y + self.of_w]
        kept = "".join(c for i, c in enumerate(self.of_x) if i not in lone)
        dx = bilinear(lambda d, w: np.einsum(f"{self.of_y},{self.of_w}->{kept}", d, w),
                      dy, self.kernel)
        dx = dx.rearranged(lambda a: np.broadcast_to(np.expand_dims(a, lone), self.x.shape))
        gradients = {"kernel": bilinear(
            lambda a, d: np.einsum(f"{self.of_x},{self.of_y}->{self.of_w}", a, d), self.x, dy)}
        if self.bias is not None:
            shape = (1,) * (len(dy.shape) - len(self.bias.shape)) + self.bias.shape
            same = tuple(i for i, n in enumerate(shape) if n == 1)
            gradients["bias"] = dy.sum(axis=same, keepdims=True).reshape(*self.bias.shape)
        return dx, gradients

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        self.read(len(input_shape))
        sizes = {**dict(zip(self.of_x, input_shape)), **dict(zip(self.of_y, output_shape))}

        def summed(a: str, b: str, result: str) -> int:
            return math.prod(sizes[c] for c in set(a + b) - set(result))

        varying = math.prod(sizes[c] for c in self.config.get("bias_axes") or "")
        return {"output": summed(self.of_x, self.of_w, self.of_y) + 1,
                "input_gradient": summed(self.of_y, self.of_w, self.of_x),
                "kernel_gradient": summed(self.of_x, self.of_y, self.of_w),
                "bias_gradient": math.prod(output_shape) // varying}
