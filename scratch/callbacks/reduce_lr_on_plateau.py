"""Lowers the learning rate when a run no longer gets better."""

import sys

import numpy as np

from scratch.callbacks.monitor import MonitorCallback
from scratch.suggestions import with_suggestions


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` after `patience` epochs without improvement.

    Args:
        monitor, mode, min_delta: see `MonitorCallback`.
        factor: below 1.
        patience: epochs without improvement to wait for.
        verbose: 1 says so on standard error.
        cooldown: epochs after a reduction that do not count.
        min_lr: the lowest rate.

    Raises:
        ValueError: for a factor of 1 or more.
    """

    @with_suggestions
    def __init__(self, monitor="val_loss", factor=0.1, patience=10, verbose=0, mode="auto",
                 min_delta=1e-4, cooldown=0, min_lr=0.0):
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1:
            raise ValueError("ReduceLROnPlateau: expected factor to be below 1. "
                             f"Received: factor={factor!r}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        logs["learning_rate"] = self.model.optimizer.learning_rate
        current = self.figure(logs)
        if current is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improved(current, self.best):
            self.best = current
            self.wait = 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def _reduce(self, epoch) -> bool:
        """Lower the rate; False if it is as low as it may be."""
        optimizer = self.model.optimizer
        if optimizer.learning_rate <= np.float32(self.min_lr):
            return False
        optimizer.learning_rate = max(optimizer.learning_rate * self.factor, self.min_lr)
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate lowered to {optimizer.learning_rate:g}.",
                  file=sys.stderr)
        return True
