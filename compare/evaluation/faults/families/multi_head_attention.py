"""Faults of multi-head attention."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import gradient, half, input_gradient, output, patched
from compare.evaluation.faults.networks import SEQUENCE, joined
from scratch.layers.multi_head_attention import OUTPUT

OUT, DQ, DV = "output", "input_gradient_1", "input_gradient_2"
HEADS = joined("MultiHeadAttention", shape=SEQUENCE, num_heads=2, key_dim=3,
               bias_initializer="random_normal")


def key_scaled(layer, power):
    """The queries of the other scale are handed in: the scores are off by key_dim ** power."""
    def projected(self, right, name, x):
        y = right(name, x)
        return y * self.dtype.type(self.key_dim ** power) if name == "query" else y

    return patched(layer, _projected=projected)


def heads_mixed(self, right, name, x):
    """Features run over heads and sizes in the other order."""
    y = right(name, x)
    n, heads, steps, size = y.shape
    flat = y.transpose(0, 2, 1, 3).reshape(n, steps, size, heads)
    return np.ascontiguousarray(flat.transpose(0, 3, 1, 2)) if name == "value" else y


def key_by_query(self, right, name, x):
    """Keys are projected by the queries' weights."""
    return right("query" if name == "key" else name, x)


def without_bias(layer, y, x):
    return y - layer.params[f"{OUTPUT}/bias"]


def first_head(layer, y, x):
    """The second head's result is lost."""
    kept = layer._heads.copy()
    kept[..., layer.value_dim:] = 0
    kernel = layer.params[f"{OUTPUT}/kernel"]
    return kept @ kernel.reshape(-1, kernel.shape[-1]) + layer.params[f"{OUTPUT}/bias"]


TABLE = [
    ("not-scaled", "the scores are not divided by the root of key_dim", OUT, "attention-scale",
     lambda layer: key_scaled(layer, 0.5)),
    ("by-key-dim", "the scores are divided by key_dim, not by its root", OUT, "attention-scale",
     lambda layer: key_scaled(layer, -0.5)),
    ("heads-mixed", "the value's heads and their sizes are exchanged in memory", OUT, "heads-order",
     lambda layer: patched(layer, _projected=heads_mixed)),
    ("key-by-query", "keys are projected by the queries' weights", OUT, "projection-swapped",
     lambda layer: patched(layer, _projected=key_by_query)),
    ("bias-missing", "the output's bias is not added", OUT, "bias-missing", output(without_bias),
     ("bias-missing",)),
    ("first-head", "the second head's result is lost", OUT, "heads-dropped", output(first_head)),
    ("float16", "the output is rounded to float16", OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    ("dx-query-doubled", "the query's gradient is twice too large", DQ, "scale",
     input_gradient(lambda layer, dx, dy: [2 * dx[0], dx[1]])),
    ("dx-key-missing", "the key's part of the value's gradient is left out", DV,
     "gradient-part-missing",
     input_gradient(lambda layer, dx, dy: [dx[0], layer._projected_backward(
         "value", layer._inputs[1], value_gradient(layer, dy))])),
    ("dw-query-mean", "the gradient of the queries' kernel is a mean over the samples",
     "query/kernel_gradient", "scale", gradient(
         "query/kernel", lambda layer, g, dy: g / len(dy))),
    ("db-value-one-sample", "the gradient of the values' bias is half of what it should be",
     "value/bias_gradient", "scale", gradient("value/bias", lambda layer, g, dy: g / 2)),
]


def value_gradient(layer, dy):
    """The gradient of the projected values."""
    kernel = layer.params[f"{OUTPUT}/kernel"]
    heads = np.einsum("nto,hvo->nhtv", dy, kernel)
    return layer._weights.swapaxes(2, 3) @ heads


def faults():
    """All of them."""
    for name, sentence, tensor, cause, inject, *more in TABLE:
        yield single("MultiHeadAttention", f"multi-head-attention-{name}", sentence, HEADS,
                     "multi_head_attention", tensor, cause, inject, *more)
