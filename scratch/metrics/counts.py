"""How many outputs are rightly or wrongly taken for a yes, or for a no."""

from scratch.metrics.confusion import Thresholded


class Count(Thresholded):
    """Base: the number of such outputs, or the sum of their weights, for each threshold.

    Args:
        thresholds: see `Thresholded`.

    Raises:
        ValueError: for a threshold outside of [0, 1].
    """

    counted = ""  # the attribute that holds the counts

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, name=name, dtype=dtype)

    def result(self):
        found = getattr(self, self.counted)
        return float(found[0]) if len(found) == 1 else found.copy()

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype or "float32",
                "thresholds": self.init_thresholds}


class TruePositives(Count):
    """A yes that is one."""

    default_name = counted = "true_positives"


class TrueNegatives(Count):
    """A no that is one."""

    default_name = counted = "true_negatives"


class FalsePositives(Count):
    """A yes that is a no."""

    default_name = counted = "false_positives"
    direction = "down"


class FalseNegatives(Count):
    """A no that is a yes."""

    default_name = counted = "false_negatives"
    direction = "down"
