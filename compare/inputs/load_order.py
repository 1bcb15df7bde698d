"""A library that has to be loaded before TensorFlow."""

import contextlib
import importlib
import importlib.util
import sys


def triton_first() -> None:
    """Load Triton, PyTorch's compiler, where PyTorch is installed with it.

    Loaded behind TensorFlow it ends the process by a segmentation fault (seen with Triton 3.8 and
    TensorFlow 2.21), and any optimizer of PyTorch's loads it.
    """
    if "tensorflow" in sys.modules or not all(map(importlib.util.find_spec, ("torch", "triton"))):
        return
    with contextlib.suppress(Exception):  # one that cannot be loaded does no harm
        importlib.import_module("triton")
