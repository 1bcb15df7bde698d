"""Multi-head attention (Vaswani et al., Attention Is All You Need, 2017), as vision transformers
have it."""

import math

import numpy as np

from scratch import initializers, regularizers
from scratch.activations.softmax import softmax, softmax_gradient
from scratch.errors import UnsupportedError
from scratch.layers.arguments import positive
from scratch.layers.attention_dropout import DroppingAttention

OUTPUT = "attention_output"


class MultiHeadAttention(DroppingAttention):
    """For each head softmax(q @ k^T / sqrt(key_dim)) @ v, with projections q, k, v of the inputs;
    the heads' results are projected to the output.

    Keys that a mask leaves out have no weight. A masked query, and one without any key, weighs all
    values alike, with a dropout none. Keras takes the masks of its inputs off them: layers behind
    that read these get none.

    Weights: query/kernel (features, heads, key_dim) and query/bias (heads, key_dim), likewise for
    key and, with value_dim, for value; attention_output/kernel (heads, value_dim, out) and
    attention_output/bias (out,).

    Args:
        num_heads: how many heads.
        key_dim: the size of each head's queries and keys.
        value_dim: that of its values; None for key_dim.
        use_bias: whether the projections have biases.
        output_shape: how many numbers come out for each query; None for those of the query.
        dropout: of each head's weights in training, see `DroppingAttention`.
        attention_axes: None or (1,), which mean the same for the inputs that are supported.
        kernel_initializer, bias_initializer: how the first weights are drawn, a name or an object
            of `scratch.initializers`.
        kernel_regularizer, bias_regularizer: penalties on the weights, a name or an object of
            `scratch.regularizers`; None for none.
        kernel_constraint, bias_constraint, sliding_window, flash_attention, use_gate: None or
            False; no other is supported.
        activity_regularizer: None; no other is supported.
        seed: of the dropout.
        name, trainable, dtype: see `Layer`.

    Input shape:
        It is called on query (batch, queries, features), value (batch, keys, features) and key,
        likewise, one after the other; key is the value if left out.

    Output shape:
        (batch, queries, out).

    Raises:
        ValueError: for sizes that are no positive integers, or inputs that do not go together.
        UnsupportedError: for the settings above that are not supported, and for an activity
            regularizer, which Keras applies to each projection.

    Example:
        >>> layer = scratch.MultiHeadAttention(num_heads=2, key_dim=3)
        >>> x = np.ones((5, 7, 4))
        >>> layer(x, x).shape, layer.params["query/kernel"].shape
        ((5, 7, 4), (4, 2, 3))
    """

    merges = True
    calls_apart = True
    uses_mask_of_key = takes_masks_off = True
    sample_by_sample = True
    takes_low_precision = True
    neutral = {"kernel_constraint": (None,), "bias_constraint": (None,),
               "sliding_window": (None,), "use_gate": (False,), "flash_attention": (None, False)}
    inner_groups = {"query": "query_dense", "key": "key_dense", "value": "value_dense",
                    OUTPUT: "output_dense"}

    def __init__(self, num_heads, key_dim, value_dim=None, use_bias=True, output_shape=None,
                 attention_axes=None, kernel_initializer="glorot_uniform",
                 bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None,
                 **kwargs):
        if kwargs.get("activity_regularizer") is not None:
            raise UnsupportedError("MultiHeadAttention does not support activity_regularizer="
                                   f"{kwargs['activity_regularizer']!r}. Expected: None.")
        super().__init__(**kwargs)
        self.num_heads = positive(num_heads, "num_heads", self)
        self.key_dim = positive(key_dim, "key_dim", self)
        self.value_dim = positive(value_dim or key_dim, "value_dim", self)
        self.use_bias = bool(use_bias)
        sizes = list(output_shape) if isinstance(output_shape, (list, tuple)) else [output_shape]
        if len(sizes) != 1:
            raise UnsupportedError(f"{self} does not support output_shape={output_shape!r}. "
                                   "Expected: None or one number.")
        self._out = None if sizes[0] is None else positive(sizes[0], "output_shape", self)
        axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        if axes is not None and tuple(axes) not in ((1,), (-2,)):
            raise UnsupportedError(f"{self} does not support attention_axes={attention_axes!r}. "
                                   "Expected: None or (1,).")
        self.attention_axes = axes
        self._given = {"kernel": initializers.get(kernel_initializer),
                       "bias": initializers.get(bias_initializer)}
        self._penalties = {"kernel": regularizers.get(kernel_regularizer),
                           "bias": regularizers.get(bias_regularizer)}

    def __call__(self, query, value=None, key=None, training=False, use_causal_mask=False):
        inputs = query if value is None else [each for each in (query, value, key)
                                              if each is not None]
        return super().__call__(inputs, training, use_causal_mask)

    def compute_output_shape(self, input_shapes):
        shapes = [tuple(shape) for shape in self.unmasked(input_shapes)]
        query, value, key = shapes if len(shapes) == 3 else (*shapes, shapes[-1])
        fits = len(shapes) in (2, 3) and {len(query), len(value), len(key)} == {3}
        if not fits or value[1] != key[1] or None in (query[2], value[2], key[2]):
            raise ValueError(f"{self}: expected query, value and key of the shapes (batch, queries,"
                             " features), (batch, keys, features) and (batch, keys, features), the "
                             f"features known. Received: {shapes}")
        return (*query[:2], self._out or query[2])

    def build(self, input_shape):
        super().build(input_shape)
        self.attention_axes = (1,)  # as Keras
        query, value, *keys = self.unmasked(self.input_shape)
        key = keys[0] if keys else value
        for name, features, size in (("query", query[2], self.key_dim),
                                     ("key", key[2], self.key_dim),
                                     ("value", value[2], self.value_dim)):
            sizes = (self.heads_of(name), size)
            self._add_projection(name, (features, *sizes), sizes, (0,), (1, 2))
        out = self.output_shape[2]
        self._add_projection(OUTPUT, (self.num_heads, self.value_dim, out), (out,), (0, 1), (2,))

    def heads_of(self, name: str) -> int:
        """How many heads the projection of that input has."""
        return self.num_heads

    def _add_projection(self, name, kernel, bias, input_axes, output_axes) -> None:
        """The weights of one projection; its kernel is drawn by the numbers that meet in a sum."""
        rule = self._given["kernel"]
        if "input_axes" in rule.defaults and rule.config["input_axes"] is None:
            rule = type(rule)(**{**rule.config, "input_axes": input_axes,
                                 "output_axes": output_axes})
        weights = [("kernel", kernel, rule)]
        weights += [("bias", bias, self._given["bias"])] if self.use_bias else []
        for kind, shape, initializer in weights:
            self.initializers[f"{name}/{kind}"] = initializer
            if self._penalties[kind] is not None:
                self.regularizers[f"{name}/{kind}"] = self._penalties[kind]
            self.add_weight(f"{name}/{kind}", shape, initializer)

    def _projected(self, name, x):
        """The heads of an input: (N, T, D) -> (N, heads, T, K)."""
        kernel = self.params[f"{name}/kernel"]
        # (N T, D) @ (D, heads K) -> (N, T, heads, K)
        y = (x.reshape(-1, x.shape[-1]) @ kernel.reshape(len(kernel), -1)).reshape(
            *x.shape[:2], *kernel.shape[1:])
        if self.use_bias:
            y += self.params[f"{name}/bias"]
        # (N, T, heads, K) -> (N, heads, T, K)
        return y.transpose(0, 2, 1, 3)

    def _projected_backward(self, name, x, dy):
        """The gradient of an input of `_projected`; leaves those of the weights in `grads`."""
        kernel = self.params[f"{name}/kernel"]
        # (N, heads, T, K) -> (N T, heads K)
        dy = dy.transpose(0, 2, 1, 3).reshape(-1, kernel[0].size)
        # (D, N T) @ (N T, heads K) -> (D, heads, K)
        self.grads[f"{name}/kernel"] = (x.reshape(-1, x.shape[-1]).T @ dy).reshape(kernel.shape)
        if self.use_bias:
            self.grads[f"{name}/bias"] = dy.sum(axis=0).reshape(kernel.shape[1:])
        # (N T, heads K) @ (heads K, D) -> (N, T, D)
        return (dy @ kernel.reshape(len(kernel), -1).T).reshape(x.shape)

    def forward(self, x, training=False):
        self._inputs = query, value, key = self.parted(x)
        self._q, self._k, self._v = (self._projected(name, each) for name, each in (
            ("query", query), ("key", key), ("value", value)))
        # float32 also in double precision, as TensorFlow takes plain numbers
        self._scale = self.dtype.type(np.float32(1 / math.sqrt(self.key_dim)))
        # (N, heads, Q, K) @ (N, heads, K, S) -> (N, heads, Q, S)
        self._weights = self._softmax(self._q @ self._k.swapaxes(2, 3) * self._scale)
        # (N, heads, Q, S) @ (N, heads, S, V) -> (N, heads, Q, V) -> (N, Q, heads V)
        self._used = self.dropped(self._weights, training)
        heads = (self._used @ self._v).transpose(0, 2, 1, 3)
        self._heads = np.ascontiguousarray(heads).reshape(*query.shape[:2], -1)
        kernel = self.params[f"{OUTPUT}/kernel"]
        # (N, Q, heads V) @ (heads V, out) -> (N, Q, out)
        y = self._heads @ kernel.reshape(-1, kernel.shape[-1])
        return y + self.params[f"{OUTPUT}/bias"] if self.use_bias else y

    def _softmax(self, scores):
        """Each query's weights of the keys, those that a mask leaves out being zero."""
        self._seen = self.seen(*scores.shape[2:])
        if self._seen is None:
            return softmax(scores)
        if self._queries is not None:
            self._seen = self._seen & self._queries[:, :, None]
        # (N, Q, K) -> (N, 1, Q, K)
        self._seen = self._seen[:, None]
        # far below all others, and the same for all: a query that sees nothing weighs them alike
        weights = softmax(np.where(self._seen, scores, np.finfo(scores.dtype).min / 2))
        return np.where(self._seen, weights, scores.dtype.type(0)) if self.dropout else weights

    def backward(self, dy, wants_input_gradient=True):
        query, value, key = self._inputs
        self.grads = dict.fromkeys(self.params)  # in their order
        kernel = self.params[f"{OUTPUT}/kernel"]
        rows = dy.reshape(-1, dy.shape[-1])
        # (heads V, N Q) @ (N Q, out) -> (heads, V, out)
        self.grads[f"{OUTPUT}/kernel"] = (self._heads.reshape(len(rows), -1).T @ rows).reshape(
            kernel.shape)
        if self.use_bias:
            self.grads[f"{OUTPUT}/bias"] = rows.sum(axis=0)
        # (N Q, out) @ (out, heads V) -> (N, Q, heads, V) -> (N, heads, Q, V)
        dh = (rows @ kernel.reshape(-1, kernel.shape[-1]).T).reshape(
            *query.shape[:2], *kernel.shape[:2]).transpose(0, 2, 1, 3)
        # (N, heads, Q, V) @ (N, heads, V, S) -> (N, heads, Q, S)
        dw = self.dropped_backward(dh @ self._v.swapaxes(2, 3))
        ds = softmax_gradient(dw, None, self._weights) * self._scale
        if self._seen is not None:
            ds = np.where(self._seen, ds, ds.dtype.type(0))
        dq = self._projected_backward("query", query, ds @ self._k)
        dk = self._projected_backward("key", key, ds.swapaxes(2, 3) @ self._q)
        dv = self._projected_backward("value", value, self._used.swapaxes(2, 3) @ dh)
        if not wants_input_gradient:
            return None
        return self.gradients(dq, dv, dk)

    def build_config(self):
        names = ("query_shape", "value_shape", "key_shape")
        return {"shapes_dict": dict(zip(names, self.unmasked(self.input_shape)))}

    def get_config(self):
        config = {**super().get_config(), "num_heads": self.num_heads, "key_dim": self.key_dim,
                  "value_dim": self.value_dim, "use_bias": self.use_bias,
                  "output_shape": None if self._out is None else (self._out,),
                  "attention_axes": self.attention_axes,
                  "activity_regularizer": None}
        del config["flash_attention"]  # which Keras leaves out
        for kind, initializer in self._given.items():
            config[f"{kind}_initializer"] = initializers.serialize(initializer)
            config[f"{kind}_regularizer"] = regularizers.serialize(self._penalties[kind])
        return config
