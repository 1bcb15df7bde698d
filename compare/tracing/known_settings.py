"""Which of a model's compile settings are understood: whatever is not costs its own gate alone.

An unknown metric is left out. An unknown optimizer gives way to plain SGD, which scales the loss as
it does, so that loss, gradients and a few steps of training are still judged; its own steps are
not. Without its loss a model is checked as one that is not compiled.
"""

from typing import Any

from compare.tracing.loss_scale import INNER, SCALES
from compare.tracing.types import Config
from scratch import losses, metrics, optimizers

# In a compile config: the names of what is left out, such as 'optimizer MySGD'.
NOT_CHECKED = "not_checked"
SCALE_SETTINGS = ("initial_scale", "dynamic_growth_steps")
LONGEST = 100  # characters of a name out of a config


def understood(config: Config) -> tuple[Config, list[str]]:
    """(the settings that are known, the names of the others).

    Args:
        config: Keras's compile config; {} for a model that is not compiled.

    Returns:
        {} for the settings if the loss is not known.
    """
    left_out = list(config.get(NOT_CHECKED, ()))
    if not config.get("loss"):
        return config, left_out
    unknown = next((loss for loss in _losses(config["loss"]) if not _known(losses, loss)), None)
    if unknown is not None:
        rule = _name(optimizers, config.get("optimizer"))
        return {}, [*left_out, f"loss {_name(losses, unknown)}",
                    f"optimizer {rule} (no loss, no step)"]
    known = dict(config)
    for key in ("metrics", "weighted_metrics"):
        given = config.get(key) or []
        known[key] = _known_among(given, left_out) or None
    if not _known(optimizers, config.get("optimizer")):
        known["optimizer"] = stand_in(config.get("optimizer"))
        left_out.append(f"optimizer {_name(optimizers, config.get('optimizer'))}")
    if left_out:
        known[NOT_CHECKED] = left_out
    return known, left_out


def _losses(given: Any) -> list[Any]:
    """The losses of one output or of several, without those that are None."""
    if isinstance(given, dict) and "class_name" not in given:
        given = list(given.values())
    listed = given if isinstance(given, (list, tuple)) else [given]
    return [loss for loss in listed if loss is not None]


def _known_among(given: Any, left_out: list[str]) -> Any:
    """The metrics that are known, in the form in which they are given: a list, or of several
    outputs a list or a dictionary of such; `left_out` gets the names of the others."""
    if isinstance(given, dict) and "class_name" not in given:
        return {key: _known_among(own, left_out) for key, own in given.items()}
    kept = []
    for metric in given if isinstance(given, (list, tuple)) else [given]:
        if isinstance(metric, (list, tuple)):
            kept.append(_known_among(metric, left_out))
        elif metric is None or _known(metrics, metric):
            kept.append(metric)
        else:
            left_out.append(f"metric {_name(metrics, metric)}")
    return kept


def stand_in(described: Any) -> Config:
    """Plain SGD in the place of an optimizer, which scales the loss as that one does."""
    config = described.get("config") if isinstance(described, dict) else None
    config = config if isinstance(config, dict) else {}
    if isinstance(described, dict) and described.get("class_name") == SCALES:
        settings = {key: config[key] for key in SCALE_SETTINGS if key in config}
        rule = optimizers.get({"class_name": SCALES, "config": {**settings, INNER: "sgd"}})
    else:
        scale = {"loss_scale_factor": config.get("loss_scale_factor")}
        rule = optimizers.get({"class_name": "SGD", "config": scale})
    return optimizers.serialize(rule)


def stands_in(left_out: list[str]) -> bool:
    """Whether SGD stands in for an optimizer that is not known."""
    return any(name.startswith("optimizer ") for name in left_out)


def not_checked(model: Any) -> list[str]:
    """What was left out when a scratch model was compiled, by name."""
    return list(getattr(model, NOT_CHECKED, ()))


def undrawn(model: Any) -> list[str]:
    """The layers whose training is not checked, as no draw can be handed to both sides: by name."""
    return [f"training of {layer}" for layer in model.layers
            if getattr(layer, "undrawn", False)]


def _known(kinds: Any, setting: Any) -> bool:
    """Whether a setting describes one of scratch's losses, metrics or optimizers."""
    try:
        kinds.get(setting)
    except (ValueError, TypeError, LookupError, AttributeError):
        return False
    return True


def _name(kinds: Any, setting: Any) -> str:
    """The class or the function that a setting names."""
    named = setting
    if isinstance(setting, dict):
        named = setting.get("class_name")
        named = setting.get("config") if named == "function" else named
    name = named if isinstance(named, str) else str(setting)
    if name in {cls.__name__ for cls in kinds.CLASSES.values()} and not _known(kinds, setting):
        name += " with settings that are not supported"
    return name if len(name) <= LONGEST else f"{name[:LONGEST]} ..."
