"""One call for one batch: to train on it, to judge it, to see what comes out."""

from typing import Any

from scratch.batches import class_weights_of, numeric
from scratch.several import each, joined
from scratch.suggestions import with_suggestions
from scratch.training.data import TakesData


class OneBatch(TakesData):
    """`train_on_batch`, `test_on_batch`, `predict_on_batch`."""

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
        return as_asked(scores.figures(), return_dict)


def as_asked(figures: dict, return_dict: bool):
    """Figures as they are wanted: the dictionary, a list of its values, or the only one of them."""
    if return_dict:
        return figures
    values = list(figures.values())
    return values[0] if len(values) == 1 else values
