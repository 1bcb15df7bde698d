"""An oracle made by the names of its layer and of the activation inside it."""

from typing import Any

from compare.oracle.base import ACTIVATIONS, LAYERS, Chain, Oracle
from compare.oracle.low_precision import in_precision, policy_of
from compare.tracing.types import Config
from scratch.precision import Policy

FLOAT32 = Policy("float32")


def oracle_for(class_name: str, config: Config, part: str = "") -> Oracle:
    """The oracle of a layer, of the activation `part` inside it, or of both if part is 'whole'.

    Raises:
        ValueError: for a layer or an activation that has none.
    """
    policy = policy_of(config)
    named = config.get("activation")
    if part not in ("", "whole") and not isinstance(named, dict):
        named = part
    alone = part == "" and class_name in LAYERS and not LAYERS[class_name].activates
    activation = activation_for("linear" if alone else named, policy)
    if class_name not in {*LAYERS, "Activation"} or activation is None:
        layers, activations = (", ".join(sorted(known)) for known in (LAYERS, ACTIVATIONS))
        raise ValueError(f"Expected a layer that has an oracle: {layers}, with one of the "
                         f"activations {activations}. Received: {class_name} "
                         f"{config.get('name')!r} with {named!r}")
    if part == "whole" and not (class_name in LAYERS and LAYERS[class_name].activates):
        return Chain([in_precision(LAYERS[class_name], config, policy, class_name), activation])
    if part not in ("", "whole") or class_name == "Activation":
        return activation
    return in_precision(LAYERS[class_name], config, policy, class_name)


def known_oracle(class_name: str, config: Config, part: str = "") -> Oracle | None:
    """The same; None where there is none, as for a layer that only Keras has."""
    try:
        return oracle_for(class_name, config, part)
    except ValueError:
        return None


def activation_for(named: Any, policy: Policy = FLOAT32) -> Oracle | None:
    """Of an activation by its name, or by the config of the layer that serves as one."""
    if isinstance(named, dict):
        known = LAYERS.get(str(named.get("class_name")))
        return None if known is None else in_precision(known, named["config"], policy)
    known = ACTIVATIONS.get(named or "linear")
    return None if known is None else in_precision(known, {}, policy)
