"""Trains both networks side by side for a few steps, on another batch at each, by their own
`train_on_batch`.

Two runs of the same mathematics drift apart by rounding alone, and soon by more than any bound can
tell. So each step is judged by itself: both sides make it from the same weights, the candidate's,
and each with what it remembers of the steps before it, such as momenta. Where the step leads is
known exactly, from the oracles of layers, loss and optimizer; how far rounding may lead away from
there is sampled, see `compare.oracle.sampled_rounding`. Both sides have to lie within `MARGIN`
times the farthest sample: each weight, and the loss that the call returns.

The bound of each operation is proved. That a few samples and this factor stand for whatever right
implementations may do is chosen. They do not where rounding alone moves a weight by a good part of
its step, as it does where a network divides by differences of nearly equal numbers: now and then it
then moves it much farther than any of the samples. Such a weight passes or is not judged.
"""

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from compare.checks import training_batches
from compare.checks.gate import Gate
from compare.checks.row import Row, distance
from compare.checks.training_batches import Batch
from compare.document import progress
from compare.oracle.running_error import Bounded
from compare.oracle.sampled_rounding import LOSS, Key, SampledStep, SampledSteps, norm
from compare.tracing import execution, memory
from compare.tracing.grouping import as_tuple
from compare.tracing.layer_error import RAISED, LayerError, of_model
from compare.tracing.model_kinds import KINDS
from compare.tracing.ops import untouched_generator, whole_layers
from compare.tracing.optimizer_steps import restart
from compare.tracing.recorder import record
from compare.tracing.shared_weights import held_once, same_bits
from compare.tracing.trace import Trace, folded, layer_parts
from compare.tracing.types import Network, Noise
from scratch.errors import NonFiniteLossError
from scratch.several import mapped

if TYPE_CHECKING:  # what compares traces needs no Keras
    from reference import EntryPoints

MARGIN = 3
CHAOTIC = 0.1  # what rounding explains, as a share of a step, from which on it may be much more
TITLE = f"Gate '{Gate.LOCKSTEP}', step by step"  # of its bar


@dataclass
class Weight:
    """One weight after one step, or the loss before it. Distances are 2-norms, relative to that of
    the exact weight.

    Attributes:
        step: from 1.
        name: as 'dense kernel', or 'loss value'.
        candidate, reference: how far either side is from where the step leads exactly.
        allowed: how far rounding explains.
        chaotic: whether that is so much of the step that it may also be more.
    """

    step: int
    name: str
    candidate: float
    reference: float
    allowed: float
    chaotic: bool = False

    @property
    def judged(self) -> bool:
        return self.used <= 1 or not self.chaotic

    @property
    def used(self) -> float:
        """The share of what is allowed that the farther side takes up."""
        return max(share(self.candidate, self.allowed), share(self.reference, self.allowed))


@dataclass
class Lockstep:
    """Every weight after every step."""

    weights: list[Weight]

    def row(self) -> Row:
        """The verdict: passed if both sides keep to what is allowed, at every step."""
        if not self.weights:
            return Row(Gate.LOCKSTEP, "all layers", "weights", passed=True, unjudged=1,
                       kind="normwise", note="not judged: numbers are so large that they overflow")
        judged = [weight for weight in self.weights if weight.judged]
        unjudged = len(self.weights) - len(judged)
        said = (f"{unjudged} of {len(self.weights)} weights not judged: rounding alone moves them "
                "by a tenth of their steps or more")
        if not judged:
            return Row(Gate.LOCKSTEP, "all layers", "weights", passed=True, unjudged=unjudged,
                       kind="normwise", note=said)
        worst = max(judged, key=lambda weight: weight.used)
        over = sum(weight.used > 1 for weight in judged)
        apart = max(worst.candidate, worst.reference)
        sides = {"candidate": max(share(w.candidate, w.allowed) for w in judged) > 1,
                 "reference": max(share(w.reference, w.allowed) for w in judged) > 1}
        return Row(Gate.LOCKSTEP, "all layers", "weights", passed=over == 0, index=(worst.step,),
                   max_abs=apart, max_rel=apart, actual=apart, expected=0.0, error=apart,
                   allowed=worst.allowed, used=worst.used, over=over, size=len(self.weights),
                   candidate_error=max(w.candidate for w in judged), unjudged=unjudged,
                   reference_error=max(w.reference for w in judged),
                   off="both" if all(sides.values()) else next(
                       (side for side, wrong in sides.items() if wrong), ""),
                   kind="normwise", note="; ".join(
                       [f"{worst.name} after step {worst.step} of {self.weights[-1].step}, "
                        "relative to its size", *([said] if unjudged else [])]))


