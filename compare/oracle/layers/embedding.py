"""The oracle of embeddings: rows of a table, looked up by class numbers."""

from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.low_precision import policy_of
from compare.oracle.running_error import Bounded, bilinear
from compare.tracing.types import Config


@judges("Embedding")
class Embedding(Oracle):
    """Each number of the input is the number of a row.

    As a product with the matrix that has a 1 at each place's class: so the bound on the gradient's
    sums is that of products whose terms are mostly zero.
    """

    operation = "a look-up in a table"
    factors = 1
    reads_classes = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.in_float32 = policy_of(config).mixed  # the table as it is kept

    def admitted(self, x: np.ndarray) -> np.ndarray:
        """Class numbers made of any numbers; what is not finite becomes class 0."""
        whole = np.floor(np.abs(np.where(np.isfinite(x), x, 0).astype(np.float64)))
        return np.asarray(whole % self.config["input_dim"], x.dtype)

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.classes = np.trunc(x.value).astype(np.int64) % self.config["input_dim"]
        return weights["embeddings"].rearranged(lambda table: table[self.classes])

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        chosen = np.eye(self.config["input_dim"])[self.classes.reshape(-1)]
        rows = dy.reshape(-1, dy.shape[-1])
        total = bilinear(lambda a, b: a.T @ b, Bounded(chosen, dy.rounding), rows)
        return Bounded(np.zeros(self.classes.shape), dy.rounding), {"embeddings": total}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": 1, "embeddings_gradient": int(np.prod(input_shape))}
