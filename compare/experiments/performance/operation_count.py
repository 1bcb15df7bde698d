"""How much arithmetic a network needs, in multiply-adds, and how fast BLAS alone would do it.

Counted are the products of convolutions and dense layers, padding included, as is usual. Biases,
activations, pooling, the loss and the update are not: they are what a network adds to that.
"""

import math

import numpy as np

SGEMM_SIDE = 1024  # of the square matrices on which BLAS shows its rate


def forward_multiply_adds(layer) -> int:
    """For one sample through one built scratch layer.

    A convolution makes each of its (OH, OW, F) outputs from kh * kw * C products, a dense layer
    each of its units from as many as it has inputs.
    """
    kernel = layer.params.get("kernel")
    if kernel is None:
        return 0
    outputs = math.prod(layer.output_shape[1:])
    return outputs * math.prod(kernel.shape[:-1])


def predict_multiply_adds(model) -> int:
    """For one sample forward."""
    return sum(forward_multiply_adds(layer) for layer in model.layers)


def training_multiply_adds(model) -> int:
    """For one sample forward and backward.

    The kernel's gradient takes as many products as the way forward, and so does the input's, which
    nobody needs of the first layer that has a kernel.
    """
    counts = [forward_multiply_adds(layer) for layer in model.layers]
    learning = [count for count in counts if count]
    return 3 * sum(learning) - sum(learning[:1])


def multiply_adds(case) -> int:
    """For one sample of a case."""
    count = training_multiply_adds if case.trains else predict_multiply_adds
    return count(case.model())


class Sgemm:
    """NumPy's BLAS multiplying square float32 matrices, over and over."""

    def __init__(self, side: int = SGEMM_SIDE):
        generator = np.random.default_rng(0)
        self.multiply_adds = side ** 3  # of one product
        self._a, self._b = generator.random((2, side, side), dtype=np.float32)
        self._out = np.empty((side, side), np.float32)

    def __call__(self, times: int) -> None:
        for _ in range(times):
            np.matmul(self._a, self._b, out=self._out)
