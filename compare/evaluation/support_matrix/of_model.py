"""Which layers and parts of one model are supported: all of them at once, each with its reason."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from scratch import initializers, losses, metrics, optimizers
from scratch.errors import shortened
from scratch.layer_config import MODELS, layer_from_config
from scratch.models import model_from_config

REFUSED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)  # by scratch
INPUT = "InputLayer"
ALTERNATIVES = " Expected one of: "  # all that there is of a kind, a page long


class Verdict(NamedTuple):
    """What becomes of one layer, or of the loss, the optimizer, a metric, or the model as a whole.

    Attributes:
        kind: 'layer', 'loss', 'optimizer', 'metric' or 'model'.
        name: the layer's path, as 'base.conv2d'; the part's own name.
        class_name: Keras's class.
        reason: why it is refused; empty where it is supported.
    """

    kind: str
    name: str
    class_name: str
    reason: str = ""


def of_config(config: dict, compiled: dict | None = None) -> list[Verdict]:
    """The verdicts on every layer, then on what the model is compiled with, then on the whole.

    The whole is judged only where all layers are supported: a graph may be refused although each
    of its layers is taken.

    Args:
        config: a model's dictionary, with its `class_name` and its `config`.
        compiled: how it is compiled, as Keras's `get_compile_config` has it.

    Raises:
        ValueError: for a dictionary that is no model's.
    """
    inner = config.get("config") if isinstance(config, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("layers"), list):
        raise ValueError("Expected a model's config, with a list of layers. "
                         f"Received: {config!r:.200}")
    with initializers.undrawn():
        found = list(_layers(inner, ""))
        found += _parts(compiled or {})
        if not any(verdict.reason for verdict in found if verdict.kind == "layer"):
            reason = _reason(partial(model_from_config, config))
            if reason:
                found.append(Verdict("model", str(inner.get("name", "")),
                                     str(config.get("class_name")), reason))
    return found


def _layers(config: dict, path: str) -> Iterator[Verdict]:
    for entry in config["layers"]:
        class_name, settings = entry.get("class_name"), entry.get("config")
        settings = settings if isinstance(settings, dict) else {}
        name = path + str(settings.get("name", entry.get("name", "")))
        if class_name in MODELS and isinstance(settings.get("layers"), list):
            yield from _layers(settings, f"{name}.")
        elif class_name != INPUT:
            yield Verdict("layer", name, str(class_name),
                          _reason(partial(layer_from_config, entry)))


def _parts(compiled: dict) -> list[Verdict]:
    found = []
    for kind, get, given in (("loss", losses.get, compiled.get("loss")),
                             ("optimizer", optimizers.get, compiled.get("optimizer")),
                             ("metric", metrics.get, compiled.get("metrics")),
                             ("metric", metrics.get, compiled.get("weighted_metrics"))):
        for one in _each(given):
            named = one.get("class_name") if isinstance(one, dict) else one
            found.append(Verdict(kind, str(named), str(named), _reason(partial(get, one))))
    return found


def _each(given: Any) -> Iterator[Any]:
    """All that is named, of several outputs in lists or dictionaries as `compile` takes them."""
    if isinstance(given, (list, tuple)) or (isinstance(given, dict) and "class_name" not in given):
        for one in given.values() if isinstance(given, dict) else given:
            yield from _each(one)
    elif given:
        yield given


def _reason(read: Callable[[], Any]) -> str:
    try:
        read()
    except REFUSED as error:
        return shortened(str(error).split(ALTERNATIVES)[0])
    return ""
