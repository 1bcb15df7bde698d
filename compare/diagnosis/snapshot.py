"""Findings without the networks that they were made on, so that they can travel and be kept."""

from dataclasses import dataclass

from compare.checks.row import Row
from compare.diagnosis.finding import Finding


@dataclass(frozen=True)
class Snapshot:
    """What a `Diagnosis` found in the rows of one report; it answers for them as that would.

    Attributes:
        found: for the first failing tensor of each layer, of the loss and of the update.
        cause: on the first row that failed and has one.
    """

    found: list[Finding]
    cause: Finding | None

    def findings(self, rows: list[Row]) -> list[Finding]:
        """See `Diagnosis.findings`."""
        return self.found

    def first(self, rows: list[Row]) -> Finding | None:
        """See `Diagnosis.first`."""
        return self.cause
