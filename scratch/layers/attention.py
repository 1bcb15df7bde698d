"""Attention: for each query a mean of values, weighted by how well their keys go with the query."""

import numpy as np

from scratch import initializers
from scratch.activations.softmax import softmax, softmax_gradient
from scratch.errors import UnsupportedError
from scratch.layers.attention_dropout import DroppingAttention

HIDDEN = 1e9  # is taken off a masked score


class ScoredAttention(DroppingAttention):
    """Base: softmax(scores of query and key) @ value. A subclass says what the scores are.

    From the scores of keys that a mask leaves out 1e9 is taken off, which leaves them no weight; of
    a sample that has no other keys each keeps about the same. Masked queries put out zeros.

    Args:
        dropout, seed: see `DroppingAttention`.
    """

    merges = True
    sample_by_sample = True

    def __init__(self, use_scale, **kwargs):
        super().__init__(**kwargs)
        self.use_scale = bool(use_scale)

    def compute_output_shape(self, input_shapes):
        shapes = [tuple(shape) for shape in self.unmasked(input_shapes)]
        query, value, key = shapes if len(shapes) == 3 else (*shapes, shapes[-1])
        if len(shapes) not in (2, 3) or {len(query), len(value), len(key)} != {3} \
                or query[2] != key[2] or value[1] != key[1]:
            raise ValueError(f"{self}: expected [query, value] or [query, value, key] of the shapes"
                             " (batch, queries, dim), (batch, keys, out) and (batch, keys, dim). "
                             f"Received: {shapes}")
        return (*query[:2], value[2])

    def scores(self, query: np.ndarray, key: np.ndarray) -> np.ndarray:
        """How well each key goes with each query: (N, Q, D), (N, K, D) -> (N, Q, K)."""
        raise NotImplementedError

    def scores_backward(self, ds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The gradients of query and key; leaves those of the weights in `grads`."""
        raise NotImplementedError

    def forward(self, x, training=False):
        query, self._value, key = self.parted(x)
        scores = self.scores(query, key)
        seen = self.seen(*scores.shape[1:])
        if seen is not None:
            if self.policy.low and not seen.any(axis=-1).all():
                raise UnsupportedError(f"{self} does not support a query that sees no key with "
                                       f"dtype={self.policy.name!r}. Expected: float32 or float64.")
            # (1 or N, Q or 1, K)
            scores = np.where(seen, scores, scores - scores.dtype.type(HIDDEN))
        self._weights = softmax(scores)
        self._used = self.dropped(self._weights, training)
        # (N, Q, K) @ (N, K, V) -> (N, Q, V)
        return self._of_queries(self._used @ self._value)

    def _of_queries(self, y):
        """Zeros for those that are masked."""
        return y if self._queries is None else np.where(self._queries[..., None], y,
                                                        y.dtype.type(0))

    def backward(self, dy, wants_input_gradient=True):
        dy = self._of_queries(dy)
        # (N, Q, V) @ (N, V, K) -> (N, Q, K)
        dw = self.dropped_backward(dy @ self._value.swapaxes(1, 2))
        dq, dk = self.scores_backward(softmax_gradient(dw, None, self._weights))
        if not wants_input_gradient:
            return None
        # (N, K, Q) @ (N, Q, V) -> (N, K, V)
        dv = self._used.swapaxes(1, 2) @ dy
        return self.gradients(dq, dv, dk)

    def get_config(self):
        return {**super().get_config(), "use_scale": self.use_scale}


class Attention(ScoredAttention):
    """softmax(query @ key^T) @ value (Luong et al., 2015).

    Weights: with `use_scale` a scale, with score_mode 'concat' a concat_score_weight, one number
    each.

    Args:
        use_scale: whether the scores are multiplied by a learned scale.
        score_mode: 'dot'; 'concat' for concat_score_weight * sum tanh(scale * (query + key)).
        dropout, seed: of the weights in training, see `DroppingAttention`.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        A list of query (batch, queries, dim), value (batch, keys, out) and, if it is not the value,
        key (batch, keys, dim).

    Output shape:
        (batch, queries, out).

    Raises:
        ValueError: for another score_mode or dropout, or inputs that do not go together.

    Example:
        >>> query, value = [[[100.0, 0.0]]], [[[1.0, 0.0], [0.0, 1.0]]]
        >>> scratch.Attention()([query, value]).round(3).tolist()  # the first key goes with it
        [[[1.0, 0.0]]]
    """

    sample_by_sample = True
    takes_low_precision = True

    def __init__(self, use_scale=False, score_mode="dot", **kwargs):
        super().__init__(use_scale, **kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"{self}: expected score_mode to be 'dot' or 'concat'. "
                             f"Received: score_mode={score_mode!r}")
        self.score_mode = score_mode

    def build(self, input_shape):
        super().build(input_shape)
        for name, there in (("scale", self.use_scale),
                            ("concat_score_weight", self.score_mode == "concat")):
            if there:
                self.initializers[name] = initializers.get("ones")
                self.add_weight(name, (), self.initializers[name])

    def scores(self, query, key):
        self._query, self._key = query, key
        if self.score_mode == "dot":
            # (N, Q, D) @ (N, D, K) -> (N, Q, K)
            self._raw = query @ key.swapaxes(1, 2)
            return self._raw * self.params["scale"] if self.use_scale else self._raw
        # (N, Q, 1, D) + (N, 1, K, D) -> (N, Q, K, D)
        self._sums = query[:, :, None] + key[:, None]
        scaled = self._sums * self.params["scale"] if self.use_scale else self._sums
        self._tanh = np.tanh(scaled)
        # (N, Q, K, D) -> (N, Q, K)
        self._raw = self._tanh.sum(axis=-1)
        return self._raw * self.params["concat_score_weight"]

    def scores_backward(self, ds):
        self.grads = {}
        if self.score_mode == "concat":
            return self._concat_backward(ds)
        if self.use_scale:
            self.grads["scale"] = np.asarray((ds * self._raw).sum())
            ds = ds * self.params["scale"]
        # (N, Q, K) @ (N, K, D) -> (N, Q, D); (N, K, Q) @ (N, Q, D) -> (N, K, D)
        return ds @ self._key, ds.swapaxes(1, 2) @ self._query

    def _concat_backward(self, ds):
        weight_gradient = np.asarray((ds * self._raw).sum())
        # (N, Q, K, 1) * (N, Q, K, D) -> (N, Q, K, D)
        dt = (ds * self.params["concat_score_weight"])[..., None] * (1 - self._tanh**2)
        if self.use_scale:
            self.grads["scale"] = np.asarray((dt * self._sums).sum())
            dt = dt * self.params["scale"]
        self.grads["concat_score_weight"] = weight_gradient
        # (N, Q, K, D) -> (N, Q, D), (N, K, D)
        return dt.sum(axis=2), dt.sum(axis=1)

    def get_config(self):
        return {**super().get_config(), "score_mode": self.score_mode}


class AdditiveAttention(ScoredAttention):
    """softmax(sum of scale * tanh(query + key)) @ value (Bahdanau et al., 2015).

    Weights: with `use_scale` a scale, (dim,).

    Args:
        use_scale: whether each feature of the sum has a learned scale.
        dropout, seed: of the weights in training, see `DroppingAttention`.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        A list of query (batch, queries, dim), value (batch, keys, out) and, if it is not the value,
        key (batch, keys, dim).

    Output shape:
        (batch, queries, out).

    Raises:
        ValueError: for another dropout, or inputs that do not go together.

    Example:
        >>> layer = scratch.AdditiveAttention(use_scale=False)
        >>> query, value = [[[1.0]]], [[[2.0], [2.0]]]
        >>> layer([query, value]).tolist()  # both keys go with it equally well
        [[[2.0]]]
    """

    sample_by_sample = True
    takes_low_precision = True

    def __init__(self, use_scale=True, **kwargs):
        super().__init__(use_scale, **kwargs)

    def build(self, input_shape):
        super().build(input_shape)
        if self.use_scale:
            self.initializers["scale"] = initializers.get("glorot_uniform")
            self.add_weight("scale", (input_shape[0][-1],), self.initializers["scale"])

    def scores(self, query, key):
        # (N, Q, 1, D) + (N, 1, K, D) -> (N, Q, K, D)
        self._tanh = np.tanh(query[:, :, None] + key[:, None])
        # (N, Q, K, D) * (D,) -> (N, Q, K)
        return (self._tanh * self.params["scale"] if self.use_scale else self._tanh).sum(axis=-1)

    def scores_backward(self, ds):
        # (N, Q, K) -> (N, Q, K, 1)
        ds = ds[..., None]
        # (N, Q, K, 1) * (N, Q, K, D) -> (D,)
        self.grads = {"scale": (ds * self._tanh).sum(axis=(0, 1, 2))} if self.use_scale else {}
        slope = 1 - self._tanh**2
        # (N, Q, K, 1) * (N, Q, K, D) * (D,) -> (N, Q, K, D)
        dt = ds * (slope * self.params["scale"] if self.use_scale else slope)
        # (N, Q, K, D) -> (N, Q, D), (N, K, D)
        return dt.sum(axis=2), dt.sum(axis=1)
