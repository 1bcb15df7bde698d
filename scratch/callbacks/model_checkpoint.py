"""Saves the model, or its weights, while it trains."""

import os
import sys
import warnings

from scratch.callbacks.monitor import MonitorCallback
from scratch.suggestions import with_suggestions


class ModelCheckpoint(MonitorCallback):
    """Saves after each epoch, or every so many steps, always or when the model is the best so far.

    Args:
        filepath: ends in '.keras', or in '.weights.h5' for weights; '{epoch:02d}', '{val_loss:.2f}'
            and other figures are filled in, epochs counted from 1.
        monitor, mode: see `MonitorCallback`.
        verbose: 1 says what is saved, on standard error.
        save_best_only: only when the watched figure is better than ever.
        save_weights_only: `model.save_weights`, not `model.save`.
        save_freq: 'epoch', or a number of steps.
        initial_value_threshold: what the first saved figure must be better than.

    Raises:
        ValueError: for another ending or save_freq.
        KeyError: for a figure in `filepath` that the logs do not have.
    """

    @with_suggestions
    def __init__(self, filepath, monitor="val_loss", verbose=0, save_best_only=False,
                 save_weights_only=False, mode="auto", save_freq="epoch",
                 initial_value_threshold=None):
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._epoch = 0
        self._steps = 0
        whole = not isinstance(save_freq, bool) and isinstance(save_freq, int) and save_freq > 0
        if save_freq != "epoch" and not whole:
            raise ValueError("ModelCheckpoint: expected save_freq to be 'epoch' or a number of "
                             f"steps. Received: save_freq={save_freq!r}")
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            raise ValueError(f"ModelCheckpoint: expected filepath to end in {ending!r}. "
                             f"Received: filepath={self.filepath!r}")

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._steps += 1
        if self._steps >= self.save_freq:
            self._steps = 0
            self._save({"batch": batch + 1, **(logs or {})}, logs)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._epoch = epoch
            self._save(logs or {}, logs)

    def _save(self, names: dict, logs: dict | None) -> None:
        try:
            path = self.filepath.format(epoch=self._epoch + 1, **names)
        except KeyError as error:
            raise KeyError(f"ModelCheckpoint: expected filepath {self.filepath!r} to name figures "
                           f"out of {['epoch', *names]}. Received: {error}") from None
        if self.save_best_only and not self._is_best(logs):
            return
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            print(f"Epoch {self._epoch + 1}: saved to {path}", file=sys.stderr)

    def _is_best(self, logs) -> bool:
        """Whether the watched figure is the best so far; without one, as in Keras, all are."""
        current = (logs or {}).get(self.monitor)
        if current is None:
            warnings.warn(f"ModelCheckpoint saves every time: it watches {self.monitor!r}, which "
                          f"is not available. Available: {', '.join(logs or ())}.", stacklevel=2)
            return True
        if not self.improved(current, self.best):
            return False
        self.best = current
        return True
