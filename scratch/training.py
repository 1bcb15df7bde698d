"""fit, evaluate, predict: training as Keras spells it, batch after batch, epoch after epoch.

What happens to one batch is in `learner.py`, where batches come from in `batches.py`.
"""

import sys
import warnings
from typing import Any

import numpy as np

from scratch import plans
from scratch.batches import (
    Epochs,
    adapt,
    checked_batch_size,
    class_weights_of,
    gives_batches,
    numeric,
    validation_rows,
)
from scratch.callbacks import CallbackList
from scratch.errors import NonFiniteLossError
from scratch.history import History
from scratch.layers.augmentation import warn_of_undrawn
from scratch.learner import Learner
from scratch.losses import JointTargets, Targets
from scratch.progress import ProgressBar
from scratch.several import Several, each, joined
from scratch.suggestions import with_suggestions


class Trainer(Learner):
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
    def train_on_batch(self, x, y, sample_weight=None, class_weight=None, return_dict=False):
        """One step on one batch: the loss, followed by the metrics if there are any."""
        self._require_compiled("train_on_batch")
        x, y = self._checked(x, y)
        sample_weight = self.grouped_weights(sample_weight)
        if class_weight is not None:
            self._require_one_output(class_weight)
            if sample_weight is not None:
                raise ValueError("Expected sample_weight or class_weight, not both. "
                                 "Received: both")
            sample_weight = class_weights_of(y, class_weight)
        value, output = self.train_step(x, y, sample_weight)
        return self._figures_of(value, y, output, sample_weight, return_dict)

    @with_suggestions
    def test_on_batch(self, x, y, sample_weight=None, return_dict=False):
        """The loss and the metrics of one batch, without learning from it."""
        self._require_compiled("test_on_batch")
        x, y = self._checked(x, y)
        sample_weight = self.grouped_weights(sample_weight)
        value, output = self.test_step(x, y, sample_weight)
        return self._figures_of(value, y, output, sample_weight, return_dict)

    @with_suggestions
    def predict_on_batch(self, x) -> Any:
        """The outputs for one batch."""
        x = numeric(self.grouped_inputs(x))
        for array in each(x):
            if array.ndim == 0 or len(array) == 0:
                raise ValueError("predict_on_batch: expected at least one sample. Received an "
                                 f"array of shape {array.shape}")
        return self._as_handed_out(joined(self.predict_step(x)))

    def _figures_of(self, value, y, output, sample_weight, return_dict: bool):
        scores = self.scores()
        scores.add(value, y, output, sample_weight, self.output_masks)
        return _as_asked(scores.figures(), return_dict)

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
        rows = kept = None  # all rows of x to train on, and none of them for validation
        if validation_split and validation_data is None:
            if gives_batches(x):
                raise ValueError("Expected arrays for validation_split. Received: x is a "
                                 f"{type(x).__name__}")
            rows, kept = validation_rows(len(x), validation_split)
        source = self._source(x, y, sample_weight, class_weight, batch_size, shuffle,
                              steps_per_epoch, rows)
        if kept is not None:  # classes weigh in training alone
            weights = None if sample_weight is None else source.sample_weight
            validation_data = (source.x, source.y, weights)
        validation = None
        if validation_data is not None:
            kept_x, kept_y, kept_weights = _unpacked(validation_data)
            validation = self._source(kept_x, kept_y, kept_weights, None,
                                      validation_batch_size or batch_size, False,
                                      validation_steps, kept)
        batches = Epochs(source, steps_per_epoch)
        warn_of_undrawn(self.layers)
        self.history = History(self, {"epochs": epochs, "steps": batches.steps,
                                      "verbose": verbose})
        watchers = CallbackList(callbacks, self, self.history.params)

        def validate(epoch: int) -> dict:
            if validation is None or not _is_due(epoch, validation_freq):
                return {}
            figures = self._evaluate(Epochs(validation, validation_steps), watchers)
            return {f"val_{name}": value for name, value in figures.items()}

        self._watched = bool(watchers.callbacks)
        try:
            self._run(self.history, batches, range(initial_epoch, epochs), watchers, validate)
        finally:
            self._watched = True
            self._keep_gradients()
            plans.release(self)
        return self.history

    def _run(self, history: History, batches: Epochs, epochs: range, watchers: CallbackList,
             validate) -> None:
        """Train for these epochs; `validate(epoch)` gives each one's other figures."""
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
                figures.update(validate(epoch))
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
            if not isinstance(y, (Targets, JointTargets)):
                x, y = self._checked(x, y)
                sample_weight = self.grouped_weights(sample_weight)
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

    @with_suggestions
    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None,
                 steps=None, callbacks=None, return_dict=False):
        """The mean loss and the metrics over (x, y), without learning from it.

        Args as `fit` takes them; `steps` batches at most.
        """
        self._require_compiled("evaluate")
        source = self._source(x, y, sample_weight, None, batch_size, False, steps)
        batches = Epochs(source, steps)
        watchers = CallbackList(callbacks, self, {"epochs": 1, "steps": batches.steps,
                                                  "verbose": verbose})
        with progress_bar(batches.steps, "Evaluate", verbose) as bar:
            figures = self._evaluate(batches, watchers, bar)
            bar.close(**figures)
        return _as_asked(figures, return_dict)

    def _evaluate(self, batches: Epochs, watchers, bar: ProgressBar | None = None) -> dict:
        """The figures over one epoch of batches."""
        watchers.call("on_test_begin")
        scores = self.scores()
        for step, (x, y, sample_weight) in enumerate(batches):
            if not isinstance(y, (Targets, JointTargets)):
                x, y = self._checked(x, y)
                sample_weight = self.grouped_weights(sample_weight)
            watchers.begin_batch("test", step)
            value, output = self.test_step(x, y, sample_weight)
            scores.add(value, y, output, sample_weight, self.output_masks)
            watchers.end_batch("test", step, scores.figures)
            if bar is not None and bar.is_due(step + 1):
                bar.update(step + 1, **scores.figures())
        if not scores.samples:
            raise ValueError("Expected at least one batch to evaluate. Received: none")
        figures = scores.figures()
        watchers.call("on_test_end", logs=figures)
        return figures

    @with_suggestions
    def predict(self, x, batch_size=None, verbose="auto", steps=None,
                callbacks=None) -> Any:
        """The outputs for all of x, computed batch by batch: (samples, ...), of several outputs in
        the form in which the model was given them.

        Args as `fit` takes them; of batches (x, y) only x is used.
        """
        if not gives_batches(x):
            x = numeric(self.grouped_inputs(x))
            checked_batch_size(batch_size)
            if len(x) == 0:
                raise ValueError("predict: expected at least one sample. Received: none")
        batches = Epochs(adapt(x, batch_size=batch_size, steps=steps), steps)
        watchers = CallbackList(callbacks, self, {"epochs": 1, "steps": batches.steps,
                                                  "verbose": verbose})
        watchers.call("on_predict_begin")
        outputs = []
        with progress_bar(batches.steps, "Predict", verbose) as bar:
            for step, (rows, _, _) in enumerate(batches):
                watchers.begin_batch("predict", step)
                made = self.predict_step(self.grouped_inputs(rows))
                outputs += made
                watchers.end_batch("predict", step, lambda made=made: {
                    "outputs": self._as_handed_out(joined(made))})
                bar.update(step + 1)
            if not outputs:
                raise ValueError("predict: expected at least one batch. Received: none")
            watchers.call("on_predict_end")
            bar.close()
        return self._as_handed_out(joined(outputs))

    def _require_one_output(self, class_weight) -> None:
        """As Keras, which knows no class of a sample with several labels."""
        if class_weight is not None and self.outputs_as is not None:
            raise ValueError(f"Model {self.name!r}: expected class_weight only for a model of one "
                             "output. Received it for several: give sample_weight for each output")

    def _as_handed_out(self, y) -> Any:
        """Outputs in the form in which the user has them."""
        raise NotImplementedError

    def _source(self, x, y, sample_weight, class_weight, batch_size, shuffle, steps, rows=None):
        """Where batches come from; arrays are checked as a whole."""
        if not gives_batches(x):
            checked_batch_size(batch_size)
            x, y = self._checked(x, y)
            sample_weight = self.grouped_weights(sample_weight)
        return adapt(x, y, sample_weight, class_weight, batch_size, shuffle, steps, rows)

    def _checked(self, x, y):
        """x and y as things to index, once it is sure that they fit and that y has no wrong label.
        """
        x = numeric(self.grouped_inputs(x))
        if y is None:
            raise ValueError(f"Model {self.name!r}: expected labels beside the inputs. "
                             "Received: none")
        y = self.grouped_labels(y)
        y = y if hasattr(y, "shape") or isinstance(y, Several) else np.asarray(y)
        if not self.built:
            self.build((None, *x.shape[1:]))
        shapes = [tuple(array.shape) for array in each(x)]
        given = shapes[0] if self.inputs_as is None else shapes
        if not self.takes(given):
            raise ValueError(f"Model {self.name!r}: expected inputs of shape {self.input_shape}. "
                             f"Received: {given}")
        counts = [[len(array) for array in each(some) if array is not None] for some in (x, y)]
        if len({*counts[0], *counts[1]}) > 1 or len(x) == 0:
            said = [", ".join(map(str, dict.fromkeys(some))) for some in counts]
            raise ValueError(f"Model {self.name!r}: expected as many labels as inputs, and at "
                             f"least one. Received: {said[0]} inputs and {said[1]} labels")
        self._make_ready(x)
        return x, self._targets(y)


