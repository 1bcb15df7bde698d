"""Stochastic gradient descent: the only place where weights change."""

import numpy as np

from scratch.errors import UnsupportedError


class SGD:
    """w <- w - lr g; with momentum b: m <- b m - lr g, w <- w + m (Nesterov: w <- w + b m - lr g).

    Args:
        learning_rate: a number, not negative, rounded to float32, as in Keras; so is the momentum.
        momentum: between 0 and 1.
        nesterov: look ahead along the momentum.

    Raises:
        ValueError: for numbers outside these ranges.
        UnsupportedError: for decay, clipping, averaging, accumulation or a schedule.
    """

    neutral = {"weight_decay": (None,), "clipnorm": (None,), "clipvalue": (None,),
               "global_clipnorm": (None,), "use_ema": (False,), "ema_momentum": (0.99,),
               "ema_overwrite_frequency": (None,), "loss_scale_factor": (None,),
               "gradient_accumulation_steps": (None,)}

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, name="SGD", **settings):
        for key, value in settings.items():
            if key not in self.neutral or value not in self.neutral[key]:
                raise UnsupportedError(f"Optimizer SGD does not support {key}={value!r}.")
        if isinstance(learning_rate, dict) or callable(learning_rate):
            raise UnsupportedError("Optimizer SGD does not support a learning-rate schedule. "
                                   f"Received: learning_rate={learning_rate!r}")
        if not np.isfinite(learning_rate) or learning_rate < 0:
            raise ValueError("SGD: expected learning_rate to be a finite number, not negative. "
                             f"Received: learning_rate={learning_rate!r}")
        if not 0 <= momentum <= 1:
            raise ValueError("SGD: expected momentum to be between 0 and 1. "
                             f"Received: momentum={momentum!r}")
        # Keras keeps a learning rate in float32, whatever the weights' precision
        self.learning_rate = float(np.float32(learning_rate))
        self.momentum = float(momentum)
        self.nesterov = bool(nesterov)
        self.name = name
        self.iterations = 0
        self.momentums: list[np.ndarray] = []

    def apply(self, gradients: list, variables: list) -> None:
        """Change each variable in place by its gradient; both lists always in the same order."""
        if self.momentum and not self.momentums:
            self.momentums = [np.zeros_like(v) for v in variables]
        beta = np.float32(self.momentum)  # in float64 too: so Keras casts it
        for i, (gradient, variable) in enumerate(zip(gradients, variables, strict=True)):
            step = gradient * variable.dtype.type(self.learning_rate)
            if not self.momentum:
                variable -= step
                continue
            velocity = self.momentums[i]
            velocity *= beta
            velocity -= step
            variable += velocity * beta - step if self.nesterov else velocity
        self.iterations += 1

    def get_config(self) -> dict:
        neutral = {key: accepted[0] for key, accepted in self.neutral.items()}
        return {"name": self.name, "learning_rate": self.learning_rate, **neutral,
                "momentum": self.momentum, "nesterov": self.nesterov}

    @classmethod
    def from_config(cls, config: dict) -> "SGD":
        """An optimizer with exactly these numbers: a config's are rounded already, or were never.
        """
        optimizer = cls(**config)
        if "learning_rate" in config:
            optimizer.learning_rate = float(config["learning_rate"])
        return optimizer


CLASSES = {"sgd": SGD}


def get(identifier) -> SGD:
    """An optimizer from an object, Keras's name for it, or a Keras config.

    Raises:
        UnsupportedError: for any other.
    """
    if isinstance(identifier, SGD):
        return identifier
    name, config = identifier, {}
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config") or {}
    if not isinstance(name, str) or name.lower() not in CLASSES:
        raise UnsupportedError(f"Optimizer {identifier!r} is not supported. "
                               f"Expected one of: {', '.join(CLASSES)}.")
    return CLASSES[name.lower()].from_config(config)


def serialize(optimizer: SGD) -> dict:
    """The dictionary by which Keras knows this optimizer."""
    return {"module": "keras.optimizers", "class_name": type(optimizer).__name__,
            "config": optimizer.get_config(), "registered_name": None}
