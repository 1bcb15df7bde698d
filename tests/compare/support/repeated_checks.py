"""How much memory stays with a process that checks the same pair again and again.

    python -m tests.compare.support.repeated_checks 500

prints what the process holds, in MB beside the first checks, after each tenth of them. The figures
should end as they begin: flat.
"""

import gc
import sys

import numpy as np

import compare
import scratch

WARM_UP = 5


def pair(dtype="float32"):
    """A small network, its twin, and a batch for them."""
    scratch.set_random_seed(1)
    model = scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(3, 2), scratch.Dropout(0.2), scratch.Flatten(),
        scratch.Dense(4, activation="softmax")], dtype=dtype)
    model.compile(scratch.Adam(0.1), "sparse_categorical_crossentropy")
    x = np.random.default_rng(0).normal(size=(4, 6, 5, 2)).astype(dtype)
    return model, compare.twin(model), x, np.arange(4)


def resident() -> float:
    """MB of the process that are in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def graphs() -> int:
    """How many graphs TensorFlow has made and not yet let go of."""
    gc.collect()
    return sum(type(thing).__name__ == "FuncGraph" for thing in gc.get_objects())


def run(times: int):
    """Yields (checks done, MB above the first ones, graphs) ten times."""
    given = pair()
    for _ in range(WARM_UP):
        compare.check(*given)
    gc.collect()
    first = resident()
    for done in range(1, times + 1):
        compare.check(*given)
        if done % max(1, times // 10) == 0:
            yield done, resident() - first, graphs()


if __name__ == "__main__":
    for done, more, count in run(int(sys.argv[1])):
        print(f"{done:6} checks: {more:+7.1f} MB, {count} graphs", flush=True)
