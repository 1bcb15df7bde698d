"""Mistakes in spectral normalization: what the kernel is divided by, and what is kept of it."""

import numpy as np

from compare.diagnosis.hypotheses.given_numbers import instead
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.spectral_normalization import KERNEL, VECTOR, SpectralNormalization
from compare.oracle.running_error import Bounded

NAME = "spectral-norm"
ITERATIONS = (1, 2, 3, 4, 5, 10, 15, 20)


def of_spectral_norm(c) -> list[Variant]:
    """Everything about SpectralNormalization."""
    if not isinstance(c.layer, SpectralNormalization):
        return []
    if c.tensor in (f"{KERNEL}_updated", f"{VECTOR}_updated"):
        name = c.tensor.removesuffix("_updated")
        found = [inside(NAME, f"the {name} is not kept",
                        lambda c: c.changed(own=lambda c: c.exact(c.weights[name])))]
    else:
        said = "is not divided" if c.training else "is divided at inference, too"
        found = [inside(NAME, f"the kernel {said}",
                        lambda c: c.changed(training=not c.training))]
    found += [inside(NAME, f"{n} iterations in place of {c.config['power_iterations']}",
                     lambda c, n=n: c.configured(power_iterations=n))
              for n in ITERATIONS if n != c.config["power_iterations"]]
    found += [inside(NAME, said, lambda c, size=size: c.hooked(normalized=divided_by(size)))
              for said, size in (
                  ("the Frobenius norm in its place", frobenius),
                  ("the singular value itself, not its estimate", largest_singular_value),
                  ("its square", lambda oracle, kernel, u: estimate(oracle, kernel, u) ** 2),
                  ("its root", lambda oracle, kernel, u: np.sqrt(estimate(oracle, kernel, u))))]
    if c.tensor == f"{KERNEL}_gradient":
        found += [inside(NAME, "the gradient also goes through the singular value",
                         lambda c: c.changed(own=through_sigma)),
                  inside(NAME, "the gradient is that of the kernel before it was divided",
                         lambda c: c.changed(own=of_the_old_kernel))]
    return found


def divided_by(size):
    """A hook of the oracle: the kernel is divided by size(oracle, kernel, u)."""
    def normalized(oracle, right, kernel: Bounded, u: Bounded) -> tuple[Bounded, Bounded]:
        number = np.full((), size(oracle, kernel.value, u.value))
        error = 1e3 * kernel.rounding.unit * np.abs(number)  # as the estimate's, and more
        return kernel / Bounded(number, kernel.rounding, error), right(kernel, u)[1]

    return normalized


def frobenius(oracle, kernel, u) -> float:
    return float(np.sqrt(np.square(kernel).sum()))


def largest_singular_value(oracle, kernel, u) -> float:
    return float(np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0])


def vectors(oracle, kernel, u) -> tuple[np.ndarray, np.ndarray]:
    """(v, u) after the iterations."""
    matrix = kernel.reshape(-1, kernel.shape[-1])
    for _ in range(oracle.config["power_iterations"]):
        v = u @ matrix.T / np.linalg.norm(u @ matrix.T)
        u = v @ matrix / np.linalg.norm(v @ matrix)
    return v, u


def estimate(oracle, kernel, u) -> float:
    return singular_value(kernel, *vectors(oracle, kernel, u))


def singular_value(kernel, v, u) -> float:
    return float((v @ kernel.reshape(-1, kernel.shape[-1]) @ u.T).item())


def _numbers(c) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """(kernel, v, u, the singular value's estimate) in float64."""
    kernel, u = (np.asarray(c.value(c.weights[name]), np.float64) for name in (KERNEL, VECTOR))
    v, u = vectors(c.layer, kernel, u)
    return kernel, v, u, singular_value(kernel, v, u)


def of_the_old_kernel(c) -> Bounded:
    """The gradient over the singular value, which is taken for a constant."""
    return instead(c, c.changed(own=None).evaluate().value / _numbers(c)[-1])


def through_sigma(c) -> Bounded:
    """The gradient of W / (v W u^T) with respect to W, v and u constant, as PyTorch has it."""
    kernel, v, u, sigma = _numbers(c)
    right = c.changed(own=None).evaluate().value
    along = float((right * kernel).sum()) / sigma
    return instead(c, (right - along * (v.T @ u).reshape(kernel.shape)) / sigma)
