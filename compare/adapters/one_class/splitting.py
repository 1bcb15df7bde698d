"""Where in a network of one class the mistake must lie, and how to take the class apart there."""

from collections.abc import Sequence
from typing import Any

from compare.adapters.one_class.parameters import Parameter
from compare.tracing.trace import Trace
from scratch.several import each


def advice(how, parameters: list[Parameter], trace: Trace, rows: Sequence[Any],
           later: Sequence[Any]) -> list[str]:
    """Sentences on a network of which rows failed; none if none did.

    Args:
        how: the object's `Conventions`.
        rows: of the whole network.
        later: of the steps after the first one.
    """
    if not all(row.passed for row in rows):
        return [*_where(trace, rows), _apart(how, parameters, trace)]
    wrong = [row for row in later if not row.passed]
    if wrong:
        step = wrong[0].note.split(",")[0]
        return [f"Its output, its gradients and its first step hold; {step} does not: the mistake "
                "is in what is kept from one step to the next, or lost: gradients that are not "
                "cleared, a momentum, the first batch's inputs, labels or size."]
    return []


def _where(trace: Trace, rows: Sequence[Any]) -> list[str]:
    """Between which layers the mistake lies, as far as the gradients tell."""
    forward = [row for row in rows if row.tensor in ("output", "logits", "inference")]
    if not all(row.passed for row in forward):
        return ["Its output is wrong, so the mistake is on the way forward; gradients that are "
                "wrong may follow from it."]
    gradients: dict[str, list[Any]] = {}
    for row in rows:
        if row.tensor.endswith("_gradient") and row.layer != "network":
            gradients.setdefault(row.layer, []).append(row)
    backwards = [part.layer for part in reversed(trace.parts) if part.layer in gradients]
    backwards = list(dict.fromkeys(backwards))
    bad = [layer for layer in backwards if not all(row.passed for row in gradients[layer])]
    if not bad:
        return []
    first = bad[0]
    before, behind = _related(trace, first)
    right = [layer for layer in backwards[:backwards.index(first)] if layer in behind]
    alone = [layer for layer in backwards if layer in before and layer not in bad]
    names = ", ".join(row.tensor for row in gradients[first] if not row.passed)
    if alone or not all(not row.passed for row in gradients[first]):
        return [f"Its output holds, and so do other gradients; {first}'s {names} does not: the "
                "mistake is in how that gradient is made of what arrives there."]
    if not right:
        return [f"Its output holds; all gradients from {first} on do not: the mistake is in the "
                f"loss's gradient, or on the way back from there to {first}."]
    names_between = _between(trace, first, right[-1])
    return [f"Its output holds, and so do the gradients of {', '.join(right)}; from {first} on "
            f"they do not: the mistake is in the way back from {right[-1]} to {first}"
            + (f", through {', '.join(names_between)}." if names_between else ".")]


def _related(trace: Trace, layer: str) -> tuple[set[str], set[str]]:
    """The layers (that this one's input comes through, that its output goes through)."""
    before, behind = {layer}, {layer}
    for i in reversed(range(len(trace.parts))):
        if trace.parts[i].layer in before:
            before |= {trace.parts[source].layer for source in trace.sources[i] if source >= 0}
    for part, sources in zip(trace.parts, trace.sources):
        if any(source >= 0 and trace.parts[source].layer in behind for source in sources):
            behind.add(part.layer)
    return before - {layer}, behind - {layer}


def _between(trace: Trace, first: str, last: str) -> list[str]:
    """The parts on the way from one layer to another, but for the first part of each."""
    layers = [part.layer for part in trace.parts]
    on_the_way = {first} | _related(trace, first)[1] & _related(trace, last)[0]
    return [part.name for part in trace.parts[layers.index(first) + 1:layers.index(last)]
            if part.layer in on_the_way]


def _apart(how, parameters: list[Parameter], trace: Trace) -> str:
    """How to hand the class over in parts."""
    layers = list(dict.fromkeys(part.layer for part in trace.parts))
    if any(len(sources) > 1 for sources in trace.sources) or len(each(trace.x)) > 1:
        return (f"To see which layer it is, wrap {how.name}'s layers one by one, "
                "compare.wrap(layer, like=keras_layer, ...), and join them in a scratch.Model as "
                "Keras's are joined; those without weights may be scratch's own.")
    inner: dict[str, str] = {}
    for one in parameters:
        if isinstance(one.place, str) and "." in one.place:
            holder = one.place.rsplit(".", 1)[0]
            thing = _at(how.obj, holder)
            if callable(getattr(thing, "forward", None)):
                inner.setdefault(one.layer, f"net.{_spelled(holder)}")
    if inner:
        items = ", ".join(f"compare.wrap({inner[layer]}, ...)" if layer in inner else "None"
                          for layer in layers)
        return (f"To see which layer it is, hand over the layers of {how.name}'s own in a list, "
                f"None for the others: compare.check([{items}], twin, x, y).")
    return (f"To see which layer it is, hand over {how.name}'s computation of one layer as two "
            "functions, None for the others: compare.wrap(forward=f, backward=g) at its place "
            f"among {', '.join(layers)}, with f(x, kernel, bias) and g(dy, x, kernel, bias).")


def _at(obj: Any, place: str) -> Any:
    from compare.adapters import accessors

    return accessors.read(obj, place)


def _spelled(place: str) -> str:
    """A place as it is written in Python: layers[0] for 'layers.0'."""
    first, *rest = place.split(".")
    return first + "".join(f"[{each}]" if each.isdigit() else f".{each}" for each in rest)
