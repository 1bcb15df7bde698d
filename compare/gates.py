"""Every gate on a candidate and a recorded reference, and the report on all their rows.

What each layer does alone comes first; on structures that are not the same nothing else can be
said. The probes, the network as a whole, its later steps and its training follow.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from compare import adapters
from compare.checks import (
    counted_metrics,
    end_to_end,
    entry_points,
    extremes,
    in_place,
    integer_probe,
    later_updates,
    noise_distribution,
    outside,
    precisions,
    sparse_probe,
    specification,
    told_in_training,
    training_trajectory,
)
from compare.checks.chosen_layers import ChosenLayers
from compare.checks.gate import Gate
from compare.checks.layerwise import Layerwise
from compare.checks.row import Row, forget_observed
from compare.diagnosis.report_diagnosis import Diagnosis
from compare.inputs.live_keras import keras_loss, keras_ops
from compare.oracle.expected import learned
from compare.report.report import Report
from compare.report.timing import Stopwatch
from compare.tracing import known_settings, memory, placeholder, set_aside, shared_weights
from compare.tracing.carried_states import from_zeros
from compare.tracing.model_kinds import is_keras
from compare.tracing.ops import ops_of, whole_layers
from compare.tracing.trace import Trace
from scratch.several import mapped


def report_on(model, twin, called, reference: Trace, given: dict, probes: bool, steps: int,
              notes: list[str], left_out: list[str], some: ChosenLayers | None) -> Report:
    """The report on a candidate and a recorded reference.

    Args:
        called: the twin as its owner calls it, compiled or not.
        given: what the candidate is recorded with, besides x.
        left_out: what of the settings is not known.
        some: the layers that are checked; None for all, and for the network as a whole.
    """
    with from_zeros(model):
        return _report_on(model, twin, called, reference, given, probes, steps, notes, left_out,
                          some)


def _report_on(model, twin, called, reference: Trace, given: dict, probes: bool, steps: int,
               notes: list[str], left_out: list[str], some: ChosenLayers | None) -> Report:
    whole = whole_layers(model)
    # whoever changes its input in place changes that of one run alone
    reference = replace(reference, x=mapped(np.array, reference.x))
    notes = [*notes, *precisions.notes(reference), *told_in_training.notes(reference)]
    only = None if some is None else some.positions
    if is_keras(twin):
        outside.attach(reference, twin, whole)
    candidate, its_own = placeholder.recorded(
        model, reference, mapped(np.array, reference.x), **given)
    candidate.runs, candidate.x = reference.runs, reference.x
    shared_weights.share(candidate.parts, reference.parts)
    memory.give_back()
    in_place_rows = in_place.of_loss(model, reference)
    notes += outside.notes(reference)
    report = compare_traces(candidate, reference, ops_of(model), model, notes, left_out,
                            some)
    rows = report.rows = without_steps(report.rows + in_place_rows, reference, left_out)
    if not its_own:
        forget_observed(rows)
    if not report.structure_holds:
        return report
    set_aside.set_aside([*(part.weight_gradients for part in candidate.parts),
                         *(part.updated for part in (*candidate.parts, *reference.parts))])
    memory.give_back()
    watch = Stopwatch()
    if probes:
        own, theirs = ops_of(model), keras_ops(twin, whole)
        with watch.on(Gate.WHOLE_NUMBERS):
            rows = rows + integer_probe.probe(candidate, own, theirs, only=only)
        with watch.on(Gate.FEW_TERMS):
            rows = rows + sparse_probe.probe(candidate, own, theirs, only=only)
        with watch.on(Gate.EXTREMES):
            rows = rows + extremes.probe(candidate, own, theirs, model, keras_loss(twin), only)
    if some is None:
        rows = without_steps(rows + _beyond_single_layers(model, twin, reference, steps, notes,
                                                           watch),
                             reference, left_out)
        if is_keras(called):
            rows = rows + entry_points.rows(model, called, reference)
            notes += [] if reference.y is None else counted_metrics.note(model)
    elif reference.training:
        rows = rows + [row for row in noise_distribution.rows(model, reference)
                       if row.layer in some.names]
    outside.mark(rows, reference)
    explained = Diagnosis(candidate, reference, ops_of(model), keras_ops(twin, whole), model,
                          twin if is_keras(twin) else None)
    made = Report.of(rows, candidate, reference, explained, notes, left_out, some)
    made.gate_seconds = watch.seconds
    return made


def without_steps(rows: list[Row], reference: Trace, left_out: list[str]) -> list[Row]:
    """The rows without those on an optimizer's own steps, if another stands in for it: they would
    say nothing."""
    if not known_settings.stands_in(left_out):
        return rows
    stepped = {(reference.parts[i].name, name) for i, name in learned(reference)}
    return [row for row in rows
            if not (row.gate is Gate.NETWORK and row.tensor == "optimizer")
            and not (row.gate is Gate.UPDATE
                     and (row.layer == later_updates.LATER or (row.layer, row.tensor) in stepped))]


def _beyond_single_layers(model, twin, reference: Trace, steps: int,
                          notes: list[str], watch: Stopwatch) -> list[Row]:
    """Rows of the optimizer's later steps, of noise, of the whole network and of its training."""
    rows = end_to_end.rows(model, reference) + _as_its_owner_runs_it(model, reference, notes)
    memory.give_back()
    if reference.training:
        rows += (later_updates.rows(model, reference, twin)
                 + noise_distribution.rows(model, reference))
    if steps and reference.y is not None and is_keras(twin):
        notes += training_trajectory.about_classes(reference)
        with watch.on(Gate.LOCKSTEP):
            rows.append(training_trajectory.verdict(model, twin, reference.x, reference.y, steps,
                                                    reference.sample_weight, reference))
    return rows


def _as_its_owner_runs_it(model, reference: Trace, notes: list[str]) -> list[Row]:
    """The row for a network of somebody's layers, run as they are; none for other networks, and
    where it is not known how their owner runs them: then `notes` get a sentence."""
    def run(turned=()) -> adapters.Untouched:
        return adapters.untouched(model, mapped(np.array, reference.x), turned)

    whole = run()
    if whole.output is None:
        if whole.reason:
            notes.append("Whether the layers fit together as they are is not known: run one after "
                         f"the other, {whole.reason}.")
        return []
    # whoever declares axes in another order turns them; what is flattened looks alike
    flattened = {seam.position: str(seam) for seam in whole.seams if seam.flattened is not None}
    row, explained = end_to_end.as_its_owner_runs_it(
        whole.output, reference, flattened, lambda position: run((position,)).output)
    if row.passed or not whole.seams or (whole.loaded and explained):
        return [row]
    advice = ("" if whole.loaded or not flattened else " Hand them over with the network's weights "
              "loaded, as their owner loads them, to have it checked.")
    notes.append("Whether the layers fit together as they are is not known: "
                 f"{'; '.join(map(str, whole.seams))}.{advice}")
    return []


def compare_traces(candidate: Trace, reference: Trace, ops=None, model=None,
                   notes: Sequence[str] = (), not_checked: Sequence[str] = (),
                   some: ChosenLayers | None = None) -> Report:
    """The report on two traces; `ops` and `model` are the candidate's, if it can be run."""
    rows = specification.network(candidate, reference)
    if specification.same_structure(rows):
        outside.require_oracles(reference)
        rows += specification.weights(candidate, reference)
        rows += Layerwise(candidate, reference, ops, model,
                          None if some is None else some.positions).rows()
    return Report.of(rows, candidate, reference,
                     Diagnosis(candidate, reference, ops, None, model), notes, not_checked, some)
