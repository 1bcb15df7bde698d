"""Faults of attention."""

import numpy as np

from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.injection import gradient, half, input_gradient, output, patched
from compare.evaluation.faults.networks import SEQUENCE, joined

OUT, DQ, DV = "output", "input_gradient_1", "input_gradient_2"
PLAIN = joined("Attention", shape=SEQUENCE)
SCALED = joined("Attention", shape=SEQUENCE, use_scale=True)
DROPPING = joined("Attention", shape=SEQUENCE, dropout=0.4)
CAUSAL = joined("Attention", shape=SEQUENCE, use_causal_mask=True)
HEADS = joined("MultiHeadAttention", shape=SEQUENCE, num_heads=2, key_dim=3, use_causal_mask=True)
ADDITIVE = joined("AdditiveAttention", shape=SEQUENCE)


def root_of_dim(self, right, query, key):
    """Scores over the root of the number of features, as in a transformer."""
    return right(query, key) / np.sqrt(query.dtype.type(query.shape[-1]))


def along_queries(layer, y, x):
    """The softmax runs along the queries, not along the keys."""
    scores = x[0] @ x[1].swapaxes(1, 2)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (shares / shares.sum(axis=1, keepdims=True)) @ x[1]


def without_softmax(layer, y, x):
    return x[0] @ x[1].swapaxes(1, 2) @ x[1]


def causal(layer, y, x):
    """No query sees a key behind its own place."""
    scores = x[0] @ x[1].swapaxes(1, 2)
    scores = np.where(np.tri(*scores.shape[1:], dtype=bool), scores, -1e9)
    shares = np.exp(scores - scores.max(axis=2, keepdims=True))
    return (shares / shares.sum(axis=2, keepdims=True)) @ x[1]


def weights_constant(layer, dx, dy):
    """The weights are taken for constants: only the value's gradient is left."""
    return [np.zeros_like(dx[0]), layer._weights.swapaxes(1, 2) @ dy]


def value_alone(layer, dx, dy):
    """What the value is as the key is left out."""
    return [dx[0], layer._weights.swapaxes(1, 2) @ dy]


def without_sum(self, right, dy, wants_input_gradient=True):
    """The softmax's gradient without its second term: dy times y."""
    ds = self._weights * (dy @ self._value.swapaxes(1, 2))
    dq, dk = self.scores_backward(ds)
    return [dq, self._weights.swapaxes(1, 2) @ dy + dk]


def seeing(furthest):
    """Each query sees the keys up to so many places behind its own; all for None."""
    return lambda layer: patched(layer, seen=lambda self, right, queries, keys: None if (
        furthest is None) else np.tri(queries, keys, furthest, dtype=bool)[None])


def seeing_later(layer):
    """Each query sees its own place and the keys behind it."""
    patched(layer, seen=lambda self, right, queries, keys: np.tri(
        keys, queries, dtype=bool).T[None])


DOT, SUM, MANY = "Attention", "AdditiveAttention", "MultiHeadAttention"
TABLE = [
    (DOT, "root-of-dim", "scores are divided by the root of the number of features", PLAIN, OUT,
     "attention-scale", lambda layer: patched(layer, scores=root_of_dim)),
    (DOT, "along-queries", "the softmax runs along the queries", PLAIN, OUT, "softmax-axis",
     output(along_queries)),
    (DOT, "without-softmax", "the scores are the weights", PLAIN, OUT, "activation-missing",
     output(without_softmax)),
    (DOT, "causal", "no query sees a key behind its own place", PLAIN, OUT, "attention-mask",
     output(causal)),
    (DOT, "float16", "the output is rounded to float16", PLAIN, OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    (DOT, "weights-constant", "the weights are taken for constants on the way back", PLAIN, DQ,
     "gradient-missing", input_gradient(weights_constant)),
    (DOT, "value-alone", "the key's part of the value's gradient is left out", PLAIN, DV,
     "gradient-part-missing", input_gradient(value_alone)),
    (DOT, "softmax-diagonal", "the softmax's gradient without its second term", PLAIN, DQ,
     "softmax-jacobian-missing", lambda layer: patched(layer, backward=without_sum)),
    (DOT, "scale-missing", "the learned scale is not used", SCALED, OUT, "attention-scale",
     lambda layer: patched(layer, scores=lambda self, right, q, k:
                           right(q, k) / self.params["scale"]), ("stale-weights",)),
    (DOT, "scale-gradient-mean", "the scale's gradient is a mean over the samples", SCALED,
     "scale_gradient", "scale", gradient("scale", lambda layer, g, dy: g / len(dy))),
    (DOT, "dropout-not-scaled", "weights that are kept are not made larger", DROPPING, OUT, "scale",
     lambda layer: patched(layer, dropped=lambda self, right, weights, training:
                           right(weights, training) * (1 - self.dropout * training))),
    (DOT, "dropout-missing", "drops nothing", DROPPING, OUT,
     "mask-missing", lambda layer: patched(layer, dropped=lambda self, right, weights, training: (
         right(weights, training), weights)[1])),
    (DOT, "dropout-rate-swapped", "drops as often as it should keep", DROPPING, "noise",
     "noise-distribution", lambda layer: patched(layer, draw=lambda self, right, rng, shape:
                                                 (rng.random(shape) < self.dropout) / (
                                                     1 - self.dropout))),
    (DOT, "dropout-dx-mask-missing", "the weights' gradient passes by the mask", DROPPING, DQ,
     "mask-missing", lambda layer: patched(
         layer, dropped_backward=lambda self, right, dw: dw)),
    (DOT, "causal-forgotten", "every query sees all keys", CAUSAL, OUT, "attention-mask",
     seeing(None)),
    (DOT, "causal-strict", "no query sees its own place", CAUSAL, OUT, "attention-mask",
     seeing(-1)),
    (DOT, "causal-later", "every query sees the keys from its own place on", CAUSAL, OUT,
     "attention-mask", seeing_later),
    (MANY, "causal-forgotten", "every query sees all keys", HEADS, OUT, "attention-mask",
     seeing(None)),
    (MANY, "causal-one-more", "every query sees one key too many", HEADS, OUT, "attention-mask",
     seeing(1)),
    (SUM, "tanh-missing", "query and key are added without a tanh", ADDITIVE, OUT,
     "activation-missing", lambda layer: patched(layer, scores=lambda self, right, q, k: (
         right(q, k), ((q[:, :, None] + k[:, None]) * self.params["scale"]).sum(-1))[1])),
    (SUM, "scale-inside", "the scale stands inside the tanh", ADDITIVE, OUT, "attention-scale",
     lambda layer: patched(layer, scores=lambda self, right, q, k: (
         right(q, k), np.tanh((q[:, :, None] + k[:, None]) * self.params["scale"]).sum(-1))[1])),
    (SUM, "scale-gradient-doubled", "the scale's gradient is twice too large", ADDITIVE,
     "scale_gradient", "scale", gradient("scale", lambda layer, g, dy: 2 * g)),
]


def faults():
    """All of them."""
    return of_layers(TABLE)
