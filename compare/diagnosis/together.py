"""What explains an array of a runtime that made one operation of several layers: of those before
the last there is no array, and the mistake may be in any of them."""

from dataclasses import replace

import numpy as np

from compare.checks.gate import Gate
from compare.checks.given_outputs import TOGETHER
from compare.checks.one_class import NETWORK, Made, Right, rows
from compare.checks.row import Row
from compare.diagnosis.finding import Finding
from compare.diagnosis.observation import CANNOT
from compare.diagnosis.one_class import WholeDiagnosis
from compare.diagnosis.report_diagnosis import Diagnosis
from compare.tracing.stretch import stretch


class TogetherDiagnosis(Diagnosis):
    """Explains a row by the layer itself, or else by one of those that it is judged with."""

    def _explain(self, row: Row, seconds) -> Finding | None:
        finding = super()._explain(row, seconds)
        if row.gate is not Gate.FORWARD or not row.note.startswith(TOGETHER) or \
                (finding is not None and finding.causes):
            return finding
        names = row.note.removeprefix(TOGETHER).split(", of which")[0].split(", ")
        return self._of_those((*names, row.layer)) or finding

    def _of_those(self, names: tuple[str, ...]) -> Finding | None:
        """The finding on these layers, one after the other, as if they were a network."""
        last = next(i for i, part in enumerate(self.candidate.parts) if part.layer == names[-1])
        try:
            trace = stretch(self.candidate, names)
            right = Right(trace)
        except CANNOT:  # such as layers that do not follow one another
            return None
        key = NETWORK, "output"
        array = self.candidate.parts[last].output
        room = np.asarray(self.slack.get(last, 0.0))
        made = Made({key: array}, {key: room}, {}, [key], [])
        found = WholeDiagnosis(trace, right, made).first(rows(made, right))
        return None if found is None or not found.causes else replace(
            found, tensor="output")
