"""Steps of a scratch model's optimizer: of a fresh one, and from any state.

The model's own optimizer is never changed. What a config does not tell goes along: which weights
are excluded from decay.
"""

from typing import Any

import numpy as np

from compare.tracing.model_kinds import kind
from compare.tracing.types import Network, Weights
from scratch import optimizers

NAMES = [cls.__name__ for cls in optimizers.CLASSES.values()]
Key = tuple[str, str]  # names of a layer and of a weight in it


def undecayed(model: Network) -> set[Key]:
    """The weights of a compiled model that are excluded from weight decay."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not (optimizer.weight_decay or getattr(optimizer, "adam_weight_decay", None)):
        return set()
    return {(layer.name, name) for layer in model.layers
            for name, weight in layer.trainable_params.items()
            if optimizer.excludes(weight, f"{layer.name}/{name}")}


def fresh(optimizer: Any, variables: list[np.ndarray], decays: list[bool]) -> Any:
    """The optimizer before its first step, for other variables.

    Args:
        decays: for each of them whether it decays.
    """
    config, inner = optimizer.get_config(), getattr(optimizer, "inner_optimizer", None)
    if inner is not None:  # which may be of a class of somebody's own
        config["inner_optimizer"] = type(inner).from_config(inner.get_config())
    made = type(optimizer).from_config(config)
    kept = [variable for variable, decay in zip(variables, decays) if not decay]
    if kept:
        made.exclude_from_weight_decay(var_list=kept)
    return made


def paths(keys: list[Key]) -> list[str]:
    """The names 'dense/kernel' ... of weights, by which an optimizer may tell them apart."""
    return [f"{layer}/{name}" for layer, name in keys]


def restart(model: Network) -> None:
    """Put an optimizer before its first step in the place of a model's own."""
    excluded = undecayed(model)
    trained = [((layer.name, name), weight) for layer in model.layers
               for name, weight in layer.trainable_params.items()]
    model.optimizer = fresh(model.optimizer, [weight for _, weight in trained],
                            [key not in excluded for key, _ in trained])


def stepped(model: Network, gradients: list[np.ndarray], weights: list[np.ndarray],
            keys: list[Key]) -> list[np.ndarray]:
    """Weights after one step of a fresh optimizer with the model's settings, in the bounds of their
    constraints; copies.

    Args:
        keys: the model's names of the weights.
    """
    variables = [weight.copy() for weight in weights]
    excluded = undecayed(model)
    optimizer = fresh(model.optimizer, variables, [key not in excluded for key in keys])
    optimizer.build(variables, paths(keys))
    optimizer.apply([gradient.copy() for gradient in gradients], variables)
    layers = {layer.name: layer for layer in model.layers}
    for (layer, name), variable in zip(keys, variables):
        constraint = getattr(layers.get(layer), "constraints", {}).get(name)
        if constraint is not None and not getattr(optimizer, "skipped", False):
            variable[...] = constraint(variable)
    return variables


class OptimizerSteps:
    """Copies of a model's optimizer whose state is set before their one step.

    Args:
        model: a compiled scratch model.
        keys: the names of the weights that are trained.

    Attributes:
        changes_gradients: whether some step has changed the gradients it was handed.
    """

    def __init__(self, model: Network, keys: list[Key]) -> None:
        self.optimizer, self.keys = model.optimizer, keys
        excluded = undecayed(model)
        self.decays = [key not in excluded for key in keys]
        self.changes_gradients = False

    @property
    def has_state_of_its_own(self) -> bool:
        """Whether it remembers more than the iteration and the slots of its kind, which alone can
        be set: an attribute that comes, or changes, with its steps."""
        variables = [np.ones(2, np.float32) for _ in self.keys]
        made = self._built(variables)
        rule = getattr(made, "inner_optimizer", made)
        base = optimizers.CLASSES[kind(rule, NAMES).lower()]
        config = rule.get_config()
        known = vars(base.from_config({key: value for key, value in config.items()
                                       if key in plain_settings(base)}))
        seen = []
        for _ in range(2):
            seen.append({name: repr(value) for name, value in vars(rule).items()
                         if name not in known})
            made.apply([np.ones(2, np.float32) for _ in self.keys], variables)
        return seen[0] != seen[1]

    def step(self, iteration: int, weights: list[np.ndarray], gradients: list[np.ndarray],
             slots: list[Weights]) -> tuple[list[np.ndarray], list[Weights]]:
        """(weights, slots) after one step from that state.

        Args:
            slots: for each weight, by names such as 'momentum' and 'velocity'.

        Raises:
            ValueError: for an optimizer that has no such slots.
        """
        variables = [weight.copy() for weight in weights]
        made = self._built(variables)
        made.restart_at(iteration)
        for i, of_weight in enumerate(slots):
            for name, value in of_weight.items():
                slot(made, name, i, value.shape)[...] = value
        handed = [gradient.copy() for gradient in gradients]
        made.apply(list(handed), variables)
        self.changes_gradients |= not all(map(np.array_equal, handed, gradients))
        after = [{name: np.array(slot(made, name, i, value.shape))
                  for name, value in of_weight.items()} for i, of_weight in enumerate(slots)]
        return variables, after

    def consecutive(self, weights: list[np.ndarray], gradients: list[list[np.ndarray]]
                    ) -> list[list[np.ndarray]]:
        """The weights after each of several steps of a fresh optimizer, one after another."""
        variables = [weight.copy() for weight in weights]
        made, found = self._built(variables), []
        for each in gradients:
            handed = [gradient.copy() for gradient in each]
            made.apply(list(handed), variables)
            self.changes_gradients |= not all(map(np.array_equal, handed, each))
            found.append([variable.copy() for variable in variables])
        return found

    def _built(self, variables: list[np.ndarray]) -> Any:
        made = fresh(self.optimizer, variables, self.decays)
        made.build(variables, paths(self.keys))
        return made


def plain_settings(base: Any) -> set[str]:
    """The names of the settings in the config of one of scratch's optimizers."""
    return set(base().get_config())


def slot(optimizer: Any, name: str, position: int, shape: tuple[int, ...]) -> np.ndarray:
    """What an optimizer remembers of a weight, an array to be changed in place.

    Raises:
        ValueError: if there is none of that name and shape.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    plural = f"{name.removesuffix('y')}ies" if name.endswith("y") else f"{name}s"
    found = getattr(optimizer, plural, None)
    array = found[position] if isinstance(found, list) and position < len(found) else None
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise ValueError(f"Expected {plural} with an array of shape {shape} for each weight. "
                         f"Received: {type(optimizer).__name__} with "
                         f"{None if array is None else np.shape(array)}")
    return array
