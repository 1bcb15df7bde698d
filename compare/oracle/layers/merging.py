"""Oracles of the layers that merge several inputs, and send a gradient back to each.

Inputs are first given the same number of axes, by axes of length 1 behind the batch, and then
broadcast; what an input's gradient gets from the places where it was repeated is a sum.
"""

import math
from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.running_error import Bounded, largest


class Merging(Oracle):
    """Base: `forward` gets a list of inputs, `backward` returns a list of gradients."""

    merges = True

    def forward(self, x: list[Bounded], weights: dict[str, Bounded]) -> Bounded:
        self.inputs = x
        rank = max(len(a.shape) for a in x)
        self.x = [a.reshape(a.shape[0], *[1] * (rank - len(a.shape)), *a.shape[1:]) for a in x]
        return self.merged()

    def backward(self, dy: Bounded) -> tuple[list[Bounded], dict[str, Bounded]]:
        gradients = [summed_to(gradient, a.shape).reshape(*source.shape)
                     for gradient, a, source in zip(self.gradients(dy), self.x, self.inputs)]
        return gradients, {}

    def merged(self) -> Bounded:
        """The output, of the inputs in `self.x`, which broadcast against each other."""
        raise NotImplementedError

    def gradients(self, dy: Bounded) -> list[Bounded]:
        """For each input its gradient before the places where it was repeated are summed."""
        raise NotImplementedError

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        repeated = max(math.prod(output_shape) // math.prod(shape) for shape in input_shape)
        return {"output": len(input_shape), "input_gradient": repeated}


@judges("Add")
class Add(Merging):
    """The sum of the inputs. Two make one addition; more of them may be added in any order, for
    which gamma_n sum|a_i| is the bound (Higham, eq. 4.4)."""

    operation = "a sum"

    def merged(self) -> Bounded:
        return total(self.x)

    def gradients(self, dy: Bounded) -> list[Bounded]:
        return [dy] * len(self.x)


@judges("Average")
class Average(Merging):
    """The sum of the inputs, divided by their number or multiplied by its rounded reciprocal."""

    operation = "a sum and a division"
    exact = False

    def merged(self) -> Bounded:
        return total(self.x) / float(len(self.x))

    def gradients(self, dy: Bounded) -> list[Bounded]:
        return [dy / float(len(self.x))] * len(self.x)


@judges("Subtract")
class Subtract(Merging):
    """The first input less the second."""

    operation = "a difference"

    def merged(self) -> Bounded:
        return self.x[0] - self.x[1]

    def gradients(self, dy: Bounded) -> list[Bounded]:
        return [dy, -dy]


@judges("Multiply")
class Multiply(Merging):
    """The product of the inputs.

    A product of n factors costs n - 1 roundings in whatever order, and so does the gradient of each
    of n inputs: dy times the others. An input that was repeated may have its gradient summed before
    the last factors come in, if these do not vary along the sum: that is a sum of products, too,
    and has no more roundings on the way of any term than the sum of the finished products.
    """

    operation = "a product"

    def merged(self) -> Bounded:
        y = self.x[0]
        for a in self.x[1:]:
            y = y * a
        return y

    def gradients(self, dy: Bounded) -> list[Bounded]:
        gradients = []
        for i in range(len(self.x)):
            gradient = dy
            for j, a in enumerate(self.x):
                gradient = gradient if j == i else gradient * a
            gradients.append(gradient)
        return gradients

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        """Sums of products of n factors; those beyond two count as if each were as large as 4, so
        that whole numbers up to 4 stay exact."""
        terms = super().reductions(input_shape, output_shape)
        more = 4 ** max(0, len(input_shape) - 2)
        return {name: count * more for name, count in terms.items()}


@judges("Maximum")
class Maximum(Merging):
    """The largest input at each place. Its gradient goes to the first input that holds it, as the
    inputs are compared one after the other, the earlier against the next."""

    operation = "the largest of the inputs"
    sign = 1.0  # Minimum: the largest of the negatives

    def merged(self) -> Bounded:
        self.values = np.stack(np.broadcast_arrays(*[a.value for a in self.x]))  # (inputs, N, ...)
        self.errors = np.stack(np.broadcast_arrays(*[a.flushed().bound for a in self.x]))
        rounding = self.x[0].rounding
        value, error = largest(self.sign * self.values, self.errors, rounding.tiny, 0)
        return Bounded(self.sign * value, rounding, error)

    def gradients(self, dy: Bounded) -> list[Bounded]:
        signed = self.sign * self.values
        winner = signed.argmax(axis=0)  # the first of several
        lowest = (signed - self.errors).max(axis=0)  # what the largest is at least
        close = signed + self.errors >= lowest
        # equal exact values tie the same way on both sides
        contested = (close.sum(axis=0) > 1) & (self.errors * close > 0).any(axis=0)
        gradients = []
        for i in range(len(self.x)):
            won = winner == i
            either = close[i] & contested
            largest = np.abs(dy.value) + dy.bound
            error = np.where(won, dy.bound, 0.0) + np.where(either, largest, 0.0)
            gradients.append(Bounded(np.where(won, dy.value, 0.0), dy.rounding, error).flushed())
        return gradients


@judges("Minimum")
class Minimum(Maximum):
    """The smallest input at each place; otherwise as `Maximum`."""

    operation = "the smallest of the inputs"
    sign = -1.0


@judges("Concatenate")
class Concatenate(Oracle):
    """The inputs one after the other along an axis: nothing is computed."""

    operation = "a change of place or shape"
    merges = True

    def forward(self, x: list[Bounded], weights: dict[str, Bounded]) -> Bounded:
        self.axis = self.config["axis"]
        self.ends = np.cumsum([a.shape[self.axis] for a in x])
        return Bounded(np.concatenate([a.value for a in x], self.axis), x[0].rounding,
                       np.concatenate([a.bound for a in x], self.axis))

    def backward(self, dy: Bounded) -> tuple[list[Bounded], dict[str, Bounded]]:
        values = np.split(dy.value, self.ends[:-1], self.axis)
        errors = np.split(dy.bound, self.ends[:-1], self.axis)
        return [Bounded(v, dy.rounding, e) for v, e in zip(values, errors)], {}


def total(terms: list[Bounded]) -> Bounded:
    """The sum of some `Bounded` that broadcast against each other, in any order."""
    if len(terms) == 1:
        return terms[0]
    if len(terms) == 2:
        return terms[0] + terms[1]
    values = np.stack(np.broadcast_arrays(*[a.value for a in terms]))
    errors = np.stack(np.broadcast_arrays(*[a.bound for a in terms]))
    return Bounded(values, terms[0].rounding, errors).sum(axis=0)


def summed_to(gradient: Bounded, shape: tuple[int, ...]) -> Bounded:
    """The gradient, of the output's shape, summed along the axes that an input has length 1 in."""
    repeated = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    return gradient.sum(axis=repeated, keepdims=True) if repeated else gradient
