"""Muon (Jordan et al., 2024): the momentum of a matrix, made nearly orthogonal, is the step."""

import re

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.optimizer import Optimizer

NORM_EPSILON = 1e-7  # beside the norm by which a momentum is divided


class Muon(Optimizer):
    """Of a matrix: m <- momentum m + g, w <- w - lr rms_rate sqrt(max(n, k)) o(g + momentum m).

    o brings all singular values near 1: the matrix is divided by its Frobenius norm, and then
    `ns_steps` times X <- a X + (b A + c A^2) X with A = X X^T, the shorter side first (a
    Newton-Schulz iteration). All other weights, embeddings and what `exclude_layers` names follow
    Adam's rule, with a weight decay of their own (Liu et al., 2025).

    Args:
        adam_beta_1, adam_beta_2, epsilon: Adam's.
        adam_weight_decay: that of the weights with Adam's rule.
        exclude_layers: parts of names 'layer/weight', of weights that follow Adam's rule.
        exclude_embeddings: whether those with 'embedding' in that name do.
        muon_a, muon_b, muon_c: a, b and c.
        adam_lr_ratio: Adam's rate over Muon's.
        momentum: between 0 and 1.
        ns_steps: how many iterations.
        nesterov: look ahead along the momentum; without, the step is o(m).
        rms_rate: see the formula; None leaves this factor and the root out.
        settings: see `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, adam_beta_1=0.9, adam_beta_2=0.999,
                 adam_weight_decay=0.004, epsilon=1e-7, weight_decay=0.004, exclude_layers=None,
                 exclude_embeddings=True, muon_a=3.4445, muon_b=-4.7750, muon_c=2.0315,
                 adam_lr_ratio=1, momentum=0.95, ns_steps=5, nesterov=True, rms_rate=0.2,
                 **settings):
        super().__init__(learning_rate, weight_decay=weight_decay, **settings)
        self.adam_beta_1 = self._number("adam_beta_1", adam_beta_1, highest=1)
        self.adam_beta_2 = self._number("adam_beta_2", adam_beta_2, highest=1)
        self.epsilon = self._number("epsilon", epsilon)
        self.momentum = self._number("momentum", momentum, highest=1)
        self.adam_weight_decay = adam_weight_decay
        self.adam_lr_ratio, self.rms_rate = adam_lr_ratio, rms_rate
        self.exclude_layers = list(exclude_layers or ())
        self.exclude_embeddings = bool(exclude_embeddings)
        self.muon_a, self.muon_b, self.muon_c = float(muon_a), float(muon_b), float(muon_c)
        self.ns_steps, self.nesterov = int(ns_steps), bool(nesterov)
        self.momentums: list[np.ndarray] = []
        self.adam_velocities: list[np.ndarray | None] = []  # None: Muon's own rule

    @property
    def telling_words(self):
        return (*super().telling_words, *self.exclude_layers)

    def follows_adam(self, shape: tuple, name: str) -> bool:
        """Whether a weight of that shape and name 'layer/weight' follows Adam's rule."""
        return (len(shape) != 2 or (self.exclude_embeddings and "embedding" in name.lower())
                or any(re.search(word, name) for word in self.exclude_layers))

    def make_slots(self, variables):
        self.momentums = [np.zeros_like(v) for v in variables]
        self.adam_velocities = [
            np.zeros_like(v) if self.follows_adam(v.shape, name) else None
            for v, name in zip(variables, self._names)]

    def slots(self):
        pairs = zip(self.momentums, self.adam_velocities)
        return [slot for pair in pairs for slot in pair if slot is not None]

    @property
    def decays(self):
        return super().decays or self.adam_weight_decay is not None

    def _decay_of(self, position):
        if self.adam_velocities[position] is not None:
            return self.adam_weight_decay
        return self.weight_decay

    def update_step(self, gradient, variable, rate, position):
        m, v = self.momentums[position], self.adam_velocities[position]
        if v is not None:
            self._adam_step(gradient, variable, rate * variable.dtype.type(self.adam_lr_ratio), m,
                            v)
            return
        m += gradient + m * (self.momentum - 1)
        step = rate * orthogonalized(gradient + self.momentum * m if self.nesterov else m.copy(),
                                     (self.muon_a, self.muon_b, self.muon_c), self.ns_steps)
        if self.rms_rate is not None:
            step = step * np.sqrt(variable.dtype.type(max(variable.shape))) * self.rms_rate
        variable -= step

    def _adam_step(self, gradient, variable, rate, m, v):
        dtype = variable.dtype
        step = dtype.type(self.iterations + 1)
        mean_share, square_share = (1 - np.power(as_keras_casts(beta, dtype), step)
                                    for beta in (self.adam_beta_1, self.adam_beta_2))
        m += (gradient - m) * (1 - self.adam_beta_1)
        v += (np.square(gradient) - v) * (1 - self.adam_beta_2)
        alpha = rate * np.sqrt(square_share) / mean_share
        variable -= m * alpha / (np.sqrt(v) + self.epsilon)

    def get_config(self):
        own = ("adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b",
               "muon_c", "adam_lr_ratio", "momentum", "ns_steps", "nesterov", "exclude_embeddings",
               "adam_weight_decay", "rms_rate")
        return {**super().get_config(), **{key: getattr(self, key) for key in own}}


def orthogonalized(matrix: np.ndarray, coefficients: tuple[float, float, float], steps: int
                   ) -> np.ndarray:
    """A matrix with the same singular vectors, whose singular values are near 1."""
    a, b, c = coefficients
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = x / (np.sqrt(np.sum(np.square(x))) + NORM_EPSILON)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x
