"""Which rows of a report a test looks at."""


def failed(report) -> list[tuple]:
    """(gate, layer, tensor) of each row that did not pass."""
    return [(row.gate, row.layer, row.tensor) for row in report.rows if not row.passed]


def rows_of(report, gate) -> list:
    """Those of one gate."""
    return [row for row in report.rows if row.gate == gate]
