"""Mistakes are made in one layer at a time, and each is named: first, and by its own name."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

import scratch
from compare.diagnosis import CATALOGUE
from compare.evaluation.faults.families.convolution import padded, windows
from compare.evaluation.faults.families.normalization import wrong_epsilon
from compare.evaluation.faults.injection import activation, output
from tests.compare.support.single_layers import diagnosed, diagnosed_at_home

OUT, DX, DK, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
IMAGE = (9, 8, 2)


@dataclass(frozen=True)
class Case:
    """A fault, and what a diagnosis has to say of it.

    Attributes:
        fault: its identifier in the catalogue of `compare.evaluation.faults`, or a function that
            puts it into a layer.
        cause: the identifier that has to be named first.
        tensor: the first wrong one.
        said: a word that the finding's details hold.
        layer: a function () -> the layer that it is put into; None for that of the fault's own
            network.
        shape: of one input of that layer.
        options: further arguments of `diagnose_op`.
    """

    fault: str | Callable
    cause: str
    tensor: str = OUT
    said: str = ""
    layer: Callable | None = None
    shape: tuple = ()
    options: dict = field(default_factory=dict, hash=False)

    def __str__(self):
        fault = self.fault if isinstance(self.fault, str) else self.cause
        return f"{fault}-{type(self.layer()).__name__}" if self.layer else fault

    def finding(self):
        if self.layer is None:
            return diagnosed_at_home(self.fault, **self.options)
        return diagnosed(self.layer(), self.shape, self.fault, **self.options)


def conv(**settings):
    return lambda: scratch.Conv2D(3, (3, 2), **{"padding": "same", **settings})


KERNELS = [
    Case("conv2d-kernel-flipped", "kernel-flipped"),
    Case("conv2d-kernel-transposed", "kernel-transposed"),
    Case("conv2d-kernel-channels-swapped", "kernel-channels-swapped"),
    Case("conv2d-kernel-oihw", "kernel-layout"),
    Case("conv2d-dx-kernel-flipped", "kernel-flipped", DX),
    Case("conv2d-dx-kernel-transposed", "kernel-transposed", DX),
    Case("conv2d-dx-channels-swapped", "kernel-channels-swapped", DX),
    Case("conv2d-dx-kernel-oihw", "kernel-layout", DX),
    Case("conv2d-dk-flipped", "kernel-flipped", DK),
    Case("conv2d-dk-transposed", "kernel-transposed", DK),
    Case("conv2d-dk-oihw", "kernel-layout", DK),
    Case("conv1d-kernel-flipped", "kernel-flipped"),
    Case("depthwise-conv2d-kernel-flipped", "kernel-flipped"),
    Case("conv2d-transpose-kernel-flipped", "kernel-flipped"),
    Case("conv2d-transpose-channels-swapped", "kernel-channels-swapped"),
    Case("separable-conv2d-dx-depthwise-flipped", "kernel-flipped", DX),
    Case("conv2d-kernel-flipped", "kernel-flipped", layer=conv(data_format="channels_first"),
         shape=(2, 9, 8)),
    Case("dense-kernel-transposed", "transposed-weights"),
    Case("dense-kernel-read-as-rows", "transposed-weights"),
    Case("dense-dx-kernel-not-transposed", "transposed-weights", DX),
    Case("dense-dk-transposed", "transposed-weights", DK),
]


class BiasGradientUntied(scratch.Conv2D):
    """The bias's gradient has the shape of an image."""

    def affine_backward(self, dz, wants):
        dx = super().affine_backward(dz, wants)
        self.grads["bias"] = dz.sum(axis=0)
        return dx


def as_it_is(layer):
    """No fault: the class is wrong already."""


BIASES = [
    Case("conv2d-bias-missing", "bias-missing"),
    Case("dense-bias-misses-one-unit", "bias-missing", said="unit 1"),
    Case("dense-db-missing", "bias-missing", DB),
    Case("conv2d-bias-doubled", "bias-doubled"),
    Case("dense-bias-doubled", "bias-doubled"),
    Case("conv2d-bias-untied", "bias-untied"),
    Case("conv2d-db-one-column", "bias-untied", DB),
    Case(as_it_is, "bias-untied", DB, layer=lambda: BiasGradientUntied(3, (3, 2), padding="same"),
         shape=IMAGE),
    Case("dense-bias-subtracted", "sign", said="bias"),
]


