"""Losses, metrics, optimizers and the like: classes by name, arguments by value."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import scratch
from compare.evaluation.support_matrix.layers import distinct
from compare.evaluation.support_matrix.outcome import Outcome
from compare.evaluation.support_matrix.trial import REFUSED, TAKEN, accepted, plain, verdict
from compare.evaluation.support_matrix.values import names, needed, parameters, to_try


@dataclass(frozen=True)
class Part:
    """One of Keras's modules of such classes.

    Attributes:
        module: its name within keras.
        base: the class that all of them have for a base.
        get: scratch's function that reads a config.
        classes: scratch's own, by name.
        skipped: classes of Keras that are no choice: bases, wrappers.
        leave_out: arguments without meaning for what is computed.
    """

    module: str
    base: str
    get: Callable
    classes: dict
    skipped: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ("name", "dtype")


PARTS = {
    "Losses": Part("losses", "Loss", scratch.losses.get, scratch.losses.CLASSES),
    "Metrics": Part("metrics", "Metric", scratch.metrics.get, scratch.metrics.CLASSES,
                    ("MeanMetricWrapper",)),
    "Optimizers": Part("optimizers", "Optimizer", scratch.optimizers.get,
                       {cls.__name__: cls for cls in scratch.optimizers.CLASSES.values()},
                       ("LossScaleOptimizer", "MultiOptimizer")),
    "Learning-rate schedules": Part("optimizers.schedules", "LearningRateSchedule",
                                    scratch.optimizers.schedules.deserialize,
                                    scratch.optimizers.schedules.CLASSES),
    "Initializers": Part("initializers", "Initializer", scratch.initializers.get,
                         scratch.initializers.CLASSES),
    "Regularizers": Part("regularizers", "Regularizer", scratch.regularizers.get,
                         scratch.regularizers.CLASSES),
}


def module_of(keras, part: Part):
    found = keras
    for name in part.module.split("."):
        found = getattr(found, name)
    return found


def classes(keras, part: Part) -> list:
    """Keras's classes of this kind, each once."""
    module = module_of(keras, part)
    base = getattr(module, part.base)
    found = {thing for thing in vars(module).values() if inspect.isclass(thing)
             and issubclass(thing, base) and thing is not base
             and thing.__name__ not in part.skipped}
    return sorted(found, key=lambda cls: cls.__name__)


def is_taken(part: Part, cls) -> bool:
    """Whether scratch knows the class; if not, it has to refuse it by name."""
    if cls.__name__ in part.classes:
        return True
    config = {"module": f"keras.{part.module}", "class_name": cls.__name__, "config": {},
              "registered_name": None}
    if verdict(lambda: part.get(config)) != REFUSED:
        raise AssertionError(f"{cls.__name__} is neither supported nor refused by name")
    return False


def outcomes(keras, part: Part, cls) -> list[Outcome]:
    """Every argument of a class that is supported."""
    return [Outcome(cls.__name__, argument, default, tuple(distinct(
        (value, handed_over(keras, part, cls, argument, value))
        for value in values(keras, argument, default)
        if accepted(partial(cls, **{**needed(cls), argument: value})) is not None)),
        f"{part.module}.{cls.__name__}")
        for argument, default in parameters(cls, leave_out=part.leave_out).items()]


def values(keras, argument: str, default) -> tuple:
    if argument == "learning_rate":
        return (default, *(cls(**needed(cls)) for cls in classes(
            keras, PARTS["Learning-rate schedules"])), lambda: 0.1)
    return to_try(keras, argument, default)


def handed_over(keras, part: Part, cls, argument: str, value) -> str:
    """scratch's verdict on the config, and on the value itself where the config drops it."""
    theirs = cls(**{**needed(cls), argument: value})
    config = accepted(lambda: plain(module_of(keras, part).serialize(theirs)))
    if config is not None and argument in config["config"]:
        return verdict(lambda: part.get(config), argument)
    own = part.classes[cls.__name__]
    return verdict(lambda: own(**{**needed(cls), argument: value}), argument)


def named(keras, of: str) -> tuple[list, list]:
    """(taken, refused) names of activations or constraints."""
    get = getattr(scratch, f"{of}s").get
    found = {name: verdict(partial(get, name)) for name in names(keras, of)}
    return ([name for name, seen in found.items() if seen == TAKEN],
            [name for name, seen in found.items() if seen == REFUSED])
