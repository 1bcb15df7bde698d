"""An ONNX node's own settings beside those of Keras's layer: where the two differ, in words."""

from typing import Any

from compare.runtimes import kinds
from compare.runtimes.graph import Node, Ran
from compare.tracing.trace import Part

POOLS = ("MaxPool", "AveragePool")


def nodes_of(ran: Ran, sources: tuple[str, ...], tensor: str) -> list[Node]:
    """The nodes between what a layer reads and what it gives."""
    reached, due, found = set(sources), [tensor], set()
    while due:
        name = due.pop()
        i = ran.maker.get(name)
        if name in reached or i is None or i in found:
            continue
        found.add(i)
        due += ran.nodes[i].reads
    return [ran.nodes[i] for i in sorted(found)]


def in_words(nodes: list[Node], part: Part, config: dict[str, Any]) -> list[str]:
    """'Conv pads (1, 1, 1, 1) in place of (0, 0, 1, 1)' and the like; none where nothing differs.
    """
    said = []
    for node in nodes:
        for name, own, theirs in _pairs(node, part, config):
            if own != theirs:
                said.append(f"{node.op} {name} {own!r} in place of {theirs!r}")
    return said


def _pairs(node: Node, part: Part, config: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """(name, the node's value, Keras's) of settings that both have."""
    own = node.settings
    if node.op == "Conv" or node.op in POOLS:
        return _windows(node, part, config)
    if node.op in kinds.NORMS and "epsilon" in config:
        return [("epsilon", _short(own.get("epsilon", 1e-5)), config["epsilon"])]
    if node.op == "LeakyRelu" and "negative_slope" in config:
        return [("alpha", _short(own.get("alpha", 0.01)), config["negative_slope"])]
    if node.op == "Clip" and part.class_name == "ReLU" and config.get("max_value") is not None:
        return [("max", own.get("max"), float(config["max_value"]))]
    if node.op == "Elu" and "alpha" in config:
        return [("alpha", _short(own.get("alpha", 1.0)), config["alpha"])]
    return []


def _windows(node: Node, part: Part, config: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    image = part.inputs[0].shape[1:-1]
    if config.get("data_format") == "channels_first":
        image = part.inputs[0].shape[2:]
    rank = len(image)
    own = node.settings
    size = "pool_size" if node.op in POOLS else "kernel_size"
    if size not in config:
        return []
    kernel = _repeated(config[size], rank)
    steps = _repeated(config.get("strides") or kernel, rank)
    spread = _repeated(config.get("dilation_rate", 1), rank)
    found: list[tuple[str, Any, Any]] = [
        ("kernel_shape", own.get("kernel_shape", kernel), kernel),
        ("strides", own.get("strides", (1,) * rank), steps),
        ("dilations", own.get("dilations", (1,) * rank), spread)]
    if own.get("auto_pad", "NOTSET") != "NOTSET":
        wanted = "SAME_UPPER" if config.get("padding") == "same" else "VALID"
        found.append(("auto_pad", own["auto_pad"], wanted))
    else:
        found.append(("pads", own.get("pads", (0,) * (2 * rank)),
                      _pads(image, kernel, steps, spread, config.get("padding"))))
    if node.op in POOLS:
        found.append(("ceil_mode", own.get("ceil_mode", 0), 0))
    if node.op == "AveragePool" and any(own.get("pads", ())):
        found.append(("count_include_pad", own.get("count_include_pad", 0), 0))
    return found


def _pads(image, kernel, steps, spread, padding: str | None) -> tuple[int, ...]:
    """As ONNX has them: before on each axis, then after on each."""
    if padding != "same":
        return (0,) * (2 * len(image))
    totals = [max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
              for n, s, k, d in zip(image, steps, kernel, spread)]
    return (*(total // 2 for total in totals), *(total - total // 2 for total in totals))


def _repeated(value: Any, rank: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


def _short(value: float) -> float:
    """A number that a file keeps in float32, as people write it."""
    return float(f"{value:.7g}")
