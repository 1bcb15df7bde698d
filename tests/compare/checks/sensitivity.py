"""The smallest mistake that each gate of a check still sees, measured.

    python -m tests.compare.checks.sensitivity

One result of one layer is multiplied by 1 + e, and e is halved as long as the gate notices. What
comes out belongs to the network and the batch of `examples`; a longer sum has a wider bound.
"""

import functools

import numpy as np
from tabulate import tabulate

import compare
import scratch
from compare.checks import training_trajectory
from compare.inputs import twins
from tests.compare.support import examples
from tests.compare.support.faults import scaled, spoiled

GATES = {"whole numbers": ("whole numbers",), "few terms": ("few terms",),
         "on its own": ("forward", "backward"), "whole network": ("whole network",)}
AFFINE = ("output", "input_gradient", "kernel_gradient", "bias_gradient")
LAYERS = {"conv": AFFINE, "dense": AFFINE, "pool": AFFINE[:2], "relu": AFFINE[:2],
          "flatten": AFFINE[:2]}
FINEST = {"float32": 30, "float64": 58}


@functools.cache
def reference(dtype):
    """The recorded Keras network without mistakes."""
    return compare.record(twins.twins(examples.network(dtype=dtype))[1], *examples.batch())


def seen_by(gate: str, layer: str, tensor: str, dtype: str, size: float) -> bool:
    """Whether that gate fails where one layer's tensor is multiplied by 1 + size."""
    wrong = spoiled(examples.network(dtype=dtype), **{layer: scaled(tensor, 1 + size)})
    report = compare.check(wrong, reference(dtype))
    return any(not row.passed for row in report.rows if row.gate in GATES[gate])


def seen_in_training(dtype: str, size: float) -> bool:
    """Whether lockstep training fails where every gradient is multiplied by 1 + size."""
    class Off(scratch.SGD):
        def apply(self, gradients, variables):
            super().apply([(g.astype(np.float64) * (1 + size)).astype(g.dtype) for g in gradients],
                          variables)

    model = examples.network(optimizer=Off(0.1), dtype=dtype)
    twin = twins.twins(examples.network(dtype=dtype))[1]
    return not training_trajectory.run(model, twin, *examples.batch(), 5).row().passed


def smallest(seen, finest: int) -> float | None:
    """The smallest power of two that is seen, None if 1 is not; seen is taken to be monotone."""
    if not seen(1.0):
        return None
    low, high = 0, finest + 1  # 2^-low is seen, 2^-high is not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if seen(2.0**-middle) else (low, middle)
    return 2.0**-low


def table() -> str:
    """Smallest mistakes by layer, tensor and gate."""
    body = []
    for dtype, finest in FINEST.items():
        for layer, tensors in LAYERS.items():
            for tensor in tensors:
                found = [smallest(functools.partial(seen_by, gate, layer, tensor, dtype), finest)
                         for gate in GATES]
                body.append((dtype, layer, tensor, *map(text, found)))
        found = smallest(functools.partial(seen_in_training, dtype), finest)
        body.append((dtype, "optimizer", "all gradients", "", "", "", "lockstep: " + text(found)))
    return tabulate(body, ("precision", "layer", "tensor", *GATES), disable_numparse=True)


def text(size: float | None) -> str:
    return "not seen" if size is None else f"{size:.1e}"


if __name__ == "__main__":
    print(table())
