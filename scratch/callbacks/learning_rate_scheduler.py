"""Sets the learning rate before each epoch."""

import inspect
import sys

import numpy as np

from scratch.callbacks.callback import Callback
from scratch.suggestions import with_suggestions


class LearningRateScheduler(Callback):
    """Asks a function for each epoch's learning rate.

    Args:
        schedule: a function (epoch, learning rate so far) -> learning rate, or (epoch) -> the same.
        verbose: 1 says so on standard error.

    Raises:
        ValueError: if the function returns something else than a float.
    """

    @with_suggestions
    def __init__(self, schedule, verbose=0):
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch, logs=None):
        optimizer = self.model.optimizer
        arguments = (epoch, optimizer.learning_rate)
        rate = self.schedule(*arguments[:_accepted(self.schedule, arguments)])
        if not isinstance(rate, (float, np.floating)):
            raise ValueError("LearningRateScheduler: expected the schedule to return a float. "
                             f"Received: {rate!r}")
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate set to {optimizer.learning_rate:g}.",
                  file=sys.stderr)

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate


def _accepted(function, arguments) -> int:
    """How many of the arguments the function takes: all, or the first alone."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return 1
    except ValueError:  # a builtin that does not tell
        return len(arguments)
    return len(arguments)
