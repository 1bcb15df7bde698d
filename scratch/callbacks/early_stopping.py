"""Stops a run that no longer gets better."""

import sys

from scratch.callbacks.monitor import MonitorCallback
from scratch.suggestions import with_suggestions


class EarlyStopping(MonitorCallback):
    """Ends training once the watched figure has not improved for `patience` epochs.

    Args:
        monitor, min_delta, mode: see `MonitorCallback`.
        patience: epochs without improvement to wait for.
        verbose: 1 says so on standard error.
        baseline: an epoch counts as an improvement only if it beats this figure too.
        restore_best_weights: go back to the weights of the best epoch at the end.
        start_from_epoch: epochs before this one do not count at all.
    """

    @with_suggestions
    def __init__(self, monitor="val_loss", min_delta=0, patience=0, verbose=0, mode="auto",
                 baseline=None, restore_best_weights=False, start_from_epoch=0):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def on_epoch_end(self, epoch, logs=None):
        current = self.figure(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep_weights(epoch)
        self.wait += 1
        if self.improved(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self._keep_weights(epoch)
            if self.baseline is None or self.improved(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:  # Keras too never stops after the first
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep_weights(self, epoch):
        self.best_weights, self.best_epoch = self.model.get_weights(), epoch

    def on_train_end(self, logs=None):
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping", file=sys.stderr)
        if self.best_weights is not None:
            if self.verbose:
                print("Restoring model weights from the end of the best epoch: "
                      f"{self.best_epoch + 1}.", file=sys.stderr)
            self.model.set_weights(self.best_weights)
