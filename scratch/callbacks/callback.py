"""The hooks into fit and evaluate, and the list that calls them."""

from typing import Any


class Callback:
    """Base of all callbacks: override the hooks that matter, under Keras's names.

    `logs` maps loss, accuracy, val_loss ... to numbers; batches and epochs count from 0. Setting
    `self.model.stop_training = True` ends the run after the step at hand.

    Attributes:
        model: the model that is trained.
        params: {'epochs': ..., 'steps': ..., 'verbose': ...}.
    """

    model: Any = None
    params: dict | None = None

    def set_model(self, model) -> None:
        self.model = model

    def set_params(self, params: dict) -> None:
        self.params = params

    def on_train_begin(self, logs=None):
        """Before the first epoch."""

    def on_train_end(self, logs=None):
        """After the last epoch, whose logs these are."""

    def on_epoch_begin(self, epoch, logs=None):
        """Before an epoch."""

    def on_epoch_end(self, epoch, logs=None):
        """After an epoch and its validation; what is put into `logs` goes into the history."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before a step."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch, logs=None):
        """After a step; `logs` are the epoch's means so far."""
        self.on_batch_end(batch, logs=logs)

    def on_batch_begin(self, batch, logs=None):
        """An older name for `on_train_batch_begin`."""

    def on_batch_end(self, batch, logs=None):
        """An older name for `on_train_batch_end`."""

    def on_test_begin(self, logs=None):
        """Before an evaluation, that of a validation too."""

    def on_test_end(self, logs=None):
        """After an evaluation."""

    def on_test_batch_begin(self, batch, logs=None):
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch, logs=None):
        """After a batch of an evaluation; `logs` are the means so far."""

    def on_predict_begin(self, logs=None):
        """Before a prediction."""

    def on_predict_end(self, logs=None):
        """After a prediction."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Before a batch of a prediction."""

    def on_predict_batch_end(self, batch, logs=None):
        """After a batch of a prediction; `logs` holds its 'outputs'."""


BATCH_HOOKS = tuple(f"on_{kind}_batch_{moment}" for kind in ("train", "test", "predict")
                    for moment in ("begin", "end"))


class CallbackList:
    """Calls each hook of all callbacks, in their order.

    Args:
        callbacks: one callback, or a list of them, or None; Keras's own do as well.
        model, params: what they are told about.

    Raises:
        TypeError: for an object without the hooks.
    """

    def __init__(self, callbacks=None, model=None, params: dict | None = None):
        if callbacks is None:
            callbacks = []
        self.callbacks = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        for callback in self.callbacks:
            if not hasattr(callback, "set_model") or not hasattr(callback, "on_epoch_end"):
                raise TypeError("Expected callbacks, objects of scratch.callbacks.Callback. "
                                f"Received: {callback!r}")
            callback.set_model(model)
            callback.set_params(params or {})
        self._told = {hook: any(_overrides(callback, hook) for callback in self.callbacks)
                      for hook in BATCH_HOOKS}

    def call(self, hook: str, *position, logs: dict | None = None) -> None:
        """Call that hook of all, with an epoch's or a batch's number if it takes one."""
        for callback in self.callbacks:
            if hook in BATCH_HOOKS:
                getattr(callback, hook)(*position, logs=logs)  # by name: so Keras calls these
            else:
                getattr(callback, hook)(*position, logs)

    def begin_batch(self, kind: str, batch: int) -> None:
        """Say that a batch begins, if anybody listens. `kind` is 'train', 'test' or 'predict'."""
        if self.callbacks and self._told[f"on_{kind}_batch_begin"]:
            self.call(f"on_{kind}_batch_begin", batch)

    def end_batch(self, kind: str, batch: int, figures) -> None:
        """Say that a batch has ended; `figures` is a function that works out the logs."""
        if self.callbacks and self._told[f"on_{kind}_batch_end"]:
            self.call(f"on_{kind}_batch_end", batch, logs=figures())


def _overrides(callback, hook: str) -> bool:
    """Whether a callback does anything at this hook; one of another kind is taken to."""
    if not isinstance(callback, Callback):
        return True
    names = [hook, hook.replace("train_", "")]  # on_batch_end is called by on_train_batch_end
    return any(getattr(getattr(callback, name), "__func__", None) is not getattr(Callback, name)
               for name in names)
