"""Compares a network in NumPy with its twin in Keras, tensor by tensor, and says what differs.

    twin = compare.twin(model)                     # the same network in Keras, same weights
    report = compare.check(model, twin, x, y)      # true if parity holds; print it for the table
    compare.assert_parity(model, twin, x, y)       # in a test
    compare.diagnose(model, twin, x, y)            # the names of the mistakes, layer by layer
    trace = compare.record(twin, x, y)             # a recording, to save and check against later
    compare.diff(trace_a, trace_b)                 # two recordings
    compare.check_outputs(twin, x, {"conv2d": a})  # arrays of another runtime, layer by layer
    compare.bounds(layer, x, weights)              # what one layer should give, and the bound
    compare.wrap(my_layer, kernel="W", ...)        # lets somebody else's layer take part
    compare.from_torch(module, names={...}, ...)   # a PyTorch module, where it needs a word more
    compare.from_jax(function, params, ...)        # a function of JAX's; one layer: wrap_jax
    compare.from_onnx("model.onnx", names={...})   # an ONNX file, where it needs a word more
    compare.from_tflite("model.tflite", ...)       # likewise a TFLite file
    compare.assert_case("mine:build", "conv", ...) # one layer on a case that `parity debug` found

Only what really needs Keras imports TensorFlow. Each name is loaded when it is first used, so that
the command's help, which needs none of them, answers at once.
"""

import importlib
from typing import TYPE_CHECKING

from compare.inputs import load_order, own_packages
from compare.reduction import old_imports

if TYPE_CHECKING:
    from compare.adapters import assemble, from_torch, wrap
    from compare.checks.row import Row
    from compare.foreign_outputs import bounds, check_outputs
    from compare.parity import assert_case, assert_parity, check, diagnose, diff, twin
    from compare.report.report import Report
    from compare.runtimes import from_jax, from_onnx, from_tflite, wrap_jax
    from compare.tracing.recorder import record
    from compare.tracing.trace import Trace

__all__ = ["Report", "Row", "Trace", "assemble", "assert_case", "assert_parity", "bounds", "check",
           "check_outputs", "diagnose", "diff", "from_jax", "from_onnx", "from_tflite",
           "from_torch", "record", "twin", "wrap", "wrap_jax"]
__version__ = "0.2.0"

WHERE = {
    "compare.adapters": ("assemble", "from_torch", "wrap"),
    "compare.checks.row": ("Row",),
    "compare.foreign_outputs": ("bounds", "check_outputs"),
    "compare.parity": ("assert_case", "assert_parity", "check", "diagnose", "diff", "twin"),
    "compare.report.report": ("Report",),
    "compare.runtimes": ("from_jax", "from_onnx", "from_tflite", "wrap_jax"),
    "compare.tracing.recorder": ("record",),
    "compare.tracing.trace": ("Trace",),
}

load_order.triton_first()
own_packages.install()
old_imports.install()


def __getattr__(name: str):
    """A public name, from the module that has it."""
    for module, names in WHERE.items():
        if name in names:
            importlib.import_module("compare.report.notebook")  # registers how notebooks show them
            globals()[name] = getattr(importlib.import_module(module), name)
            return globals()[name]
    if name == "parity":  # the module, for whoever wants more of it
        return importlib.import_module("compare.parity")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
