"""Diagnosis of a report: which rows to explain, and what is known of how they came about."""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from compare.checks import specification
from compare.checks.end_to_end import END_TO_END
from compare.checks.extreme_losses import LossDraw
from compare.checks.extremes import ALONE, OVERWRITTEN
from compare.checks.gate import Gate
from compare.checks.later_updates import AT, IN_PLACE, keys_of
from compare.checks.layerwise import MOVES, ONE_SAMPLE
from compare.checks.row import Row
from compare.checks.specification import same_structure
from compare.diagnosis.constraint_causes import cause_of_constraint
from compare.diagnosis.finding import Cause, Finding
from compare.diagnosis.free_running import cause_between_layers
from compare.diagnosis.inference import diagnose_suspect
from compare.diagnosis.joint_losses import diagnose_sum
from compare.diagnosis.later_updates import LaterSteps, diagnose_first, diagnose_later
from compare.diagnosis.noise import cause_of_noise
from compare.diagnosis.purity import RECORDED, moves_outside_of_training
from compare.diagnosis.runners import FunctionRunner, StepRunner
from compare.diagnosis.search import PAIR_SECONDS
from compare.diagnosis.standalone import diagnose_loss, diagnose_optimizer, diagnose_steps
from compare.diagnosis.suspect import Suspect
from compare.diagnosis.told_by_row import missing_or_reshaped, raised, told, unexplained
from compare.diagnosis.training_causes import diagnose_training
from compare.diagnosis.weights_elsewhere import found_elsewhere
from compare.oracle import expected
from compare.oracle.expected import oracle_of
from compare.oracle.regularization import of_outputs, of_weights, regularizer_of, total
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.configs import layer_config
from compare.tracing.global_state import leaving_no_trace
from compare.tracing.layer_error import LayerError
from compare.tracing.loss_scale import rule_of
from compare.tracing.loss_terms import is_joint, terms_of
from compare.tracing.masks import along
from compare.tracing.shared_weights import total_gradient
from compare.tracing.trace import Trace

PLAYED_BACK = "arrays that were recorded"  # what the error of a layer that plays them back says
NAMED = (OVERWRITTEN, ALONE)  # the notes of rows that name their cause themselves


