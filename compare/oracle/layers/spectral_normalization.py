"""The oracle of a layer whose kernel is divided by its largest singular value, as estimated."""

from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.layers.time_distributed import inside
from compare.oracle.moments import RSQRT_ROUNDINGS
from compare.oracle.running_error import Bounded, bilinear
from compare.oracle.unit_length import UnitVectors
from compare.tracing.types import Config

SHORTEST = 1e-7  # keras.config.epsilon()
KERNEL, VECTOR = "kernel", "vector_u"


def transposed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a @ b.T)


class PowerIteration:
    """Steps x -> x W / |x W| of vectors of length 1, with bounds that many steps do not blow up.

    Element by element a step adds up what an error of x does to each product, as if all of them
    conspired: the bound then grows from step to step. In the 2-norm it does not. With x off by e,
    x W is off by d = |W| e and its own roundings, |W| being the largest singular value; and

        | a / |a| - b / |b| |  <=  |a - b| / sqrt(|a| |b|),

    so that its direction is off by d / sqrt(|x W| (|x W| - d)), and by the roundings of a division
    by a length. Where x is near the singular vector |x W| is near |W|: the error adds up, no more.
    Each element is off by no more than the whole, so the smaller of both bounds counts.

    Args:
        matrix: W, or what it is transposed.
    """

    def __init__(self, matrix: Bounded) -> None:
        values, errors = np.abs(matrix.value), matrix.bound
        gram = matrix.value.T @ matrix.value
        self.matrix, self.rounding = matrix, matrix.rounding
        self.largest = float(np.sqrt(max(np.linalg.eigvalsh(gram)[-1], 0.0)) * (1 + 1e-9)
                             if np.isfinite(gram).all() else np.inf)
        self.size = float(np.linalg.norm(values)) + float(np.linalg.norm(errors))
        self.off = float(np.linalg.norm(errors))
        self.error = self.before = 0.0  # of the last vector and the one before it, in the 2-norm

    def step(self, x: Bounded, product: Any) -> Bounded:
        """The next vector, given the last one and a function of it and the matrix."""
        made = bilinear(product, x, self.matrix)
        unit = UnitVectors(made, (0, 1), SHORTEST).values
        if not self.rounding.bounds:
            return unit
        rounding, count = self.rounding, float(sum(self.matrix.shape))
        self.before = self.error
        alone = bilinear(product, Bounded(x.value, rounding), self.matrix)
        grown = self.largest + self.off + float(rounding.gamma(count)) * self.size
        away = float(np.linalg.norm(alone.bound)) + grown * self.error
        length = float(np.linalg.norm(made.value))
        if not length - away > 2 * SHORTEST:
            self.error = float(np.linalg.norm(unit.bound))
            return unit
        own = float(rounding.gamma(count + 4 * RSQRT_ROUNDINGS)) + count * rounding.tiny / SHORTEST
        self.error = away / np.sqrt(length * (length - away)) * (1 + own) + own
        self.error = min(self.error, float(np.linalg.norm(unit.bound)))
        return Bounded(unit.value, rounding, np.minimum(unit.bound, self.error))

    def singular_value(self, v: Bounded, u: Bounded) -> Bounded:
        """v W u^T of the last two vectors, off by what both of them are off, times |W|."""
        value = bilinear(transposed, bilinear(np.matmul, v, self.matrix), u)
        if not self.rounding.bounds:
            return value
        exact = [Bounded(x.value, self.rounding) for x in (v, u)]
        alone = bilinear(transposed, bilinear(np.matmul, exact[0], self.matrix), exact[1])
        off = self.before + self.error + self.before * self.error
        grown = self.largest + self.off + 2 * float(
            self.rounding.gamma(float(sum(self.matrix.shape)))) * self.size
        return Bounded(value.value, self.rounding,
                       np.minimum(value.bound, alone.bound + grown * off))


@judges("SpectralNormalization")
class SpectralNormalization(Oracle):
    """The layer inside, with W / (v W u^T) for its kernel W, and gradients with respect to that.

    u and v are what power iterations from the given u make, see `PowerIteration`.

    Singular values are roots, so that whole numbers come out whole of few kernels alone. For the
    probe with whole numbers they are made such: in one row and one column all but the number in
    both are 0, and that is 2; u is the unit vector of the column. Then v is that of the row, u
    stays, the singular value is 2, and all other numbers, which are even, come out halved: nothing
    on the way is rounded, though nearly all of the kernel is any.
    """

    operation = "a layer with a normalized kernel"
    overwrites = (KERNEL,)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.inner = inside(config["layer"])
        self.exact, self.factors = self.inner.exact, self.inner.factors

    def admitted_weights(self, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        kernel = 2 * weights[KERNEL]
        matrix, u = kernel.reshape(-1, kernel.shape[-1]), np.zeros_like(weights[VECTOR])
        row, column = len(matrix) // 2, u.size // 2
        matrix[row], matrix[:, column], matrix[row, column] = 0, 0, 2
        u[0, column] = 1
        return {**weights, KERNEL: matrix.reshape(kernel.shape), VECTOR: u}

    def normalized(self, kernel: Bounded, u: Bounded) -> tuple[Bounded, Bounded]:
        """(kernel over its estimated largest singular value, the next u)."""
        matrix = kernel.reshape(-1, kernel.shape[-1])
        power = PowerIteration(matrix)
        for _ in range(self.config["power_iterations"]):
            v = power.step(u, transposed)
            u = power.step(v, np.matmul)
        return kernel / power.singular_value(v, u).reshape(()), u

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Bounded:
        self.inner.training, self.updated = self.training, {}
        if self.training:
            kernel, u = weights[KERNEL], weights[VECTOR]
            if kernel.support().any():
                kernel, u = self.normalized(kernel, u)
            self.updated = {KERNEL: kernel, VECTOR: u}
        own = weights | self.updated
        return self.inner.forward(x, {name: own[name] for name in own if name != VECTOR})

    def backward(self, dy: Bounded) -> tuple[Any, dict[str, Bounded]]:
        return self.inner.backward(dy)

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return self.inner.reductions(input_shape, output_shape)
