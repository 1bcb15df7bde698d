"""The best that one figure can be while another one does not fall below a value."""

import numpy as np

from scratch.metrics.confusion import Thresholded, divided


class AtLeast(Thresholded):
    """Base: of all thresholds at which one figure is at least `value`, the best of the other; 0
    where there is none.

    Args:
        value: in [0, 1].
        num_thresholds: how many there are, evenly spread from 0 to 1; 1 is 0.5 alone.
        class_id: look at this class's outputs and targets alone.

    Raises:
        ValueError: for a value outside of [0, 1], and for no thresholds.
    """

    setting = ""  # Keras's name of the value

    def __init__(self, value, num_thresholds=200, class_id=None, name=None, dtype=None):
        if not 0 <= value <= 1:
            raise ValueError(f"{type(self).__name__}: expected {self.setting} in [0, 1]. "
                             f"Received: {self.setting}={value!r}")
        if num_thresholds <= 0:
            raise ValueError(f"{type(self).__name__}: expected num_thresholds above 0. "
                             f"Received: num_thresholds={num_thresholds!r}")
        self.value, self.num_thresholds = value, num_thresholds
        inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        super().__init__([0.5] if num_thresholds == 1 else [0.0, *inner, 1.0], None, class_id, name,
                         dtype)

    def figures(self) -> tuple[np.ndarray, np.ndarray]:
        """(the figure that is held, the one that is asked for), for each threshold."""
        raise NotImplementedError

    def result(self):
        held, asked = self.figures()
        return float(np.max(np.where(held >= self.value, asked, 0), initial=0))

    @property
    def recalls(self) -> np.ndarray:
        """How many of those that are a yes are taken for one; also called sensitivity."""
        return divided(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def precisions(self) -> np.ndarray:
        """How many of those taken for a yes are one."""
        return divided(self.true_positives, self.true_positives + self.false_positives)

    @property
    def specificities(self) -> np.ndarray:
        """How many of those that are a no are taken for one."""
        return divided(self.true_negatives, self.true_negatives + self.false_positives)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype or "float32", "class_id": self.class_id,
                "num_thresholds": self.num_thresholds, self.setting: self.value}


class SensitivityAtSpecificity(AtLeast):
    """The best sensitivity; see `AtLeast`."""

    default_name, setting = "sensitivity_at_specificity", "specificity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def figures(self):
        return self.specificities, self.recalls


class SpecificityAtSensitivity(AtLeast):
    """The best specificity; see `AtLeast`."""

    default_name, setting = "specificity_at_sensitivity", "sensitivity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def figures(self):
        return self.recalls, self.specificities


class PrecisionAtRecall(AtLeast):
    """The best precision; see `AtLeast`."""

    default_name, setting = "precision_at_recall", "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def figures(self):
        return self.recalls, self.precisions


class RecallAtPrecision(AtLeast):
    """The best recall; see `AtLeast`."""

    default_name, setting = "recall_at_precision", "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def figures(self):
        return self.precisions, self.recalls
