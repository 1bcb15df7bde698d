"""Faults of grouped-query attention: which heads belong together, and the ways back."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.multi_head_attention import key_scaled
from compare.evaluation.faults.injection import gradient, half, input_gradient, output, patched
from compare.evaluation.faults.networks import SEQUENCE, joined

OUT, DQ, DV = "output", "input_gradient_1", "input_gradient_2"
NAME = "GroupedQueryAttention"
HEADS = joined(NAME, shape=SEQUENCE, head_dim=3, num_query_heads=4, num_key_value_heads=2,
               bias_initializer="random_normal")


def shared_in_turns(self, right, name, x):
    """Query head u sees head u modulo their number, as np.tile has it, not that of its group."""
    heads = right(name, x)
    order = np.arange(self.num_query_heads) % self.num_key_value_heads * self._group
    return heads if name == "query" else heads[:, order]


def first_of_the_group(self, right, name, x, dy):
    """Of a group's gradients that of the first query head alone goes back."""
    if name != "query":
        kept = np.arange(self.num_query_heads) % self._group == 0
        dy = np.where(kept[:, None, None], dy, dy.dtype.type(0))
    return right(name, x, dy)


def mean_of_the_group(self, right, name, x, dy):
    """What goes back to a head of values is the mean of its group, not the sum."""
    return right(name, x, dy / dy.dtype.type(self._group) if name == "value" else dy)


TABLE = [
    ("in-turns", "query head u sees head u modulo their number, not that of its group", OUT,
     "heads-order", lambda layer: patched(layer, _projected=shared_in_turns)),
    ("not-scaled", "the scores are not divided by the root of head_dim", OUT, "attention-scale",
     lambda layer: key_scaled(layer, 0.5)),
    ("float16", "the output is rounded to float16", OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    ("first-of-group", "of a group's gradients that of the first query head alone goes back", DV,
     "gradient-part-missing", lambda layer: patched(
         layer, _projected_backward=first_of_the_group)),
    ("mean-of-group", "the gradient of a head of values is the mean of its group", DV,
     "scale", lambda layer: patched(layer, _projected_backward=mean_of_the_group)),
    ("dx-query-doubled", "the query's gradient is twice too large", DQ, "scale",
     input_gradient(lambda layer, dx, dy: [2 * dx[0], dx[1]])),
    ("dw-key-mean", "the gradient of the keys' kernel is a mean over the samples",
     "key/kernel_gradient", "scale", gradient("key/kernel", lambda layer, g, dy: g / len(dy))),
]


def faults():
    """All of them."""
    for name, sentence, tensor, cause, inject in TABLE:
        yield single("MultiHeadAttention", f"grouped-query-attention-{name}", sentence, HEADS,
                     "grouped_query_attention", tensor, cause, inject)
