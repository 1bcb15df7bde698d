"""The arguments that all optimizers take, refused where they are none."""

import math
import numbers

from scratch.errors import UnsupportedError
from scratch.optimizers.state import is_finite_number
from scratch.suggestions import arguments_of, did_you_mean


class ChecksArguments:
    """Raises one clear error for an argument that it cannot take."""

    # Keras arguments that are accepted only at the value that leaves the mathematics alone.
    neutral: dict[str, tuple] = {}

    def _refuse(self, settings: dict) -> None:
        for key, value in settings.items():
            if key not in self.neutral or value not in self.neutral[key]:
                raise UnsupportedError(
                    f"Optimizer {type(self).__name__} does not support {key}={value!r}."
                    + did_you_mean(key, arguments_of(type(self))))

    def _check_limits(self, clips: dict, weight_decay, loss_scale_factor) -> None:
        """Of clipping, at most one of which may be given, of the decay and of the loss's scale.

        Raises:
            ValueError: for others than `Optimizer` tells.
        """
        if sum(value is not None for value in clips.values()) > 1:
            raise ValueError(f"{type(self).__name__}: expected at most one of clipnorm, clipvalue "
                             f"and global_clipnorm. Received: {clips}")
        for key, value in {**clips, "weight_decay": weight_decay}.items():
            if value is not None and not isinstance(value, numbers.Real):
                raise ValueError(f"{type(self).__name__}: expected {key} to be a number or None. "
                                 f"Received: {key}={value!r}")
        if loss_scale_factor is not None and not (is_finite_number(loss_scale_factor)
                                                  and loss_scale_factor > 0):
            raise ValueError(f"{type(self).__name__}: expected loss_scale_factor to be a positive "
                             f"number or None. Received: loss_scale_factor={loss_scale_factor!r}")

    def _checked_accumulation(self, steps):
        """A whole number from 2 on, or None."""
        if steps and (not isinstance(steps, int) or steps < 2):
            raise ValueError(f"{type(self).__name__}: expected gradient_accumulation_steps to be a "
                             "whole number from 2 on, or None. Received: "
                             f"gradient_accumulation_steps={steps!r}")
        return steps

    def _number(self, key: str, value, highest: float = math.inf) -> float:
        """An argument as a number from 0 to `highest`.

        Raises:
            ValueError: for any other.
        """
        if not is_finite_number(value) or not 0 <= value <= highest:
            span = f"between 0 and {highest:g}" if highest < math.inf else "a number, not negative"
            raise ValueError(f"{type(self).__name__}: expected {key} to be {span}. "
                             f"Received: {key}={value!r}")
        return float(value)
