"""What a layer's weights are called.

As a rule by the variable's own name. Where a layer gives its variables none, Keras counts them
through all of a process (`variable_7`): then it is the attribute that holds it. Where weights of
layers inside a layer have the same name, the inner layer's goes before it: `query/kernel`.
"""

import re
from collections import Counter

from reference.quiet import keras
from reference.steps import STEPWISE

COUNTED = re.compile(r"variable(_\d+)?")


def weight_names(layer) -> dict[int, str]:
    """The name of each weight of a layer, by the variable's `id`, in Keras's order."""
    if isinstance(layer, STEPWISE):
        return weight_names(layer.layer)
    if hasattr(layer, "own_names"):
        return dict(layer.own_names)
    if isinstance(layer, keras.layers.Bidirectional):
        return {key: f"{way}/{name}" for way in ("forward_layer", "backward_layer")
                for key, name in weight_names(getattr(layer, way)).items()}
    names = {id(v): own_name(layer, v) for v in layer.weights}
    times = Counter(names.values())
    return {id(v): names[id(v)] if times[names[id(v)]] == 1 else "/".join(v.path.split("/")[-2:])
            for v in layer.weights}


def weight_of(layer, name: str):
    """The variable of that name."""
    names = weight_names(layer)
    return next(v for v in layer.weights if names[id(v)] == name)


def own_name(layer, variable) -> str:
    """What a layer calls a variable: by its name, or by the attribute that holds it."""
    if not COUNTED.fullmatch(variable.name):
        return str(variable.name)
    return next((name for name, value in vars(layer).items() if value is variable), variable.name)
