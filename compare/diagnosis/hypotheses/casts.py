"""Mistakes of mixed precision: a cast that is missing, a scale of the loss that stays or counts
twice, a step that should have been skipped."""

import functools

import numpy as np

from compare.diagnosis.computation import LayerComputation, UpdateComputation
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.low_precision import UNCAST, policy_of
from compare.oracle.running_error import Bounded
from compare.tracing.loss_scale import SKIPS
from scratch.precision import LOW, rounded


def of_casts(c) -> list[Variant]:
    """Of a layer that computes in a low precision: its input or its weights as they come in."""
    policy = policy_of(c.config)
    if not policy.low:
        return []
    missing: list[tuple[str, tuple[str, ...]]] = [("the input", ("x",))]
    if policy.mixed and c.weights:
        missing += [("the weights", ("weights",)), ("nothing", ("x", "weights"))]
    if c.layer is not None and c.layer.casts_numbers:
        missing.append(("the given numbers", ("numbers",)))
    return [inside("cast-missing",
                   f"{what} is cast to {policy.compute}" if what == "nothing" else
                   f"{what} {'is' if what == 'the input' else 'are'} not cast to {policy.compute}",
                   functools.partial(_uncast, some=some)) for what, some in missing]


def _uncast(c: LayerComputation, some: tuple[str, ...]) -> LayerComputation:
    return c.configured(**{UNCAST: some})


def of_low_arithmetic(c) -> list[Variant]:
    """All of a layer's arithmetic in a precision lower than its own, its result in that, too; of
    batch normalization what goes into the moving statistics."""
    found = []
    for name in LOW:
        if not policy_of(c.config).low:
            found.append(Variant("low-precision", f"it is computed in {name}",
                                 functools.partial(_computed_in, name=name)))
        if c.tensor in ("moving_mean_updated", "moving_variance_updated"):
            found.append(Variant("low-precision", f"the batch's moments are rounded to {name}",
                                 functools.partial(_rounded_moments, name=name)))
    return found


def _computed_in(c: LayerComputation, made: np.ndarray, name: str) -> LayerComputation:
    """The layer in that precision, if all that was made is of it."""
    if not np.array_equal(rounded(made, name), made, equal_nan=True):
        raise ValueError(f"Expected numbers of {name}. Received: others")
    return c.configured(dtype=name)


def _rounded_moments(c: LayerComputation, made: np.ndarray, name: str) -> LayerComputation:
    """A moving statistic m * old + (1 - m) * moment, the moment rounded first."""
    old = c.value(c.weights[c.tensor.removesuffix("_updated")]).astype(np.float64)
    kept = float(c.config["momentum"])

    def change(result: Bounded) -> Bounded:
        moment = (result.value - kept * old) / (1 - kept)
        # where the moment lies close to the middle of two numbers it may have gone either way
        room = result.bound / (1 - kept)
        off = np.stack([rounded(moment + way * room, name) - moment for way in (0, 1, -1)])
        moved = result.value + (1 - kept) * off
        nearest = np.argmin(np.abs(moved - made), axis=0)[None]
        return Bounded(np.take_along_axis(moved, nearest, axis=0)[0], result.rounding, result.bound)

    return c.then(change)


def of_loss_scaling(c: UpdateComputation) -> list[Variant]:
    """Of an optimizer that scales the loss."""
    scale = c.config.get("loss_scale_factor")
    if not scale:
        return []
    found = [inside("loss-scale", "the gradients are not divided by it",
                    lambda c: c.configured(loss_scale_factor=None)),
             inside("loss-scale", "the gradients are divided by it twice",
                    lambda c: c.configured(loss_scale_factor=scale**2)),
             inside("loss-scale", "the gradients are multiplied by it",
                    lambda c: c.configured(loss_scale_factor=1 / scale))]
    if c.config.get(SKIPS):
        found.append(inside("step-not-skipped", "gradients that are not finite move the weights",
                            lambda c: c.configured(**{SKIPS: False})))
    return found