class Valid(scratch.Conv2D):
    """No padding where there should be some: the output is too small."""

    def affine(self, x):
        inner = scratch.Conv2D(self.filters, self.kernel_size)
        inner.build(x.shape)
        inner.params = self.params
        return inner.affine(x)


STRIDED = dict(layer=conv(padding="valid", strides=(2, 3)), shape=(10, 12, 2))
WINDOWS = [
    Case("conv2d-padding-before", "padding-side"),
    Case("conv2d-padding-all-before", "padding-side"),
    Case("conv2d-padding-symmetric", "padding-side", said="1 and 0 pixels"),
    Case("conv2d-padding-of-whole-kernel", "padding-amount"),
    Case(windows(before=(3, 0)), "padding-amount", layer=conv(), shape=IMAGE),
    Case(as_it_is, "padding-amount", layer=lambda: Valid(3, (3, 2), padding="same"), shape=IMAGE),
    Case("conv2d-padding-edge", "padding-value", said="edge"),
    Case("conv2d-padding-reflect", "padding-value", said="reflect"),
    Case(padded("constant", constant_values=-0.5), "padding-value", said="-0.5", layer=conv(),
         shape=IMAGE),
    Case("conv2d-output-rolled", "shifted"),
    Case("conv2d-input-shifted", "shifted"),
    Case("conv2d-dx-rolled", "shifted", DX),
    Case("conv2d-stride-offset", "stride-offset", **STRIDED),
    Case(windows(before=(-1, -2)), "stride-offset", **STRIDED),
    Case(windows(before=(0, 0), strides=(1, 1)), "stride-ignored", **STRIDED),
    Case("conv2d-stride-ignored", "stride-ignored"),
    Case("conv2d-strides-swapped", "stride-ignored"),
    Case("conv2d-dilation-ignored", "dilation-ignored"),
    Case("conv2d-dilation-one-for-both", "dilation-ignored"),
    Case(windows(before=(0, 0), dilation_rate=(2, 2)), "dilation-ignored",
         layer=conv(padding="valid", dilation_rate=(2, 1)), shape=(11, 12, 2)),
    Case(windows(before=(0, 0), dilation_rate=(1, 1)), "dilation-ignored",
         layer=conv(padding="valid", dilation_rate=(2, 3)), shape=(11, 12, 2)),
    Case("conv2d-groups-ignored", "groups-ignored"),
    Case("conv2d-groups-summed", "groups-ignored"),
    Case("conv2d-last-column-dropped", "border-dropped"),
    Case("conv2d-dx-border-dropped", "border-dropped", DX),
    Case("conv2d-dk-border-dropped", "border-dropped", DK),
    Case("conv2d-dx-overwritten", "overlap-overwritten", DX),
    Case("conv2d-transpose-overwritten", "overlap-overwritten"),
    Case("zero-padding2d-other-side", "padding-side"),
    Case("zero-padding2d-edge", "padding-value"),
    Case("cropping2d-other-side", "padding-side"),
    Case("up-sampling2d-dx-first-copy", "overlap-overwritten", DX),
]

ORDERS = [
    Case("conv2d-output-upside-down", "axes-permuted", said="turned"),
    Case("conv2d-output-upside-down", "axes-permuted", said="turned",
         layer=lambda: scratch.MaxPooling2D((2, 3)), shape=IMAGE),
    Case("conv2d-output-transposed", "axes-permuted"),
    Case("conv2d-output-transposed", "axes-permuted", layer=conv(), shape=(8, 8, 2)),
    Case("up-sampling2d-tiled", "axes-permuted"),
    Case("permute-inverse", "axes-permuted"),
    Case("depthwise-conv2d-multiplier-first", "axes-permuted", said="multiplier"),
    Case("flatten-by-channel", "flatten-order", said="CHW"),
    Case("flatten-dx-by-channel", "flatten-order", DX),
    Case("dense-rows-by-channel", "flatten-order", options={"context": {"image": (6, 5, 4)}}),
    Case("dense-dx-rows-by-channel", "flatten-order", DX,
         options={"context": {"image": (6, 5, 4)}}),
    Case("dense-samples-swapped", "batch-mixed"),
    Case("conv2d-samples-reversed", "batch-mixed"),
    Case("conv2d-dk-first-sample", "batch-mixed", DK, said="first sample"),
    Case("dense-dk-other-samples", "batch-mixed", DK),
    Case("dense-db-first-sample", "batch-mixed", DB),
    Case("dense-samples-averaged", "batch-mixed", said="mean", layer=scratch.ReLU, shape=(7,)),
]

