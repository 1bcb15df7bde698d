"""What a compiled network's loss is multiplied by before the way back, read from its settings."""

from typing import Any

from compare.tracing.types import Config
from scratch.several import mapped

SCALES = "LossScaleOptimizer"
INNER = "inner_optimizer"
SKIPS = "skips_nonfinite"  # in a rule's config: gradients that are not finite make no step


def rule_of(described: Config) -> Config:
    """The dictionary of the optimizer that makes the steps: itself, or the one inside, with the
    first scale as its own `loss_scale_factor`."""
    if described["class_name"] != SCALES:
        return described
    config = described["config"]
    inner: Config = config[INNER]
    return {**described, **inner, "config": {
        **inner["config"], "loss_scale_factor": config["initial_scale"], SKIPS: True}}


def loss_scale(compile_config: Config) -> float:
    """The scale of a fresh optimizer's first step; 1.0 where the loss is not scaled."""
    described = compile_config.get("optimizer")
    if not isinstance(described, dict):
        return 1.0
    return float(rule_of(described)["config"].get("loss_scale_factor") or 1.0)


def scaled(gradient: Any, scale: float) -> Any:
    """A gradient of the loss as one of the scaled loss: an array, `Bounded`, or `Several` arrays of
    the outputs, each of which is scaled."""
    if scale == 1:
        return gradient
    if hasattr(gradient, "rounding"):
        return gradient * scale
    return mapped(lambda array: array * array.dtype.type(scale), gradient)
