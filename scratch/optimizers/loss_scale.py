"""Loss scaling: gradients of float16 are kept from underflowing, and steps that overflow skipped.

The loss is multiplied by a scale before the way back, and the gradients divided by it before the
step. Half of the scale is tried after gradients that are not finite, and twice as much after so
many steps in a row that were: Keras's `LossScaleOptimizer`.
"""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.optimizers.optimizer import Optimizer
from scratch.optimizers.state import is_finite_number

# Settings of all optimizers that Keras's files may name here, each with its usual value.
ITS_INNER_ONES = {"weight_decay": None, "clipnorm": None, "global_clipnorm": None,
                  "clipvalue": None, "use_ema": False, "ema_momentum": 0.99,
                  "ema_overwrite_frequency": None, "loss_scale_factor": None,
                  "gradient_accumulation_steps": None}


class LossScaleOptimizer(Optimizer):
    """An optimizer around another one, by which the loss is scaled.

    Args:
        inner_optimizer: makes the steps, of the gradients divided by the scale.
        initial_scale: a positive number.
        dynamic_growth_steps: after so many steps in a row with finite gradients the scale doubles.

    Attributes:
        dynamic_scale: what the next batch's loss is multiplied by.
        step_counter: steps since the scale last changed.

    Raises:
        ValueError: for a scale or a number of steps that is none, and for what is to be set on the
            inner optimizer.
        UnsupportedError: for an inner optimizer that scales the loss itself, or other settings.
    """

    skips_nonfinite = True

    def __init__(self, inner_optimizer: Optimizer, initial_scale=2.0**15, dynamic_growth_steps=2000,
                 name=None, **settings):
        if not isinstance(inner_optimizer, Optimizer):
            raise UnsupportedError("LossScaleOptimizer: expected inner_optimizer to be an "
                                   f"optimizer. Received: {inner_optimizer!r:.100}")
        if isinstance(inner_optimizer, LossScaleOptimizer):
            raise UnsupportedError("LossScaleOptimizer: expected inner_optimizer to be one that "
                                   "does not scale the loss itself. Received: another "
                                   "LossScaleOptimizer")
        for key, value in settings.items():
            if key in ITS_INNER_ONES and value != ITS_INNER_ONES[key]:
                raise ValueError(f"LossScaleOptimizer: expected {key} to be set on inner_optimizer."
                                 f" Received: {key}={value!r}")
        self.inner_optimizer = inner_optimizer  # whose steps are counted, see `iterations`
        inner_optimizer.loss_scale_factor = None  # or gradients would be scaled twice
        super().__init__(0.0, name=name or "loss_scale_optimizer", **settings)
        for what, value in (("initial_scale", initial_scale),
                            ("dynamic_growth_steps", dynamic_growth_steps)):
            if not is_finite_number(value) or value <= 0:
                raise ValueError(f"LossScaleOptimizer: expected {what} to be a positive number. "
                                 f"Received: {what}={value!r}")
        self.initial_scale = float(initial_scale)
        self.dynamic_growth_steps = int(dynamic_growth_steps)
        self.dynamic_scale, self.step_counter = np.float32(initial_scale), 0

    # what is asked of it is the inner one's

    @property
    def iterations(self):
        return self.inner_optimizer.iterations

    @iterations.setter
    def iterations(self, value):
        self.inner_optimizer.iterations = value

    @property
    def learning_rate(self):
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self.inner_optimizer.learning_rate = value

    @property
    def averages(self):
        return self.inner_optimizer.averages

    def finalize_variable_values(self, variables):
        self.inner_optimizer.finalize_variable_values(variables)

    @property
    def telling_words(self):
        return self.inner_optimizer.telling_words

    def restart_at(self, iterations):
        self.inner_optimizer.restart_at(iterations)

    def compute_in(self, dtype):
        self.inner_optimizer.compute_in(dtype)

    @property
    def loss_scale(self) -> float:
        return float(self.dynamic_scale)

    @property
    def built(self):
        return self.inner_optimizer.built

    def build(self, variables, names=None):
        self.inner_optimizer.build(variables, names)

    def slots(self):
        return self.inner_optimizer.slots()

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def excludes(self, variable, name):
        return self.inner_optimizer.excludes(variable, name)

    def can_use(self, gradients):
        """Always: of gradients that are not finite it makes no step."""
        return True

    def apply(self, gradients, variables):
        """A step of the inner optimizer with the gradients divided by the scale; none, and half the
        scale, if any is not finite."""
        if not self.built and variables:
            self.build(variables)
        self.skipped = not all(np.isfinite(gradient).all() for gradient in gradients)
        if self.skipped:
            self.dynamic_scale, self.step_counter = self.dynamic_scale * np.float32(0.5), 0
            return
        self.inner_optimizer.apply(self.unscaled(gradients), variables)
        if self.step_counter == self.dynamic_growth_steps - 1:
            self.dynamic_scale, self.step_counter = self.dynamic_scale * np.float32(2), 0
        else:
            self.step_counter += 1

    def unscaled(self, gradients: list) -> list:
        """The gradients of the loss itself."""
        return [gradient / gradient.dtype.type(self.dynamic_scale) for gradient in gradients]

    @property
    def variables(self):
        return [np.asarray(0, np.int64), np.asarray(0, np.float32),
                np.asarray(self.step_counter, np.int64), np.asarray(self.dynamic_scale),
                *self.inner_optimizer.variables]

    def require_own_variables(self, store):
        own = len(self.variables) - len(self.inner_optimizer.variables)
        values = [np.asarray(store[str(i)]) for i in range(len(store))]
        if len(values) < own or any(value.shape for value in values[:own]) or not (
                values[2] >= 0 and 0 < values[3] < np.inf):
            raise ValueError("LossScaleOptimizer: expected a counter of steps and a positive scale "
                             f"before the inner optimizer's arrays. Received: {len(values)} arrays")
        inner = {str(i): value for i, value in enumerate(values[own:])}
        return [*values[:own], *self.inner_optimizer.require_own_variables(inner)]

    def load_own_variables(self, store):
        values = self.require_own_variables(store)
        self.step_counter, self.dynamic_scale = int(values[2]), np.float32(values[3])
        self.inner_optimizer.load_own_variables(
            {str(i): value for i, value in enumerate(values[4:])})

    @classmethod
    def from_config(cls, config):
        """An optimizer around the one that the config describes, or holds."""
        inner = config["inner_optimizer"]
        if isinstance(inner, dict):
            from scratch.optimizers import get  # which knows all of them

            inner = get(inner)
        return cls(**{**config, "inner_optimizer": inner})

    def get_config(self):
        inner = self.inner_optimizer
        return {"name": self.name, "inner_optimizer": {
                    "module": "keras.optimizers", "class_name": type(inner).__name__,
                    "config": inner.get_config(), "registered_name": None},
                "initial_scale": self.initial_scale,
                "dynamic_growth_steps": self.dynamic_growth_steps}
