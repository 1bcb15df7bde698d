"""A module's own settings, where Keras's layer has them in its config too."""

from collections.abc import Callable
from typing import Any

from torch import nn

from compare.tracing.types import Config


def differing(module: nn.Module | None, class_name: str, config: Config) -> Config:
    """Those of a module's settings that are others than in the config of Keras's layer, in Keras's
    words. A setting that the module says in another way than Keras is not among them.

    Args:
        class_name, config: of Keras's layer.
    """
    found = {} if module is None else _told(module, class_name)
    return {key: value for key, value in found.items()
            if key in config and _plain(config[key]) != _plain(value)}


def _told(module: nn.Module, class_name: str) -> Config:
    told: Config = {}
    for keys, kinds, read in READ:
        if isinstance(module, kinds):
            told.update(zip(keys, read(module)))
    if class_name.startswith("Depthwise"):
        told.pop("groups", None)
    return told


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, (list, tuple)) else value


def _share_kept(module: Any) -> float | None:
    """Keras's momentum: the share of the old average that is kept, torch's is that of the new."""
    return None if module.momentum is None else round(1 - module.momentum, 12)


BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)

READ: tuple[tuple[tuple[str, ...], tuple[type, ...], Callable[[Any], tuple]], ...] = (
    (("epsilon", "momentum"), BATCH_NORMS, lambda m: (m.eps, _share_kept(m))),
    (("epsilon",), (nn.LayerNorm, nn.GroupNorm), lambda m: (m.eps,)),
    (("groups",), (nn.GroupNorm,), lambda m: (m.num_groups,)),
    (("dilation_rate", "groups"), CONVOLUTIONS, lambda m: (m.dilation, m.groups)),
    (("negative_slope",), (nn.LeakyReLU,), lambda m: (m.negative_slope,)),
    (("alpha",), (nn.ELU,), lambda m: (m.alpha,)),
    (("rate",), (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d), lambda m: (m.p,)),
)
