"""The verdict of a report in a few plain lines, for somebody who reads their first one."""

from compare.checks.gate import Gate
from compare.checks.row import Row
from compare.document.sections import wrapped
from compare.document.text import Text, line

TENSORS = {"output": "output, on its way forward",
           "input_gradient": "gradient of its input, on its way back"}
BEYOND = {
    Gate.NETWORK: "The two networks are not specified alike, so look at that first:",
    Gate.WEIGHTS: "The two networks do not hold the same weights, so they cannot agree:",
    Gate.LOSS: "The layers are right up to here; the loss is not:",
    Gate.UPDATE: "Forward and backward are right; what the op makes of the gradients is not:",
    Gate.WHOLE_NETWORK: "Each layer is right by itself. Put together they are not, so look at how "
                     "they are connected, and at what they keep from one call to the next:",
    Gate.LOCKSTEP: "A single step is right. Several in a row are not, so look at what layers, "
                "loss and optimizer keep from one batch to the next:",
}
WHOLE_ALONE = "Of this network only the whole was run. The first that is wrong:"


def plain_words(rows: list[Row]) -> list[Text]:
    """What failed first, how badly, and what else did, wrapped; [] if nothing failed."""
    failed = [row for row in rows if not row.passed]
    if not failed:
        return []
    first = failed[0]
    said = []
    whole_alone = _whole_alone(rows)
    if whole_alone:
        said = [f"{WHOLE_ALONE} {first.name}.", *numbers(first)]
    elif first.of_layer and first.actual is None:
        said.append(f"Layer '{first.layer}' gave no {tensor_name(first.tensor)}, that could be "
                    "compared:")
        said += numbers(first)
    elif first.of_layer:
        said.append(f"Layer '{first.layer}' has the wrong {tensor_name(first.tensor)}.")
        said += numbers(first)
        said.append("It was handed the very numbers that the reference's layer was, so the "
                    "mistake is in this layer, not before it.")
    else:
        gate = Gate.LOSS if first.gate is Gate.EXTREMES else first.gate
        said.append(f"{BEYOND[gate]} {first.name}.")
        said += numbers(first)
    return [wrapped(line(text), indent="    " if text.startswith("  ") else "")
            for text in said + ([] if whole_alone else others(first, failed, rows))]


def _whole_alone(rows: list[Row]) -> bool:
    """Whether no layer was run by itself: on whole numbers a network in one class is, too."""
    gates = {row.gate for row in rows}
    return Gate.WHOLE_NETWORK in gates and not any(
        gate.single_layer for gate in gates - {Gate.WHOLE_NUMBERS})


def tensor_name(tensor: str) -> str:
    """What a tensor is, in words."""
    if tensor in TENSORS:
        return TENSORS[tensor]
    if tensor.endswith("_gradient"):
        return f"gradient of its {tensor.removesuffix('_gradient')}, on its way back"
    return tensor


def numbers(row: Row) -> list[str]:
    """The worst element, or the error that kept it from being computed."""
    if row.actual is None or row.expected is None:
        return [f"  {row.note}"] if row.note else []
    place = f" at {list(row.index)}" if row.index else ""
    allowed = "nothing may differ here" if not row.allowed else \
        f"rounding explains a difference of {row.allowed:.1e}"
    whose = "the reference gives" if row.off == "reference" else "yours gives"
    gives = row.expected if row.off == "reference" else row.actual
    should = row.actual if row.off == "reference" else row.expected
    many = f"; {row.over} of {row.size} numbers are wrong" if row.size > 1 else ""
    return [f"  The worst number{place}: {whose} {gives:.7g}, it should be {should:.7g}, and "
            f"{allowed}{many}."]


def others(first: Row, failed: list[Row], rows: list[Row]) -> list[str]:
    """Which other tensors of single layers are wrong, and which layers are right."""
    wrong: dict[str, list[str]] = {}
    for row in failed:
        if row.of_layer and row.tensor not in wrong.setdefault(row.layer, []):
            wrong[row.layer].append(row.tensor)
    own = [tensor for tensor in wrong.get(first.layer, []) if tensor != first.tensor]
    lines = []
    if own:
        lines.append(f"Wrong in the same layer: {', '.join(own)}.")
    for layer, tensors in wrong.items():
        if layer != first.layer:
            lines.append(f"Wrong by itself, too: layer '{layer}', {', '.join(tensors)}.")
    right = [layer for layer in dict.fromkeys(row.layer for row in rows if row.of_layer)
             if layer not in wrong]
    if right:
        lines.append(f"Right by themselves: {', '.join(right)}.")
    return lines
