"""The oracle of multi-head attention: projections, an attention for each head, a projection.

The scores are multiplied by 1 / sqrt(key_dim) here before they are summed, each term with a
rounding: whoever multiplies the sum, or the queries, rounds no more. That factor is one of float32,
as TensorFlow takes plain numbers, and may come of a root and a quotient of its own.
"""

import math
from typing import Any

import numpy as np

from compare.oracle import masks
from compare.oracle.base import judges
from compare.oracle.layers.attention import Attended, Attending, turned
from compare.oracle.layers.masked_softmax import Left, Seen
from compare.oracle.layers.scaling import given_numbers
from compare.oracle.running_error import Bounded, bilinear

TO_HEADS, BACK = "ntd,dhk->nhtk", "nhtk,dhk->ntd"
OF_KERNEL, TOGETHER = "ntd,nhtk->dhk", "nhtv,hvo->nto"


def einsum(equation: str, a: Bounded, b: Bounded, bias: Bounded | None = None) -> Bounded:
    return bilinear(lambda x, y: np.einsum(equation, x, y, optimize=True), a, b, bias)


@judges("MultiHeadAttention")
class MultiHeadAttention(Attending):
    """For each head softmax(q k^T / sqrt(key_dim)) v; the heads are projected to the output."""

    operation = "an attention: projections, a softmax of scores, and sums of products"
    exact = False
    merges = True
    outputs = ()

    def forward(self, x: list[Bounded], weights: dict[str, Bounded]) -> Bounded:
        (query, value, key), self.of_three, self.step_masks = masks.of_attention(x)
        self.inputs = {"query": query, "key": key, "value": value}
        self.held, self.heads = weights, {}
        for name, each in self.inputs.items():
            self.heads[name] = self.projected(name, each)
        scale = given_numbers(1 / math.sqrt(self.config["key_dim"]))
        self.scale = Bounded(scale, query.rounding, 2 * query.rounding.unit * scale)
        scores = bilinear(lambda q, k: q @ turned(k), self.heads["query"] * self.scale,
                          self.heads["key"])
        self.attended = Attended(scores, self.heads["value"],
                                 weights.get("noise") if self.training else None, self.seen())
        return self.put_together(self.attended.output)

    def seen(self) -> Seen | None:
        """Which keys each query sees, (N, 1, Q, K); None without masks."""
        seen = self.seen_keys(*(self.inputs[name].shape[1] for name in ("query", "value")))
        if seen is None:
            return None
        if self.step_masks is not None:
            seen = seen & (self.step_masks[0].value[:, :, None] != 0)
        return Left(seen[:, None], alike=not self.config.get("dropout"))

    def admitted_inputs(self, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return masks.admitted_of_attention(x)

    def projected(self, name: str, x: Bounded) -> Bounded:
        """The heads of an input, (N, heads, T, K)."""
        bias = self.held.get(f"{name}/bias")
        if bias is not None:
            bias = bias.reshape(bias.shape[0], 1, bias.shape[1])
        return einsum(TO_HEADS, x, self.held[f"{name}/kernel"], bias)

    def projected_back(self, name: str, gradient: Bounded, found: dict[str, Bounded]) -> Bounded:
        """The gradient of an input, given that of its heads; adds those of the weights to `found`.
        """
        found[f"{name}/kernel"] = einsum(OF_KERNEL, self.inputs[name], gradient)
        if f"{name}/bias" in self.held:
            found[f"{name}/bias"] = gradient.sum(axis=(0, 2))
        return einsum(BACK, gradient, self.held[f"{name}/kernel"])

    def put_together(self, attended: Bounded) -> Bounded:
        """The output, given each head's result."""
        return einsum(TOGETHER, attended, self.held["attention_output/kernel"],
                      self.held.get("attention_output/bias"))

    def backward(self, dy: Bounded) -> tuple[list[Bounded], dict[str, Bounded]]:
        kernel = self.held["attention_output/kernel"]
        dh = einsum("nto,hvo->nhtv", dy, kernel)
        ds, dv = self.attended.backward(dh)
        ds = ds * self.scale
        gradients = {"query": bilinear(np.matmul, ds, self.heads["key"]),
                     "key": bilinear(lambda d, q: turned(d) @ q, ds, self.heads["query"]),
                     "value": dv}
        found: dict[str, Bounded] = {}
        dx = {}
        for name, gradient in gradients.items():
            dx[name] = self.projected_back(name, gradient, found)
        found["attention_output/kernel"] = einsum("nhtv,nto->hvo", self.attended.output, dy)
        if "attention_output/bias" in self.held:
            found["attention_output/bias"] = dy.sum(axis=(0, 1))
        sent = ([dx["query"], dx["value"], dx["key"]] if self.of_three else
                [dx["query"], dx["value"] + dx["key"]])
        return sent + masks.without_gradient(self.step_masks), found

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        query, value, *_ = input_shape
        heads = self.config["num_heads"] * max(self.config["key_dim"], self.config["value_dim"])
        most = math.prod(query) * value[1] * heads
        names = [f"{name}/{kind}_gradient" for name in ("query", "key", "value", "attention_output")
                 for kind in ("kernel", "bias")]
        return dict.fromkeys(("output", "input_gradient", *names), most)
