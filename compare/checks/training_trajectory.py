"""Trains both networks side by side for a few steps and follows the gap between their weights.

Two runs of the same mathematics drift apart by rounding alone. How far is measured, not guessed:
the same Keras model is trained again from weights moved by one unit in the last place. As long as
the gap between the two networks stays inside the envelope of such controls, they are the same run.

A rectifier or a pooling whose inputs lie within rounding of a kink may fall to either side, in any
one of the runs alone, and then that run jumps away from all others. The envelope is therefore the
widest distance between any two of the Keras runs, and what is allowed is `MARGIN` times that, or
else `KINKS` of the way that the reference has travelled: a kink turns one gradient entry among
thousands. Unlike the bounds on single layers these two numbers are chosen, not proved; what is
smaller than they let through, the other gates see.
"""

import copy
import itertools
from dataclasses import dataclass

import numpy as np

from compare.checks.row import Row, distance
from compare.document import progress
from compare.tracing import execution
from compare.tracing.layer_error import LayerError, of_model
from compare.tracing.ops import untouched_generator

CONTROLS = 3
MARGIN = 10
KINKS = 1e-3


@dataclass
class Lockstep:
    """The gap after each step, as |w_candidate - w_reference| / |w_reference| over all weights.

    Attributes:
        gaps: between candidate and reference.
        controls: for each pair of Keras runs, the reference and its controls, between the two.
        travelled: how far the reference's weights have come from their start, along the way.
        losses: the candidate's and the reference's loss at each step.
    """

    gaps: list[float]
    controls: list[list[float]]
    travelled: list[float]
    losses: list[tuple[float, float]]

    @property
    def envelope(self) -> list[float]:
        """The widest gap between two Keras runs, up to each step."""
        widest = [max(gaps) for gaps in zip(*self.controls)]
        return list(np.maximum.accumulate(widest))

    def row(self) -> Row:
        """The verdict: passed if the gap is inside the envelope after every step."""
        allowed = [max(MARGIN * edge, KINKS * way)
                   for edge, way in zip(self.envelope, self.travelled)]
        shares = [share(gap, edge) for gap, edge in zip(self.gaps, allowed)]
        worst = int(np.argmax(shares))
        over = sum(used > 1 for used in shares)
        return Row("lockstep", "all layers", "weights", passed=over == 0, index=(worst + 1,),
                   max_abs=max(self.gaps), max_rel=max(self.gaps), actual=self.gaps[worst],
                   expected=0.0, allowed=allowed[worst], used=shares[worst], over=over,
                   size=len(shares), kind="normwise",
                   note=f"gap after step {worst + 1} of {len(shares)}, against Keras runs that "
                        f"started one ulp apart and spread by {self.envelope[worst]:.2g}")


def verdict(model, twin, x, y, steps: int, sample_weight=None) -> Row:
    """The row of `run`, or one that says why the candidate could not be trained."""
    try:
        return run(model, twin, x, y, steps, sample_weight=sample_weight).row()
    except LayerError as error:
        return Row("lockstep", "all layers", "weights", passed=False, used=np.inf, kind="normwise",
                   max_abs=np.inf, max_rel=np.inf, note=str(error))


@progress.during("Gate 'lockstep'")
def run(model, twin, x, y, steps: int, seed: int = 0, sample_weight=None) -> Lockstep:
    """Train copies of both on the batch (x, y), `steps` times over; neither model changes.

    Random layers use the same noise in all runs: at each step, what the candidate's draw.

    Args:
        model: a compiled scratch model.
        twin: a compiled Keras model.
        seed: of the controls' directions, up or down for each weight.
        sample_weight: of the losses.
    """
    import reference

    start = twin.get_weights()
    runner = reference.StepRunner(reference.clone(twin))
    try:
        with untouched_generator():
            ours, our_losses, noise = _train_scratch(model, x, y, steps, sample_weight)
    except Exception as error:  # somebody's own layer or optimizer may raise anything
        raise LayerError(f"not run: {of_model(model, error)}") from error
    reference_run, losses = runner.trajectory(start, x, y, steps, sample_weight, noise)
    rng = np.random.default_rng(seed)
    keras_runs = [reference_run]
    for _ in range(CONTROLS):
        nudged = [w + rng.choice([-1, 1], w.shape).astype(w.dtype) * one_ulp(w, after)
                  for w, after in zip(start, reference_run[0])]
        keras_runs.append(runner.trajectory(nudged, x, y, steps, sample_weight, noise)[0])
    controls = [gaps(a, b) for a, b in itertools.combinations(keras_runs, 2)]
    path = gaps(reference_run, [start, *reference_run[:-1]])  # each step's own length
    return Lockstep(gaps(ours, reference_run), controls, list(np.cumsum(path)),
                    [(float(a), float(b)) for a, b in zip(our_losses, losses)])


def one_ulp(weight, after) -> np.ndarray:
    """The last place of each weight at the start or after a step, whichever is larger.

    A weight that starts at zero has no last place of its own: moving it by the smallest number that
    there is would not be a control of anything.
    """
    return np.spacing(np.maximum(np.abs(weight), np.where(np.isfinite(after), np.abs(after), 0)))


def _train_scratch(model, x, y, steps, sample_weight):
    """(weights after each step, losses, at each step the noise by the layers' positions)."""
    model = copy.deepcopy(model)
    model.optimizer = type(model.optimizer).from_config(model.optimizer.get_config())  # no past
    trajectory, losses, noise = [], [], []
    for _ in range(steps):
        losses.append(model.train_step(x, y, **execution.weighted(sample_weight))[0])
        trajectory.append(model.get_weights())
        noise.append({i: layer.noise for i, layer in enumerate(model.layers)
                      if layer.noise is not None})
    return trajectory, losses, noise


def share(gap: float, allowed: float) -> float:
    """How much of what is allowed a gap takes up; what Keras's own runs do not keep is no gap."""
    if gap <= allowed:
        return gap / allowed if 0 < allowed < np.inf else 0.0
    return gap / allowed if allowed > 0 else np.inf


def gaps(trajectory, reference_run) -> list[float]:
    """The relative distance of two trajectories of weights after each step, in the 2-norm.

    It is infinite where only one of the two has a NaN or an infinity.
    """
    return [norm([distance(a.astype(np.float64), b.astype(np.float64))
                  for a, b in zip(ours, theirs)]) / size(theirs)
            for ours, theirs in zip(trajectory, reference_run)]


def size(weights) -> float:
    """The norm of the finite ones among the weights, above zero."""
    return norm([w[np.isfinite(w)] for w in weights]) or 1.0


def norm(arrays) -> float:
    """The 2-norm of all entries, computed in float64."""
    return float(np.sqrt(sum(np.sum(np.square(a, dtype=np.float64)) for a in arrays)))
