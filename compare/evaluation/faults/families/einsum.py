"""Faults of the dense layer between any axes."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import UNKNOWN
from compare.evaluation.faults.injection import (
    gradient,
    half,
    input_gradient,
    output,
    output_with,
)
from compare.evaluation.faults.networks import SEQUENCE, around

OUT, DX, DW, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
# the kernel is square, so that it can be turned
TURNED = around("EinsumDense", shape=SEQUENCE, equation="abc,cd->abd", output_shape=(None, 4),
                bias_axes="d", bias_initializer="ones")
HEADS = around("EinsumDense", shape=SEQUENCE, equation="abc,cde->abde", output_shape=(None, 3, 2),
               bias_axes="de", bias_initializer="random_normal")


def heads_exchanged(layer, y, x):
    """The two axes that come out in the other order, in memory."""
    return y.transpose(0, 1, 3, 2).reshape(y.shape)


TABLE = [
    ("bias-missing", "the bias is not added", TURNED, OUT, "bias-missing",
     output(lambda layer, y, x: y - layer.bias)),
    ("bias-doubled", "the bias is added twice", TURNED, OUT, "bias-doubled",
     output(lambda layer, y, x: y + layer.bias)),
    ("kernel-transposed", "multiplies by the kernel's transpose", TURNED, OUT, UNKNOWN,
     output_with(kernel=lambda w: w.T.copy()), ("kernel-layout",)),
    ("heads-exchanged", "the two new axes come out in the other order", HEADS, OUT, UNKNOWN,
     output(heads_exchanged), ("axes-permuted", "flatten-order")),
    ("float16", "the output is rounded to float16", TURNED, OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    ("dx-by-kernel", "the gradient goes back through the kernel, not its transpose", TURNED, DX,
     UNKNOWN, input_gradient(lambda layer, dx, dy: dy @ layer.kernel), ("kernel-layout",)),
    ("dw-mean", "the kernel's gradient is a mean over the samples", HEADS, DW, "scale",
     gradient("kernel", lambda layer, g, dy: g / len(dy))),
    ("db-first-step", "the bias's gradient is that of the first step alone", HEADS, DB, UNKNOWN,
     gradient("bias", lambda layer, g, dy: dy[:, 0].sum(axis=0))),
    ("db-one-head", "all heads get the gradient of the first one's bias", HEADS, DB, UNKNOWN,
     gradient("bias", lambda layer, g, dy: np.broadcast_to(g[:1], g.shape))),
]


def faults():
    """All of them."""
    for name, sentence, network, tensor, cause, inject, *more in TABLE:
        yield single("EinsumDense", f"einsum-dense-{name}", sentence, network, "einsum_dense",
                     tensor, cause, inject, *more)
