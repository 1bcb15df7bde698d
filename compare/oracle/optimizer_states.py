"""States of an optimizer drawn for the purpose: how many steps were made, slots, gradients.

A fresh optimizer's first step shows little of its rule: momenta and mean squares are zero, the
schedule is at its start, and a limit may not be reached. So a step is made from states in which
all of this counts. Numbers are mixed so that no part of the rule is lost to rounding beside
another one:

- weights of the size of 1 show the decay, weights as small as a step show the step's own digits;
- some gradients and slots are as small as makes epsilon count;
- gradients lie just below or above a limit of clipping, some weights' gradients are zero.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import DTypeLike

from compare.oracle.adaptive_optimizers import optimizer_for
from compare.oracle.learning_rates import rate_at, turning_points
from compare.oracle.optimizers import Optimizer
from compare.oracle.running_error import Bounded
from compare.tracing.loss_scale import SKIPS
from compare.tracing.types import Config, Weights

FIRST, LATE = (0, 1, 2), (1_000, 100_000)
LONGEST = 4  # of an axis of a weight
CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")
LIMITS = 1e-10, 1e15  # between which a limit of clipping is reached without under- or overflow
BELOW, ABOVE = "gradients below the limit", "gradients above the limit"
OVERFLOWN = "a gradient is infinite"


@dataclass
class State:
    """Where one step starts, and by what it is made.

    Attributes:
        iteration: how many steps were made before.
        weights, gradients: of every weight that is trained.
        slots: for each of them what the optimizer remembers, by the oracle's names.
        about: on which side of a limit the gradients are, '' without a limit.
    """

    iteration: int
    weights: list[np.ndarray]
    gradients: list[np.ndarray]
    slots: list[Weights] = field(default_factory=list)
    about: str = ""


def iterations(config: Config, others: tuple[int, ...] = ()) -> list[int]:
    """The numbers of steps after which a step is judged, rising.

    Args:
        config: the optimizer's.
        others: more of them, such as how many steps a user's optimizer has made.
    """
    around = [point + k for point in turning_points(config.get("learning_rate"))
              for k in (-1, 0, 1)]
    calls = config.get("gradient_accumulation_steps") or 1
    frequency = (config.get("use_ema") and config.get("ema_overwrite_frequency")) or 1
    ends = [n * calls - 1 for n in (1, 2, LATE[0])] if calls > 1 else []
    overwritten = [n * frequency * calls - 1 for n in (1, 2)] if frequency > 1 else []
    found = {*FIRST, *LATE, *around, *ends, *overwritten, *others}
    return sorted(i for i in found if 0 <= i < 2**24)


def states(class_name: str, config: Config, shapes: list[tuple[int, ...]], dtype: DTypeLike,
           others: tuple[int, ...] = (), names: list[str] | None = None) -> list[State]:
    """The states from which an optimizer is judged, the same ones every time.

    Args:
        class_name, config: as Keras writes an optimizer.
        shapes: of the weights that are trained; a long axis is cut.
        dtype: of the weights.
        others: see `iterations`.
        names: of the weights, 'dense/kernel' ..., for rules that tell them apart.
    """
    cut = [tuple(min(n, LONGEST) for n in shape) for shape in shapes]
    oracle = optimizer_for(class_name, config, dtype)
    oracle.names = names or [""] * len(shapes)
    draws = _Draws(oracle, cut, np.dtype(dtype))
    limited = draws.limit is not None
    found = [draws.state(iteration, about) for iteration in iterations(config, others)
             if draws.has_step(iteration)
             for about in ((BELOW, ABOVE) if limited else ("",))]
    if config.get(SKIPS):
        found.append(_overflown(found[-1]))
    return found


def _overflown(state: State) -> State:
    """The state with one gradient that is infinite, of which no step is made."""
    gradients = [gradient.copy() for gradient in state.gradients]
    gradients[-1].flat[0] = np.inf
    return replace(state, iteration=state.iteration + 1, gradients=gradients, about=OVERFLOWN)


class _Draws:
    """Draws states of one optimizer for weights of these shapes."""

    def __init__(self, oracle: Optimizer, shapes: list[tuple[int, ...]], dtype: np.dtype) -> None:
        self.oracle, self.shapes, self.dtype = oracle, shapes, dtype
        config = oracle.config
        epsilon = config.get("epsilon") or 0.0
        # the size of a gradient beside which epsilon counts
        adam = any({f"{of}beta_1", f"{of}beta_2"} <= config.keys() for of in ("", "adam_"))
        self.small = max(epsilon if adam else float(np.sqrt(epsilon)), 1e-12) if epsilon else 1.0
        self.key = next((key for key in CLIPS if (config.get(key) or 0) > 0), None)
        limit = None if self.key is None else float(config[self.key])
        self.limit = limit if limit is not None and LIMITS[0] < limit < LIMITS[1] else None

    def has_step(self, iteration: int) -> bool:
        """Whether the rule has a step there: not if it divides by a rate that is 0, or so small
        that what it divides overflows."""
        rate = rate_at(self.oracle.config["learning_rate"], iteration, self.oracle.rounding)
        smallest = float(self.oracle.rounding.tiny ** 0.25)
        return not self.oracle.divides_by_rate or bool(abs(float(rate.value)) > smallest)

    def state(self, iteration: int, about: str) -> State:
        rng = np.random.default_rng([iteration, about == ABOVE])
        rate = float(rate_at(self.oracle.config["learning_rate"], iteration,
                             self.oracle.rounding).value)
        step = abs(rate) if np.isfinite(rate) and rate else 1e-3
        sizes = [rng.choice([1.0, self.small], shape) for shape in self.shapes]
        gradients = [rng.standard_normal(shape) * size for shape, size in zip(self.shapes, sizes)]
        if self.limit is not None:
            gradients, sizes = self._beside_limit(gradients, sizes, about == ABOVE, iteration)
        if iteration == 1 and about != ABOVE:
            gradients[-1] = 0 * gradients[-1]
        weights = [rng.standard_normal(shape) * rng.choice([1.0, step], shape)
                   for shape in self.shapes]
        slots = [self._slots(*each, step, rng)
                 for each in zip(weights, self.oracle.names, sizes)]
        scale = float(self.oracle.config.get("loss_scale_factor") or 1.0)
        return State(iteration, self._rounded(weights),
                     self._rounded([gradient * scale for gradient in gradients]), slots, about)

    def _beside_limit(self, gradients: list[np.ndarray], sizes: list[np.ndarray], above: bool,
                      iteration: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The gradients, and what their sizes are multiples of, scaled to one side of the limit."""
        assert self.limit is not None
        if self.key == "clipvalue":
            largest = [np.abs(g).max(initial=0) for g in gradients]
            times = [(2.0 if above else 0.9)] * len(gradients)
        else:
            joint = self.key == "global_clipnorm"
            norms = [float(np.sqrt((g * g).sum())) for g in gradients]
            largest = [float(np.sqrt(np.square(norms).sum()))] * len(norms) if joint else norms
            reached = 1.25 if iteration % 2 else 4.0
            # of norms that are limited one by one, every other one may stay below in either case
            times = [reached if above and (joint or i % 2 == 0) else 0.8
                     for i in range(len(norms))]
        factors = [self.limit * t / most if most else 1.0 for t, most in zip(times, largest)]
        return ([g * factor for g, factor in zip(gradients, factors)],
                [size * factor for size, factor in zip(sizes, factors)])

    def _slots(self, weight: np.ndarray, name: str, size: np.ndarray, step: float,
               rng: np.random.Generator) -> Weights:
        """What the optimizer remembers of gradients of that size."""
        fresh = self.oracle.all_slots(Bounded(weight, self.oracle.rounding), name)
        shape = weight.shape
        squares = size * size * rng.uniform(0.25, 4, shape)
        # a momentum of Adam's is a mean of gradients; the others' are steps
        moved = size if {"beta_1", "adam_beta_1"} & self.oracle.config.keys() else step
        drawn = {"momentum": rng.standard_normal(shape) * moved,
                 "velocity": squares,
                 "adam_velocity": squares,
                 "velocity_hat": squares * rng.choice([0.5, 2.0], shape),
                 "average_gradient": np.sqrt(squares) * rng.uniform(-0.7, 0.7, shape),
                 "accumulator": squares,
                 "norm": np.sqrt(squares),
                 "accumulated_grad": squares,
                 "accumulated_delta_var": step * step * rng.uniform(0.25, 4, shape),
                 "linear": -weight * np.sqrt(squares) / step * rng.uniform(0.5, 2, shape)}
        if shape and len(shape) > 1:
            drawn |= {"row": squares.mean(axis=-1), "column": squares.mean(axis=-2)}
        drawn["gradient_accumulator"] = rng.standard_normal(shape) * size
        for slot in ("average", *self.oracle.like_weights):
            drawn[slot] = weight + step * rng.standard_normal(shape)
        return dict(zip(fresh, self._rounded([drawn[slot] for slot in fresh])))

    def _rounded(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        return [np.asarray(array, self.dtype) for array in arrays]


def exact_step(oracle: Optimizer, state: State) -> tuple[list[Bounded], list[dict[str, Bounded]]]:
    """(the weights, the slots) after the step that a state describes.

    Args:
        oracle: of the optimizer; whatever it has remembered is replaced.
    """
    def bounded(array: np.ndarray) -> Bounded:
        return Bounded(array, oracle.rounding)

    oracle.iteration = state.iteration
    oracle.slots = [{name: bounded(array) for name, array in slots.items()}
                    for slots in state.slots]
    moved = oracle.step(list(map(bounded, state.weights)), list(map(bounded, state.gradients)))
    return moved, oracle.slots


def with_more_roundings(result: Bounded, times: float) -> Bounded:
    """A result that may be rounded so many times as often as by the formula itself."""
    return Bounded(result.value, result.rounding, result.bound * times)
