"""What every optimizer is: gradients in, weights changed in place.

One step is, in Keras's order: gradients are gathered over some calls, if asked for; they are
clipped, the weights decay, each weight is moved by its optimizer's own rule, `update_step`, and the
moving averages of the weights follow. What a rule remembers between steps are its slots, for each
weight one array.
"""

import operator

import numpy as np

from scratch.naming import snake_case
from scratch.optimizers import schedules
from scratch.optimizers.arguments import ChecksArguments
from scratch.optimizers.averaging import MovingAverages
from scratch.optimizers.gradients import PreparesGradients
from scratch.optimizers.learning_rate import HasLearningRate
from scratch.optimizers.neighbours import Flat, Places, Runs, Slots
from scratch.optimizers.state import State
from scratch.optimizers.weight_decay import DecaysWeights


class Optimizer(HasLearningRate, PreparesGradients, DecaysWeights, ChecksArguments, State):
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

    # Whether the rule is the same for each number by itself. Every class says so itself: it is not
    # inherited.
    elementwise = False
    skips_nonfinite = False  # whether gradients that are not finite make no step
    skipped = False  # whether the last call of `apply` made none, for that reason

    def __init__(self, learning_rate, weight_decay=None, clipnorm=None, clipvalue=None,
                 global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, gradient_accumulation_steps=None, name=None,
                 loss_scale_factor=None, **settings):
        self._refuse(settings)
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        self._check_limits(clips, weight_decay, loss_scale_factor)
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
        self._clipped_places, self._clipped_runs = Places(), Runs()
        self._decay_runs: list[Runs] = []
        self.slot_names: tuple[str, ...] = ()
        self._built_for: list[np.ndarray] | None = None
        self._excluded: tuple = ((), ())  # from weight decay: weights, and parts of their names
        self._decays: list[bool] = []
        self._names: list[str] = []

    @property
    def iterations(self) -> int:
        """How many steps have been made: of calls that gather gradients only the last is one."""
        return self._calls // (self.gradient_accumulation_steps or 1)

    @iterations.setter
    def iterations(self, steps: int) -> None:
        self._calls = steps * (self.gradient_accumulation_steps or 1)

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
