"""PyTorch's modules, made to take part: `compare.check(module, keras_model, x, y)`.

The one place that imports torch, and only once a module is handed over.
"""

from compare.adapters.pytorch.torch_network import (
    TORCH_MISSING,
    TorchNetwork,
    from_torch,
    is_torch,
)

__all__ = ["TORCH_MISSING", "TorchNetwork", "from_torch", "is_torch"]
