"""What explains an optimizer's steps from states drawn for the purpose."""

from dataclasses import replace
from typing import Any

from compare.checks import later_updates
from compare.diagnosis.computation import UpdateComputation
from compare.diagnosis.finding import Finding
from compare.diagnosis.inference import diagnose_observations
from compare.diagnosis.observation import Observation
from compare.diagnosis.search import PAIR_SECONDS
from compare.oracle.expected import kept_in, learned, optimizer_of
from compare.oracle.optimizer_states import State
from compare.tracing.loss_scale import rule_of
from compare.tracing.optimizer_steps import OptimizerSteps
from compare.tracing.trace import Trace

MOST = 6  # observations of a kind; more would only take longer


class LaterSteps:
    """The optimizer of one side, run from the states that the gate 'update' draws.

    Args:
        model: the candidate, a scratch model.
        twin: the reference, a live Keras model or None.
        reference: its trace.
        side: 'candidate' or 'reference': whose optimizer is run.
    """

    def __init__(self, model: Any, twin: Any, reference: Trace, side: str) -> None:
        self.reference, self.side = reference, side
        self.keys = later_updates.keys_of(model, learned(reference), reference)
        self.states = later_updates.drawn(reference, later_updates.steps_made(model, twin))
        oracle = optimizer_of(reference)
        self.decays, self.names = tuple(oracle.decays), tuple(oracle.names)
        candidate = OptimizerSteps(model, self.keys)
        self.candidate = candidate
        self.can_be_set = side == "reference" or not candidate.has_state_of_its_own
        self.run = candidate.step if side == "candidate" else later_updates.other_side(
            twin, reference, [w.shape for w in self.states[0].weights])

    def observed(self, position: int, slot: str, state: State) -> Observation:
        """One weight, or with a slot's name that, after the step from a state."""
        assert self.run is not None
        weights, slots = self.run(state.iteration, state.weights, state.gradients, state.slots)
        made = slots[position][slot] if slot else weights[position]
        return Observation(self._computation(position, slot, state), made)

    def consecutive(self, position: int) -> list[Observation]:
        """One weight after each of the first steps from a fresh start, of an optimizer whose state
        cannot be set."""
        given = later_updates.drawn(self.reference)[:later_updates.STEPS]
        gradients = [state.gradients for state in given]
        made = self.candidate.consecutive(given[0].weights, gradients)
        first = self._computation(position, "", replace(given[0], iteration=0, slots=[]))
        return [Observation(first.changed(later=tuple(map(tuple, gradients[1:count + 1]))),
                            made[count][position]) for count in range(len(given))]

    def _computation(self, position: int, slot: str, state: State) -> UpdateComputation:
        optimizer = rule_of(self.reference.compile_config["optimizer"])
        return UpdateComputation(
            optimizer_of(self.reference).rounding, class_name=optimizer["class_name"],
            config=optimizer["config"], weights=tuple(state.weights),
            gradients=tuple(state.gradients), position=position, dtype=kept_in(self.reference),
            tensor=slot or "updated", decays=self.decays, names=self.names,
            iteration=state.iteration, slots=tuple(state.slots))


def diagnose_later(steps: LaterSteps, layer: str, tensor: str, seconds: float = PAIR_SECONDS
                   ) -> Finding | None:
    """The finding on a row such as 'dense', 'kernel momentum at iteration 2'.

    Where a weight fails and what is remembered of it as well, that is the cause of both.
    """
    if steps.run is None:
        return None
    name, _, at = tensor.partition(later_updates.AT)
    weight, _, slot = name.partition(" ")
    position, iteration = steps.keys.index((layer, weight)), int(at)
    if not steps.can_be_set:
        return _of_consecutive(steps, position, seconds)
    found = _explained(steps, position, slot, iteration, 0)
    for remembered in [] if slot else steps.states[0].slots[position]:
        deeper = _explained(steps, position, remembered, iteration, 0)
        if _is_named(deeper):
            return found if _same_cause(found, deeper) else deeper
    if _is_named(found) or not seconds:
        return found
    return _explained(steps, position, slot, iteration, seconds)


def _of_consecutive(steps: LaterSteps, position: int, seconds: float) -> Finding | None:
    """What explains all of the first steps from a fresh start."""
    finding = diagnose_observations(steps.consecutive(position), "update", "weight", steps.side,
                                    seconds)
    return finding if _is_named(finding) or seconds else None


def _is_named(finding: Finding | None) -> bool:
    """Whether it has a cause other than a lower precision, which excuses much."""
    return finding is not None and any(c.identifier != "low-precision" for c in finding.causes)


def _same_cause(one: Finding | None, other: Finding | None) -> bool:
    """Whether both have a cause, and it goes by the same name."""
    return (one is not None and other is not None and bool(one.causes and other.causes)
            and one.causes[0].identifier == other.causes[0].identifier)


def _spread(observations: list[Observation]) -> list[Observation]:
    """At most `MOST` of them, the first ones and the last ones."""
    if len(observations) <= MOST:
        return observations
    return observations[:MOST // 2] + observations[-(MOST - MOST // 2):]


def _explained(steps: LaterSteps, position: int, slot: str, iteration: int, seconds: float
               ) -> Finding | None:
    """The finding on one tensor at one iteration; None if that holds.

    A cause has to explain all steps, or else all that fail, or else those of this iteration. A
    lower precision comes last.
    """
    observed = [(state.iteration, steps.observed(position, slot, state))
                for state in steps.states]
    here = [seen for at, seen in observed if at == iteration and seen.fails]
    if not here:
        return None
    failing = here + [seen for at, seen in observed if at != iteration and seen.fails]
    right = [seen for _, seen in observed if not seen.fails]
    found = []
    for observations in (_spread(failing) + _spread(right), _spread(failing), here):
        finding = diagnose_observations(observations, "update", slot or "weight", steps.side,
                                        seconds if observations is here else 0)
        if _is_named(finding):
            return finding
        found.append(finding)
    return next((finding for finding in found if finding is not None and finding.causes),
                found[-1])


def diagnose_first(steps: LaterSteps, position: int, slots: bool = False) -> Finding | None:
    """The finding on a weight whose first step fails, from what all its steps have in common; None
    if there is no cause that explains all of them.

    Args:
        slots: look at what the optimizer remembers of the weight, not at the weight itself.
    """
    if steps.run is None:
        return None
    if not steps.can_be_set:
        return None if slots else _of_consecutive(steps, position, 0)
    for slot in steps.states[0].slots[position] if slots else [""]:
        observed = [steps.observed(position, slot, state) for state in steps.states]
        finding = diagnose_observations(
            _spread([seen for seen in observed if seen.fails])
            + _spread([seen for seen in observed if not seen.fails]),
            "update", slot or "weight", steps.side, 0)
        if _is_named(finding):
            return finding
    return None
