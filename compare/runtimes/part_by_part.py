"""Whether a network of another framework stands layer by layer for a reference, or only in part."""

from typing import Any

from compare import adapters
from compare.runtimes.jax_door import is_jax
from compare.runtimes.torch_forward import TorchForward
from compare.tracing.recorder import record
from compare.tracing.trace import Trace


def taking_part(model: Any, twin: Any, x: Any, gradients: bool | None) -> tuple[Any, str]:
    """(the scratch model that a JAX function or a PyTorch module makes, ''); where it makes none:
    (what runs its forward pass with every tensor in sight, why). Whatever else stays as it is.

    Of a PyTorch module that pass says something only if it has Keras's weights.

    Args:
        twin: the reference, x its batch.
        gradients: what was asked for.

    Raises:
        ValueError: for one that makes none, if gradients were asked for, or the weights are others.
    """
    if adapters.is_torch(model):
        model = adapters.from_torch(model)
    if not is_jax(model) and not isinstance(model, adapters.TorchNetwork):
        return model, ""
    try:
        return model.beside(twin), ""
    except ValueError as error:
        if gradients:
            raise
        if is_jax(model):
            return model, str(error)
        forward = TorchForward(model)
        if not forward.holds_weights_of(twin if isinstance(twin, Trace) else
                                        record(twin, x, gradients=False)):
            raise
        return forward, str(error)
