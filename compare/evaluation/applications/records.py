"""What was measured, as a file and as the support guide's table."""

import json
from dataclasses import asdict
from pathlib import Path

from compare.document.files import write_text
from compare.document.plain_json import dumps
from compare.evaluation.applications.measuring import CLOSE, Measurement

FILE = Path(__file__).with_name("measured.json")
HEADERS = ["network", "images", "parameters", "layers", "loads in (s)", "in Keras (s)",
           "predictions apart", "rows", "parity", "a step", "check (s)", "processors (s)",
           "memory (MB)"]


def kept(path: Path = FILE) -> dict[str, Measurement]:
    """The measurements in the file by the networks' names; none without a file."""
    if not path.exists():
        return {}
    return {entry["name"]: Measurement(**entry)
            for entry in json.loads(path.read_text(encoding="utf-8"))}


def keep(found: dict[str, Measurement], path: Path = FILE) -> None:
    """Write the file anew, in alphabetical order."""
    write_text(path, dumps([asdict(found[name]) for name in sorted(found)]) + "\n")


def row(one: Measurement) -> list[str]:
    """A network as a row of the table, '-' for what was not measured."""
    made = [one.name, f"{one.size}x{one.size}", f"{one.parameters:,}", f"{one.layers:,}",
            f"{one.load:.1f}", f"{one.keras_load:.1f}",
            f"{one.apart:.1e}" if one.apart_in_double is None else
            f"{one.apart:.1e}; in float64 {one.apart_in_double:.1e}"]
    if one.check is None:
        return [*made, "-", one.said or "-", "-", "-", "-", "-"]
    assert one.rows is not None
    memory = "-" if one.memory is None else f"{one.memory / 1e6:,.0f}"
    work = "-" if one.work is None else f"{one.work:.0f}"
    return [*made, f"{one.rows:,}", "holds" if one.holds else f"fails: {one.said}",
            "holds" if one.lockstep else "fails", f"{one.check:.0f}", work, memory]


def summary(found: dict[str, Measurement], of: int) -> str:
    """How many of so many networks do what, in a sentence."""
    checked = [one for one in found.values() if one.check is not None]
    close = sum(one.apart < CLOSE for one in found.values())
    later = sum(one.apart >= CLOSE > (one.apart_in_double or 0) for one in found.values())
    return (f"{len(found)} of {of} networks load; {close} of them predict as Keras does to within "
            f"{CLOSE:.5f}, and {later} in float64 alone, as it amplifies rounding until float32 "
            f"has no digit left. {len(checked)} were checked in full: parity holds for "
            f"{sum(bool(one.holds) for one in checked)}, and a step of training in lockstep for "
            f"{sum(bool(one.lockstep) for one in checked)}.")
