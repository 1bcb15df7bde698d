"""The most memory this process has held so far."""

import sys


def peak_memory() -> int | None:
    """Peak resident memory in bytes; None where the system does not tell.

    On Linux it is VmHWM, which is the process's own; `getrusage` there starts a child off with the
    size that its parent had.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024  # "VmHWM:   123456 kB"
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # bytes there, KiB elsewhere
