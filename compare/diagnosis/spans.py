"""What explains the rows of a report in which some objects stand for several layers each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from compare.checks.one_class import NETWORK
from compare.checks.row import Row
from compare.diagnosis.finding import Finding
from compare.diagnosis.one_class import WholeDiagnosis
from compare.diagnosis.report_diagnosis import Diagnosis


@dataclass
class SpanRows:
    """The rows on one object.

    Attributes:
        name: of its layers together.
        own: as they were judged, of a network by itself.
        shown: the same as they stand in the report.
        explained: what explains them.
    """

    name: str
    own: list[Row]
    shown: list[Row]
    explained: WholeDiagnosis

    def first(self) -> Finding | None:
        """The finding on what failed first."""
        found = self.explained.first(self.own)
        return replace(found, layer=self.name) if found and found.layer == NETWORK else found


class SpanDiagnosis:
    """Explains the rows of such objects each by itself, and all others as ever.

    Args:
        others: of the other rows.
        spans: of these objects.
    """

    def __init__(self, others: Diagnosis, spans: Sequence[SpanRows]) -> None:
        self.others, self.spans = others, spans

    def _rest(self, rows: list[Row]) -> list[Row]:
        mine = {id(row) for span in self.spans for row in span.shown}
        return [row for row in rows if id(row) not in mine]

    def findings(self, rows: list[Row]) -> list[Finding]:
        """One for each object of which a row fails, then those on the other rows."""
        return [*filter(None, (span.first() for span in self.spans)),
                *self.others.findings(self._rest(rows))]

    def first(self, rows: list[Row]) -> Finding | None:
        """The finding on the first row that fails."""
        failed = next((row for row in rows if not row.passed), None)
        for span in self.spans:
            if any(row is failed for row in span.shown):
                return span.first()
        return self.others.first(self._rest(rows))