def about_classes(reference: Trace) -> list[str]:
    """A sentence where Keras's optimizers by themselves would not do as they are defined: the
    deviation `classes_squared_apart`."""
    names = [part.layer for part in reference.parts
             if part.weights and getattr(KINDS.get(part.class_name), "without_input_gradient",
                                         False)]
    return [f"In lockstep the gradient of {', '.join(names)} is added up over all places of a class"
            " before Keras's optimizer gets it. By itself Keras squares and clips it place by "
            "place, which is not how the optimizer is defined."] if names else []


def verdict(model: Network, twin: Network, x: Any, y: Any, steps: int,
            sample_weight: Any = None, reference: Trace | None = None) -> Row:
    """The row of `run`, or one that says why the candidate could not be trained."""
    try:
        return run(model, twin, x, y, steps, sample_weight=sample_weight,
                   reference=reference).row()
    except LayerError as error:
        return Row(Gate.LOCKSTEP, "all layers", "weights", passed=False, used=np.inf,
                   kind="normwise", max_abs=np.inf, max_rel=np.inf, error=np.inf, note=str(error),
                   stopped=error.from_outside)


def run(model: Network, twin: Network, x: Any, y: Any, steps: int, seed: int = 0,
        sample_weight: Any = None, reference: Trace | None = None) -> Lockstep:
    """Train both, with fresh optimizers, on batches drawn from (x, y); see `training_batches`.
    Neither model has changed at the end.

    Keras trains as the model is compiled (`jit_compile`, `run_eagerly`). Random layers use the same
    noise on both sides: what the candidate's draw.

    Args:
        model: a compiled scratch model.
        twin: a compiled Keras model.
        seed: of batches and samples.
        sample_weight: of the losses.
        reference: a trace of the twin, if there is one; its settings count.
    """
    import reference as keras_side

    if reference is None:
        whole = whole_layers(model)
        reference = folded(record(twin, x, y, sample_weight=sample_weight, whole=whole), whole)
    batches = training_batches.drawn(x, y, sample_weight, steps, seed)
    with keras_side.EntryPoints(twin) as own:
        sides = _Sides(model, own, reference, seed)
        for number, batch in enumerate(progress.each(batches, TITLE), start=1):
            if not sides.step(number, batch):
                break
    return Lockstep(sides.weights)


class _Sides:
    """The two that train, and where their steps should lead.

    Attributes:
        weights: of all steps so far.
    """

    def __init__(self, model: Network, own: "EntryPoints", reference: Trace, seed: int) -> None:
        self.model = with_fresh_optimizer(model)
        self.own = own
        self.reference, self.sampled = reference, SampledSteps(reference, seed)
        self.weights: list[Weight] = []

    def step(self, number: int, batch: Batch) -> bool:
        """One step of all; whether another one makes sense: not once numbers overflow."""
        before = self._weights_before(number)
        loss, noise, slack = train_candidate(self.model, self.reference, batch)
        ours = [*self.model.weights, np.asarray(loss)]
        after, figures = self.own.train_on_batch(
            before, as_tuple(batch.x), as_tuple(batch.y), as_tuple(batch.sample_weight), noise)
        theirs = [*after, np.asarray(figures["loss"])]
        trace = trace_of_step(self.reference, before, batch, noise)
        sides = dict(zip((*held_once(trace.parts), LOSS),
                         zip(ours, theirs, [*before, np.zeros(())])))
        apart_by: dict[Key, Apart] = {}

        def taken(key: Key, exact: Bounded) -> None:
            apart_by[key] = Apart.of(*sides[key], exact)

        made = self.sampled.step(trace, slack, taken)
        if made.overflows:
            return False
        found = judged(number, apart_by, made)
        if any(weight.used > 1 for weight in found):
            wider = self.sampled.widened(made)
            found = found if wider is None else judged(number, apart_by, wider)
        self.weights += found
        return all(np.isfinite(w).all() for w in ours)

    def _weights_before(self, number: int) -> list[np.ndarray]:
        """The candidate's weights; at first they are, as a rule, those of the trace."""
        weights = self.model.weights
        if number > 1:
            return [w.copy() for w in weights]
        return [same_or_copy(w, known)
                for w, known in zip(weights, held_once(self.reference.parts).values())]


