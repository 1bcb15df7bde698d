"""A report: rows, a verdict in a sentence, and the table that people read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from compare.checks import precisions
from compare.checks.chosen_layers import ChosenLayers
from compare.checks.coverage_gaps import CoverageGap, coverage_gaps, forgetful, unreturned
from compare.checks.gate import Gate
from compare.checks.nonfinite import first_nonfinite
from compare.checks.row import Row
from compare.checks.specification import same_structure
from compare.diagnosis.finding import Finding
from compare.diagnosis.one_class import WholeDiagnosis
from compare.diagnosis.report_diagnosis import Diagnosis
from compare.diagnosis.snapshot import Snapshot
from compare.diagnosis.spans import SpanDiagnosis
from compare.document.display import Displayed
from compare.document.sections import wrapped
from compare.document.text import Text, bad, good, line, lines, strong, warning
from compare.report import row_table
from compare.tracing.known_settings import stands_in
from compare.tracing.topology import Layer, outline
from compare.tracing.trace import Trace

MEASURED = (Gate.FORWARD, Gate.LOSS, Gate.BACKWARD)  # on the batch's own numbers
SHOWN = (*MEASURED, Gate.UPDATE, Gate.WHOLE_NETWORK)  # in the table, also where all passed
Explained = Diagnosis | WholeDiagnosis | SpanDiagnosis | Snapshot
SCHEMA = "keras-parity check 1"


@dataclass(repr=False)
class Report(Displayed):
    """What `compare.check` returns. True if parity holds, as far as it was asked for.

    False if it does not, and also if it is not known: where a row that decides is not judged, for
    no bound holds for its numbers. Then `first_failure` is None and `undecided` has that row.

    Attributes:
        rows: in the order of the gates.
        candidate, reference: who was compared, with versions.
        dtype: the precision in which they were, or several, such as 'mixed_float16 and float32'.
        batch: how many samples were run.
        blind: what mistakes this batch and these weights would hide, and which gate sees them.
        nonfinite: for each side, where its first NaN or infinity arose, if it has any.
        layers: the reference's network, for drawing it.
        explained: what explains the rows that fail, if anything can.
        notes: what else was done, or left out, in a sentence each.
        not_checked: what no row is about: as it is not known, such as 'metric MyMetric', or as it
            was not asked for.
        some: the layers that the verdict is of; None for all, and the network as a whole.
        seconds: how long the check took, if that was measured.
        gate_seconds: likewise of those gates that are run by themselves.
    """

    rows: list[Row]
    candidate: str
    reference: str
    dtype: str
    batch: int
    blind: list[CoverageGap]
    nonfinite: list[str]
    layers: list[Layer] = field(default_factory=list)
    explained: Explained | None = field(default=None, repr=False, compare=False)
    notes: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    some: ChosenLayers | None = None
    seconds: float | None = field(default=None, repr=False, compare=False)
    gate_seconds: dict[Gate, float] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, rows: list[Row], candidate: Trace, reference: Trace,
           explained: Explained | None = None, notes: Sequence[str] = (),
           not_checked: Sequence[str] = (), some: ChosenLayers | None = None) -> "Report":
        """The report on these rows, put in the order of the gates."""
        ordered = sorted(rows, key=lambda row: row.gate.order)
        mark_downstream(ordered)
        return cls(ordered, candidate.producer, reference.producer, precisions.summary(reference),
                   len(reference.x),
                   coverage_gaps(reference) + forgetful(rows, reference)
                   + unreturned(candidate, reference),
                   [f"{side}: {where}" for side, trace in
                    (("candidate", candidate), ("reference", reference))
                    if (where := first_nonfinite(trace))], outline(reference), explained,
                   [*notes, *([] if some is None else [some.note()])],
                   [*not_checked, *([] if some is None else some.left_out)], some)

    def __getstate__(self) -> dict:
        """For pickles and copies: with what was found in place of the networks it was found on,
        which hold TensorFlow's functions. Looks for the causes, if nobody has asked for them."""
        found = self.explained
        if isinstance(found, (Diagnosis, WholeDiagnosis, SpanDiagnosis)):
            found = Snapshot(self.diagnosis, self.cause)
        return {**vars(self), "explained": found}

    def __bool__(self) -> bool:
        return (bool(self.rows) and all(row.passed for row in self.rows)
                and self.undecided is None)

    @property
    def exit_code(self) -> int:
        """Of a command: 0 if parity holds, 1 if a row fails, 2 if none does but one that decides is
        not judged."""
        return 0 if self else 1 if self.first_failure or not self.rows else 2

    @property
    def first_failure(self) -> Row | None:
        """The first row that fails, in the order of the gates."""
        return next((row for row in self.rows if not row.passed), None)

    @property
    def undecided(self) -> Row | None:
        """The first row without which nothing is decided, and that is not judged; None if none is.
        """
        return next((row for row in self.rows if row.decides and not row.judged), None)

    @property
    def diagnosis(self) -> list[Finding]:
        """What is wrong with the first failing tensor of each layer that fails, as far as it is the
        doing of a single layer, of the loss or of the optimizer. Found out when it is asked for.
        """
        if self.explained is None:
            return []
        return self.explained.findings(self.rows)

    @property
    def cause(self) -> Finding | None:
        """The finding on the first failure that has one, None if none has."""
        if self.explained is None:
            return None
        return self.explained.first(self.rows)

    @property
    def structure_holds(self) -> bool:
        """Whether the two have the same layers and precision."""
        return same_structure(self.rows)

    def accuracy_ratio(self) -> float | None:
        """The candidate's error over the reference's, both against the float64 oracle.

        The geometric mean over all tensors of single layers where both erred: below 1, the
        candidate is the more accurate of the two. None where nothing was rounded, and in float64,
        where the oracle is no more accurate than they are.
        """
        if self.dtype == "float64":
            return None
        ratios = [row.candidate_error / row.reference_error for row in self.rows
                  if row.gate in MEASURED
                  and row.candidate_error and row.reference_error
                  and np.isfinite(row.candidate_error) and np.isfinite(row.reference_error)]
        return float(np.exp(np.mean(np.log(ratios)))) if ratios else None

    def summary(self) -> Text:
        """The verdict in one sentence, and what it is not about in another."""
        if not self.not_checked:
            return self._verdict()
        # of a step only layers and loss are judged where the optimizer is not known
        instead = " (SGD took its place in training)" if any(
            row.gate is Gate.LOCKSTEP for row in self.rows) and stands_in(self.not_checked) else ""
        return line(self._verdict(), " ", strong("Not checked"),
                    f": {', '.join(self.not_checked)}{instead}.")

    def _verdict(self) -> Text:
        failure, undecided = self.first_failure, self.undecided
        if failure is None and undecided is not None:
            number = sum(not row.judged for row in self.rows)
            advice = ("What is not a number equals nothing: look where the first one arises."
                      if "NaN" in undecided.note else "Check on numbers of smaller size.")
            return line(warning("No verdict"), f": {number} of {len(self.rows)} rows are not "
                        "judged, all others are within what rounding can explain. First at gate "
                        f"'{undecided.gate}': {undecided.name}, {undecided.note}. {advice}")
        if failure is None:
            # a single rounding, as in an update, nearly fills its bound on every machine
            measured = [row for row in self.rows if row.gate in MEASURED]
            used = max((row.used for row in measured or self.rows), default=0.0)
            of = "of layers and loss, " if measured else ""
            ratio, open_ = self.accuracy_ratio(), [r for r in self.rows if not r.judged]
            judged = f"all {len(self.rows)} rows are"
            if open_:
                judged = (f"{len(self.rows) - len(open_)} of {len(self.rows)} rows are judged, and "
                          "they are")
            more = (" Measured against float64, the candidate's rounding errors are "
                    f"{ratio:.2g} times the reference's.") if ratio else ""
            whom = "" if self.some is None else f" for the {self.some.share} that were checked"
            return line(good(f"Parity holds{whom}"), f": {judged} within what "
                        f"rounding can explain; {of}the worst used "
                        f"{100 * used:.0f} % of its bound.{more}")
        failed = sum(not row.passed for row in self.rows)
        return line(bad("Parity does not hold"), ": ",
                    bad(f"{failed} of {len(self.rows)} rows fail"),
                    f". First at gate '{failure.gate}': {describe(failure)}")

    def headline(self) -> str:
        """Why parity does not hold, in one line: which layer, which tensor and what is wrong with
        it; the verdict where no row fails."""
        failure = self.first_failure
        if failure is None:
            return line(self.summary())
        finding = self.cause
        if finding is None or not finding.causes:
            return line(describe(failure))
        return line(f"{finding.layer} {finding.tensor}: {finding.sentence}.")

    def gates(self) -> Text:
        """One line: every gate, and how many of its rows passed."""
        said = []
        for gate in Gate:
            rows = [row for row in self.rows if row.gate == gate]
            passed = sum(row.passed and row.judged for row in rows)
            if rows:
                said.append(f"{gate} {passed}/{len(rows)}")
        return line(strong("Gates passed"), ": ", ", ".join(said))

    def table(self, tablefmt: str = "simple", wide: bool = False) -> Text:
        """The rows of layers, loss and update, and whatever else failed, in tabulate's formats.

        Args:
            tablefmt: any of tabulate's formats.
            wide: every figure of every row, see `compare.report.row_table.COLUMNS`.
        """
        shown = [row for row in self.rows if wide or not row.passed or not row.judged
                 or row.gate in SHOWN]
        return row_table.render(shown, self.rows, tablefmt, wide)

    def failures(self, tablefmt: str = "simple") -> Text:
        """The rows that failed, as a table."""
        return row_table.render([row for row in self.rows if not row.passed], self.rows, tablefmt)

    def render(self, tablefmt: str = "simple", wide: bool = False) -> Text:
        """Title, table, how to read it, gates and the verdict, for a terminal."""
        title = line(f"{self.candidate} (candidate) against {self.reference} (reference), "
                     f"{self.dtype}, batch of {self.batch}")
        origins = [line(f"First NaN or infinity of the {origin}") for origin in self.nonfinite]
        reading = [] if wide else [row_table.READING]
        after = [*reading, self.gates(), *origins, self.blindness(), *self.explanation()[:1],
                 self.summary()]
        before = [title, *(line(note) for note in self.notes)]
        return lines([*map(wrapped, before), "", self.table(tablefmt, wide), "",
                      *map(wrapped, after)])

    def explanation(self) -> list[Text]:
        """Cause, evidence and remedy of the first failure, wrapped; none if none is known."""
        finding = self.cause
        if finding is None:
            return []
        indent = " " * 7
        said = (line(strong("Cause"), f": {finding.layer} {finding.tensor}: {finding.sentence}."),
                line(indent, strong("Evidence"), f": {finding.evidence}."),
                line(indent, strong("Remedy"), f": {finding.remedy}"))
        return [wrapped(text, indent) for text in said]

    def __str__(self) -> str:
        return self.render()

    def __repr__(self) -> str:
        return f"<Report: {self.summary()}>"

    def blindness(self) -> Text:
        """What the real numbers of this batch could not have shown, and what covers it."""
        if not self.blind:
            return line("This batch hides no class of mistakes that is known.")
        probed = {row.gate for row in self.rows}
        covered = [spot for spot in self.blind if spot.seen_by in probed]
        open_ = [spot for spot in self.blind if spot.seen_by not in probed]
        said = []
        if open_:
            said += ["What nothing here could have shown:", *(f"  - {spot}" for spot in open_)]
        if covered:
            said += ["What this batch alone could not have shown; numbers drawn for it were run "
                     "besides:", *(f"  - {spot}" for spot in covered)]
        return lines(said)

    def as_dict(self) -> dict:
        """Everything as plain values, for JSON."""
        return {"schema": SCHEMA, "passed": bool(self), "verdict": self.summary(),
                "candidate": self.candidate, "reference": self.reference, "dtype": self.dtype,
                "batch": self.batch, "blind": list(map(str, self.blind)),
                "nonfinite": self.nonfinite, "notes": self.notes, "not_checked": self.not_checked,
                "accuracy_ratio": self.accuracy_ratio(),
                "findings": [finding.as_dict() for finding in self.diagnosis],
                "rows": [row.as_dict() for row in self.rows]}


