"""Oracles of the operations between layers that are sums of products of two tensors."""

import math
import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.running_error import Bounded, bilinear


class Products(Oracle):
    """Base: an einsum of two tensors, whose axes a subclass names by letters."""

    operation = "a sum of products"
    merges = True

    def letters(self, ranks: Sequence[int]) -> tuple[str, str, str]:
        """Of the axes of both tensors and of the output."""
        raise NotImplementedError

    def forward(self, x: list[Bounded], weights: dict[str, Bounded]) -> Bounded:
        self.x = x
        self.a, self.b, self.y = self.letters([len(each.shape) for each in x])
        return bilinear(self._product, *x)

    def _product(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        # an axis of length 1 that stands for a longer one is repeated
        sizes: dict[str, int] = {}
        for letter, n in zip(self.a + self.b, a.shape + b.shape):
            sizes[letter] = max(sizes.get(letter, 1), n)
        whole = [np.broadcast_to(array, [sizes[letter] for letter in of])
                 for array, of in ((a, self.a), (b, self.b))]
        return np.asarray(np.einsum(f"{self.a},{self.b}->{self.y}", *whole))

    def backward(self, dy: Bounded) -> tuple[list[Bounded], dict[str, Bounded]]:
        return [self._back(dy, self.x[1], self.b, self.a, self.x[0].shape),
                self._back(dy, self.x[0], self.a, self.b, self.x[1].shape)], {}

    def _back(self, dy: Bounded, other: Bounded, of_other: str, wanted: str,
              shape: tuple[int, ...]) -> Bounded:
        """The gradient of one tensor: sums along all that it does not have, or was repeated along.
        """
        there = [letter in self.y + of_other for letter in wanted]
        found = "".join(letter for letter, known in zip(wanted, there) if known)

        def total(d: np.ndarray, b: np.ndarray) -> np.ndarray:
            sizes = dict(zip(self.y, d.shape))
            b = np.broadcast_to(b, [sizes.get(letter, n) if n == 1 else n
                                    for letter, n in zip(of_other, b.shape)])
            made = np.einsum(f"{self.y},{of_other}->{found}", d, b)
            repeated = tuple(i for i, n in enumerate(n for n, known in zip(shape, there) if known)
                             if n == 1 != made.shape[i])
            return np.asarray(made.sum(axis=repeated, keepdims=True))

        made = bilinear(total, dy, other)
        lone = [i for i, known in enumerate(there) if not known]
        return made.rearranged(lambda a: np.broadcast_to(np.expand_dims(a, lone), shape))

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        a, b, y = self.letters([len(shape) for shape in input_shape])
        sizes: dict[str, int] = dict(zip(y, output_shape))
        for letter, n in zip(a + b, (*input_shape[0], *input_shape[1])):
            sizes[letter] = max(sizes.get(letter, 1), n)

        def summed(of: str, shape: Sequence[int]) -> int:
            kept = {letter for letter, n in zip(of, shape) if n == sizes[letter]}
            return math.prod(n for letter, n in sizes.items() if letter not in kept)

        return {"output": math.prod(n for letter, n in sizes.items() if letter not in y),
                "input_gradient": max(summed(a, input_shape[0]), summed(b, input_shape[1]))}


@judges("MatmulOperation")
class Matmul(Products):
    """The product of the matrices in the last two axes."""

    def letters(self, ranks: Sequence[int]) -> tuple[str, str, str]:
        before = string.ascii_lowercase[:ranks[0] - 2]
        return f"{before}PK", f"{before}KQ", f"{before}PQ"


@judges("EinsumOperation")
class Einsum(Products):
    """Sums of products along the axes that an equation names."""

    def letters(self, ranks: Sequence[int]) -> tuple[str, str, str]:
        given = self.config["subscripts"].replace(" ", "")
        spare = [c for c in string.ascii_uppercase + string.ascii_lowercase if c not in given]
        first, rest = given.split(",")
        second, made = rest.split("->")
        elided = next((rank - len(term) + 3 for term, rank in zip((first, second), ranks)
                       if "..." in term), 0)
        a, b, y = (term.replace("...", "".join(spare[:elided]))
                   for term in (first, second, made))
        return a, b, y
