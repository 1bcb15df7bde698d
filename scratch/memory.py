"""How much memory there is, and a refusal, with the figure, of what needs more."""

from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup")  # of a container, on Linux


def available() -> int | None:
    """Bytes that can still be had without others being pushed out; None if the system won't tell.

    On Linux what /proc/meminfo calls MemAvailable, or what a control group leaves of its limit, if
    that is less.
    """
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    try:
        limit = int((CONTROL_GROUP / "memory.max").read_text())
        found.append(max(limit - int((CONTROL_GROUP / "memory.current").read_text()), 0))
    except (OSError, ValueError):  # none, or 'max'
        pass
    return min(found, default=None)


def require(needed: int, what: str) -> None:
    """That there is room for so many bytes.

    Args:
        what: would take them up, such as "the weights of Model 'net'".

    Raises:
        ValueError: if there is less, with both figures.
    """
    there = available()
    if there is not None and needed > there:
        raise ValueError(f"{what} would take {megabytes(needed)} of memory. Expected at most the "
                         f"{megabytes(there)} that are available")


def megabytes(count: int) -> str:
    """A number of bytes for people: '1,234 MB'."""
    return f"{round(count / 1e6):,} MB"
