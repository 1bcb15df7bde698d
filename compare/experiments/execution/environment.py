"""On what machine and with which versions a benchmark ran."""

import os
import platform
from importlib import metadata

import numpy as np

PACKAGES = ("keras-parity", "numpy", "scikit-learn", "matplotlib", "tabulate")


def environment() -> dict[str, str]:
    """Machine and versions, as names and texts. Keras's own are known to its process alone."""
    found = {"machine": machine(), "system": platform.platform(),
             "python": f"{platform.python_implementation()} {platform.python_version()}"}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def machine() -> str:
    """'AMD EPYC 7B13, 2 of 64 cores', as far as the system tells."""
    cores = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    count = f"{cores} core{'s' if cores > 1 else ''}"
    return f"{processor()}, {count if usable == cores else f'{usable} of {count}'}"


def processor() -> str:
    """The processor's name; on Linux as it calls itself."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as info:
            for line in info:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown processor"


def blas_in_use() -> tuple[str, str]:
    """NumPy's matrix library, and how many threads it uses, as far as either can be told."""
    try:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    except (KeyError, TypeError):
        blas = "an unknown BLAS"
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return blas, "its default number of threads"
    counts = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    if not counts:
        return blas, "its default number of threads"
    return blas, f"{max(counts)} thread{'s' if max(counts) > 1 else ''}"
