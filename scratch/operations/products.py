"""Sums of products of two tensors: keras.ops.matmul, keras.ops.einsum."""

import re
import string

import numpy as np

from scratch.errors import UnsupportedError
from scratch.operations.operation import Operation


class TwoTensors(Operation):
    """Base of what takes two tensors, none of them a number."""

    merges = True

    def __init__(self, operands=(None, None), **kwargs):
        super().__init__(operands=operands, **kwargs)
        if self.operands != [None, None]:
            raise UnsupportedError(f"{self}: expected two tensors. Received: {self.operands}")


class MatmulOperation(TwoTensors, operator="@"):
    """The product of the matrices in the last two axes, for each index of those before.

    Input shape:
        A list of (batch, ..., P, K) and (batch, ..., K, Q), of as many axes; the sizes of those
        before the matrices are equal or 1.

    Output shape:
        (batch, ..., P, Q).

    Raises:
        ValueError: for shapes that do not go together.
    """

    sample_by_sample = True

    def compute_output_shape(self, input_shapes):
        a, b = map(tuple, input_shapes)
        if len(a) != len(b) or len(a) < 3 or a[-1] != b[-2]:
            raise ValueError(f"{self}: expected tensors (batch, ..., P, K) and (batch, ..., K, Q) "
                             f"of as many axes. Received: {a} and {b}")
        try:
            between = np.broadcast_shapes(a[1:-2], b[1:-2])
        except ValueError:
            raise ValueError(f"{self}: expected the axes before the matrices to be equal or 1. "
                             f"Received: {a} and {b}") from None
        return (a[0], *between, a[-2], b[-1])

    def forward(self, x, training=False):
        self._a, self._b = x
        # (N, ..., P, K) (N, ..., K, Q) -> (N, ..., P, Q)
        return np.matmul(*x)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        # (N, ..., P, Q) (N, ..., Q, K) -> (N, ..., P, K); (N, ..., K, P) (N, ..., P, Q)
        da = np.matmul(dy, self._b.swapaxes(-1, -2))
        db = np.matmul(self._a.swapaxes(-1, -2), dy)
        return [_summed_to(da, self._a.shape), _summed_to(db, self._b.shape)]


class EinsumOperation(TwoTensors):
    """Sums of products of two tensors' numbers along the axes that an equation names.

    Args:
        subscripts: such as 'bhqd,bhkd->bhqk': the axes of both tensors and of the output, each by a
            letter; an ellipsis stands for the same axes in all three. The batch is the first of
            each.
        operands, name: see `Operation`.

    Raises:
        ValueError: for an equation of another form, or shapes that do not go with it.
        UnsupportedError: for another number of tensors.
    """

    sample_by_sample = True

    def __init__(self, subscripts, operands=(None, None), **kwargs):
        super().__init__(operands=operands, **kwargs)
        self.subscripts = subscripts
        form = re.fullmatch(r"([a-zA-Z.]+),([a-zA-Z.]+)->([a-zA-Z.]+)",
                            str(subscripts).replace(" ", ""))
        if form is None:
            raise UnsupportedError(f"{self} does not support subscripts={subscripts!r}. Expected: "
                                   "those of two tensors, [X],[Y]->[Z].")
        self._terms = form.groups()

    def _letters(self, ranks) -> list[str]:
        """The letters of the axes of both tensors and of the output."""
        spare = [c for c in string.ascii_letters if c not in "".join(self._terms)]
        elided = {rank - len(term.replace("...", "")) for term, rank in zip(self._terms, ranks)
                  if "..." in term} or {0}
        found = [term.replace("...", "".join(spare[:max(elided)])) for term in self._terms]
        a, b, y = found
        whole = all(len(set(term)) == len(term) and "." not in term for term in found) \
            and len(elided) == 1 and (len(a), len(b)) == tuple(ranks)
        if not whole or not set(y) <= set(a + b):
            raise ValueError(f"{self}: expected each axis by a letter, once in each tensor. "
                             f"Received: subscripts={self.subscripts!r}, tensors of {ranks} axes")
        if len({a[0], b[0], y[0]}) > 1:
            raise UnsupportedError(f"{self} does not support subscripts={self.subscripts!r}. "
                                   "Expected: the batch first in both tensors and in the output.")
        return found

    def compute_output_shape(self, input_shapes):
        a, b, y = self._letters([len(shape) for shape in input_shapes])
        sizes: dict = {}
        for letter, size in zip(a + b, [n for shape in input_shapes for n in shape]):
            if sizes.setdefault(letter, size) != size:
                raise ValueError(f"{self}: expected axes of one letter to be as long. Received: "
                                 f"subscripts={self.subscripts!r}, {list(input_shapes)}")
        return tuple(sizes[letter] for letter in y)

    def forward(self, x, training=False):
        self._x = x
        self._named = self._letters([array.ndim for array in x])
        a, b, y = self._named
        # 'bhqd,bhkd->bhqk': (N, h, q, d), (N, h, k, d) -> (N, h, q, k)
        return np.einsum(f"{a},{b}->{y}", *x, optimize=True)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        (a, b, y), (first, second) = self._named, self._x
        return [self._gradient(dy, y, second, b, a, first.shape),
                self._gradient(dy, y, first, a, b, second.shape)]

    @staticmethod
    def _gradient(dy, y, other, of_other, wanted, shape):
        """Of one tensor, given the output's and the other tensor."""
        # along an axis that only this tensor has its numbers are summed: all get the same gradient
        there = [letter in y + of_other for letter in wanted]
        found = "".join(letter for letter, known in zip(wanted, there) if known)
        dx = np.einsum(f"{y},{of_other}->{found}", dy, other, optimize=True)
        kept = dx.reshape([n if known else 1 for n, known in zip(shape, there)])
        return kept if all(there) else np.array(np.broadcast_to(kept, shape))

    def get_config(self):
        return {**super().get_config(), "subscripts": self.subscripts}


def _summed_to(gradient: np.ndarray, shape: tuple) -> np.ndarray:
    """The gradient, summed along the axes in which its tensor was repeated."""
    repeated = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    return gradient.sum(axis=repeated, keepdims=True) if repeated else gradient
