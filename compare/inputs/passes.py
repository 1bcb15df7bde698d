"""Which pass is checked: one in training with its gradients, or the forward pass alone."""

from compare import adapters
from compare.tracing.trace import Trace


def with_gradients(model, twin, gradients: bool | None) -> bool:
    """Whether gradients are checked.

    Args:
        model: the candidate, a scratch model.
        twin: the reference, a model or a trace.
        gradients: what was asked for; None for whatever the two have.

    Raises:
        ValueError: if gradients were asked for that one of the two does not have.
    """
    without = adapters.without_backward(model)
    recorded = not isinstance(twin, Trace) or twin.training
    if gradients and without:
        raise ValueError("Expected layers with a backward pass, as gradients are asked for. "
                         f"Received backward=None for: {', '.join(without)}")
    if gradients and not recorded:
        raise ValueError("Expected a trace with gradients, as they are asked for. Received one "
                         "that was recorded at inference")
    return gradients is not False and recorded and not without


def about_forward_alone(model, gradients: bool | None) -> str:
    """A sentence on what is left out, and why if nobody asked for it."""
    said = ("Only the forward pass is checked, as it is outside of training; gradients, loss, "
            "update and lockstep are not judged")
    if gradients is False:
        return f"{said}."
    without = adapters.without_backward(model)
    why = ("the trace was recorded so" if not without else
           f"there is no backward pass (backward=None) in: {', '.join(without)}")
    return f"{said}: {why}."
