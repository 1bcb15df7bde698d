"""The dropouts of recurrent layers: of what they read, and of the states on their way to the gates.

A sample's noise is the same at every step (Gal and Ghahramani, A Theoretically Grounded Application
of Dropout in Recurrent Neural Networks, 2016). As in Keras all gates share it, but with a recurrent
dropout each has its own, of the features, too.
"""

import numpy as np

from scratch.layers.noise import RandomLayer, between_zero_and_one


class DroppingRecurrence(RandomLayer):
    """Base of the recurrent layers, as far as they drop; `Recurrent` tells of the arguments.

    Its layers have weights kernel (features, gates units) and recurrent_kernel (units, gates
    units).
    """

    gates = 1
    units: int
    stateful = False
    random_inside = True
    _state_noise: list  # of the last forward pass, see `_noise_by_gate`

    def _share(self, value, name):
        if between_zero_and_one(value, name, self) == 1:
            raise ValueError(f"{self}: expected {name} to be below 1. Received: {name}={value}")
        return value

    def _take_dropout(self, dropout, recurrent_dropout) -> None:
        self.dropout = self._share(dropout, "dropout")
        self.recurrent_dropout = self._share(recurrent_dropout, "recurrent_dropout")
        self.sample_by_sample = not self.active and not self.stateful

    @property
    def active(self):
        return self.dropout > 0 or self.recurrent_dropout > 0

    @property
    def noisy_gates(self) -> int:
        """How many gates have noise of their own: with a recurrent dropout all, else they share it.
        """
        return self.gates if self.recurrent_dropout else 1

    def shape_of_noise(self, shape: tuple) -> tuple:
        """The shape in which noise is drawn for inputs (batch, steps, features): behind the noise
        of the features, gate by gate, that of the state's units, gate by gate."""
        width = shape[2] * (self.dropout > 0) + self.units * (self.recurrent_dropout > 0)
        return shape[0], 1, self.noisy_gates * width

    def draw(self, rng, shape):
        # (N, T, D) -> (N, 1, gates D + gates U)
        parts = []
        for rate, width in ((self.dropout, shape[2]), (self.recurrent_dropout, self.units)):
            if rate:
                kept = rng.random((shape[0], 1, self.noisy_gates * width), np.float32) >= rate
                parts.append(np.where(kept, self.dtype.type(1 / (1 - rate)), self.dtype.type(0)))
        return np.concatenate(parts, axis=2)

    def _require_fit(self, noise, x):
        expected = self.shape_of_noise(x.shape)
        fits = noise.ndim == 3 and all(own in (1, size) for own, size in
                                       zip(noise.shape[:2], x.shape[:2]))
        if not fits or noise.shape[2] != expected[2]:
            raise ValueError(f"{self}: expected noise of shape {expected} for the input's shape "
                             f"{x.shape}. Received: noise of shape {noise.shape}")

    def _noise_by_gate(self, features: int) -> tuple[list, list]:
        """(for each gate the noise of the features, (N, 1, D), and of its state, (N, U)), [None]
        where all gates read what is not dropped."""
        if self.noise is None:
            return [None], [None]
        gates, at = self.noisy_gates, 0
        found: list[list] = []
        for rate, width in ((self.dropout, features), (self.recurrent_dropout, self.units)):
            part = self.noise[:, :, at:at + gates * width] if rate else None
            found.append([None] if part is None else np.split(part, gates, axis=2))
            at += gates * width if rate else 0
        return found[0], [None if part is None else part[:, 0] for part in found[1]]

    def columns(self, parts: list) -> list[slice]:
        """Which columns of the kernels go with each of these: all, or a gate's."""
        width = self.gates * self.units // len(parts)
        return [slice(k * width, (k + 1) * width) for k in range(len(parts))]

    def state_left(self, before: np.ndarray, gate: int) -> np.ndarray:
        """What a gate's dropout leaves of a state, or of the gradient of what it leaves."""
        noise = self._state_noise[gate % len(self._state_noise)]
        return before if noise is None else before * noise

    def state_product(self, before: np.ndarray, gates: int | None = None) -> np.ndarray:
        """A state times the recurrent kernel, of the first gates or of all; in training each gate
        takes what its dropout leaves of the state."""
        recurrent = self.params["recurrent_kernel"][:, :(gates or self.gates) * self.units]
        if self._state_noise[0] is None:
            return before @ recurrent
        parts = zip(self._state_noise[:gates], self.columns(self._state_noise))
        return beside([(before * noise) @ recurrent[:, own] for noise, own in parts])

    def state_product_back(self, before: np.ndarray, dz: np.ndarray, gates: int | None = None
                           ) -> np.ndarray:
        """The gradient of the state, given that of `state_product`; adds to the kernel's."""
        cut = slice((gates or self.gates) * self.units)
        recurrent, total = self.params["recurrent_kernel"][:, cut], self.grads["recurrent_kernel"]
        if self._state_noise[0] is None:
            # (U, N) @ (N, gates U) -> (U, gates U)
            total[:, cut] += before.T @ dz
            return dz @ recurrent.T
        sent = np.zeros_like(before)
        for noise, own in zip(self._state_noise[:gates], self.columns(self._state_noise)):
            total[:, own] += (before * noise).T @ dz[:, own]
            sent += (dz[:, own] @ recurrent[:, own].T) * noise
        return sent


def beside(parts: list[np.ndarray]) -> np.ndarray:
    """Matrices next to one another; a single one as it is."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
