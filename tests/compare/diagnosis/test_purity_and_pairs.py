"""What shows when a layer is run again; two mistakes at once; mistakes that nobody knows."""

import numpy as np
import pytest

import scratch
from compare.diagnosis import CATALOGUE
from tests.compare.diagnosis.test_causes import diagnosed
from tests.compare.diagnosis.test_training_causes import LOSSES, STEPS
from tests.compare.support import mistakes
from tests.compare.support.faults_of_layers import FAULTS
from tests.compare.support.faulty import IMAGE, altered, conv, flipped, reweighed, windowed

DX, DK = "input_gradient", "kernel_gradient"


class Accumulates(scratch.Dense):
    """Its kernel's gradient adds up from call to call."""

    total = 0.0

    def affine_backward(self, dz, wants):
        dx = super().affine_backward(dz, wants)
        self.total = self.total + self.grads["kernel"]
        self.grads["kernel"] = self.total
        return dx


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


def half(x):
    return x.astype(np.float16).astype(x.dtype)


class HalfSums(scratch.Dense):
    """Adds up in float16."""

    def affine(self, x):
        y = np.zeros((len(x), self.units), np.float16)
        for i in range(x.shape[1]):
            y += (x[:, i, None] * self.kernel[i]).astype(np.float16)
        return (y + self.bias.astype(np.float16)).astype(x.dtype)


RUN = [
    ("gradient-accumulated", lambda: Accumulates(5), (7,), DK),
    ("state-leak", lambda: Remembers(5), (7,), "output"),
    ("input-modified", lambda: InPlace(), (7,), "output"),
    ("input-modified", lambda: InPlaceGradient(), (7,), DX),
    ("low-precision", conv(mistakes.HalfPrecisionInside), IMAGE, "output"),
    ("low-precision", lambda: altered(scratch.Dense, "output", lambda s, y: half(y))(5), (7,),
     "output"),
    ("low-precision", lambda: HalfSums(40), (30,), "output"),
    ("nan", lambda: altered(scratch.ReLU, "output", lambda s, y: np.sqrt(s.seen_x))(), (7,),
     "output"),
    ("nan", lambda: altered(scratch.Dense, DX, lambda s, d: d / np.round(s.seen_x))(5), (7,), DX),
]


@pytest.mark.parametrize("cause, make, shape, tensor", RUN, ids=lambda each: each if isinstance(each, str) else "")
def test_found_by_running(cause, make, shape, tensor):
    with np.errstate(all="ignore"):
        finding = diagnosed(make(), shape)
    assert (finding.tensor, finding.identifier) == (tensor, cause), str(finding)


PAIRS = [
    ({"kernel-flipped", "scale"}, conv(altered(reweighed(scratch.Conv2D, "output", "kernel",
                                                         flipped), "output", lambda s, y: 2 * y))),
    ({"kernel-flipped", "bias-missing"},
     conv(altered(reweighed(scratch.Conv2D, "output", "kernel", flipped), "output",
                  lambda s, y: y - s.bias))),
    ({"padding-value", "bias-doubled"}, conv(altered(
        windowed(before=(1, 0), mode="edge"), "output", lambda s, y: y + s.bias))),
]


@pytest.mark.parametrize("causes, make", PAIRS, ids=lambda each: " ".join(sorted(each))
                         if isinstance(each, set) else "")
def test_two_mistakes_at_once(causes, make):
    finding = diagnosed(make(), IMAGE)
    assert {cause.identifier for cause in finding.causes} == causes, str(finding)


def test_two_mistakes_in_a_gradient():
    turned = altered(altered(scratch.Conv2D, DK, lambda s, g: flipped(g)), DK,
                     lambda s, g: g / len(s.seen_x))
    finding = diagnosed(turned(3, (3, 2)), IMAGE)
    assert {c.identifier for c in finding.causes} == {"kernel-flipped", "scale"}, str(finding)


def constant_offset(layer, y):
    return y + np.float32(0.125)


def one_channel(layer, y):
    y = y.copy()
    y[..., 1] = np.sin(y[..., 1])
    return y


def at_the_border(layer, y):
    y = y.copy()
    y[:, 0] = np.cos(y[:, 0])
    return y


