"""Masks in a functional model's config, where Keras writes them out as operations of their own.

A layer that uses a mask is called with it as the argument `mask`, which is `not_equal(x, value)`,
or `any` of that over the features. Here masks come by themselves, see `masks.py`: the operations
are left out, and what they were is held against what comes.
"""

from typing import Any

from scratch.errors import UnsupportedError
from scratch.layers import LAYERS
from scratch.nesting import CALL

# Which masks Keras makes of others, and where: operations, whose names layers may have, too.
KINDS = ("NotEqual", "Any", "LogicalOr", "ExpandDims", "ConvertToTensor",
         "ZerosLike", "OnesLike", "Concatenate")
MODELS = ("Functional", "Sequential", "Model")


def without_masks(entries: dict[str, dict]) -> dict[str, dict]:
    """The entries of a model's layers without the operations that make masks, and without the
    argument `mask` of the layers that use them.

    Each of these gets, as 'expects_mask', what its mask is made of: (name of the layer's call,
    value).

    Raises:
        UnsupportedError: for a mask that is made otherwise.
    """
    found, left_out = dict(entries), set()
    for name, entry in entries.items():
        class_name = str(entry.get("class_name"))
        layer = LAYERS.get(class_name)
        uses = layer is not None and layer.uses_masks
        if not uses and class_name not in (*MODELS, "TimeDistributed"):
            continue
        nodes, expected = [], None
        for node in entry["inbound_nodes"]:
            kwargs = dict(node.get("kwargs", {})) if isinstance(node, dict) else {}
            mask = kwargs.pop("mask", None)
            if isinstance(mask, dict):
                expected, made_by = _origin(mask, entries, name)
                left_out.update(made_by)
                node = {**node, "kwargs": kwargs}
            nodes.append(node)
        found[name] = {**entry, "inbound_nodes": nodes}
        if expected is not None and uses:
            found[name]["expects_mask"] = expected
    return {name: entry for name, entry in found.items() if name not in left_out}


def _origin(mask: dict, entries: dict, name: str) -> tuple[tuple[str, Any] | None, set[str]]:
    """((the layer's call of whose output a mask is made, the value that masks), or None where every
    step counts; the operations)."""
    made_by: set[str] = set()
    origins: set[tuple[str, Any]] = set()
    every, due = False, [mask]
    while due:
        history = due.pop().get("config", {}).get("keras_history") or [None]
        entry = entries.get(history[0], {})
        operation = "layers" not in str(entry.get("module"))
        if not operation or entry.get("class_name") not in KINDS or len(
                entry.get("inbound_nodes", ())) != 1:
            raise UnsupportedError(
                f"Layer {name!r}: expected a mask that a Masking layer or an Embedding with "
                f"mask_zero makes. Received: one that comes from {history[0]!r}")
        made_by.add(history[0])
        args = entry["inbound_nodes"][0].get("args") or [{}]
        if entry["class_name"] == "NotEqual":
            if len(args) != 2 or not isinstance(args[0], dict) or isinstance(args[1], dict):
                raise UnsupportedError(f"Layer {name!r}: expected a mask of what is not equal to a "
                                       f"number. Received: {args!r:.200}")
            read, call, _ = args[0]["config"]["keras_history"]
            origins.add((f"{read}{CALL}{call + 1})" if call else str(read), args[1]))
        elif entry["class_name"] == "OnesLike":
            every = True
        elif entry["class_name"] != "ZerosLike":  # which adds nothing
            due += [each for arg in args for each in (arg if isinstance(arg, list) else [arg])
                    if isinstance(each, dict)]
    if every:
        return None, made_by
    if len(origins) != 1:
        raise UnsupportedError(f"Layer {name!r} does not support a mask made of several: "
                               f"{sorted(map(str, origins))}. Expected: a single one.")
    return origins.pop(), made_by


def require_expected(layer, maker, read_name: str | None) -> None:
    """Hold the mask that comes against what a config says of it.

    Args:
        maker: the layer that makes it; None for no mask.
        read_name: of the layer's call whose output that reads; None for the model's input.

    Raises:
        UnsupportedError: for another one.
    """
    if layer.expects_mask is None:
        return
    name, value = layer.expects_mask
    own = None if maker is None else getattr(maker, "mask_value", 0)
    if read_name is not None and "." in layer.name + read_name:
        # what comes into a model from outside has another name in its config, and of a model that
        # is called several times the calls inside are numbered on
        model = layer.name.rpartition(".")[0]
        inside = not model or read_name.startswith(f"{model}.")
        read_name = read_name.rpartition(".")[2].split(CALL)[0] if inside else None
        name = name.split(CALL)[0]
    if maker is None or own != value or read_name not in (None, name):
        raise UnsupportedError(f"{layer} does not support a mask of its own, made of {name!r} and "
                               f"{value!r}. Expected: the mask that comes with its input.")
