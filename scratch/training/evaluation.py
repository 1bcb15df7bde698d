"""evaluate and predict: all batches, without learning from them."""

import sys
from typing import Any

from scratch.batches import Epochs, adapt, checked_batch_size, gives_batches, numeric
from scratch.callbacks import CallbackList
from scratch.progress import ProgressBar
from scratch.several import joined
from scratch.suggestions import with_suggestions
from scratch.training.one_batch import OneBatch, as_asked


class Evaluator(OneBatch):
    """`evaluate`, `predict`."""

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
        return as_asked(figures, return_dict)

    def _evaluate(self, batches: Epochs, watchers, bar: ProgressBar | None = None) -> dict:
        """The figures over one epoch of batches."""
        watchers.call("on_test_begin")
        scores = self.scores()
        for step, (x, y, sample_weight) in enumerate(batches):
            x, y, sample_weight = self._ready(x, y, sample_weight)
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


def progress_bar(steps: int | None, title: str, verbose) -> ProgressBar:
    """What `verbose` asks for, as in Keras: 0 nothing, 1 or 'auto' a bar, 2 a line at the end."""
    return ProgressBar(steps, title, enabled=bool(verbose), stream=sys.stdout or sys.stderr,
                       moving=verbose != 2)
