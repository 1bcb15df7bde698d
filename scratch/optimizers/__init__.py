"""The only place where weights change: optimizers and learning-rate schedules, as in Keras."""

from scratch.errors import UnsupportedError
from scratch.optimizers import schedules
from scratch.optimizers.adadelta import Adadelta
from scratch.optimizers.adafactor import Adafactor
from scratch.optimizers.adagrad import Adagrad
from scratch.optimizers.adam import Adam, AdamW
from scratch.optimizers.adamax import Adamax
from scratch.optimizers.ftrl import Ftrl
from scratch.optimizers.lamb import Lamb
from scratch.optimizers.lion import Lion
from scratch.optimizers.loss_scale import LossScaleOptimizer
from scratch.optimizers.muon import Muon
from scratch.optimizers.nadam import Nadam
from scratch.optimizers.optimizer import Optimizer
from scratch.optimizers.rmsprop import RMSprop
from scratch.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from scratch.optimizers.sgd import SGD
from scratch.suggestions import did_you_mean

__all__ = ["Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "CLASSES", "Ftrl", "Lamb",
           "Lion", "LossScaleOptimizer", "Muon", "Nadam", "Optimizer", "RMSprop", "SGD",
           "ScheduleFreeAdamW", "deserialize", "get", "schedules", "serialize"]

CLASSES = {cls.__name__.lower(): cls for cls in (
    SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, Nadam, Ftrl, Lion, Adafactor, Lamb, Muon,
    ScheduleFreeAdamW)}


def get(identifier) -> Optimizer:
    """An optimizer from an object, Keras's name for it, or a Keras config.

    Raises:
        UnsupportedError: for any other.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    name = identifier
    config: dict = {}
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config") or {}
    if name == "LossScaleOptimizer" and isinstance(config.get("inner_optimizer"), (dict, str)):
        return LossScaleOptimizer(**{**config, "inner_optimizer": get(config["inner_optimizer"])})
    if not isinstance(name, str) or name.lower() not in CLASSES:
        raise UnsupportedError(f"Optimizer {name!r} is not supported.{did_you_mean(name, CLASSES)} "
                               f"Expected one of: {', '.join(CLASSES)}.")
    return CLASSES[name.lower()].from_config(config)


deserialize = get


def serialize(optimizer: Optimizer) -> dict:
    """The dictionary by which Keras knows this optimizer."""
    return {"module": "keras.optimizers", "class_name": type(optimizer).__name__,
            "config": optimizer.get_config(), "registered_name": None}
