"""What shows when a layer is run again, and what rounds too early or makes a NaN."""

import numpy as np
import pytest

import scratch
from compare.evaluation.faults.injection import input_gradient, output
from tests.compare.support.single_layers import diagnosed, diagnosed_at_home

DX, DK = "input_gradient", "kernel_gradient"


class Remembers(scratch.Dense):
    """Adds a hundredth of what it made the last time."""

    last = 0.0

    def affine(self, x):
        y = super().affine(x) + np.float32(0.01) * self.last
        self.last = float(np.abs(y).mean())
        return y


class InPlace(scratch.ReLU):
    """Overwrites its input."""

    def forward(self, x, training=False):
        y = super().forward(x.copy(), training)
        np.maximum(x, 0, out=x)
        return 2 * y


class InPlaceGradient(scratch.ReLU):
    """Overwrites the gradient that it is given, after doubling it."""

    def backward(self, dy, wants_input_gradient=True):
        dy *= 2
        return super().backward(dy)


class HalfSums(scratch.Dense):
    """Adds up in float16."""

    def affine(self, x):
        y = np.zeros((len(x), self.units), np.float16)
        for i in range(x.shape[1]):
            y += (x[:, i, None] * self.kernel[i]).astype(np.float16)
        return (y + self.bias.astype(np.float16)).astype(x.dtype)


# cause, tensor, faults, the layer that they are put into or that is wrong itself
RUN = [
    ("state-leak", "output", (), lambda: Remembers(5)),
    ("input-modified", "output", (), InPlace),
    ("input-modified", DX, (), InPlaceGradient),
    ("low-precision", "output", ("conv2d-float16-output",), lambda: scratch.Dense(5)),
    ("low-precision", "output", (), lambda: HalfSums(40)),
    ("nan", "output", (output(lambda layer, y, x: np.sqrt(x)),), scratch.ReLU),
    ("nan", DX, (input_gradient(lambda layer, dx, dy: dx / np.round(layer._x)),),
     lambda: scratch.Dense(5)),
]


@pytest.mark.parametrize("cause, tensor, faults, layer", RUN,
                         ids=[f"{i}-{cause}" for i, (cause, *_) in enumerate(RUN)])
def test_found_by_running(cause, tensor, faults, layer):
    with np.errstate(all="ignore"):
        finding = diagnosed(layer(), (30,), *faults)
    assert (finding.tensor, finding.identifier) == (tensor, cause), str(finding)


AT_HOME = [("dense-dk-accumulated", "gradient-accumulated", DK),
           ("conv2d-state-leak", "state-leak", "output"),
           ("conv2d-float16-input", "low-precision", "output")]


@pytest.mark.parametrize("fault, cause, tensor", AT_HOME)
def test_a_fault_of_the_catalogue_is_found_by_running(fault, cause, tensor):
    finding = diagnosed_at_home(fault)
    assert (finding.tensor, finding.identifier) == (tensor, cause), str(finding)
