"""A batch in blocks: small enough to stay in the processor's cache, spread over its cores.

How a batch is cut, and how threads run the parts: NumPy lets go of Python's lock while it computes,
and a step needs its threads to meet only once. What they do is in `blocks.py`.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor

from scratch import blas

# Outputs of all layers for one block of samples: what the cache holds, and more only for a few
# samples at least, of which products need enough to be quick.
BLOCK_NUMBERS, MOST_BLOCK_NUMBERS, FEW = 400_000, 1_000_000, 20
# The same for one thread of a model of ten layers, and so many times as much for so many times as
# many, below which a second thread does not help: in small arrays the threads spend their time on
# handing Python's lock to one another (measured).
WORTH_A_THREAD, LAYERS = 100_000, 10

_threads: int | None = None
_pool: ThreadPoolExecutor | None = None


def set_num_threads(threads: int | None) -> None:
    """How many threads may share the work; None for one per core. Changes results by rounding only.

    Raises:
        ValueError: for a number below 1.
    """
    global _threads
    if threads is not None and threads < 1:
        raise ValueError(f"Expected threads to be None or at least 1. Received: {threads!r}")
    _threads = threads


def num_threads() -> int:
    """How many threads may share the work. Just one if BLAS would bring its own besides."""
    if _threads is not None:
        return _threads
    if not blas.CONTROLLABLE:
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def split(model, samples: int, training: bool = True) -> list[list[slice]]:
    """The blocks of a batch of `samples`, for each thread its own: they cover all rows, in order.

    A block holds about `BLOCK_NUMBERS` numbers, or a few samples, so what a step needs in memory
    does not grow with the batch.
    """
    if samples == 1 or not all(splits(layer, training) for layer in model.layers):
        return [[slice(0, samples)]]
    numbers = outputs_of(model)
    worth = WORTH_A_THREAD * max(LAYERS, len(model.layers)) / LAYERS
    threads = max(1, min(num_threads(), samples, int(samples * numbers / worth)))
    few = min(FEW, MOST_BLOCK_NUMBERS // numbers)
    largest = max(1, BLOCK_NUMBERS // numbers, few)  # samples in a block
    blocks = min(samples, threads * math.ceil(samples / threads / largest))
    edges = [samples * i // blocks for i in range(blocks + 1)]
    slices = [slice(a, b) for a, b in zip(edges, edges[1:])]
    return [slices[len(slices) * i // threads:len(slices) * (i + 1) // threads]
            for i in range(threads)]


def outputs_of(model) -> int:
    """How many numbers all layers of a model make of one sample."""
    return sum(math.prod(layer.output_shape[1:]) for layer in model.layers)


def splits(layer, training: bool = True) -> bool:
    """Whether a batch may be split in front of this layer. What a subclass does is not known.

    Not where the activity is regularized: that penalty is divided by the size of the whole batch.
    """
    said = vars(type(layer))
    alone = said.get("sample_by_sample", False) and layer.sample_by_sample
    if not training:
        alone = alone or said.get("sample_by_sample_at_inference", False)
    return alone and layer.activity_regularizer is None


def run(shares: list[list[slice]], task) -> list:
    """task(number, slices) for each share, at once; the results in order."""
    if len(shares) == 1:
        return [task(0, shares[0])]
    with blas.single_threaded():
        futures = [_executor().submit(task, i, share) for i, share in enumerate(shares[1:], 1)]
        try:
            first = task(0, shares[0])
        finally:
            others = [future.exception() for future in futures]  # waits for all of them
        for error in others:
            if error is not None:
                raise error
    return [first, *(future.result() for future in futures)]


def _executor() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(max(32, num_threads()), thread_name_prefix="scratch")
    return _pool


def _forget_pool() -> None:
    """A forked child has none of its parent's threads."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
