"""fit: epochs of training steps, their figures, and what watches them."""

import warnings

from scratch import plans
from scratch.batches import Epochs
from scratch.callbacks import CallbackList
from scratch.errors import NonFiniteLossError
from scratch.history import History
from scratch.layers.augmentation import warn_of_undrawn
from scratch.progress import ProgressBar
from scratch.suggestions import with_suggestions
from scratch.training.evaluation import Evaluator, progress_bar
from scratch.training.validation import Validation, split_off, unpacked


class Trainer(Evaluator):
    """The half of a model that learns. The other half gives `forward`, `backward` and `layers`.

    Attributes:
        history: what the last `fit` has left behind.
        stop_training: set to True, by a callback, to end a run after the step at hand.
    """

    def __init__(self):
        super().__init__()
        self.history: History | None = None
        self.stop_training = False

    @with_suggestions
    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None,
            validation_split=0.0, validation_data=None, shuffle=True, class_weight=None,
            sample_weight=None, initial_epoch=0, steps_per_epoch=None, validation_steps=None,
            validation_batch_size=None, validation_freq=1) -> History:
        """Train for `epochs` passes over (x, y).

        Args:
            x: (samples, ...), an array or anything with a shape that is indexed by sample numbers;
                or, without y, a generator or a numbered sequence of batches (x, y) or
                (x, y, sample_weight).
            y: labels as the loss takes them, such as (samples,) class numbers.
            batch_size: samples per step, 32 by default; the last batch of an epoch may be shorter.
            verbose: 0 for silence, 1 for a progress bar, 2 for one line per epoch, all of it on
                standard output, as in Keras; 'auto' is 1. Where no bar can move, such as in a file,
                1 is like 2.
            callbacks: one or a list of `scratch.callbacks`.
            validation_split: this share of the samples, the last ones, is kept for validation.
            validation_data: (x, y), (x, y, sample_weight) or batches, to evaluate after an epoch.
            shuffle: a new order in every epoch; 'batch' for one within each batch only.
            class_weight: {class number: weight} of its samples in the loss.
            sample_weight: (samples,), or as the loss takes it.
            initial_epoch: where to go on counting.
            steps_per_epoch, validation_steps: batches per epoch and per validation; None for all.
            validation_batch_size: `batch_size` by default.
            validation_freq: evaluate after each so many epochs, or after those of a list, from 1.

        Returns:
            A History; `history.history` has a number per epoch for each figure.

        Raises:
            ValueError: for data that do not fit the model or one another.
            NonFiniteLossError: as soon as a step's loss, or the gradient of a weight, is NaN or
                infinite, naming the step and where it comes from; that step changes no weight.
        """
        self._require_compiled("fit")
        x = self.grouped_inputs(x) if y is not None else x
        self._require_one_output(class_weight)
        rows, kept = split_off(x, validation_split if validation_data is None else 0.0)
        source = self._source(x, y, sample_weight, class_weight, batch_size, shuffle,
                              steps_per_epoch, rows)
        if kept is not None:  # classes weigh in training alone
            weights = None if sample_weight is None else source.sample_weight
            validation_data = (source.x, source.y, weights)
        validation = Validation(
            self._held_out(validation_data, kept, validation_batch_size or batch_size,
                           validation_steps), validation_steps, validation_freq)
        batches = Epochs(source, steps_per_epoch)
        warn_of_undrawn(self.layers)
        self.history = History(self, {"epochs": epochs, "steps": batches.steps,
                                      "verbose": verbose})
        watchers = CallbackList(callbacks, self, self.history.params)
        self._watched = bool(watchers.callbacks)
        try:
            self._run(self.history, batches, range(initial_epoch, epochs), watchers, validation)
        finally:
            self._watched = True
            self._keep_gradients()
            plans.release(self)
        return self.history

    def _held_out(self, validation_data, rows: range | None, batch_size, steps):
        """The source of the batches to validate on; None where no data are given."""
        if validation_data is None:
            return None
        x, y, sample_weight = unpacked(validation_data)
        return self._source(x, y, sample_weight, None, batch_size, False, steps, rows)

    def _run(self, history: History, batches: Epochs, epochs: range, watchers: CallbackList,
             validation: Validation) -> None:
        """Train for these epochs, and validate after those that it is due after."""
        self.stop_training = False
        logs = None
        watchers.call("on_train_begin")
        for epoch in epochs:
            watchers.call("on_epoch_begin", epoch)
            with progress_bar(batches.steps, f"Epoch {epoch + 1}/{epochs.stop}",
                              history.params["verbose"]) as bar:
                figures = self._run_epoch(batches, bar, epoch, watchers)
                if figures is None:
                    _warn_of_no_batch(epoch, history)
                    break
                if validation.is_due(epoch):
                    judged = self._evaluate(validation.batches(), watchers)
                    figures.update({f"val_{name}": value for name, value in judged.items()})
                logs = dict(figures)
                watchers.call("on_epoch_end", epoch, logs=figures)  # which may add to them
                history.append(epoch, figures)
                bar.close(**figures)
            if self.stop_training or batches.exhausted:
                break
        if len(epochs):
            self.optimizer.finalize_variable_values(self.trainable_variables)
        watchers.call("on_train_end", logs=logs)

    def _run_epoch(self, batches: Epochs, bar: ProgressBar, epoch: int, watchers) -> dict | None:
        """The figures of one epoch; None if there was no batch left for it."""
        scores = self.scores()
        for step, (x, y, sample_weight) in enumerate(batches):
            x, y, sample_weight = self._ready(x, y, sample_weight)
            watchers.begin_batch("train", step)
            try:
                value, output = self.train_step(x, y, sample_weight)
            except NonFiniteLossError as error:
                of = f" of {bar.total}" if bar.total else ""
                raise NonFiniteLossError(
                    f"Training stopped: {error.what} at epoch {epoch + 1}, step {step + 1}{of}. "
                    f"Expected finite numbers. {error.origin}.",
                    error.loss, error.origin, error.what) from None
            scores.add(value, y, output, sample_weight, self.output_masks)
            watchers.end_batch("train", step, scores.figures)
            if bar.is_due(step + 1):
                bar.update(step + 1, **scores.figures())
            if self.stop_training:
                break
        return scores.figures() if scores.samples else None


def _warn_of_no_batch(epoch: int, history: History) -> None:
    """A warning that an epoch had no batch.

    Raises:
        ValueError: if it was the first.
    """
    if not history.epoch:
        raise ValueError("Expected at least one batch to train on. Received: none")
    warnings.warn(f"The data ran out: there is no batch for epoch {epoch + 1}. Expected a source "
                  "that can be run through again, or steps_per_epoch.", stacklevel=4)
