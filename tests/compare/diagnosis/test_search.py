"""Two mistakes at once, mistakes that nobody knows, and none at all."""

import numpy as np
import pytest

import scratch
from compare.diagnosis import CATALOGUE
from compare.evaluation.faults.families.convolution import one_off
from compare.evaluation.faults.injection import output, output_with
from tests.compare.diagnosis.test_causes import CASES, IMAGE
from tests.compare.diagnosis.test_purity import AT_HOME, RUN
from tests.compare.diagnosis.test_training_causes import LOSSES, STEPS
from tests.compare.support.single_layers import diagnosed


def conv():
    return scratch.Conv2D(3, (3, 2), padding="same")


PAIRS = [
    ({"kernel-flipped", "scale"}, ("conv2d-kernel-flipped", "dense-doubled")),
    ({"kernel-flipped", "bias-missing"}, ("conv2d-kernel-flipped", "conv2d-bias-missing")),
    ({"padding-value", "bias-doubled"}, ("conv2d-padding-edge", "conv2d-bias-doubled")),
    ({"kernel-flipped", "scale"}, ("conv2d-dk-flipped", "conv2d-dk-divided-by-batch")),
]


@pytest.mark.parametrize("causes, faults", PAIRS, ids=[" ".join(faults) for _, faults in PAIRS])
def test_two_mistakes_at_once(causes, faults):
    finding = diagnosed(conv(), IMAGE, *faults)
    assert {cause.identifier for cause in finding.causes} == causes, str(finding)


def constant_offset(layer, y, x):
    return y + np.float32(0.125)


def one_channel(layer, y, x):
    y = y.copy()
    y[..., 1] = np.sin(y[..., 1])
    return y


def at_the_border(layer, y, x):
    y = y.copy()
    y[:, 0] = np.cos(y[:, 0])
    return y


@pytest.mark.sampled(2)
@pytest.mark.parametrize("change, words", [
    (constant_offset, "a constant offset of 0.125"), (one_channel, "only in channel 1"),
    (at_the_border, "only in row 0"), (lambda layer, y, x: np.sin(y) * y, "everywhere")],
    ids=["offset", "channel", "row", "everywhere"])
def test_unknown_mistake_is_described(change, words):
    finding = diagnosed(conv(), IMAGE, output(change), seconds=0.3)
    assert finding.identifier == "unknown" and not finding.causes, str(finding)
    assert "nothing in the catalogue explains it" in finding.sentence
    assert ("for want of time" in finding.sentence) is finding.ended_for_time
    assert f"the difference looks like {finding.looks_like}" in finding.sentence
    assert words in finding.looks_like, finding.looks_like


def test_one_weight_that_is_off_by_a_millionth_is_not_taken_for_anything_known():
    finding = diagnosed(conv(), IMAGE, output_with(kernel=one_off(1e-6)), seconds=0.3)
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


@pytest.mark.sampled(4)
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
    injected = {case.cause for case in CASES} | {each[0] for each in (*LOSSES, *STEPS, *RUN)} | {
        cause for _, cause, _ in AT_HOME}
    assert set(REQUIRED) <= set(CATALOGUE)
    assert set(REQUIRED) <= injected
    assert all(entry.sentence and entry.remedy and entry.phases for entry in CATALOGUE.values())
