"""In which precision each layer of a network is judged, said in words."""

from compare.oracle.low_precision import policy_of
from compare.tracing.configs import layer_config
from compare.tracing.trace import Trace
from scratch.precision import Policy


def policies(trace: Trace) -> dict[str, list[str]]:
    """The layers of each policy, by its name, in the network's order."""
    found: dict[str, list[str]] = {}
    for part in trace.parts:
        policy = policy_of(layer_config(trace, part.layer))
        name = policy.name if policy.low else trace.dtype
        layers = found.setdefault(name, [])
        if part.layer not in layers:
            layers.append(part.layer)
    return found


def summary(trace: Trace) -> str:
    """The policies of a network, such as 'float32' or 'mixed_float16 and float32'."""
    return " and ".join(policies(trace)) or trace.dtype


def notes(trace: Trace) -> list[str]:
    """A sentence on the layers of each policy, and one on the loss; none for a network without
    layers in float16 or bfloat16."""
    found = policies(trace)
    if not any(Policy(name).low for name in found):
        return []
    said = [f"Judged in {_described(Policy(name))}: {', '.join(layers)}."
            for name, layers in found.items()]
    return [*said, f"Loss and optimizer are judged in {trace.dtype}, as Keras has them"
            + (", weights that are kept in less as they are kept." if any(
                Policy(name).low and not Policy(name).mixed for name in found) else ".")]


def _described(policy: Policy) -> str:
    """A policy with the unit roundoff of its bounds."""
    exponent = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}[policy.compute]
    kept = ", with weights kept in float32" if policy.mixed else ""
    return f"{policy.compute} (u = 2^-{exponent}){kept}"
