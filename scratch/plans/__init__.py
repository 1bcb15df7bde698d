"""Layers planned for a batch: every buffer and every view made once, then only computed with.

A layer's own `forward` and `backward` say the mathematics, and make new arrays in every step. In
training, steps are alike, so that a plan can make them once: what it computes is the same bit for
bit (`tests/scratch/plans`), in a half to two thirds of the time for a batch of one, where arrays
are small and calls are what costs.

`planned.py` says what a planned layer is, `network_plan.py` what a planned network is, and
`kept.py` which plans are kept.
"""

# these enter what they plan
from scratch.plans import (  # noqa: F401
    activation,
    batch_normalization,
    convolution,
    dense,
    flatten,
    max_pooling,
)
from scratch.plans.kept import borrowed, release
from scratch.plans.plan import Plan, Totals

__all__ = ["Plan", "Totals", "borrowed", "release"]