class Diagnosis:
    """Explains the rows of a report that failed; nothing is run before it is asked for.

    Args:
        candidate, reference: the traces that were compared.
        ops, reference_ops: what can be run of either side; None if it cannot.
        model: the candidate, whose loss and optimizer are run; None likewise.
        twin: the reference, a live Keras model; None likewise.
        slack: by position of the part, how much more than rounding in that op alone its recorded
            output was allowed.
    """

    def __init__(self, candidate: Trace, reference: Trace, ops=None, reference_ops=None,
                 model=None, twin=None, slack: dict[int, np.ndarray] | None = None):
        self.candidate, self.reference = candidate, reference
        self.ops, self.reference_ops = ops, reference_ops
        self.model, self.twin = model, twin
        self.slack = slack or {}
        self.known: dict[tuple, Finding | None] = {}
        self.searched: dict[tuple, Finding | None] = {}
        # by tensor of a side, the seconds left to look for two causes: all gates that it fails
        # search the same pairs
        self.left: dict[tuple, float] = {}

    def findings(self, rows: list[Row]) -> list[Finding]:
        """For the first failing tensor of each layer, of the loss and of the update."""
        found: list[Finding] = []
        seen: set = set()
        if not same_structure(rows):
            rows = [row for row in rows if row.gate is Gate.NETWORK]
        for row in rows:
            layer = row.layer.split("/")[0] if row.of_layer else (
                Gate.LOSS if row.gate is Gate.EXTREMES else row.gate, row.layer)
            if row.passed or layer in seen or (row.gate is Gate.LOCKSTEP and found):
                continue
            finding = self.explain(row)
            if finding is not None:
                seen.add(layer)
                if not (row.gate is Gate.WHOLE_NETWORK and _said(finding, found)):
                    found.append(finding)
        failed = next((row for row in rows if not row.passed), None)
        return found or ([unexplained(failed)] if failed is not None else [])

    def first(self, rows: list[Row]) -> Finding | None:
        """The finding on the first row that failed and has one; on the first one that says what is
        to be seen, if none has."""
        if not same_structure(rows):
            rows = [row for row in rows if row.gate is Gate.NETWORK]
        failed = [row for row in rows if not row.passed]
        found = (finding for row in failed if (finding := self.explain(row)) is not None)
        return next(found, unexplained(failed[0]) if failed else None)

    @leaving_no_trace
    def explain(self, row: Row, seconds: float = PAIR_SECONDS) -> Finding | None:
        """The finding on one row; None for what is no single computation, or right on all numbers.
        """
        key = (row.gate, row.layer, row.tensor)
        if key not in self.known:
            try:
                finding = (found_elsewhere(row, self.candidate, self.reference) or told(row)
                           or self._explain(row, seconds))
            except LayerError as error:  # of somebody's own, run once more
                finding = Finding(row.layer, row.tensor, "candidate",
                                  (Cause("raised", str(error)),), before=row.used)
            if finding is None or not finding.causes:
                seen = "" if finding is None else finding.looks_like
                finding = missing_or_reshaped(row, seen) or raised(row) or finding
            self.known[key] = finding
        return self.known[key]

    def _explain(self, row: Row, seconds) -> Finding | None:
        if row.gate is Gate.LOSS:
            return self._loss(row, seconds)
        if row.gate is Gate.LOCKSTEP:
            return self._lockstep(row, seconds)
        if row.gate is Gate.WHOLE_NETWORK:
            return self._between_layers(row)
        if row.note == MOVES:
            return Finding(row.layer, row.tensor, "candidate", (Cause("training-flag", MOVES),),
                           before=row.used)
        if row.note.startswith(ONE_SAMPLE):
            cause = Cause("state-leak", RECORDED) if PLAYED_BACK in row.note else \
                Cause("batch-of-one", "the others were right as a batch")
            return Finding(row.layer, row.tensor, "candidate", (cause,), before=row.used)
        if row.note.startswith(IN_PLACE):
            return Finding("optimizer", row.tensor, "candidate",
                           (Cause("input-modified", "the gradients"),), before=row.used)
        if row.gate is Gate.UPDATE and AT in row.tensor:
            return self._later(row, seconds)
        if row.gate is Gate.EXTREMES and (isinstance(row.drawn, LossDraw)
                                          or row.layer == "loss" or row.note.startswith(NAMED)):
            return self._at_an_extreme(row, seconds)
        if not (row.gate.single_layer or row.gate is Gate.UPDATE):
            return None
        number = next((i for i, part in enumerate(self.candidate.parts)
                       if part.name == row.layer), None)
        if number is None:
            return None
        part = self.reference.parts[number]
        if row.tensor == "noise":
            return self._noise(row, number)
        if row.gate is Gate.UPDATE and row.tensor in part.weight_gradients:
            overwritten = row.tensor in oracle_of(self.reference, part).overwrites
            finding = (self._of_suspect(row, number, seconds)
                       if overwritten and self._runner("candidate", number) else None)
            return finding or self._update(row, number, seconds)
        finding = self._of_suspect(row, number, seconds)
        if finding is None and row.gate is Gate.BACKWARD:
            finding = self._penalty(row, number)
        if finding is None and row.gate is Gate.UPDATE:
            finding = self._moved_outside(row, number)
        return finding

    def _at_an_extreme(self, row: Row, seconds) -> Finding | None:
        """The loss, a penalty or an overwritten result on numbers at the ends of their range."""
        if row.note.startswith(NAMED):
            identifier = "output-overwritten" if row.note == OVERWRITTEN else "penalty-missing"
            return Finding(row.layer, row.tensor, row.off or "candidate",
                           (Cause(identifier, row.note),), before=row.used)
        if self.model is None or row.off == "reference" or row.drawn is None:
            return None
        drawn = row.drawn
        term = next((term for term in terms_of(self.reference) if term.layer == row.layer), None)
        if term is None:
            return None
        finding = diagnose_loss(term.function(self.model), term.loss, drawn.y, drawn.output,
                                fused=drawn.fused, tensor=row.tensor, seconds=seconds)
        return finding and _on(finding, row.layer, row.tensor, "candidate")

    def _of_suspect(self, row: Row, number: int, seconds) -> Finding | None:
        """The same for every gate that judges this tensor on the batch's numbers."""
        if not oracle_of(self.reference, self.reference.parts[number]).proved:
            return None  # nobody knows how it is computed, and so in which ways it can be wrong
        key = (row.layer, row.tensor, row.off, row.gate is Gate.INFERENCE, row.gate is Gate.UPDATE,
               row.gate if row.drawn is not None else None)
        if key not in self.searched:
            left = self.left.setdefault(key[:3], seconds)
            began = time.thread_time()
            finding = self.searched[key] = diagnose_suspect(self.suspect(row, number), left)
            if finding is not None and not finding.causes:
                self.left[key[:3]] = max(0.0, left - (time.thread_time() - began))
                if not left:  # at another gate all the time was used up
                    finding = self.searched[key] = replace(finding, ended_for_time=True)
        return self.searched[key]

    def _moved_outside(self, row: Row, number: int) -> Finding | None:
        """Moving averages that are right after a step by itself: do they move at inference, too?"""
        if self.ops is None or not moves_outside_of_training(
                self.ops[number].layer, self.reference.parts[number].input):
            return None
        return Finding(row.layer, row.tensor, "candidate", (Cause(
            "training-flag", "the averages move outside of training, too"),), before=row.used)

    def _noise(self, row: Row, number: int) -> Finding | None:
        if self.ops is None:
            return None
        part = self.reference.parts[number]
        cause = cause_of_noise(self.ops[number].layer, part, oracle_of(self.reference, part))
        return Finding(row.layer, row.tensor, "candidate", (cause,), before=row.used)

    def suspect(self, row: Row, number: int) -> Suspect:
        """The tensor that a row is about, with the numbers on which it failed: the batch's, or
        those drawn for the purpose."""
        made = self._suspect(row, number)
        if row.drawn is None or made.runner is None:
            return made
        x, dy, weights, training = (row.drawn.x, row.drawn.dy, row.drawn.weights,
                                    row.drawn.training)
        return replace(made, x=x, dy=dy, weights=weights, training=training,
                       exactly=row.gate is Gate.WHOLE_NUMBERS)

    def _suspect(self, row: Row, number: int) -> Suspect:
        side = "reference" if row.off == "reference" else "candidate"
        own = self.reference.parts[number]
        runner, made = self._runner(side, number), None
        tensor = f"{row.tensor}_updated" if row.gate is Gate.UPDATE else row.tensor
        if runner is None:
            trace = self.candidate if side == "candidate" else self.reference
            own = trace.parts[number]
            made = own.tensors.get("inference" if row.gate is Gate.INFERENCE else tensor)
        dy = own.output_gradient
        if not self.reference.training:  # nothing is run back, but mistakes there are thought of
            dy = np.random.default_rng(0).standard_normal(own.output.shape).astype(own.output.dtype)
        return Suspect(row.layer, tensor, own.class_name,
                       layer_config(self.reference, own.layer), own.part, own.input, dy,
                       own.given, runner, made, side,
                       training=row.gate is not Gate.INFERENCE and self.reference.training,
                       context=self._context(number),
                       slack=self.slack.get(number) if runner is None else None)

    def _runner(self, side: str, number: int):
        if side == "candidate":
            return None if self.ops is None else StepRunner(self.ops[number],
                                                            self.reference.training)
        if self.reference_ops is None:
            return None
        return FunctionRunner(self.reference_ops[number])

    def _context(self, number: int) -> dict:
        known: dict[str, Any] = {}
        sources = self.reference.sources[number]
        before = self.reference.parts[sources[0]] if sources[0] >= 0 else None
        if before is not None and before.class_name == "Flatten":
            known["image"] = before.inputs[0].shape[1:]
        optimizer = self.reference.compile_config.get("optimizer")
        rate = (rule_of(optimizer)["config"].get("learning_rate")
                if isinstance(optimizer, dict) else None)
        if isinstance(rate, float):
            known["learning_rate"] = rate
        return known

    def _penalty(self, row: Row, number: int) -> Finding | None:
        """A weight's gradient whose layer is right: then it is the regularizer's part of it."""
        part = self.reference.parts[number]
        name = row.tensor.removesuffix("_gradient")
        config = layer_config(self.reference, part.layer)
        if self.reference.y is None or regularizer_of(config, name) is None:
            return None
        return Finding(row.layer, row.tensor, "reference" if row.off == "reference" else
                       "candidate", (Cause("penalty-missing", f"in the {name}'s gradient"),),
                       before=row.used)

    def _differing(self, what: str, row: Row) -> Finding | None:
        """What the gate 'network' knows to differ: then nothing else is to be looked for."""
        rows = specification.network(self.candidate, self.reference)
        differing = next((each for each in rows if each.tensor == what and not each.passed), None)
        if differing is None:
            return None
        return Finding(row.layer or what, row.tensor, row.off or "candidate",
                       (Cause("specification", f"{what}: {differing.note}"),), before=row.used)

    def _loss(self, row: Row, seconds) -> Finding | None:
        differing = self._differing("loss", row)
        if differing is not None:
            return differing
        theirs, side = self.reference, "candidate"
        observed, loss = None, None if self.model is None else self.model.loss
        if row.off == "reference":
            side = "reference"
        if side == "reference" or loss is None:
            trace = theirs if side == "reference" else self.candidate
            theirs = trace
            observed = (np.asarray(trace.loss, np.float64), trace.loss_gradient)
        extra = self._penalties(theirs)
        joint = is_joint(theirs)
        if joint and (row.layer == "loss" or row.tensor == "gradient"):
            finding = diagnose_sum(row, theirs, None if observed is not None else self.model, side,
                                   extra if observed is not None else None)
            if finding is not None:
                return finding
        term = next((term for term in terms_of(theirs) if term.layer == row.layer), None)
        if term is not None:
            if joint and observed is not None:
                observed = (np.asarray(theirs.terms[terms_of(theirs).index(term)], np.float64),
                            term.gradient(theirs) / (expected.share(theirs, term) or 1.0))
            finding = diagnose_loss(None if loss is None else term.function(self.model), term.loss,
                                    term.labels(theirs), term.seen(theirs), fused=term.fused,
                                    sample_weight=term.sample_weight(theirs),
                                    steps=along(theirs, term.part), tensor=row.tensor,
                                    observed=observed, seconds=seconds,
                                    extra=None if observed is None or joint else extra)
            if finding is not None:
                return _on(finding, row.layer, row.tensor, side)
        if extra is not None and row.tensor == "value" and row.layer == "loss":
            return self._penalty_of_loss(row, extra)
        return None

    def _penalty_of_loss(self, row: Row, extra: Bounded) -> Finding | None:
        """A loss that is right by itself, and wrong with what the regularizers add to it."""
        if row.actual is None or row.expected is None or not extra.value:
            return None
        share = 1 + float((row.actual - row.expected) / extra.value)
        return Finding("loss", row.tensor, "candidate",
                       (Cause("penalty-missing", f"{share:.4g} of it is in the loss"),),
                       before=row.used)

    def _penalties(self, trace: Trace) -> Bounded | None:
        """What the regularizers add to the loss, which is run without them."""
        rounding = Rounding.of(trace.dtype)
        weights = [{name: Bounded(w, rounding) for name, w in part.weights.items()}
                   for part in trace.parts]
        terms = [*of_weights(trace, weights),
                 *of_outputs(trace, [Bounded(part.output, rounding) for part in trace.parts])]
        return total(terms) if terms else None

    def _between_layers(self, row: Row) -> Finding | None:
        if self.model is None or row.off == "reference":
            return None
        if row.tensor == END_TO_END:
            return self._of_a_seam(row)
        cause = cause_between_layers(row, self.model, self.reference)
        if cause is None:
            return None
        return Finding(row.layer, row.tensor, "candidate", (cause,), before=row.used)

    def _of_a_seam(self, row: Row) -> Finding | None:
        """Layers that fit together only as long as their numbers are turned in between."""
        if not row.note:
            return None
        named = "flatten-order" if "channel by channel" in row.note else "axes-permuted"
        return Finding(row.layer, row.tensor, "candidate", (Cause(named, row.note),),
                       before=row.used)

    def _lockstep(self, row: Row, seconds) -> Finding | None:
        """Networks that part although each first step is right: is it what the optimizer keeps?"""
        differing = self._differing("optimizer", row) or self._differing("loss", row)
        if differing is not None:
            return differing
        if self.model is None or row.off == "reference":
            return None
        optimizer = rule_of(self.reference.compile_config["optimizer"])
        weights = [self.reference.parts[i].weights[name]
                   for i, name in expected.learned(self.reference)]
        finding = None
        if weights and not isinstance(optimizer["config"].get("learning_rate"), dict):
            finding = diagnose_steps(self.model.optimizer, optimizer["class_name"],
                                     optimizer["config"], weights, seconds,
                                     tuple(expected.optimizer_of(self.reference).decays),
                                     tuple(expected.names_of_learned(self.reference)))
        finding = finding or diagnose_training(self.model, self.reference)
        return finding and _on(finding, row.layer or "optimizer", row.tensor, "candidate")

    def _later(self, row: Row, seconds) -> Finding | None:
        """A step from a state drawn for the purpose."""
        side = "reference" if row.off == "reference" else "candidate"
        finding = diagnose_later(LaterSteps(self.model, self.twin, self.reference, side),
                                 row.layer, row.tensor, seconds)
        return finding and _on(finding, row.layer, row.tensor, side)

    def _update(self, row: Row, number: int, seconds) -> Finding | None:
        differing = self._differing("optimizer", row)
        if differing is not None:
            return differing
        side = "reference" if row.off == "reference" else "candidate"
        run = side == "candidate" and self.model is not None
        trace = self.reference if run or side == "reference" else self.candidate
        trained = expected.learned(trace)
        if (number, row.tensor) not in trained:
            return None
        optimizer = rule_of(trace.compile_config["optimizer"])
        parts = trace.parts
        observed = None if run else [parts[i].updated[name] for i, name in trained]
        position = trained.index((number, row.tensor))
        if run:
            cause = self._of_constraint(position)
            if cause is not None:
                return Finding(row.layer, row.tensor, side, (cause,), before=row.used)

        def start(part, name) -> np.ndarray:
            right = expected.left_by_pass(trace, part, name, Rounding.of(trace.dtype))
            return right.value.astype(part.weights[name].dtype)

        def of_a_fresh_one(seconds) -> Finding | None:
            return diagnose_optimizer(
                self.model.optimizer if run else None, optimizer["class_name"],
                optimizer["config"], [start(parts[i], name) for i, name in trained],
                [total_gradient(parts, i, name) for i, name in trained], position=position,
                observed=observed, seconds=seconds,
                decays=tuple(expected.optimizer_of(trace).decays),
                names=tuple(expected.names_of_learned(trace)))

        finding = None
        if self.model is not None and (run or self.twin is not None):
            finding = self._update_by_all_steps(position, side, of_a_fresh_one)
        finding = finding or of_a_fresh_one(seconds)
        return finding and _on(finding, row.layer, row.tensor, side)

    def _of_constraint(self, position: int) -> Cause | None:
        """The mistake in the constraint of one of the candidate's trained weights."""
        assert self.model is not None
        trained = expected.learned(self.reference)
        layer, name = keys_of(self.model, trained, self.reference)[position]
        number, tensor = trained[position]
        layers = {each.name: each for each in self.model.layers}
        return cause_of_constraint(
            getattr(layers.get(layer), "constraints", {}).get(name),
            expected.optimizer_of(self.reference).constraints[position],
            self.reference.parts[number].weights[tensor].shape, self.reference.dtype)

    def _update_by_all_steps(self, position: int, side: str, of_a_fresh_one) -> Finding | None:
        """What explains a first step and all later ones; else a specific cause of the first, or of
        what is remembered. None where there is neither."""
        steps = LaterSteps(self.model, self.twin, self.reference, side)
        finding = diagnose_first(steps, position)
        if finding is None:
            fresh = of_a_fresh_one(0)
            vague = {"scale", "low-precision"}
            if fresh is not None and any(c.identifier not in vague for c in fresh.causes):
                return fresh
            finding = diagnose_first(steps, position, slots=True)
        return finding


def _said(finding: Finding, found: list[Finding]) -> bool:
    """Whether a wrong shape that the whole network shows is that of a tensor explained already, or
    the error that keeps it from running one that a layer was seen to raise."""
    named = [cause.identifier for cause in finding.causes]
    if named == ["raised"]:
        return any(cause.identifier == "raised" for other in found for cause in other.causes)
    return named == ["shape"] and any(
        other.tensor == finding.tensor and finding.layer in (other.layer, "network")
        for other in found)


def _on(finding: Finding, layer: str, tensor: str, side: str) -> Finding:
    return replace(finding, layer=layer, tensor=tensor, side=side)
