"""Mistakes of mixed precision: a cast that is missing, a scale of the loss that stays or counts
twice, a step that should have been skipped."""

from compare.diagnosis.computation import LayerComputation, UpdateComputation
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.low_precision import UNCAST, policy_of
from compare.tracing.loss_scale import SKIPS


def of_casts(c: LayerComputation) -> list[Variant]:
    """Of a layer that computes in a low precision: its input or its weights as they come in."""
    policy = policy_of(c.config)
    if not policy.low:
        return []
    missing = [("the input", ("x",))]
    if policy.mixed and c.weights:
        missing += [("the weights", ("weights",)), ("nothing", ("x", "weights"))]
    return [inside("cast-missing",
                   f"{what} is cast to {policy.compute}" if what == "nothing" else
                   f"{what} {'is' if what == 'the input' else 'are'} not cast to {policy.compute}",
                   lambda c, some=some: c.configured(**{UNCAST: some})) for what, some in missing]


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
