"""What is handed to a model: whether it fits the model, and the batches that it is cut into."""

from typing import Any

import numpy as np

from scratch.batches import adapt, checked_batch_size, gives_batches, numeric
from scratch.learner import Learner
from scratch.losses import JointTargets, Targets
from scratch.several import Several, each


class TakesData(Learner):
    """Takes inputs and labels in the forms that Keras takes, and refuses what does not fit."""

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

    def _ready(self, x, y, sample_weight) -> tuple:
        """A batch from a source: `_checked`, unless it is cut from arrays that were."""
        if not isinstance(y, (Targets, JointTargets)):
            x, y = self._checked(x, y)
            sample_weight = self.grouped_weights(sample_weight)
        return x, y, sample_weight

    def _require_one_output(self, class_weight) -> None:
        """As Keras, which knows no class of a sample with several labels."""
        if class_weight is not None and self.outputs_as is not None:
            raise ValueError(f"Model {self.name!r}: expected class_weight only for a model of one "
                             "output. Received it for several: give sample_weight for each output")

    def _as_handed_out(self, y) -> Any:
        """Outputs in the form in which the user has them."""
        raise NotImplementedError
