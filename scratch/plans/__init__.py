"""Layers planned for a batch: every buffer and every view made once, then only computed with.

A layer's own `forward` and `backward` say the mathematics, and make new arrays in every step. In
training, steps are alike, so that a plan can make them once. That saves calls where arrays are
small, and fresh memory where they are large. A layer that has no plan is run as it is.

What a plan computes is the same bit for bit (`tests/scratch/plans`), but for the last one in rare
cases: where an axis of length 1 makes NumPy add up in another order, and behind a layer whose
output lies otherwise in memory.

`planned.py` says what a planned layer is, `plan.py` what a planned network is, and `kept.py` which
plans are kept. The names of shapes are those of the layers' own files.
"""

# these enter what they plan
from scratch.plans import (  # noqa: F401
    activation,
    convolution,
    dense,
    flatten,
    max_pooling,
)
from scratch.plans.kept import borrowed, release
from scratch.plans.plan import Plan, Totals

__all__ = ["Plan", "Totals", "borrowed", "release"]
