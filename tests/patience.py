"""How long a test waits for another process: a slow machine is no failure, a process that hangs is.
"""

import os
import time
from collections.abc import Callable

SECONDS = 1800


def until(condition: Callable[[], object], every: float = 0.02) -> None:
    """Waits until the condition holds.

    Raises:
        TimeoutError: if it does not within SECONDS.
    """
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"expected it to hold within {SECONDS} s")
        time.sleep(every)


def is_left(group: int) -> bool:
    """Whether a process of that group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
