"""A run as tables: what was noticed of each family, what was missed, and how other rules fare."""

from compare.document import tables
from compare.document.sections import wrapped
from compare.document.text import Text, bad, good, line, lines
from compare.evaluation.faults import baseline_rules
from compare.evaluation.faults.catalogue import by_identifier
from compare.evaluation.faults.fault import Fault, Place
from compare.evaluation.faults.running import Result
from compare.evaluation.faults.scoring import Score

OURS = "compare.check"
LEARNS = {True: "yes", False: "no", None: "not measured"}  # whether the accuracy is reached


def render(result: Result, tablefmt: str = "simple") -> Text:
    """Everything about a run, as text."""
    parts: list[str] = []
    if result.scores:
        parts += [families(result, tablefmt), *shortcomings(result)]
    if result.clean or result.variants:
        parts.append(alarms(result))
    if any(one.rivals for one in result.scores) or any(one.rivals for one in result.clean):
        parts += ["Other rules, on the same tensors of the same networks:",
                  rivals(result, tablefmt)]
    parts.append(wrapped(verdict(result)))
    return lines(text for part in parts for text in (part, ""))


def families(result: Result, tablefmt: str) -> Text:
    """A row for each family of faults, and one for all."""
    groups: dict[str, list[Score]] = {}
    for score in result.scores:
        groups.setdefault(score.family, []).append(score)
    rows = [[name, *counts(scores)] for name, scores in groups.items()]
    rows.append(["all", *counts(result.scores)])
    return tables.render(["family", "faults", "detected", "right\nlayer", "right\ntensor",
                          "cause\nnamed", "named\nfirst"], rows, tablefmt)


def counts(scores: list[Score]) -> list[str]:
    """How many, and of these how many are right in each respect."""
    return [str(len(scores)), *(str(sum(bool(getattr(score, what)) for score in scores))
                                for what in ("detected", "placed", "tensor", "named", "first"))]


def shortcomings(result: Result) -> list[Text]:
    """A paragraph for each kind of shortcoming that there is."""
    kinds = (("Not detected", lambda s: not s.detected),
             ("Not placed in the right layer", lambda s: s.detected and not s.placed),
             ("Not placed in the right tensor", lambda s: s.placed and not s.tensor),
             ("Cause not named", lambda s: s.detected and s.named is False),
             ("Cause not named first", lambda s: s.named and not s.first))
    every, found = by_identifier(), []
    for title, fails in kinds:
        failed = [score for score in result.scores if fails(score)]
        if failed:
            found.append(lines([f"{title}:", *(wrapped(
                line(f"  {misjudged(score, every[score.identifier])}"), indent=" " * 6)
                for score in failed)]))
    return found


def misjudged(score: Score, fault: Fault) -> str:
    """A fault, what was expected and what was said."""
    expected = " and ".join(f"{where(place)} {place.cause}" for place in fault.places)
    found = score.where or "nothing"
    named = f", named {', '.join(score.found)}" if score.found else ""
    return f"{score.identifier}: expected {expected}; said {found}{named}"


def alarms(result: Result) -> Text:
    """False alarms of the check on clean networks and right variants."""
    said: list[str | Text] = []
    for entries, what in ((result.clean, f"clean networks of seed {result.seed}"),
                          (result.variants, "right variants")):
        if entries:
            alarmed = [clean for clean in entries if clean.alarm]
            said.append(f"False alarms: {len(alarmed)} on {len(entries)} {what}.")
            said += [wrapped(line(f"  {clean.variant or f'network {clean.number}'}: "
                                  f"{clean.alarm[:300]}"), indent=" " * 6) for clean in alarmed]
    return lines(said)


