"""The oracle of grouped-query attention: multi-head attention whose heads of keys and values count
for several heads of queries.

What comes back to such a head is one sum over its group, in any order: the group may be added up
before the products with the input and the kernel, or behind them.
"""

import numpy as np

from compare.oracle.base import judges
from compare.oracle.layers.multi_head_attention import MultiHeadAttention, einsum
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config


@judges("GroupedQueryAttention")
class GroupedQueryAttention(MultiHeadAttention):
    """The query heads of a group see the same head of keys and values."""

    def __init__(self, config: Config) -> None:
        heads = {"num_heads": config["num_query_heads"], "key_dim": config["head_dim"],
                 "value_dim": config["head_dim"]}
        super().__init__({**heads, **config})
        self.group = int(config["num_query_heads"]) // int(config["num_key_value_heads"])

    def projected(self, name: str, x: Bounded) -> Bounded:
        heads = super().projected(name, x)
        return heads if name == "query" else self.shared(heads)

    def shared(self, heads: Bounded) -> Bounded:
        """Each head of keys or values as often as it counts: (N, heads of queries, T, K)."""
        return heads.rearranged(lambda a: np.repeat(a, self.group, axis=1))

    def projected_back(self, name: str, gradient: Bounded, found: dict[str, Bounded]) -> Bounded:
        if name == "query":
            return super().projected_back(name, gradient, found)
        n, _, steps, size = gradient.shape
        of_groups = gradient.reshape(n, -1, self.group, steps, size)
        found[f"{name}/kernel"] = einsum("ntd,nhgtk->dhk", self.inputs[name], of_groups)
        if f"{name}/bias" in self.held:
            found[f"{name}/bias"] = of_groups.sum(axis=(0, 2, 3))
        return einsum("nhgtk,dhk->ntd", of_groups, self.held[f"{name}/kernel"])
