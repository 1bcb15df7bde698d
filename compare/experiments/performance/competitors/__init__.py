"""Who takes part: each competitor in a file of its own, whose libraries load when one is made.

A competitor has `how` and `versions`, makes a `Task` of a case with `training(case)` or
`predicting(case)`, of a single layer with `layer(case)`, and trains on images that stay bytes with
`on_bytes(case, images, labels)`, which returns a function of the number of steps.
"""

import importlib

# module and class of each
COMPETITORS = {"scratch": ("scratch_fit", "ScratchFit"), "keras": ("keras_fit", "KerasFit"),
               "keras-loop": ("keras_loop", "KerasLoop"), "torch": ("torch_loop", "TorchLoop"),
               "blas": ("blas", "Blas")}


def make(name: str):
    """The competitor of that name, with its libraries loaded."""
    module, attribute = COMPETITORS[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), attribute)()