def rivals(result: Result, tablefmt: str) -> Text:
    """Of every rule: how many faults it notices, and of these those on whose network it gives no
    alarm without the fault; and its false alarms on clean networks."""
    judged = [score for score in result.scores if score.rivals]
    clean = [entry for entry in result.clean if entry.rivals]
    noticed = part(sum(s.detected for s in judged), len(judged))
    rows = [[OURS, noticed, noticed, part(sum(bool(c.alarm) for c in clean), len(clean))]]
    for name in baseline_rules.NAMES:
        told = sum(s.rivals[name] and not s.by_chance[name] for s in judged)
        rows.append([name, part(sum(s.rivals[name] for s in judged), len(judged)),
                     part(told, len(judged)),
                     part(sum(c.rivals[name] for c in clean), len(clean))])
    return tables.render(["rule", f"faults noticed\n(of {len(judged):,})",
                          f"and silent on the network\nwithout the fault (of {len(judged):,})",
                          f"false alarms\n(of {len(clean):,})"], rows, tablefmt)


def part(count: int, total: int) -> str:
    """'12 (24.0 %)'; nothing where there is nothing to count."""
    return f"{count:,} ({100 * count / total:.1f} %)" if total else ""


def share(count: int, total: int) -> str:
    """'12 of 50 (24 %)'; nothing where there is nothing to count."""
    return f"{count} of {total} ({100 * count / total:.3g} %)" if total else ""


def verdict(result: Result) -> Text:
    """The run in a sentence."""
    if not result.scores and not result.clean and not result.variants:
        return line("Nothing was run.")
    said: list[str] = []
    if result.scores:
        scores, total = result.scores, len(result.scores)
        detected = sum(bool(s.detected) for s in scores)
        tone = good if detected == total else bad
        said += [tone(f"{share(detected, total)} faults detected"),
                 f", {share(sum(s.placed for s in scores), total)} in the right layer, "
                 f"{share(sum(bool(s.first) for s in scores), total)} with the cause named first"]
    for entries, what in ((result.clean, "clean networks"), (result.variants, "right variants")):
        if entries:
            alarmed = sum(bool(clean.alarm) for clean in entries)
            said += ["; " if said else "", (bad if alarmed else good)(f"{alarmed} false alarms"),
                     f" on {len(entries)} {what}"]
    return line(*said, ".")


def listing(faults: list[Fault], tablefmt: str) -> Text:
    """The catalogue itself; on a terminal what belongs together stands in one column."""
    if tablefmt in tables.ON_TERMINAL:
        return tables.render(["identifier", "what it does", "where it is found, and its cause",
                              "learns"],
                             [[fault.identifier, said(fault), places(fault), LEARNS[fault.learns]]
                              for fault in faults], tablefmt)
    rows = [[fault.identifier, fault.family, fault.phase, fault.sentence,
             " + ".join(where(place) for place in fault.places),
             " + ".join(place.cause for place in fault.places),
             "yes" if fault.cancels else "", LEARNS[fault.learns]] for fault in faults]
    return tables.render(["identifier", "family", "phase", "what it does", "where", "cause",
                          "cancels in the output", "reaches the accuracy"], rows, tablefmt)


def said(fault: Fault) -> str:
    """What a fault does, to what, and whether the output shows it."""
    hidden = "; cancels in the output" if fault.cancels else ""
    return f"{fault.sentence} ({fault.family}, {fault.phase}{hidden})"


def places(fault: Fault) -> str:
    return " + ".join(f"{where(place)}: {place.cause}" for place in fault.places)


def where(place: Place) -> str:
    """A layer and its tensor, or one of the places that are no layers."""
    return f"{place.layer} {place.tensor}".strip()


def as_dict(result: Result) -> dict:
    """Everything as plain values, for JSON."""
    return {"schema": "keras-parity faults 1", "passed": bool(result), "verdict": verdict(result),
            "interrupted": result.interrupted, "seed": result.seed,
            "scores": [score.plain() for score in result.scores],
            "variants": [clean.plain() for clean in result.variants],
            "clean": [clean.plain() for clean in result.clean]}
