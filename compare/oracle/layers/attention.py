"""Oracles of attention: softmax(scores) @ value, and what leads to the scores.

Each is a composition: sums of products (`bilinear`), a softmax, a tanh, each of which passes on the
errors of the one before. With weights p = softmax(s) and output p v,

    dv = p^T dy      dp = dy v^T      ds = p * (dp - sum dp p)
"""

import math
from typing import Any

import numpy as np

from compare.oracle import masks
from compare.oracle.base import Oracle, judges
from compare.oracle.elementary import tanh
from compare.oracle.layers.masked_softmax import EVERYTHING, Seen, Shifted
from compare.oracle.layers.noise import product
from compare.oracle.layers.smooth_activations import Tanh
from compare.oracle.running_error import Bounded, bilinear
from compare.tracing.types import Config


def turned(a: np.ndarray) -> np.ndarray:
    """The last two axes exchanged."""
    return np.swapaxes(a, -1, -2)


class Attended:
    """softmax(scores) @ value along the last axis of the scores, and the way back; with noise the
    weights are multiplied by it; what a mask leaves out has no weight."""

    def __init__(self, scores: Bounded, value: Bounded, noise: Bounded | None = None,
                 seen: Seen | None = None) -> None:
        self.scores, self.value, self.noise = scores, value, noise
        self.seen = seen or EVERYTHING
        self.weights = self.seen.weights(scores)
        self.used = self.weights if noise is None else product(self.weights, noise)
        self.output = bilinear(np.matmul, self.used, value)

    def backward(self, dy: Bounded) -> tuple[Bounded, Bounded]:
        """The gradients of scores and value."""
        dv = bilinear(lambda p, d: turned(p) @ d, self.used, dy)
        dp = bilinear(lambda d, v: d @ turned(v), dy, self.value)
        dp = dp if self.noise is None else product(dp, self.noise)
        ds = self.weights * (dp - (dp * self.weights).sum(axis=-1, keepdims=True))
        return self.seen.back(ds), dv


class Attending(Oracle):
    """Base of all attentions: which keys a query sees."""

    step_masks: tuple[Bounded, Bounded] | None

    def causal(self, queries: int, keys: int) -> np.ndarray | None:
        """Those not behind its own place, (Q, K), if the layer is called so; else None."""
        if not self.config.get("use_causal_mask"):
            return None
        return np.asarray(np.arange(keys)[None] <= np.arange(queries)[:, None])

    def seen_keys(self, queries: int, keys: int) -> np.ndarray | None:
        """By that, and by the mask of the keys: (1 or N, Q or 1, K); None for all."""
        causal = self.causal(queries, keys)
        if self.step_masks is None:
            return None if causal is None else causal[None]
        counting = np.asarray(self.step_masks[1].value[:, None] != 0)
        return counting if causal is None else counting & causal


class ScoredAttention(Attending):
    """Base: a subclass says what the scores are."""

    operation = "an attention: a softmax of scores, and sums of products"
    exact = False
    merges = True

    def forward(self, x: list[Bounded], weights: dict[str, Bounded]) -> Bounded:
        (self.query, value, self.key), self.of_three, self.step_masks = masks.of_attention(x)
        self.held = weights
        seen = self.seen_keys(self.query.shape[1], value.shape[1])
        self.attended = Attended(self.scores(), value, self.noise_of(weights),
                                 None if seen is None else Shifted(seen))
        return self.of_queries(self.attended.output)

    def of_queries(self, y: Bounded) -> Bounded:
        """Zeros for those that are masked."""
        if self.step_masks is None:
            return y
        return y.where(np.broadcast_to(self.step_masks[0].value[..., None] != 0, y.shape))

    def admitted_inputs(self, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return masks.admitted_of_attention(x)

    def backward(self, dy: Bounded) -> tuple[list[Bounded], dict[str, Bounded]]:
        ds, dv = self.attended.backward(self.of_queries(dy))
        dq, dk, gradients = self.of_scores(ds)
        sent = [dq, dv, dk] if self.of_three else [dq, dv + dk]
        return sent + masks.without_gradient(self.step_masks), gradients

    def noise_of(self, weights: dict[str, Bounded]) -> Bounded | None:
        """What was drawn, at inference nothing."""
        return weights.get("noise") if self.training else None

    def put_together(self, attended: Bounded) -> Bounded:
        """The output, given the values' weighted sums."""
        return self.of_queries(attended)

    def scores(self) -> Bounded:
        """(N, Q, K)."""
        raise NotImplementedError

    def of_scores(self, ds: Bounded) -> tuple[Bounded, Bounded, dict[str, Bounded]]:
        """The gradients of query, key and weights."""
        raise NotImplementedError

    def sums(self) -> Bounded:
        """query + key for each pair, (N, Q, K, D)."""
        n, queries, features = self.query.shape
        return (self.query.reshape(n, queries, 1, features)
                + self.key.reshape(n, 1, *self.key.shape[1:]))

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        query, value, *_ = input_shape
        most = math.prod(query) * value[1]
        return dict.fromkeys(("output", "input_gradient", "scale_gradient",
                              "concat_score_weight_gradient"), most)


@judges("Attention")
class Attention(ScoredAttention):
    """Scores are products of query and key, or sums of a tanh of their sum."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.concat = config.get("score_mode", "dot") == "concat"

    def scores(self) -> Bounded:
        scale = self.held.get("scale")
        if not self.concat:
            self.raw = bilinear(lambda q, k: q @ turned(k), self.query, self.key)
            return self.raw if scale is None else self.raw * scale
        self.pairs = self.sums()
        self.scaled = self.pairs if scale is None else self.pairs * scale
        self.tanh = tanh(self.scaled)
        self.raw = self.tanh.sum(axis=-1)
        return self.raw * self.held["concat_score_weight"]

    def of_scores(self, ds: Bounded) -> tuple[Bounded, Bounded, dict[str, Bounded]]:
        scale, gradients = self.held.get("scale"), {}
        if self.concat:
            gradients["concat_score_weight"] = (ds * self.raw).sum()
            each = ds * self.held["concat_score_weight"]
            dt = Tanh({}).gradient(each.reshape(*each.shape, 1), self.scaled, self.tanh)
            if scale is not None:
                gradients["scale"] = (dt * self.pairs).sum()
                dt = dt * scale
            return dt.sum(axis=2), dt.sum(axis=1), gradients
        if scale is not None:
            gradients["scale"] = (ds * self.raw).sum()
            ds = ds * scale
        return (bilinear(np.matmul, ds, self.key),
                bilinear(lambda d, q: turned(d) @ q, ds, self.query), gradients)


@judges("AdditiveAttention")
class AdditiveAttention(ScoredAttention):
    """Scores are sums of scale * tanh(query + key)."""

    def scores(self) -> Bounded:
        self.pairs = self.sums()
        self.tanh = tanh(self.pairs)
        scale = self.held.get("scale")
        return (self.tanh if scale is None else self.tanh * scale).sum(axis=-1)

    def of_scores(self, ds: Bounded) -> tuple[Bounded, Bounded, dict[str, Bounded]]:
        scale, each = self.held.get("scale"), ds.reshape(*ds.shape, 1)
        gradients = {} if scale is None else {"scale": (each * self.tanh).sum(axis=(0, 1, 2))}
        ones = Bounded(np.ones(self.tanh.shape), ds.rounding)
        dt = Tanh({}).gradient(each * ones if scale is None else each * scale,
                               self.pairs, self.tanh)
        return dt.sum(axis=2), dt.sum(axis=1), gradients