def progress_bar(steps: int | None, title: str, verbose) -> ProgressBar:
    """What `verbose` asks for, as in Keras: 0 nothing, 1 or 'auto' a bar, 2 a line at the end."""
    return ProgressBar(steps, title, enabled=bool(verbose), stream=sys.stdout or sys.stderr,
                       moving=verbose != 2)


def _warn_of_no_batch(epoch: int, history: History) -> None:
    """A warning that an epoch had no batch.

    Raises:
        ValueError: if it was the first.
    """
    if not history.epoch:
        raise ValueError("Expected at least one batch to train on. Received: none")
    warnings.warn(f"The data ran out: there is no batch for epoch {epoch + 1}. Expected a source "
                  "that can be run through again, or steps_per_epoch.", stacklevel=4)


def _unpacked(validation_data):
    """(x, y, sample_weight) of validation data, None for none."""
    if validation_data is None:
        return None
    if gives_batches(validation_data):
        return validation_data, None, None
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
        raise ValueError("Expected validation_data to be (x, y), (x, y, sample_weight) or "
                         f"batches. Received: {type(validation_data).__name__}")
    return (*validation_data, None)[:3]


def _is_due(epoch: int, frequency) -> bool:
    """Whether to validate after this epoch, counted from 0."""
    if isinstance(frequency, (list, tuple, set)):
        return epoch + 1 in frequency
    if isinstance(frequency, bool) or not isinstance(frequency, int) or frequency < 1:
        raise ValueError("Expected validation_freq to be a positive integer or a list of epochs. "
                         f"Received: {frequency!r}")
    return (epoch + 1) % frequency == 0


def _as_asked(figures: dict, return_dict: bool):
    """The dictionary, or a list of its values, or the only one of them."""
    if return_dict:
        return figures
    values = list(figures.values())
    return values[0] if len(values) == 1 else values
