"""Findings that need no search: the row itself says what is wrong."""

import re

from compare.checks.epochs import SHUFFLED
from compare.checks.gate import Gate
from compare.checks.in_place import CHANGES
from compare.checks.layerwise import FIRST
from compare.checks.row import Row
from compare.diagnosis.finding import Cause, Finding

SHAPE = r"(\(.*?\)|nothing)"
SHAPES = re.compile(rf"expected shape {SHAPE}, received {SHAPE}|{SHAPE} in place of {SHAPE}")
GRADIENTS = re.compile(r"expected an input gradient of shape (\(.*?\))\. Received: (\(.*?\))")


def told(row: Row) -> Finding | None:
    """For networks that are not specified alike, for what raised an error, for what is changed in
    place, and for what is otherwise at first or is not shuffled."""
    if row.gate is Gate.NETWORK:
        return _of(row, "specification", f"{row.tensor}: {row.note}")
    if row.gate is Gate.WEIGHTS:
        return _of(row, "specification", f"the weight {row.tensor}")
    if row.note.startswith("not run:"):
        return _of(row, "raised", row.note.removeprefix("not run:").strip())
    if row.note == FIRST:
        return _of(row, "moving-statistics", "they move otherwise at the first pass")
    if row.tensor == SHUFFLED:
        return _of(row, "batch-order", "with shuffle=True samples are taken as they come")
    if row.note.endswith(CHANGES):
        return _of(row, "input-modified", f"its {row.tensor.replace('_', ' ')}")
    return None


def missing_or_reshaped(row: Row, looks_like: str) -> Finding | None:
    """For a result of another shape that no mistake explains, or none at all.

    Args:
        looks_like: of the finding that explains nothing, '' if there is none.
    """
    found = SHAPES.search(row.note) or SHAPES.search(looks_like)
    if found is None:
        return _not_added(row)
    expected, received, came, instead = found.groups()
    expected, received = expected or instead, received or came
    if received == "nothing":
        identifier = ("input-gradient-missing" if row.tensor == "input_gradient" else
                      "weight-gradient-missing" if row.tensor.endswith("_gradient") else "shape")
        return _of(row, identifier, f"nothing came where {expected} should have")
    more = _seen_by_shape(row.tensor, expected, received)
    return _of(row, "shape", f"{received} in place of {expected}{more}")


def _not_added(row: Row) -> Finding | None:
    """For the gradient of a tensor that is repeated, which came for each of its copies."""
    found = GRADIENTS.search(row.note)
    if found is None:
        return None
    right, made = ([int(n) for n in re.findall(r"\d+", each)] for each in found.groups())
    repeated = [i for i, (a, b) in enumerate(zip(right, made)) if a == 1 != b]
    if len(right) != len(made) or not repeated or any(
            a != b for i, (a, b) in enumerate(zip(right, made)) if i not in repeated):
        return None
    along = " and ".join(map(str, repeated))
    return _of(row, "copies-not-added", f"{found[2]} in place of {found[1]}: not added up along "
               f"ax{'is' if len(repeated) == 1 else 'es'} {along}")


def raised(row: Row) -> Finding | None:
    """For a layer, or another part, that raised an error where this tensor was to be made."""
    if not row.stopped:
        return None
    return _of(row, "raised", re.sub(r"^Layer '.*?' \(\w+\): ", "", row.note))


def _seen_by_shape(tensor: str, expected: str, received: str) -> str:
    right, made = ([int(n) for n in re.findall(r"\d+", each)] for each in (expected, received))
    if tensor.endswith("_gradient") and tensor != "input_gradient" and made[1:] == right:
        return (": one for each sample, to be added up. Where they come so on purpose: "
                "compare.wrap(..., per_sample=True)")
    if len(right) != len(made):
        return ""
    less = [str(i) for i, (a, b) in enumerate(zip(right, made)) if b < a]
    if not less or any(b > a for a, b in zip(right, made)):
        return ""
    return f": cropped along ax{'is' if len(less) == 1 else 'es'} {' and '.join(less)}"


def unexplained(row: Row) -> Finding:
    """Where nothing more can be said than what the row shows."""
    said = row.note or f"{row.over} of {row.size} numbers off, by up to {row.max_abs:.3g}"
    return Finding(row.layer or str(row.gate), row.tensor, row.off or "candidate", (),
                   before=row.used, looks_like=said)


def _of(row: Row, identifier: str, detail: str) -> Finding:
    return Finding(row.layer or "network", row.tensor, row.off or "candidate",
                   (Cause(identifier, detail),), before=row.used)
