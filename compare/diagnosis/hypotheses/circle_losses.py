"""Mistakes in the circle loss: its settings, its mean, and what its gradient leaves out."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.losses.circle import Circle
from compare.oracle.running_error import Bounded

MARGINS, GAMMAS = (0.4, 0.25, 0.5, 0.0), (80.0, 256.0, 64.0, 32.0, 1.0)


class OfConstantWeights(Circle):
    """As the paper has it: the weights of the distances are taken for constants."""

    weights_move = False


class OfConstantPartners(Circle):
    """Each loss is seen as one of its own sample alone."""

    partners_move = False


def of_circle(c) -> list[Variant]:
    """Everything that is this loss's own."""
    if c.class_name != "Circle":
        return []
    own = c.config.get("remove_diagonal", True)
    found = [inside("loss-other", "a sample is a partner of its own" if own else
                    "a sample is no partner of its own",
                    lambda c: c.configured(remove_diagonal=not own))]
    for setting, values in (("margin", MARGINS), ("gamma", GAMMAS)):
        for other in values:
            if other != c.config.get(setting, values[0]):
                found.append(inside("loss-other", f"{setting} {other:g}", lambda c, s=setting,
                                    o=other: c.configured(**{s: o})))
    if c.config.get("reduction", "sum_over_batch_size") in ("sum_over_batch_size", "mean"):
        found.append(inside(
            "loss-sum-for-mean", "the losses that are 0 are counted, too",
            lambda c: c.configured(reduction="sum").then(lambda r: r * (1 / len(c.output)))))
    if c.tensor == "gradient":
        found += [inside("loss-other", said, lambda c, oracle=oracle: c.changed(
            own=lambda c: _gradient(c, oracle))) for said, oracle in (
                ("the weights of the distances are taken for constants", OfConstantWeights),
                ("the samples to which distances are measured are taken for constants",
                 OfConstantPartners))]
    return found


def _gradient(c, oracle: type[Circle]) -> Bounded:
    return oracle(c.config, c.dtype)(np.asarray(c.y), c.exact(c.output), c.fused, c.sample_weight,
                                     c.steps)[1]
