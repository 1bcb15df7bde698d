"""Evaluate by the moving averages of the weights."""

from scratch.callbacks.callback import Callback
from scratch.suggestions import with_suggestions


class SwapEMAWeights(Callback):
    """Puts the moving averages into the weights' places for every evaluation and prediction.

    Afterwards each is in its place again.

    Args:
        swap_on_epoch: have the averages in place from the end of an epoch to the start of the next,
            for callbacks that come later in the list, such as a checkpoint.

    Raises:
        ValueError: at the first exchange, for an optimizer without use_ema.
    """

    @with_suggestions
    def __init__(self, swap_on_epoch=False):
        self.swap_on_epoch = bool(swap_on_epoch)
        self.swapped = False

    def on_epoch_begin(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._have(swapped=False)

    def on_epoch_end(self, epoch, logs=None):
        if not self.swap_on_epoch:
            return
        self._have(swapped=True)
        if epoch == self.params["epochs"] - 1:  # what `fit` ends with is what is in place now
            for average, weight in zip(self.model.optimizer.averages,
                                       self.model.trainable_variables):
                average[...] = weight

    def on_test_begin(self, logs=None):
        self._have(swapped=True)

    def on_test_end(self, logs=None):
        self._have(swapped=False)

    def on_predict_begin(self, logs=None):
        self._have(swapped=True)

    def on_predict_end(self, logs=None):
        self._have(swapped=False)

    def _have(self, swapped: bool) -> None:
        """Let averages and weights change places, unless they are where they should be."""
        if swapped == self.swapped:
            return
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of one that scales the loss
        averages = optimizer.moving_averages
        if averages is None or not averages.arrays:
            raise ValueError("SwapEMAWeights: expected an optimizer with use_ema=True that has "
                             f"made a step. Received: {type(optimizer).__name__} with "
                             f"use_ema={optimizer.use_ema}")
        averages.exchange(self.model.trainable_variables)
        self.swapped = swapped
