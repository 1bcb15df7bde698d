"""Which plans are kept: a few for each model, as long as the model is there.

A run needs plans for few sizes of batch: the whole one, the last one, those of evaluation. A size
is planned when it comes for the second time. Whoever computes takes a plan out and puts it back,
so that no two threads ever have the same one.
"""

import contextlib
import weakref
from collections.abc import Iterator
from typing import Any

from scratch.parallel import outputs_of
from scratch.plans.plan import Plan

MOST = 6  # plans for one model and one of its shares
# Outputs of all layers for a block that is planned. In larger ones memory that each layer has for
# itself is out of the cache when its turn comes, and fresh memory is better (measured).
MOST_OUTPUTS = 500_000

# for each model and share, by shape: a plan, or None for a shape that came once
_kept: "weakref.WeakKeyDictionary[Any, dict[int, dict[tuple, Plan | None]]]" = (
    weakref.WeakKeyDictionary())


@contextlib.contextmanager
def borrowed(model, shape: tuple, share: int) -> Iterator[Plan]:
    """A plan of the model for a block of that shape, for the thread that has this share."""
    plans = _kept.setdefault(model, {}).setdefault(share, {})
    comes_again = shape in plans
    plan = plans.pop(shape, None)
    if plan is None or not plan.is_current(model):
        planning = comes_again and shape[0] * outputs_of(model) <= MOST_OUTPUTS
        plan = Plan(model, shape, own=share == 0, planning=planning)
    plan.take_loss(model)
    yield plan  # one in which something failed is not put back
    plans[shape] = plan if plan.planned else None
    for oldest in list(plans)[:-MOST]:
        plans.pop(oldest, None)


def release(model) -> None:
    """Let go of the model's plans, and of their memory, at the end of a run: but for the one for
    most samples of each thread, as the next run will ask for that."""
    for plans in list(_kept.get(model, {}).values()):
        largest = max(plans, key=lambda shape: (plans[shape] is not None, shape[0]), default=None)
        for shape in list(plans):
            if shape != largest:
                plans.pop(shape, None)
