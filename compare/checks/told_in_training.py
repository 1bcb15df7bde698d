"""Layers that a graph calls with training=True, about which Keras has a rule that surprises."""

from collections.abc import Iterator

from compare.tracing.trace import Trace
from compare.tracing.types import Config
from scratch.call_config import told_at


def notes(trace: Trace) -> list[str]:
    """A sentence on such layers and models, none where there are none."""
    found = list(dict.fromkeys(_told(trace.config)))
    if not found:
        return []
    return [f"Called with training=True: {', '.join(found)}. In Keras fit, evaluate and predict "
            "overrule that, and a check runs layers as they do; only a model that is called by "
            "itself, model(x), does as it says."]


def _told(config: Config, inside: str = "") -> Iterator[str]:
    """The paths of what is called so."""
    for entry in config.get("layers", ()):
        own = entry["config"]
        path = f"{inside}{own.get('name', entry.get('name'))}"
        if any(told_at(entry, number) for number in range(len(entry.get("inbound_nodes", ())))):
            yield path
        if "layers" in own:
            yield from _told(own, f"{path}.")
