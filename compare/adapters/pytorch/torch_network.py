"""A PyTorch module that is handed over, and how it is to be held against a Keras model."""

import importlib.util
from dataclasses import dataclass, field
from typing import Any

TORCH_MISSING = 'PyTorch is not installed; install it with: pip install "keras-parity[torch]"'
WEIGHTS = (None, "copied", "compared")


def is_torch(thing: object) -> bool:
    """Whether this is a module of PyTorch's, told without importing PyTorch."""
    return any(cls.__module__ == "torch.nn.modules.module" and cls.__name__ == "Module"
               for cls in type(thing).__mro__)


@dataclass
class TorchNetwork:
    """A module and how it is compared; the arguments are those of `compare.from_torch`."""

    module: Any
    names: dict[str, str] = field(default_factory=dict)
    weights: str | None = None
    optimizer: Any = None
    running_variance: str | None = None

    def __post_init__(self):
        if importlib.util.find_spec("torch") is None:
            raise ImportError(TORCH_MISSING)
        if not is_torch(self.module):
            raise TypeError("Expected a torch.nn.Module. "
                            f"Received: {type(self.module).__name__}")
        if self.weights not in WEIGHTS:
            raise ValueError(f"Expected weights to be one of {WEIGHTS}. "
                             f"Received: {self.weights!r}")
        if self.running_variance not in (None, "unbiased"):
            raise ValueError("Expected running_variance to be 'unbiased' or None. "
                             f"Received: {self.running_variance!r}")
        if not isinstance(self.names, dict):
            raise TypeError("Expected names to be a dictionary from Keras's names of layers to "
                            f"those of modules. Received: {type(self.names).__name__}")
        if self.optimizer is not None:
            from compare.adapters.pytorch.optimizer import require_optimizer

            require_optimizer(self.optimizer)

    def beside(self, twin):
        """The module as a scratch model, each of its layers in the place of one of the twin's; see
        `compare.adapters.pytorch.candidate`."""
        from compare.adapters.pytorch.candidate import candidate

        return candidate(self, twin)


def from_torch(module, names=None, weights=None, optimizer=None,
               running_variance=None) -> TorchNetwork:
    """A PyTorch module, with what `compare.check(module, twin, x, y)` cannot know by itself.

    Args:
        module: a torch.nn.Module that takes images with their channels first; it stays as it is.
        names: modules for Keras's layers, where order and names do not tell which belong
            together: {'conv2d_1': 'features.3'}.
        weights: 'copied': Keras's weights are put into a copy of the module; 'compared': the
            module keeps its own, which must be Keras's; None, the default: compared if some
            are Keras's, otherwise copied, and the report says so.
        optimizer: a torch.optim.Optimizer whose steps are held against those of the twin's.
        running_variance: 'unbiased' declares that BatchNorm's running variance may be PyTorch's,
            which divides by n - 1 where Keras divides by n; n / (n - 1) is taken off before it is
            compared, and the report says so. None, the default: that is a difference.

    Raises:
        ImportError: where PyTorch is not installed.
        TypeError, ValueError: for arguments that make no sense, named one by one.
    """
    return TorchNetwork(module, names or {}, weights, optimizer, running_variance)