def describe(row: Row) -> str:
    """What is wrong with one row, in a sentence."""
    if row.note and row.actual is None:
        return f"{row.name or row.tensor}: {row.note}."
    place = f" at {list(row.index)}" if row.index else ""
    text = f"{row.name}{place} is {row.actual:.9g}, expected {row.expected:.9g}"
    if np.isfinite(row.used):
        text += (f", where rounding explains {row.allowed:.2g}; {row.over} of {row.size} elements "
                 f"are over their bound, the worst {row.used:.3g} times.")
    else:
        text += f", where nothing may differ; {row.over} of {row.size} elements do."
    if row.off:
        whose = {"candidate": "the candidate is off", "reference": "the reference is off",
                 "both": "both are off"}[row.off]
        text += f" Against the float64 oracle, {whose}."
    return text + (f" ({row.note})" if row.note else "")


def mark_downstream(rows: list[Row]) -> None:
    """Mark failures behind an earlier one of the same layer, or of any layer for whole networks.

    All other rows are a layer's own doing: each was run on the reference's input and gradient.
    """
    failed: set[str] = set()
    for row in rows:
        layer = row.layer.split("/")[0]
        if row.passed:
            continue
        row.downstream = layer in failed or (bool(failed) and row.gate.whole)
        failed.add(layer)
