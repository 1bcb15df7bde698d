"""Whether somebody's loss changes what it is handed, for others read it, too."""

import copy

from compare.checks.gate import Gate
from compare.checks.row import Row, raised
from compare.tracing.layer_error import RAISED, LayerError
from compare.tracing.trace import Trace
from compare.tracing.types import Network

CHANGES = "changes what it is handed, in place"


def of_loss(model: Network, reference: Trace) -> list[Row]:
    """A row for each of its arguments that a loss of somebody's own changes; none for others.

    Args:
        model: the candidate, a scratch model.
    """
    if reference.y is None or not hasattr(model.loss, "changed"):
        return []
    loss, last = copy.deepcopy(model.loss), reference.parts[-1]
    try:
        loss.forward(reference.y, last.input if reference.fused else last.output,
                     from_logits=bool(reference.fused) or None,
                     sample_weight=reference.sample_weight)
    except RAISED:  # of which other rows tell
        return []
    return [changed(Gate.LOSS, "loss", name, "loss") for name in loss.changed]


def changed(gate: Gate, layer: str, tensor: str, who: str) -> Row:
    """The row for an argument that was changed."""
    return raised(gate, layer, tensor, LayerError(f"the {who} {CHANGES}"))
