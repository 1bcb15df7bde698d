"""Are the two networks the same function? Asked before they are trained, on a real batch."""

from collections.abc import Iterator

from compare.experiments.benchmark.batch_order import orders
from compare.experiments.benchmark.results import Check
from compare.experiments.benchmark.training import Job

BATCH = 16


def check_twins(job: Job) -> Iterator[Check]:
    """Makes both models from the job and compares them with `compare.check`; yields the outcome.

    The batch is the first images of the first epoch. A generator, because it runs in a process of
    its own, so that TensorFlow does not stay in the caller's.
    """
    import scratch
    from compare import parity
    from compare.inputs import twins

    dataset = job.data.load()
    model = scratch.Sequential.from_config(job.config)
    model.compile_from_config(job.compile_config)
    model.set_weights(job.weights)
    model, twin = twins.twins(model)
    rows = next(orders(job.order_seed, len(dataset.x_train), 1))[:BATCH]  # (batch,)
    x = dataset.pixels(dataset.x_train, model.dtype)[rows]  # (batch, H, W, 1)
    # no steps in lockstep: the benchmark is about to take as many as anybody could wish
    report = parity.check(model, twin, x, dataset.y_train[rows], steps=0)
    yield Check(bool(report), report.summary(), str(report), report.as_dict(),
                report)
