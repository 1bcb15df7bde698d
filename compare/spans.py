"""Objects that stand for several of Keras's layers each, judged beside the layers of their list.

Each is handed what the reference handed to the first of its layers, and on the way back the
gradient that reached the last; of what lies between nothing is seen. So it is judged as a network
in one class is: by its output and its gradients, with the bounds carried through its layers.
"""

from collections.abc import Sequence
from dataclasses import replace

from compare.adapters import Conventions, Span
from compare.checks.gate import Gate
from compare.checks.one_class import NETWORK
from compare.checks.row import Row
from compare.diagnosis.spans import SpanDiagnosis, SpanRows
from compare.one_class import judged
from compare.report.report import Report, mark_downstream
from compare.tracing.stretch import stretch
from compare.tracing.trace import Trace

GATES = {"output": Gate.FORWARD, "logits": Gate.FORWARD, "inference": Gate.INFERENCE,
         "value": Gate.LOSS}


def added(report: Report, spans: Sequence[Span], reference: Trace, probes: bool) -> Report:
    """The report with the rows of these objects in place of those of the layers that stand in.

    Args:
        report: on the network in which this project's own layers stand at their places.
        reference: the trace that it is on.
        probes: whether the objects are run on whole numbers, too.

    Raises:
        ValueError: for what `compare.wrap` was not told of an object.
    """
    if report.some is not None:
        spans = [span for span in spans if set(span.names) & set(report.some.names)]
    if not spans or not report.structure_holds:
        return report
    made = []
    for span in spans:
        trace = stretch(reference, span.names)
        how = _by_paths(span.how, trace)
        rows, explained, notes, left_out = judged(how, trace, span.names[0] != _first(reference),
                                                   probes)
        shown = [replace(row, gate=_gate(row), layer=span.name if row.layer == NETWORK
                         else row.layer) for row in rows]
        made.append(SpanRows(span.name, rows, shown, explained))
        report.notes += [f"{span.name} are one object, {how.name}, judged from what the first "
                         "reads to what the last gives. Where the network as a whole is run or "
                         "trained, this project's own layers stand in for it.", *notes]
        report.not_checked += [f"{each} of {how.name}" for each in left_out]
    names = {name for span in spans for name in span.names}
    loss = any(row.gate is Gate.LOSS for each in made for row in each.shown)
    rest = [row for row in report.rows
            if not (row.gate.single_layer and row.layer.split("/")[0] in names)
            and not (loss and row.gate is Gate.LOSS)]
    report.rows = sorted([*rest, *(row for each in made for row in each.shown)],
                         key=lambda row: row.gate.order)
    mark_downstream(report.rows)
    report.explained = SpanDiagnosis(report.explained, made)  # type: ignore[arg-type]
    return report


def _first(reference: Trace) -> str:
    return reference.parts[0].layer


def _gate(row: Row) -> Gate:
    if row.gate is Gate.WHOLE_NUMBERS:
        return row.gate
    if row.tensor.endswith("_gradient") or row.tensor == "gradients":
        return Gate.BACKWARD
    return GATES.get(row.tensor, Gate.UPDATE)


def _by_paths(how: Conventions, trace: Trace) -> Conventions:
    """The conventions with weights by their paths, 'dense/kernel', where they are told by names
    that one of the layers alone has."""
    paths: dict[str, str] = {}
    for part in trace.parts:
        for name in part.weights:
            paths[name] = "" if name in paths else f"{part.layer}/{name}"

    def path(name: str) -> str:
        if paths.get(name) == "":
            owners = [f"'{part.layer}/{name}'" for part in trace.parts if name in part.weights]
            raise ValueError(f"Expected to be told of which layer {how.name} keeps the {name}: "
                             f"weights={{{': ..., '.join(owners)}: ...}}. "
                             f"Received: {name}=...")
        return paths.get(name, name)

    def returned(gives):
        return None if gives is None else tuple(
            returned(each) if not isinstance(each, str) else
            f"{path(each.removesuffix('_gradient'))}_gradient"
            if each.removesuffix("_gradient") in paths else each for each in gives)

    gradients = how.gradients if not isinstance(how.gradients, dict) else {
        path(name): place for name, place in how.gradients.items()}
    return replace(how, kernel=None, bias=None, gradients=gradients,
                   weights={path(name): place for name, place in how.weights.items()},
                   backward_gives=returned(how.backward_gives))
