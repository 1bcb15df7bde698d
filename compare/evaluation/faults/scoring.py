"""One fault put in, checked, and scored: noticed, where, in which tensor, under which name."""

import copy
import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import compare
from compare.checks.gate import Gate
from compare.diagnosis.report_diagnosis import Diagnosis
from compare.evaluation.faults.fault import LOSS, OPTIMIZER, TRAINING, UNKNOWN, Fault, Place
from compare.evaluation.fuzzing.specification import (
    Specification,
    batch_of,
    output_shapes,
    sample_weights_of,
    targets_of,
    upstream_of,
)
from compare.inputs import twins
from compare.report.report import Report

MOVED = ("moving", "vector_u")  # how names of weights begin that passes change, not the optimizer


@dataclass
class Score:
    """What became of one fault.

    Attributes:
        identifier, family: the fault's.
        detected: whether the check failed.
        placed: whether the layers that it blames are those that are wrong, and the side too.
        tensor: whether the tensor is right as well.
        named: whether the right cause is among those named; None where nothing was diagnosed.
        first: whether it is named first.
        where: what the check says first.
        found: the causes, in the order named.
        seconds: how long check and diagnosis took.
        rivals: whether each of the other rules gave the alarm, by their names.
        by_chance: likewise for the same network without the fault, where every alarm is a false
            one.
    """

    identifier: str
    family: str
    detected: bool
    placed: bool
    tensor: bool
    named: bool | None = None
    first: bool | None = None
    where: str = ""
    found: list = field(default_factory=list)
    seconds: float = 0.0
    rivals: dict = field(default_factory=dict)
    by_chance: dict = field(default_factory=dict)

    def plain(self) -> dict:
        return asdict(self)


@dataclass
class Case:
    """A clean network, its twin in Keras, and the batch they are compared on."""

    model: Any
    twin: Any
    x: Any
    y: Any
    upstream: Any
    weight: Any

    @classmethod
    def of(cls, network: Specification) -> "Case":
        model = network.build()
        _, twin = twins.twins(model)
        output = output_shapes(network, model)
        if network.loss is None:
            return cls(model, twin, batch_of(network), None, upstream_of(network, output), None)
        return cls(model, twin, batch_of(network), targets_of(network, output), None,
                   sample_weights_of(network, output))

    def broken(self, fault: Fault) -> "Case":
        """A copy with the fault in it. Keras's side is made anew, so that the clean one stays."""
        if fault.side == "candidate":
            model = copy.deepcopy(self.model)
            fault.inject(model)
            return Case(model, self.twin, self.x, self.y, self.upstream, self.weight)
        model, twin = twins.twins(copy.deepcopy(self.model))
        fault.inject(twin)
        return Case(model, twin, self.x, self.y, self.upstream, self.weight)

    def check(self, steps: int = 0) -> Report:
        return compare.check(self.model, self.twin, self.x, self.y, upstream=self.upstream,
                             sample_weight=self.weight, steps=steps)


class Cases:
    """Clean networks, each built once."""

    def __init__(self):
        self._made: dict[str, Case] = {}

    def __getitem__(self, network: Specification) -> Case:
        key = json.dumps(network.plain(), sort_keys=True)
        if key not in self._made:
            self._made[key] = Case.of(network)
        return self._made[key]


def score(fault: Fault, cases: Cases, diagnose: bool = True) -> Score:
    """Put the fault in, check, and see what the verdict is worth. An error is no verdict.

    Args:
        diagnose: also ask for the causes.
    """
    broken = cases[fault.network].broken(fault)
    began = time.perf_counter()
    try:
        report = broken.check(fault.steps)
    except Exception as error:
        where = f"raised {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return Score(fault.identifier, fault.family, False, False, False, where=where,
                     seconds=time.perf_counter() - began)
    first = report.first_failure
    where = "" if first is None else f"{first.gate}: {first.layer} {first.tensor}"
    made = Score(fault.identifier, fault.family, not report, placed(fault, report),
                 tensor_found(fault, report), where=where)
    if diagnose:
        made.named, made.first, made.found = causes_found(fault, report)
    made.seconds = time.perf_counter() - began
    return made


def causes_found(fault: Fault, report: Report) -> tuple[bool, bool, list[str]]:
    """(whether the cause in each place is named, whether first, all that is named)."""
    named = first = True
    found = []
    for place in fault.places:
        best, *others = explanations(place, report)
        faults_here = sum((other.layer, other.tensor) == (place.layer, place.tensor)
                          for other in fault.places)
        right = {cause for cause in place.causes if cause != UNKNOWN}  # which is no name
        first &= len(best) == faults_here and not right.isdisjoint(best)
        named &= any(not right.isdisjoint(causes) for causes in [best, *others])
        found += [" + ".join(causes) for causes in [best, *others]]
    return named, named and first, list(dict.fromkeys(found))


def explanations(place: Place, report: Report) -> list[tuple[str, ...]]:
    """What the diagnosis names for a place: the first explanation and those that equal it, each of
    one cause or more; 'unknown' where there is none."""
    if isinstance(report.explained, Diagnosis) and report.structure_holds:
        for row in report.rows:
            if not row.passed and at(row, place):
                finding = report.explained.explain(row)
                if finding is not None and finding.causes:
                    return [tuple(cause.identifier for cause in causes)
                            for causes in (finding.causes, *finding.alternatives)]
    return [(UNKNOWN,)]


def placed(fault: Fault, report: Report) -> bool:
    """Whether exactly the layers that are wrong are blamed, and the side that is wrong."""
    failed = [row for row in report.rows if not row.passed]
    if not failed:
        return False
    if any(row.off not in ("", fault.side) for row in failed if not row.gate.whole):
        return False
    blamed = {spot(row) for row in failed if not row.downstream}
    return blamed == {place.layer for place in fault.places}


def tensor_found(fault: Fault, report: Report) -> bool:
    """Whether the first failure in each place is the tensor that is wrong."""
    if not placed(fault, report):
        return False
    failed = [row for row in report.rows if not row.passed]
    if fault.is_pair:
        return all(any(at(row, place) for row in failed) for place in fault.places)
    return at(failed[0], fault.places[0])


def at(row, place: Place) -> bool:
    """Whether a row tells of that place; without a tensor, any in it."""
    return spot(row) == place.layer and place.tensor in ("", row.tensor)


def spot(row) -> str:
    """Whose doing a failed row is: a layer's, the loss's, the optimizer's or the training's."""
    if row.gate.whole:
        return TRAINING
    if row.gate is Gate.UPDATE and not row.tensor.startswith(MOVED):
        return OPTIMIZER
    return LOSS if row.gate is Gate.LOSS else row.layer.split("/")[0]
