"""What a run is validated on, and after which epochs."""

from typing import Any, NamedTuple

from scratch.batches import Epochs, gives_batches, validation_rows


class Validation(NamedTuple):
    """The validation of a run.

    Attributes:
        source: of the batches, None for no validation.
        steps: batches of it, None for all.
        frequency: after each so many epochs, or after those of a list, from 1.
    """

    source: Any
    steps: int | None
    frequency: Any

    def is_due(self, epoch: int) -> bool:
        """Whether it follows this epoch, counted from 0.

        Raises:
            ValueError: for another frequency.
        """
        if self.source is None:
            return False
        if isinstance(self.frequency, (list, tuple, set)):
            return epoch + 1 in self.frequency
        if (isinstance(self.frequency, bool) or not isinstance(self.frequency, int)
                or self.frequency < 1):
            raise ValueError("Expected validation_freq to be a positive integer or a list of "
                             f"epochs. Received: {self.frequency!r}")
        return (epoch + 1) % self.frequency == 0

    def batches(self) -> Epochs:
        """For one evaluation."""
        return Epochs(self.source, self.steps)


def split_off(x, share: float) -> tuple[range | None, range | None]:
    """(rows of x to train on, rows kept for validation): the last `share` is kept; (None, None),
    which is all and none, for a share of 0.

    Raises:
        ValueError: for what gives batches, and where one of the two would be empty.
    """
    if not share:
        return None, None
    if gives_batches(x):
        raise ValueError("Expected arrays for validation_split. Received: x is a "
                         f"{type(x).__name__}")
    return validation_rows(len(x), share)


def unpacked(validation_data):
    """(x, y, sample_weight) of validation data.

    Raises:
        ValueError: for what is neither these nor batches.
    """
    if gives_batches(validation_data):
        return validation_data, None, None
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
        raise ValueError("Expected validation_data to be (x, y), (x, y, sample_weight) or "
                         f"batches. Received: {type(validation_data).__name__}")
    return (*validation_data, None)[:3]
