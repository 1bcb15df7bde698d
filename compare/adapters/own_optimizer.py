"""An optimizer of somebody's own as one of scratch's kind: each step is the object's.

What it remembers lies in the object and cannot be set from outside. So its later steps are made one
after another, from a fresh copy of the object, as `compare.checks.later_updates` does.
"""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from compare.adapters import accessors, calls
from compare.adapters.calls import numbers
from compare.tracing.layer_error import RAISED, LayerError, sentence
from compare.tracing.model_kinds import kind
from scratch import optimizers
from scratch.optimizers.optimizer import Optimizer

NAMES = [cls.__name__ for cls in optimizers.CLASSES.values()]


class OwnSteps:
    """What optimizers of somebody's own have in common; stands before the class of scratch's.

    Attributes:
        how: the object's `Conventions`.
        taken: how many steps were made; tells that the state is one of its own.
        obj: the copy of the object that makes them.
        caches: what a step that takes one weight at a time gave for the next, by weight.
    """

    how: Any = None
    taken = 0
    obj: Any = None
    caches: dict[str, Any]

    def apply(self, gradients: list, variables: list) -> None:
        """One step of the object's; see `scratch.optimizers.Optimizer.apply`."""
        if not variables:
            return
        if not self.built:  # type: ignore[attr-defined]
            self.build(variables)  # type: ignore[attr-defined]
        if self.taken == 0:
            self.obj, self.caches = self.how.own_object(), {}
        self.taken = self.taken + 1
        positions = self._positions(variables)  # type: ignore[attr-defined]
        gradients = self.unscaled(gradients)  # type: ignore[attr-defined]
        names = [str(position) for position in positions]
        takes = ("weights", "gradients") if self.how.step_takes is None else self.how.step_takes
        try:
            made = self._stepped(takes, names, variables, gradients)
        except RAISED as error:  # somebody's own object may raise anything
            raise LayerError(f"{self.how.name} raised {sentence(error)}; its step was handed "
                             f"{', '.join(takes) or 'nothing'}, which step_takes says") from error
        for variable, weight in zip(variables, made):
            variable[...] = weight
        self.iterations = self.taken

    def _stepped(self, takes: tuple, names: list[str], variables: list, gradients: list) -> list:
        """The weights after a step of the object, which is handed copies."""
        weights = [np.array(variable) for variable in variables]
        if "weight" in takes:
            return [self._one(takes, *each) for each in zip(names, weights, gradients)]
        held = {"weights": weights, "gradients": gradients, "pairs": list(zip(gradients, weights)),
                "weights_by_name": dict(zip(names, weights)),
                "gradients_by_name": dict(zip(names, gradients))}
        places = self.how.weights
        if "weights" in places:
            self._put(places["weights"], weights)
        if isinstance(self.how.gradients, Mapping) and "weights" in self.how.gradients:
            self._put(self.how.gradients["weights"], gradients)
        made = calls.call(self.how, self.obj, "step", takes, ("weights",), held)["weights"]
        if "weights" in places:
            made = accessors.read(self.obj, places["weights"])
        if made is None:
            made = held["weights_by_name"] if "weights_by_name" in takes else weights
        if isinstance(made, Mapping):
            made = [made[name] for name in names]
        if not isinstance(made, (list, tuple)) or len(made) != len(weights):
            raise TypeError(f"expected the step to change the weights in place, or to return "
                            f"{len(weights)} of them. Received: {type(made).__name__}")
        return [numbers(each, "a weight after the step") for each in made]

    def _put(self, place: Any, arrays: list) -> None:
        """Put arrays where the object keeps them, into those of the step before."""
        if self.taken == 1 or isinstance(place, tuple):
            accessors.write(self.obj, place, list(arrays))
            return
        for kept, array in zip(accessors.read(self.obj, place), arrays):
            kept[...] = array

    def _one(self, takes: tuple, name: str, weight: np.ndarray, gradient: np.ndarray) -> Any:
        """One weight after a step that takes one at a time."""
        held = {"weight": weight, "gradient": gradient, "name": name,
                "cache": self.caches.get(name)}
        gives = self.how.step_gives or ("weight",)
        said = calls.call(self.how, self.obj, "step", takes, gives, held)
        self.caches[name] = said.get("cache")
        made = said.get("weight")
        return weight if made is None else numbers(made, "the weight after the step")


def as_optimizer(how, like: Any) -> Optimizer:
    """An optimizer of scratch's kind that makes the steps of somebody's object.

    Args:
        how: the object's `Conventions`.
        like: the optimizer that it claims to be: of Keras's, of scratch's, a name or a config.

    Raises:
        ValueError: for a step that cannot be called so.
    """
    theirs = described(like)
    how = copy.copy(how)
    how.step = how.step or next((name for name in ("update", "step", "apply_gradients", "apply",
                                                   "update_params")
                                 if callable(getattr(how.obj, name, None))), None)
    there = [name for name in dir(how.obj) if not name.startswith("_")
             and callable(getattr(how.obj, name, None))]
    if how.step is None or isinstance(how.step, str) and how.step.split(".")[0] not in dir(how.obj):
        raise ValueError(f"Expected to be told which method of {how.name} makes a step: "
                         f"compare.wrap(..., step='NAME'). It has: {', '.join(there) or 'none'}")
    cls = type(f"{how.name}", (OwnSteps, type(theirs)), {"how": how, "__doc__": OwnSteps.__doc__})
    made: Optimizer = cls.from_config(theirs.get_config())  # type: ignore[attr-defined]
    return made


def described(like: Any) -> Optimizer:
    """The optimizer of scratch's that is meant."""
    if isinstance(like, Optimizer):
        return like
    if isinstance(like, (str, dict)):
        return optimizers.get(like)
    return optimizers.get({"class_name": kind(like, NAMES), "config": like.get_config()})


def is_optimizer(like: Any) -> bool:
    """Whether this is an optimizer, of Keras's or of scratch's, its name or its config."""
    if isinstance(like, str):
        return like.lower() in optimizers.CLASSES
    if isinstance(like, dict):
        return str(like.get("class_name")).lower() in optimizers.CLASSES
    return isinstance(like, Optimizer) or any(
        cls.__module__.startswith("keras.src.optimizers") for cls in type(like).__mro__)
