"""A batch computed block by block, on several threads: what each does, and how it adds up.

Layers remember their last input, so two threads cannot share one. Each thread therefore works with
a twin of the model of its own, see `plans`: other layers, the same weights. Nobody changes a weight
meanwhile.
"""

from collections.abc import Iterator

from scratch import parallel, plans
from scratch.several import joined, mapped

Shares = list[list[slice]]  # for each thread its blocks


def learn(model, x, batch, shares: Shares):
    """(loss, output) of a batch, without penalties; the layers' `grads` are the whole batch's."""
    if len(shares) == len(shares[0]) == 1:
        with plans.borrowed(model, _shape(x, len(x)), 0) as plan:
            value, output, _ = plan.twin._learn(x, batch)
            plan.hand_out(model.layers)
            return value, mapped(plan.kept, output)

    def learn_share(share: int, slices: list[slice]):
        values, outputs, total = [], [], plans.Totals()
        for rows, plan in _planned(model, x, share, slices):
            value, output, _ = plan.twin._learn(x[rows], batch[rows])
            values.append(value)
            outputs.append(mapped(plan.kept, output))
            total.add(plan)
        return values, outputs, total

    values, outputs, totals = zip(*parallel.run(shares, learn_share))
    for other in totals[1:]:
        totals[0].add_total(other)
    totals[0].hand_out(model.layers)
    return sum(sum(values, [])), joined(sum(outputs, []))


def test(model, x, batch, shares: Shares):
    """(loss, output) of a batch, without penalties and without learning from it."""
    def test_share(share: int, slices: list[slice]):
        values, outputs = [], []
        for rows, plan in _planned(model, x, share, slices):
            output, value, _ = plan.twin._forward_and_loss(x[rows], batch[rows], False)
            values.append(value)
            outputs.append(mapped(plan.kept, output))
        return values, outputs

    values, outputs = zip(*parallel.run(shares, test_share))
    return sum(sum(values, [])), joined(sum(outputs, []))


def predict(model, x, shares: Shares) -> list:
    """The outputs for x, block by block."""
    def predict_share(share: int, slices: list[slice]):
        return [mapped(plan.kept, plan.twin.forward(x[rows]))
                for rows, plan in _planned(model, x, share, slices)]

    return sum(parallel.run(shares, predict_share), [])


def _planned(model, x, share: int, slices: list[slice]) -> Iterator[tuple[slice, plans.Plan]]:
    """Each block's rows, and a plan for them."""
    for rows in slices:
        with plans.borrowed(model, _shape(x, rows.stop - rows.start), share) as plan:
            yield rows, plan


def _shape(x, samples: int) -> tuple:
    """The shape of so many samples of an array; of several arrays, which are not planned, the
    number alone."""
    return (samples, *getattr(x, "shape", (samples,))[1:])
