"""From a failing tensor to a finding: one cause, two, or none that is known."""

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.diagnosis import lost_digits
from compare.diagnosis.finding import Cause, Finding
from compare.diagnosis.hypotheses.precision import inside_coarse_bound
from compare.diagnosis.hypotheses.selection import variants_for
from compare.diagnosis.observation import CANNOT, Observation
from compare.diagnosis.purity import kept, repeated
from compare.diagnosis.residual_pattern import looks_like
from compare.diagnosis.runners import StepRunner
from compare.diagnosis.search import PAIR_SECONDS, Explanation, farthest, pairs, singles
from compare.diagnosis.suspect import Suspect
from compare.tracing.layer_error import RAISED

QUIET: dict[str, Any] = dict.fromkeys(("divide", "over", "invalid", "under"), "ignore")


@np.errstate(**QUIET)
def diagnose_suspect(suspect: Suspect, seconds: float = PAIR_SECONDS) -> Finding | None:
    """The finding on a failing tensor; None if it is right on all numbers that were tried.

    Args:
        seconds: how long to look for two causes where one does not suffice.
    """
    observations = suspect.observations()
    again = None
    if isinstance(suspect.runner, StepRunner):
        again = lost_digits.of_layer(suspect.runner, suspect.tensor)
    if isinstance(suspect.runner, StepRunner) and observations:
        cause = _when_repeated(suspect, observations)
        if cause is not None:
            before = farthest(observations)
            return Finding(suspect.layer, suspect.tensor, suspect.side, (cause,), before=before)
    return diagnose_observations(observations, suspect.layer, suspect.tensor, suspect.side, seconds,
                                 again, lambda: _when_others_change(suspect))


def _when_others_change(suspect: Suspect) -> Cause | None:
    """What is found by running the op on other weights, and on another input."""
    if not isinstance(suspect.runner, StepRunner) or suspect.dy is None:
        return None
    shapes = [np.shape(x) for x in suspect.inputs]
    try:
        return kept(suspect.runner, suspect.computation(suspect.x, suspect.dy, suspect.weights),
                    suspect.drawn(shapes, "normal", seed=7))
    except (*CANNOT, *RAISED):  # somebody's own layer may raise anything
        return None


def _when_repeated(suspect, observations) -> Cause | None:
    seen = observations[0]
    shapes = [np.shape(x) for x in (seen.right.x if isinstance(seen.right.x, tuple)
                                    else (seen.right.x,))]
    runner = suspect.runner
    if shapes[0][1:] != suspect.inputs[0].shape[1:]:
        runner = runner.smaller(shapes if isinstance(suspect.x, tuple) else shapes[0]) or runner
    right, other = seen.right, suspect.drawn(shapes, "normal", seed=7)
    if suspect.tensor == "output":
        right, other = right.changed(dy=None), other.changed(dy=None)
    try:
        return repeated(runner, right, other)
    except RAISED:  # somebody's own layer may raise anything
        return None


@np.errstate(**QUIET)
def diagnose_observations(observations: list[Observation], layer: str, tensor: str,
                          side: str = "candidate", seconds: float = PAIR_SECONDS,
                          again: lost_digits.Again | None = None,
                          late: Callable[[], Cause | None] = lambda: None) -> Finding | None:
    """The finding on what was observed of one tensor; None if nothing of it is wrong.

    Args:
        again: makes the same of an observation's numbers in float64; None where that cannot be.
        late: what else to try where no single cause of the catalogue suffices.
    """
    failing = [seen for seen in observations if seen.fails]
    if not failing:
        return None
    before = farthest(failing)
    lost = lost_digits.lost_digits(failing, again)
    if lost is not None:
        return Finding(layer, tensor, side, (lost,), before=before)
    unfinished = _not_finite(failing)
    if unfinished:
        found = _also_not_finite(observations)
        return _finding(found, layer, tensor, side) if found else Finding(
            layer, tensor, side, (Cause("nan", unfinished),), before=before)
    ordered = failing + [seen for seen in observations if not seen.fails]
    variants = variants_for(ordered[0].right, ordered[0].made.shape)
    found, ended = singles(ordered, variants), False
    if not found:
        cause = late()
        if cause is not None:
            return Finding(layer, tensor, side, (cause,), before=before)
        coarse = inside_coarse_bound(failing)
        if coarse:
            cause = Cause("low-precision", f"the difference is what rounding to {coarse} makes")
            return Finding(layer, tensor, side, (cause,), before=before)
        found, ended = pairs(ordered, variants, seconds) if seconds else ([], False)
    if found:
        return _finding(found, layer, tensor, side)
    seen = failing[0]
    right = seen.right.evaluate()
    bound = np.zeros(right.shape) if seen.exactly else right.bound
    return Finding(layer, tensor, side, (), before=before,
                   looks_like=looks_like(seen.made, right.value, bound), ended_for_time=ended)


def _finding(found: list[Explanation], layer, tensor, side) -> Finding:
    first, *others = found
    return Finding(layer, tensor, side, _causes(first),
                   tuple(_causes(other) for other in others),
                   all(first.same_as(other) for other in others), first.before, first.after)


def _causes(explanation: Explanation) -> tuple[Cause, ...]:
    return tuple(Cause(variant.identifier, detail)
                 for variant, detail in zip(explanation.variants, explanation.details))


def _not_finite(failing: list[Observation]) -> str:
    """Where there are numbers that are not finite although they should be."""
    for seen in failing:
        bad = _without_reason(seen)
        if bad.any():
            index = tuple(int(i) for i in np.argwhere(bad)[0])
            return f"{int(bad.sum())} of {bad.size}, the first at {list(index)}"
    return ""


def _without_reason(seen: Observation) -> np.ndarray:
    """Which numbers are not finite although they should be."""
    right = seen.right.evaluate().value
    if right.shape != seen.made.shape:
        return np.zeros(seen.made.shape, bool)
    return ~np.isfinite(seen.made) & np.isfinite(right)


def _also_not_finite(observations: list[Observation]) -> list[Explanation]:
    """What explains the wrong numbers of the runs in which all are finite, and in the other runs
    gives such numbers where they were made: an epsilon left out divides by 0 where all inputs are
    equal, and is a little off elsewhere."""
    finite = [seen for seen in observations if not _without_reason(seen).any()]
    finite.sort(key=lambda seen: not seen.fails)
    if not (finite and finite[0].fails):
        return []
    found = singles(finite, variants_for(finite[0].right, finite[0].made.shape))
    broken = [seen for seen in observations if _without_reason(seen).any()]
    return [one for one in found if all(_breaks(one, seen) for seen in broken)]


def _breaks(explanation: Explanation, seen: Observation) -> bool:
    """Whether the mistaken computation gives no finite numbers where none were made."""
    computation = seen.right
    try:
        for variant in explanation.variants:
            computation = variant.change(computation, seen.made)
        value = computation.evaluate().value
    except CANNOT:
        return False
    return value.shape == seen.made.shape and not np.isfinite(value[_without_reason(seen)]).any()
