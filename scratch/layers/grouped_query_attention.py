"""Grouped-query attention (Ainslie et al., GQA, 2023): multi-head attention in which several heads
of queries share one head of keys and values."""

import numpy as np

from scratch.layers.arguments import positive
from scratch.layers.multi_head_attention import MultiHeadAttention


class GroupedQueryAttention(MultiHeadAttention):
    """`MultiHeadAttention` with fewer heads of keys and values than of queries: with r =
    num_query_heads / num_key_value_heads, the query heads u r, ..., u r + r - 1 see the key and
    value head u. Keras calls it GroupQueryAttention in keras.layers and in configs; so it is known
    here by that name, too.

    Weights: query/kernel (features, num_query_heads, head_dim) and query/bias (num_query_heads,
    head_dim); for key and value likewise with num_key_value_heads;
    attention_output/kernel (num_query_heads, head_dim, features) and attention_output/bias
    (features,).

    Args:
        head_dim: the size of each head's queries, keys and values.
        num_query_heads: how many heads of queries.
        num_key_value_heads: how many of keys and values; it divides the former.
        dropout: of each head's weights in training, see `DroppingAttention`.
        use_bias: whether the projections have biases.
        kernel_initializer, bias_initializer: see `MultiHeadAttention`.
        kernel_regularizer, bias_regularizer: see `MultiHeadAttention`.
        kernel_constraint, bias_constraint, sliding_window, flash_attention, use_gate: None or
            False; no other is supported.
        activity_regularizer: None; no other is supported.
        seed: of the dropout.
        name, trainable, dtype: see `Layer`.

    Input shape:
        It is called on query (batch, queries, features), value (batch, keys, features) and key,
        likewise, one after the other; key is the value if left out. Features may differ.

    Output shape:
        (batch, queries, features of the query).

    Raises:
        ValueError: for sizes that are no positive integers, heads that cannot be grouped, or inputs
            that do not go together.
        UnsupportedError: for the settings above that are not supported.

    Example:
        >>> layer = scratch.GroupedQueryAttention(3, num_query_heads=4, num_key_value_heads=2)
        >>> x = np.ones((5, 7, 6))
        >>> layer(x, x).shape, layer.params["query/kernel"].shape, layer.params["key/kernel"].shape
        ((5, 7, 6), (6, 4, 3), (6, 2, 3))
    """

    sample_by_sample = True
    uses_mask_of_key, takes_masks_off = True, False
    inner_groups = {name: f"_{group}" for name, group in MultiHeadAttention.inner_groups.items()}

    def __init__(self, head_dim, num_query_heads, num_key_value_heads, **kwargs):
        for name, size in (("head_dim", head_dim), ("num_query_heads", num_query_heads)):
            positive(size, name, type(self).__name__)  # by its own name, not that of the base
        super().__init__(num_query_heads, head_dim, **kwargs)
        self.num_query_heads, self.head_dim = self.num_heads, self.key_dim
        self.num_key_value_heads = positive(num_key_value_heads, "num_key_value_heads", self)
        self._group, left = divmod(self.num_query_heads, self.num_key_value_heads)
        if left:
            raise ValueError(f"{self}: expected num_query_heads to be a multiple of "
                             f"num_key_value_heads. Received: num_query_heads={num_query_heads}, "
                             f"num_key_value_heads={num_key_value_heads}")

    def heads_of(self, name):
        return self.num_query_heads if name == "query" else self.num_key_value_heads

    def _projected(self, name, x):
        heads = super()._projected(name, x)
        # (N, heads of keys, T, K) -> (N, heads, T, K)
        return heads if name == "query" else np.repeat(heads, self._group, axis=1)

    def _projected_backward(self, name, x, dy):
        if name != "query":
            n, _, *sizes = dy.shape
            # (N, heads, T, K) -> (N, heads of keys, T, K)
            dy = dy.reshape(n, self.num_key_value_heads, self._group, *sizes).sum(axis=2)
        return super()._projected_backward(name, x, dy)

    def get_config(self):
        config = {**super().get_config(), "head_dim": self.head_dim,
                  "num_query_heads": self.num_query_heads,
                  "num_key_value_heads": self.num_key_value_heads}
        for name in ("num_heads", "key_dim", "value_dim", "output_shape", "attention_axes"):
            del config[name]
        return config
