"""What every optimizer is: gradients in, weights changed in place.

One step is, in Keras's order: gradients are gathered over some calls, if asked for; they are
clipped, the weights decay, each weight is moved by its optimizer's own rule, `update_step`, and the
moving averages of the weights follow. What a rule remembers between steps are its slots, for each
weight one array.
"""

import math
import numbers
import operator
import re

import numpy as np

from scratch.errors import UnsupportedError
from scratch.naming import snake_case
from scratch.optimizers import clipping, schedules
from scratch.optimizers.averaging import MovingAverages
from scratch.optimizers.neighbours import Flat, Runs, Slots
from scratch.optimizers.state import State, is_finite_number
from scratch.suggestions import arguments_of, did_you_mean


class Optimizer(State):
    """Base of all optimizers.

    Args:
        learning_rate: a number, not negative, or a `LearningRateSchedule`.
        weight_decay: each step first takes away this share of a weight times the learning rate.
        clipnorm: the largest 2-norm that each weight's gradient may keep.
        clipvalue: the largest magnitude that each entry of a gradient may keep.
        global_clipnorm: the largest 2-norm that all gradients together may keep.
        loss_scale_factor: what the loss is multiplied by before the way back, and the gradients
            divided by before the step; None for 1.
        use_ema: keep a moving average of every weight, which takes its place when `fit` ends.
        ema_momentum: the share of the old in these averages, between 0 and 1.
        ema_overwrite_frequency: every so many steps the averages take the weights' places.
        gradient_accumulation_steps: the weights move by the mean of so many calls' gradients, once
            in as many calls; 2 or more.

    Attributes:
        moving_averages: what keeps them, None without.
        slot_names: the lists of slots, each in the order of the weights; Keras stores them so.

    Raises:
        ValueError: for a learning rate that is no such number; for more than one way of clipping,
            and for limits and a decay that are no numbers; for other settings of averaging and
            accumulation than these.
        UnsupportedError: for a rate that is a function.
    """

    neutral: dict[str, tuple] = {}
    # Whether the rule is the same for each number by itself. Every class says so itself: it is not
    # inherited.
    elementwise = False
    skips_nonfinite = False  # whether gradients that are not finite make no step

    def __init__(self, learning_rate, weight_decay=None, clipnorm=None, clipvalue=None,
                 global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, gradient_accumulation_steps=None, name=None,
                 loss_scale_factor=None, **settings):
        for key, value in settings.items():
            if key not in self.neutral or value not in self.neutral[key]:
                raise UnsupportedError(
                    f"Optimizer {type(self).__name__} does not support {key}={value!r}."
                    + did_you_mean(key, arguments_of(type(self))))
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
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
        self.loss_scale_factor = loss_scale_factor
        self.name = name or snake_case(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clips.values()
        self._rate_dtype = np.float32
        self._learning_rate = self._checked_rate(learning_rate)
        self.use_ema = bool(use_ema)
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.moving_averages = MovingAverages(
            type(self).__name__, ema_momentum, ema_overwrite_frequency) if use_ema else None
        self.gradient_accumulation_steps = self._checked_accumulation(gradient_accumulation_steps)
        self.gradient_accumulators: list[np.ndarray] = []
        self._calls = 0
        self._runs, self._flat = Runs(), Flat()
        self.slot_names: tuple[str, ...] = ()
        self._built_for: list[np.ndarray] | None = None
        self._excluded: tuple = ((), ())  # from weight decay: weights, and parts of their names
        self._decays: list[bool] = []
        self._names: list[str] = []

    # the learning rate

    @property
    def learning_rate(self) -> float:
        """The rate of the next step, in the model's precision, as Keras keeps it.

        Raises:
            TypeError: on setting a number where a schedule rules.
        """
        if isinstance(self._learning_rate, float):
            return self._learning_rate
        return float(self._learning_rate(self._calls))  # as in Keras, of calls

    @learning_rate.setter
    def learning_rate(self, value):
        scheduled = not isinstance(self._learning_rate, float)
        if scheduled and not isinstance(value, schedules.LearningRateSchedule):
            raise TypeError(f"{type(self).__name__} was made with a learning-rate schedule, so its "
                            f"rate cannot be set. Received: learning_rate={value!r}")
        self._learning_rate = self._checked_rate(value)

    def _checked_rate(self, value):
        """A schedule, or the number rounded to the model's precision, float32 until it is known."""
        if isinstance(value, schedules.LearningRateSchedule):
            return value
        if isinstance(value, dict) or callable(value):
            raise UnsupportedError(
                f"Optimizer {type(self).__name__} does not support learning_rate={value!r}. "
                "Expected a number or a LearningRateSchedule.")
        if not is_finite_number(value) or value < 0:
            raise ValueError(f"{type(self).__name__}: expected learning_rate to be a finite "
                             f"number, not negative. Received: learning_rate={value!r}")
        self._given_rate = float(value)
        return float(self._rate_dtype(value))

    def compute_in(self, dtype) -> None:
        """Keep the learning rate in that precision: that of a float64 model as it was given."""
        if np.dtype(dtype) == np.float64 and self._rate_dtype is np.float32:
            self._rate_dtype = np.float64
            if isinstance(self._learning_rate, float):
                self._learning_rate = self._given_rate

    # the step

    @property
    def loss_scale(self) -> float:
        """What the loss is multiplied by before the way back."""
        return 1.0 if self.loss_scale_factor is None else float(self.loss_scale_factor)

    def unscaled(self, gradients: list) -> list:
        """The gradients of the loss itself, from those of the scaled one."""
        if self.loss_scale_factor is None:
            return gradients
        return [gradient / gradient.dtype.type(self.loss_scale_factor) for gradient in gradients]

    @property
    def iterations(self) -> int:
        """How many steps have been made: of calls that gather gradients only the last is one."""
        return self._calls // (self.gradient_accumulation_steps or 1)

    @iterations.setter
    def iterations(self, steps: int) -> None:
        self._calls = steps * (self.gradient_accumulation_steps or 1)

    @property
    def telling_words(self) -> tuple:
        """Parts of weights' names by which some weights are treated otherwise."""
        return self._excluded[1]

    @property
    def built(self) -> bool:
        """Whether the slots are made."""
        return self._built_for is not None

    def build(self, variables: list, names: list[str] | None = None) -> None:
        """Make the slots for these weights; the first `apply` does it where nobody did before.

        Args:
            names: the weights' names, 'dense/kernel' ..., needed only where some are told apart by
                them, as what is excluded from decay.
        """
        self._built_for = list(variables)
        self._runs = Runs()
        if self.telling_words and names is None:
            raise ValueError(f"{type(self).__name__}: expected the weights' names, since "
                             f"{self.telling_words} excludes some of them. Received: none")
        self._names = list(names or [""] * len(variables))
        self._decays = [not self.excludes(variable, name)
                        for variable, name in zip(variables, self._names)]
        if self.moving_averages is not None:
            self.moving_averages.build(variables)
        if self.gradient_accumulation_steps:
            self.gradient_accumulators = [np.zeros_like(v) for v in variables]
        self.make_slots(self._built_for)

    def make_slots(self, variables: list) -> None:
        """Set the slots, if the rule needs any."""

    def apply(self, gradients: list, variables: list) -> None:
        """Change each variable in place by its gradient.

        The variables are those of the first call, or some of them, in any order.

        Raises:
            ValueError: for lists of different lengths, and for a variable not seen at first.
        """
        if len(gradients) != len(variables):
            raise ValueError(f"{type(self).__name__}: expected a gradient for each of "
                             f"{len(variables)} variables. Received: {len(gradients)}")
        if not variables:
            return
        if not self.built:
            self.build(variables)
        positions = self._positions(variables)
        gradients = self.unscaled([np.asarray(gradient) for gradient in gradients])
        if self.gradient_accumulation_steps:
            gradients = self._gathered(gradients, positions)
        if gradients:
            if self.clipnorm or self.global_clipnorm or self.clipvalue:
                gradients = self._clipped(gradients)
            rate = self.learning_rate
            if self.decays:
                self._decay(variables, positions, rate)
            self.update(gradients, variables, positions, rate)
        if self.moving_averages is not None:
            self.moving_averages.follow(self._built_for, self.iterations)
        self._calls += 1

    @property
    def averages(self) -> list[np.ndarray]:
        """The moving averages of the weights; none without."""
        return self.moving_averages.arrays if self.moving_averages is not None else []

    def finalize_variable_values(self, variables: list) -> None:
        """Put the moving averages into the places of these weights, those of all steps, if there
        are any: what `fit` does at its end."""
        if self.moving_averages is not None and self.built:
            self.moving_averages.overwrite(variables)

    def can_use(self, gradients: list) -> bool:
        """Whether none of these would make its weight NaN or infinite.

        Infinity may be clipped to a largest magnitude, NaN stays what it is.
        """
        # the sum of squares is the fastest look at all entries; it may overflow where none has
        squares = 0.0
        for entries in self._flat.vectors(gradients):
            squares += float(entries.dot(entries))
        if math.isfinite(squares):
            return True
        if self.clipvalue and self.clipvalue > 0:
            return not any(np.isnan(gradient).any() for gradient in gradients)
        return all(np.isfinite(gradient).all() for gradient in gradients)

    def _positions(self, variables):
        """Where each variable's slots are."""
        known = self._built_for
        if len(known) == len(variables) and all(map(operator.is_, known, variables)):
            return range(len(known))
        numbers = {id(variable): i for i, variable in enumerate(known)}
        unknown = [v for v in variables if id(v) not in numbers]
        if unknown:
            raise ValueError(f"{type(self).__name__}: expected the variables it was built for, of "
                             f"shapes {[v.shape for v in known]}. Received: an unknown one of "
                             f"shape {unknown[0].shape}; make a new optimizer for new variables.")
        return [numbers[id(variable)] for variable in variables]

    def _gathered(self, gradients: list, positions) -> list:
        """The mean of the gradients of all calls since the last step; none until these are enough.
        """
        sums = [self.gradient_accumulators[position] for position in positions]
        if (self._calls + 1) % self.gradient_accumulation_steps:
            for total, gradient in zip(sums, gradients):
                total += gradient
            return []
        means = [(gradient + total) / total.dtype.type(self.gradient_accumulation_steps)
                 for total, gradient in zip(sums, gradients)]
        for total in self.gradient_accumulators:
            total[...] = 0
        return means

    def _clipped(self, gradients: list) -> list:
        """The gradients after clipping; as in Keras, a limit of 0 or below limits nothing."""
        if self.clipnorm and self.clipnorm > 0:
            return [clipping.by_norm(gradient, self.clipnorm) for gradient in gradients]
        if self.global_clipnorm and self.global_clipnorm > 0:
            return clipping.by_global_norm(gradients, self.global_clipnorm)
        if self.clipvalue and self.clipvalue > 0:
            return [np.clip(gradient, -self.clipvalue, self.clipvalue) for gradient in gradients]
        return gradients

    @property
    def decays(self) -> bool:
        """Whether there is a weight decay at all."""
        return self.weight_decay is not None

    def _decay(self, variables, positions, rate: float) -> None:
        for position, variable in zip(positions, variables):
            share = self._decay_of(position)
            if share is not None and self._decays[position]:
                decay = as_keras_casts(share, variable.dtype)
                variable -= variable * decay * variable.dtype.type(rate)

    def _decay_of(self, position: int):
        """The weight decay of one weight, if it is not excluded."""
        return self.weight_decay

    def update(self, gradients: list, variables: list, positions, rate: float) -> None:
        """Move every variable by the optimizer's rule."""
        dtype = factor = None
        for gradient, variable, position in self._parts(gradients, variables, positions):
            if variable.dtype is not dtype:  # as a rule, only once
                dtype = variable.dtype
                factor = self.factor(dtype.type(rate))
            self.update_step(np.asarray(gradient, dtype), variable, factor, position)

    def _parts(self, gradients: list, variables: list, positions):
        """Each weight with its gradient and the position of its slots; or, where the rule is that
        of each number, those that lie side by side as vectors, with a slice for a position."""
        if not vars(type(self)).get("elementwise"):
            return zip(gradients, variables, positions)
        slots = [kind for kind in vars(self).values() if isinstance(kind, Slots)]
        return self._runs.parts(gradients, variables, positions, slots)

    def factor(self, rate):
        """What all variables' steps of this iteration are multiplied by: the learning rate.

        Args:
            rate: a scalar of the variables' dtype, and so is the result.
        """
        return rate

    def update_step(self, gradient, variable, factor, position) -> None:
        """The optimizer's rule for one variable, whose slots are at `position`; for several that
        are one vector, `position` is a slice.

        Args:
            gradient: of the variable's shape and dtype; not to be changed.
            factor: from `factor`.
        """
        raise NotImplementedError

    def exclude_from_weight_decay(self, var_list=None, var_names=None) -> None:
        """Leave weights alone when they decay: these arrays, and all with such a word in their
        name ('kernel', without the layer's).

        Raises:
            ValueError: once the optimizer has been built.
        """
        if self.built:
            raise ValueError(f"{type(self).__name__}: expected exclude_from_weight_decay before "
                             "the first step. Received: a call after it")
        self._excluded = (tuple(var_list or ()), tuple(var_names or ()))

    def excludes(self, variable: np.ndarray, name: str) -> bool:
        """Whether `exclude_from_weight_decay` told of this weight, or of a part of its name."""
        weights, words = self._excluded
        return (any(variable is other for other in weights)
                or any(re.search(word, name.rpartition("/")[2]) for word in words))

    # settings

    def get_config(self) -> dict:
        """Keras's config of the same optimizer."""
        rate = self._learning_rate
        if not isinstance(rate, float):
            rate = schedules.serialize(rate)
        return {"name": self.name, "learning_rate": rate, "weight_decay": self.weight_decay,
                "clipnorm": self.clipnorm, "global_clipnorm": self.global_clipnorm,
                "clipvalue": self.clipvalue, "loss_scale_factor": self.loss_scale_factor,
                "use_ema": self.use_ema, "ema_momentum": self.ema_momentum,
                "ema_overwrite_frequency": self.ema_overwrite_frequency,
                "gradient_accumulation_steps": self.gradient_accumulation_steps,
                **{key: accepted[0] for key, accepted in self.neutral.items()}}

    @classmethod
    def from_config(cls, config: dict) -> "Optimizer":
        """An optimizer with exactly these numbers: a config's are rounded already, or were never.
        """
        rate = config.get("learning_rate")
        if isinstance(rate, dict):
            return cls(**{**config, "learning_rate": schedules.deserialize(rate)})
        optimizer = cls(**config)
        if isinstance(optimizer._learning_rate, float) and rate is not None:
            optimizer._learning_rate = optimizer._given_rate = float(rate)
        return optimizer

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


def as_keras_casts(number: float, dtype: np.dtype):
    """A setting as a scalar of `dtype`: TensorFlow's cast takes it through float32 first."""
    return dtype.type(np.float32(number))
