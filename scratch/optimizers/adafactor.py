"""Adafactor (Shazeer and Stern, 2018): mean squares of a matrix kept as one row and one column."""

import math

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.optimizer import Optimizer


class Adafactor(Optimizer):
    """w <- w - alpha u / max(1, rms(u) / clip_threshold), u = g / sqrt(v).

    v is a running mean of g^2 + epsilon_1. Of weights with two axes or more only its means r along
    the last axis and c along the one before are kept, and v = r c / mean(r). In step t the share of
    the old is 1 - t^beta_2_decay, and alpha = max(epsilon_2, rms(w)) min(lr, 1 / sqrt(t)).
    rms(x) is the root of the mean of x^2.

    Args:
        beta_2_decay: 0 or below.
        epsilon_1: added to squared gradients.
        epsilon_2: the least size that a weight counts with.
        clip_threshold: the largest rms of u, above 0.
        relative_step: whether the rate is at most 1 / sqrt(t); as in Keras, it is in either case.
        settings: see `Optimizer`.

    Raises:
        ValueError: for a clip_threshold of 0, too.
    """

    side_by_side = True

    def __init__(self, learning_rate=0.001, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3,
                 clip_threshold=1.0, relative_step=True, **settings):
        super().__init__(learning_rate, **settings)
        self.decay_power = self._number("-beta_2_decay", -beta_2_decay)
        self.epsilon_1 = self._number("epsilon_1", epsilon_1)
        self.epsilon_2 = self._number("epsilon_2", epsilon_2)
        self.clip_threshold = self._number("clip_threshold", clip_threshold)
        if not self.clip_threshold:
            raise ValueError("Adafactor: expected clip_threshold to be above 0. "
                             "Received: clip_threshold=0")
        self.relative_step = bool(relative_step)
        self.rows: list[np.ndarray] = []
        self.columns: list[np.ndarray] = []
        self.velocities: list[np.ndarray] = []
        self.slot_names = ("rows", "columns", "velocities")

    def make_slots(self, variables):
        # of weights with fewer than two axes Keras's files hold a whole number 0 for each
        none = np.zeros((), np.int32)
        self.rows = [np.zeros(v.shape[:-1], v.dtype) if v.ndim > 1 else none.copy()
                     for v in variables]
        self.columns = [np.zeros((*v.shape[:-2], v.shape[-1]), v.dtype) if v.ndim > 1
                        else none.copy() for v in variables]
        self.velocities = [np.zeros_like(v) for v in variables]

    def update_step(self, gradient, variable, rate, position):
        v, dtype = self.velocities[position], variable.dtype
        step = dtype.type(self.iterations + 1)
        squares = np.square(gradient) + dtype.type(self.epsilon_1)
        old = 1 - np.power(step, dtype.type(-self.decay_power))
        new = 1 - old
        if variable.ndim > 1:
            r, c = self.rows[position], self.columns[position]
            r[...] = old * r + new * squares.mean(axis=-1)
            c[...] = old * c + new * squares.mean(axis=-2)
            share = r / r.mean(axis=-1, keepdims=True)
            v[...] = share[..., np.newaxis] * c[..., np.newaxis, :]
        else:
            v[...] = old * v + new * squares
        with np.errstate(divide="ignore", invalid="ignore"):  # v may underflow, as Keras's does
            direction = gradient / np.sqrt(v)
        direction = direction / np.maximum(dtype.type(1), rms(direction) / self.clip_threshold)
        size = np.maximum(as_keras_casts(self.epsilon_2, dtype), rms(variable))
        variable -= size * np.minimum(rate, 1 / np.sqrt(step)) * direction

    def get_config(self):
        return {**super().get_config(), "beta_2_decay": -self.decay_power,
                "epsilon_1": self.epsilon_1, "epsilon_2": self.epsilon_2,
                "clip_threshold": self.clip_threshold, "relative_step": self.relative_step}


def rms(x: np.ndarray) -> np.floating:
    """The root of the mean square of all numbers."""
    return np.sqrt(np.sum(np.square(x)) / x.dtype.type(math.prod(x.shape)))
