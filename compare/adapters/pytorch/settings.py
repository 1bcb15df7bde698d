"""A module's own settings beside those of Keras's layer: where the two differ, in words."""

from collections.abc import Callable
from typing import Any

from torch import nn

from compare.adapters.pytorch.recording import Call
from scratch.layers import Layer

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)


def in_words(call: Call, like: Layer, lead: str = "") -> str:
    """'epsilon 1e-05 in place of 0.001, ...', with what leads to it; '' where nothing differs.

    Args:
        like: scratch's own layer in that place, built, with Keras's settings.
    """
    module = call.module
    if module is None:
        return lead + call.title if lead and call.kind == "pad" else ""
    rank = len(call.read) - 2
    config = like.get_config()
    said = [f"{key} {own!r} in place of {theirs!r}" for key, own in _told(module, rank).items()
            if key in config for theirs in [_tuple(config[key])] if own != theirs]
    if isinstance(module, (*CONVOLUTIONS, *POOLS)):
        said += _padding(module, config, like.input_shape[1:], rank)
    if like.trainable and any(not weight.requires_grad for weight in module.parameters()):
        said.append("requires_grad=False in place of weights that are trained")
    if getattr(module, "ceil_mode", False):
        said.append("ceil_mode=True in place of sizes rounded down")
    return lead + ", ".join(said) if said else ""


def _told(module: nn.Module, rank: int) -> dict[str, Any]:
    """The module's settings by Keras's names of them."""
    told: dict[str, Any] = {}
    for keys, kinds, read in READ:
        if isinstance(module, kinds):
            told.update(zip(keys, read(module)))
    for key in ("strides", "dilation_rate", "pool_size", "kernel_size"):
        if key in told:
            told[key] = _repeated(told[key], rank)
    return told


def _padding(module: Any, config: dict, shape: tuple, rank: int) -> list[str]:
    """What a module puts around its input, if Keras's layer puts another border around it."""
    if isinstance(module, CONVOLUTIONS):
        flat = module._reversed_padding_repeated_twice
        own = [tuple(flat[2 * i:2 * i + 2]) for i in reversed(range(rank))]
        sizes = module.kernel_size
    else:
        own = [(n, n) for n in _repeated(module.padding, rank)]
        sizes = config["pool_size"]
    theirs = [(0, 0)] * rank
    if config.get("padding") == "same":
        spread = _repeated(config.get("dilation_rate", 1), rank)
        totals = [max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0) for n, s, k, d in
                  zip(shape, _repeated(config["strides"], rank), sizes, spread)]
        theirs = [(total // 2, total - total // 2) for total in totals]
    if own == theirs:
        return []
    return [f"padding {own} (before and after, by axis) in place of {theirs}"]


def _repeated(value: Any, rank: int) -> tuple:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _share_kept(module: Any) -> float | None:
    """Keras's momentum: the share of the old average that is kept, torch's is that of the new."""
    return None if module.momentum is None else round(1 - module.momentum, 12)


READ: tuple[tuple[tuple[str, ...], tuple[type, ...], Callable[[Any], tuple]], ...] = (
    (("epsilon", "momentum"), BATCH_NORMS, lambda m: (m.eps, _share_kept(m))),
    (("epsilon",), (nn.LayerNorm, nn.GroupNorm), lambda m: (m.eps,)),
    (("groups",), (nn.GroupNorm,), lambda m: (m.num_groups,)),
    (("strides", "dilation_rate"), CONVOLUTIONS, lambda m: (m.stride, m.dilation)),
    (("strides", "pool_size"), POOLS, lambda m: (m.stride, m.kernel_size)),
    (("negative_slope",), (nn.LeakyReLU,), lambda m: (m.negative_slope,)),
    (("alpha",), (nn.ELU,), lambda m: (m.alpha,)),
    (("rate",), (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d), lambda m: (m.p,)),
)