NUMBERS = [
    Case("dense-dk-divided-by-batch", "scale", DK, said="1/N"),
    Case("dense-dk-times-batch", "scale", DK, said="which is N"),
    Case("conv2d-db-mean", "scale", DB, said="1/(N H W)"),
    Case("conv2d-dk-mean-over-pixels", "scale", DK, said="1/(H W)"),
    Case("dense-doubled", "scale", said="which is 2"),
    Case("average-pooling2d-sum", "scale", said="pool's area"),
    Case("dropout-not-scaled", "scale", said="1 - rate", options={"noise": "dropout"}),
    Case("dense-dk-times-rate", "scale", DK, said="learning rate",
         options={"context": {"learning_rate": 0.05}}),
    Case("dense-dx-negated", "sign", DX),
    Case("conv2d-output-negated", "sign"),
    Case("dense-dx-missing", "gradient-missing", DX),
    Case("dense-dx-after-update", "update-before-gradient", DX, said="0.05"),
    Case("conv2d-dx-after-update", "update-before-gradient", DX),
]

ACTIVATIONS = [
    Case("relu-dx-mask-missing", "mask-missing", DX),
    Case("relu-dx-mask-inverted", "mask-inverted", DX),
    Case("relu-dx-mask-of-gradient", "mask-wrong-tensor", DX),
    Case("activation-sigmoid-dx-of-input", "mask-wrong-tensor", DX),
    Case("dropout-dx-mask-missing", "mask-missing", DX, options={"noise": "dropout"}),
    Case("dropout-mask-inverted", "mask-inverted", options={"noise": "dropout"}),
    Case("relu-dx-passes-at-zero", "activation-kink", DX),
    Case("relu-missing", "activation-missing"),
    Case("activation-sigmoid-dx-missing", "activation-missing", DX),
    Case("activation-sigmoid-dx-missing", "activation-missing", DX,
         layer=lambda: scratch.Activation("tanh"), shape=(6, 5)),
    Case("activation-inner-tanh-twice", "activation-twice", options={"part": 1}),
    Case("activation-sigmoid-twice", "activation-twice", layer=lambda: scratch.Activation("tanh"),
         shape=(6, 5)),
    Case("relu-leaks", "activation-other", said="leaky_relu"),
    Case("relu-as-softsign", "activation-other", said="softsign"),
    Case("relu-cut-off-at-one", "activation-other", said="up to 1"),
    Case("activation-gelu-approximate", "activation-other", said="tanh"),
    Case("relu-max-value-ignored", "activation-other", said="without max_value"),
    Case("leaky-relu-dx-other-slope", "activation-other", DX, said="0.3"),
    Case(activation(slope=lambda dy, z, y: dy * np.where(z > 0, 1, 0.01)), "activation-other", DX,
         said="0.01", layer=lambda: scratch.LeakyReLU(0.2), shape=(6, 5)),
    Case("softmax-over-batch", "softmax-axis", said="batch"),
    Case("softmax-other-axis", "softmax-axis"),
    Case("softmax-over-all", "softmax-axis"),
    Case("softmax-dx-no-jacobian", "softmax-jacobian-missing", DX),
    Case("softmax-dx-diagonal", "softmax-jacobian-missing", DX),
    Case("softmax-twice", "softmax-twice"),
    Case("softmax-missing", "activation-missing"),
]

