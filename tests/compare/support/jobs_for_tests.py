"""Functions that the tests of jobs run in other processes, where they are imported by name."""

import os
import signal
import time
from pathlib import Path


def square(number):
    return {"square": number * number, "process": os.getpid()}


def refuse(number):
    raise ValueError(f"expected something else than {number}")


def die_once(argument):
    """Kill the own process, but only the first time."""
    number, marker = argument
    marker = Path(marker)
    if number == 1 and not marker.exists():
        marker.write_text("was here")
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(number):
    os.kill(os.getpid(), signal.SIGKILL)


def die_and_count(path):
    """Kill the own process, after one more x in that file."""
    with open(path, "a") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)


def sleep_then(argument):
    number, seconds = argument
    time.sleep(seconds)
    return number


def cores(_):
    return sorted(os.sched_getaffinity(0))
