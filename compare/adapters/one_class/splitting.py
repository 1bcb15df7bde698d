"""Where in a network of one class the mistake must lie, and how to take the class apart there."""

from collections.abc import Sequence
from typing import Any

from compare.adapters.one_class.parameters import Parameter
from compare.tracing.trace import Trace


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
    right = backwards[:backwards.index(first)]
    alone = [layer for layer in backwards[backwards.index(first) + 1:] if layer not in bad]
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


def _between(trace: Trace, first: str, last: str) -> list[str]:
    names = [part.name for part in trace.parts]
    layers = [part.layer for part in trace.parts]
    return names[layers.index(first) + 1:layers.index(last)]


def _apart(how, parameters: list[Parameter], trace: Trace) -> str:
    """How to hand the class over in parts."""
    layers = list(dict.fromkeys(part.layer for part in trace.parts))
    inner: dict[str, str] = {}
    for each in parameters:
        if isinstance(each.place, str) and "." in each.place:
            holder = each.place.rsplit(".", 1)[0]
            thing = _at(how.obj, holder)
            if callable(getattr(thing, "forward", None)):
                inner.setdefault(each.layer, f"net.{_spelled(holder)}")
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