@dataclass
class Apart:
    """How far the two sides are from one exact weight after a step, and what its size is: 2-norms.

    Attributes:
        candidate, reference: how far either is from it.
        size: of the exact weight, 1 for a weight of zeros.
        bound: of what the last operations round.
        length: of the step.
    """

    candidate: float
    reference: float
    size: float
    bound: float
    length: float

    @classmethod
    def of(cls, ours: np.ndarray, theirs: np.ndarray, before: np.ndarray,
           exact: Bounded) -> "Apart":
        value = exact.value
        ours = np.asarray(ours, order="C")  # for sums go along memory
        return cls(apart(ours, theirs, value), apart(theirs, ours, value),
                   norm(value[np.isfinite(value)]) or 1.0, norm(exact.bound), norm(value - before))


def allowance(spread: float, bound: float) -> float:
    """How far from its exact value, in the 2-norm, rounding may lead a weight or the loss.

    Args:
        spread: how far its samples scatter.
        bound: the 2-norm of its own bound.
    """
    return float(MARGIN * spread + bound)


def judged(number: int, sides: dict[Key, Apart], step: SampledStep) -> list[Weight]:
    """Every weight after that step, and the loss before it."""
    found = []
    for (layer, name), spread in step.spread.items():
        one = sides[layer, name]
        allowed = allowance(spread, one.bound)
        found.append(Weight(number, f"{layer} {name}", one.candidate / one.size,
                            one.reference / one.size, allowed / one.size,
                            chaotic=MARGIN * spread > CHAOTIC * one.length > 0))
    return found


def same_or_copy(array: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The array that is known if it is the same bit for bit, otherwise a copy."""
    return known if same_bits(array, known) else array.copy()


def with_fresh_optimizer(model: Network) -> Network:
    """A copy of a compiled model whose optimizer has no past."""
    copied = copy.deepcopy(model)
    restart(copied)
    return copied


def train_candidate(model: Network, reference: Trace, batch: Batch
                    ) -> tuple[float, Noise, dict[tuple[str, str], np.ndarray]]:
    """One training step: (the loss, the noise by the layers' positions, by (layer, name) what
    gradients were off that had to be recovered).

    Raises:
        LayerError: if somebody's own layer or optimizer raises anything.
    """
    try:
        with untouched_generator():
            figures = model.train_on_batch(mapped(np.array, batch.x), batch.y, return_dict=True,
                                           **execution.weighted(batch.sample_weight))
    except NonFiniteLossError as error:  # where the step would have led is judged all the same
        model.update()
        figures = {"loss": error.loss}
    except RAISED as error:
        raise LayerError(f"not run: {of_model(model, error)}") from error
    noise = {i: layer.noise for i, layer in enumerate(model.layers) if layer.noise is not None}
    titles = [reference.parts[first].layer for first, *_ in layer_parts(reference)]
    slack = {(title, name): extra for title, layer in zip(titles, model.layers)
             for name, extra in getattr(layer, "slack", {}).items()}
    for layer in model.layers:
        layer.grads.clear()  # which take as much memory as the weights
    memory.give_back()
    return figures["loss"], noise, slack


def trace_of_step(reference: Trace, weights: list[np.ndarray], batch: Batch, noise: Noise) -> Trace:
    """The reference's trace with other weights, another batch and other noise."""
    rest = iter(weights)
    own: dict[str, dict[str, np.ndarray]] = {}  # by layer, the weights that it has itself
    for part in reference.parts:
        if part.weights and part.tied_to is None:
            own[part.layer] = {name: next(rest) for name in part.weights}
    parts = [replace(part, noise=None,
                     weights=own[part.tied_to or part.layer] if part.weights else {})
             for part in reference.parts]
    for i, (first, *_) in enumerate(layer_parts(reference)):
        parts[first].noise = noise.get(i)
    weight = batch.sample_weight
    return replace(reference, parts=parts, x=mapped(np.asarray, batch.x, reference.dtype),
                   y=batch.y, inference=None,
                   sample_weight=mapped(np.asarray, weight, reference.dtype))


def apart(weight: np.ndarray, other: np.ndarray, exact: np.ndarray) -> float:
    """The distance of one side's weight from the exact one, in the 2-norm.

    Where both sides have no finite number, they agree on it: it overflows.
    """
    agreed = ~np.isfinite(weight) & ~np.isfinite(other)
    return norm(np.where(agreed, 0.0, distance(weight.astype(np.float64), exact)))


def share(distance_: float, allowed: float) -> float:
    """How much of what is allowed a distance takes up; never NaN."""
    if distance_ <= allowed:
        return distance_ / allowed if 0 < allowed < np.inf else 0.0
    return distance_ / allowed if allowed > 0 and not np.isnan(distance_) else np.inf