@pytest.mark.parametrize("change, words", [
    (constant_offset, "a constant offset of 0.125"), (one_channel, "only in channel 1"),
    (at_the_border, "only in row 0"), (lambda s, y: np.sin(y) * y, "everywhere")],
    ids=["offset", "channel", "row", "everywhere"])
def test_unknown_mistake_is_described(change, words):
    finding = diagnosed(conv(altered(scratch.Conv2D, "output", change))(), IMAGE, seconds=0.3)
    assert finding.identifier == "unknown" and not finding.causes, str(finding)
    assert "nothing in the catalogue explains it; the difference looks like" in finding.sentence
    assert words in finding.looks_like, finding.looks_like


def test_one_weight_that_is_off_by_a_millionth_is_not_taken_for_anything_known():
    finding = diagnosed(conv(mistakes.OneWeightOff)(), IMAGE, seconds=0.3)
    assert finding.identifier == "unknown" and "channel 2" in finding.looks_like, str(finding)


RIGHT = [
    (lambda: scratch.Conv2D(4, (3, 2), padding="same", strides=2), IMAGE),
    (lambda: scratch.Conv2D(4, (3, 2), groups=2, dilation_rate=2), (9, 8, 6)),
    (lambda: scratch.Conv1D(3, 2, padding="causal"), (9, 2)),
    (lambda: scratch.DepthwiseConv2D((2, 3), depth_multiplier=2), IMAGE),
    (lambda: scratch.SeparableConv2D(3, (2, 3)), IMAGE),
    (lambda: scratch.Conv2DTranspose(3, (2, 3), strides=2), (4, 3, 2)),
    (lambda: scratch.Dense(5), (7,)), (lambda: scratch.Dense(5), (3, 7)),
    (lambda: scratch.MaxPooling2D((3, 2), strides=(2, 1), padding="same"), IMAGE),
    (lambda: scratch.AveragePooling2D((3, 2), strides=(2, 1), padding="same"), IMAGE),
    (lambda: scratch.GlobalMaxPooling2D(), IMAGE), (lambda: scratch.Flatten(), IMAGE),
    (lambda: scratch.ReLU(max_value=2, negative_slope=0.1, threshold=0.5), (6, 5)),
    (lambda: scratch.PReLU(), (6, 5)), (lambda: scratch.Activation("gelu"), (6, 5)),
    (lambda: scratch.Softmax(), (6,)), (lambda: scratch.BatchNormalization(), (5, 3)),
    (lambda: scratch.LayerNormalization(), (5, 3)),
    (lambda: scratch.UpSampling2D((2, 3)), (4, 3, 2)),
    (lambda: scratch.ZeroPadding2D(((1, 2), (0, 3))), (4, 3, 2)),
    (lambda: scratch.Add(), [(4, 3), (4, 3)]), (lambda: scratch.Multiply(), [(4, 3), (4, 3)]),
]


@pytest.mark.parametrize("make, shape", RIGHT, ids=lambda each: type(each()).__name__
                         if callable(each) else "")
def test_right_layers_give_no_finding(make, shape):
    finding = diagnosed(make(), shape)
    assert finding is None, str(finding)


REQUIRED = """
kernel-flipped kernel-transposed kernel-channels-swapped kernel-layout bias-missing bias-doubled
bias-untied padding-side padding-amount padding-value shifted stride-offset stride-ignored
dilation-ignored groups-ignored axes-permuted flatten-order batch-mixed scale sign
transposed-weights mask-missing mask-inverted mask-wrong-tensor activation-missing activation-twice
activation-other pool-ties pool-average-padding pool-kind overlap-overwritten border-dropped
softmax-axis softmax-jacobian-missing softmax-twice loss-sum-for-mean loss-clipped labels-shifted
epsilon moving-statistics update-sign update-before-gradient gradient-accumulated input-modified
state-leak low-precision nan
""".split()


def test_every_cause_that_was_asked_for_is_in_the_catalogue_and_is_injected_somewhere():
    injected = {fault.cause for fault in FAULTS} | {each[0] for each in (*LOSSES, *STEPS, *RUN)}
    assert set(REQUIRED) <= set(CATALOGUE)
    assert set(REQUIRED) <= injected
    assert all(entry.sentence and entry.remedy and entry.phases for entry in CATALOGUE.values())