MERGES = [
    Case("concatenate-other-order", "inputs-swapped"),
    Case("add-as-subtract", "merge-other", said="Subtract"),
    Case("add-first-lost", "merge-other", said="input 2"),
    Case("multiply-dx-swapped", "inputs-swapped", f"{DX}_1"),
    Case("subtract-dx-sign", "sign", f"{DX}_2"),
    Case("maximum-ties-second", "pool-ties", f"{DX}_1", said="last"),
]


def middle_of_window(layer, y, x):
    """The mean of the largest and the smallest number of a window."""
    return (y - type(layer).__mro__[1].forward(layer, -x)) / 2


POOLINGS = [
    Case("max-pooling2d-ties-last", "pool-ties", DX),
    Case("max-pooling2d-ties-shared", "pool-ties", DX),
    Case("global-max-pooling2d-ties-first", "pool-ties", DX),
    Case("average-pooling2d-padding-counted", "pool-average-padding"),
    Case("max-pooling2d-pads-with-zero", "padding-value"),
    Case("max-pooling2d-average", "pool-kind"),
    Case("global-max-pooling2d-mean", "pool-kind"),
    Case(output(middle_of_window), "pool-kind", layer=lambda: scratch.MaxPooling2D((3, 2)),
         shape=(7, 6, 2)),
    Case("max-pooling2d-dx-overwritten", "overlap-overwritten", DX),
]

NORMALIZATIONS = [
    Case("batch-normalization-epsilon-1e-5", "epsilon", said="1e-05"),
    Case("layer-normalization-epsilon-missing", "epsilon", said="0 in"),
    Case(wrong_epsilon(0.0234), "epsilon", said="0.0234", layer=scratch.BatchNormalization,
         shape=(5, 3)),
    Case("layer-normalization-epsilon-outside", "epsilon", said="outside"),
    Case("batch-normalization-gamma-missing", "gamma-missing"),
    Case("batch-normalization-beta-missing", "bias-missing"),
    Case("batch-normalization-moving-in-training", "moving-statistics", said="moving averages"),
    Case("batch-normalization-dx-constant-moments", "moving-statistics", DX, said="constant"),
    Case("batch-normalization-dx-mean-forgotten", "moving-statistics", DX, said="mean is held"),
    Case("batch-normalization-momentum-swapped", "moving-statistics", "moving_mean_updated",
         said="exchanged"),
    Case("batch-normalization-moving-variance-unbiased", "moving-statistics",
         "moving_variance_updated", said="unbiased"),
    Case("batch-normalization-batch-at-inference", "moving-statistics", said="batch",
         options={"training": False}),
    Case("layer-normalization-other-axis", "normalization-axes", said="axis 1"),
]

AXES = [  # of one and of three axes
    Case("conv3d-kernel-flipped", "kernel-flipped"),
    Case("conv3d-stride-ignored", "stride-ignored", said="(1, 1, 1)"),
    Case("conv3d-groups-reversed", "groups-ignored"),
    Case("conv3d-dx-kernel-flipped", "kernel-flipped", DX),
    Case("conv1d-transpose-kernel-flipped", "kernel-flipped"),
    Case("max-pooling3d-ties-first", "pool-ties", DX, said="first"),
    Case("zero-padding3d-other-side", "padding-side"),
    Case("up-sampling3d-tiled", "axes-permuted"),
    Case("up-sampling2d-corners-aligned", "interpolation", said="corners"),
    Case("up-sampling2d-half-pixel-forgotten", "interpolation", said="o / size"),
    Case("up-sampling2d-dx-bicubic-bilinear", "interpolation", DX, said="bilinear"),
]

CASES = [*KERNELS, *BIASES, *WINDOWS, *ORDERS, *NUMBERS, *ACTIVATIONS, *MERGES, *POOLINGS,
         *NORMALIZATIONS, *AXES]


@pytest.mark.sampled(5, of=lambda row: row["case"].cause)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_mistake_is_named_first(case):
    finding = case.finding()
    assert finding is not None, f"{case}: nothing was found"
    assert (finding.tensor, finding.identifier) == (case.tensor, case.cause), str(finding)
    assert case.said in finding.causes[0].detail, str(finding)
    assert finding.after is None or finding.after <= 1 < finding.before
    assert finding.identifier in CATALOGUE
