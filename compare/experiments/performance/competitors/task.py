"""What a competitor makes of a case: something that can be run for so many steps, and timed."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """Ready to be timed: built, compiled, and run once.

    Attributes:
        run: does at least so many steps and returns (seconds, samples) of those it timed.
        how: what was tried before, if anything.
    """

    run: Callable[[int], tuple[float, float]]
    how: str = ""


MOST_GROWTH = 16  # from one calibrating run to the next: the first ones tell little


def calibrate(run: Callable[[int], tuple[float, float]], batch: int, stretch: float) -> int:
    """How many steps of `batch` samples take at least `stretch` seconds.

    Found by running ever more of them until it is so, which warms everything up, too.
    """
    steps = 1
    while True:
        seconds, samples = run(steps)
        if seconds >= stretch:
            return steps
        growth = 1.1 * stretch / seconds if seconds > 0 else MOST_GROWTH
        # a run may do more steps than it is asked for: `samples` tells
        steps = max(steps + 1, math.ceil(min(growth, MOST_GROWTH) * samples / batch))


TRIES = 3
CLEARLY = 2  # times as slow as the best at once: such a variant is not tried again


def fastest(variants: dict[str, Callable[[int], tuple[float, float]]], steps: int
            ) -> tuple[str, str]:
    """(the name of the fastest variant, a text that says what each took).

    They are tried in turn; the best of each one's tries counts, which on a busy machine tells most
    about what it can do.
    """
    times = {name: per_sample(run, steps) for name, run in variants.items()}
    near = [name for name in times if times[name] <= CLEARLY * min(times.values())]
    for _ in range(TRIES - 1 if len(near) > 1 else 0):
        for name in near:
            times[name] = min(times[name], per_sample(variants[name], steps))
    said = ", ".join(f"{name} {1e6 * time:,.0f}" for name, time in times.items())
    return min(near, key=times.__getitem__), said


def per_sample(run: Callable[[int], tuple[float, float]], steps: int) -> float:
    """Seconds."""
    seconds, samples = run(steps)
    return seconds / samples
