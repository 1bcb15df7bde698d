"""Kinks that a batch does not reach: what an activation does on their other side goes unseen."""

from compare.checks.gate import Gate
from compare.checks.probing import probe_of
from compare.oracle.base import Oracle
from compare.tracing.trace import Part

# what these probes' own numbers surely surround
REACH = {Gate.WHOLE_NUMBERS: 8, Gate.FEW_TERMS: 1}


def unseen(part: Part, oracle: Oracle | None) -> list[tuple[str, str]]:
    """(a sentence on what the part's inputs do not show, the gate whose own numbers do or '')."""
    if oracle is None:
        return []
    kinks, blocks, gate = oracle.kinks, oracle.blocks, probe_of(oracle)
    said = []
    for kink in kinks:
        seen_by = gate if abs(kink) < REACH[gate] else ""
        if (part.inputs[0] > kink).all():
            said.append((f"{part.name}: every input is {_above(kink)}, so a rectifier that is "
                         "missing changes nothing, nor does a mask that is" if blocks
                         and kink == kinks[0] else
                         f"{part.name}: every input is {_above(kink)}, so what is done to others "
                         "does not show", seen_by))
        elif not (part.inputs[0] > kink).any():
            said.append((f"{part.name}: no input is {_above(kink)}, so nothing passes, and nothing "
                         "can be wrong behind it" if blocks and kink == kinks[0] else
                         f"{part.name}: no input is {_above(kink)}, so what is done to such does "
                         "not show", seen_by))
    return said


def _above(kink: float) -> str:
    return "positive" if kink == 0 else f"above {kink:g}"
