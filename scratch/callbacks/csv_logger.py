"""A table of the run, one line per epoch, on disk after each epoch."""

import csv
import os
from collections.abc import Iterable

import numpy as np

from scratch.callbacks.callback import Callback
from scratch.suggestions import with_suggestions


class CSVLogger(Callback):
    """Writes epoch, loss, accuracy ... to a file of separated values.

    The columns are those of the first epoch, in alphabetical order; if it had no validation, there
    are columns for one all the same. A figure that is missing is 'NA'.

    Args:
        filename: where to.
        separator: between the values.
        append: go on with a file that is there; otherwise it is replaced.
    """

    @with_suggestions
    def __init__(self, filename, separator=",", append=False):
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None

    def on_train_begin(self, logs=None):
        self.keys = None
        with open(self.filename, "a" if self.append else "w", newline=""):
            pass  # a file that cannot be written is found out before the training

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
        is_new = os.path.getsize(self.filename) == 0
        with open(self.filename, "a", newline="") as file:
            writer = csv.writer(file, delimiter=self.sep)
            if is_new:
                writer.writerow(["epoch", *self.keys])
            writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])


def _cell(value):
    """Several values in one cell are written as a list in quotes, as Keras writes them."""
    if isinstance(value, Iterable) and not isinstance(value, str) and np.ndim(value):
        return f'"[{", ".join(map(str, value))}]"'
    return value
