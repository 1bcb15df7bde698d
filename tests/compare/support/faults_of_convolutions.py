"""Faults of convolutions: kernels, biases and windows, each with its name."""

import itertools

import numpy as np

import scratch
from tests.compare.support import mistakes
from tests.compare.support.faulty import (
    DB,
    DK,
    DX,
    IMAGE,
    OUT,
    Conv,
    Dense,
    Fault,
    altered,
    conv,
    flipped,
    hwio_as_oihw,
    in_for_out,
    reweighed,
    rows_for_columns,
    windowed,
)


def kernels():
    for tensor in (OUT, DX):
        yield Fault("kernel-flipped", conv(reweighed(Conv, tensor, "kernel", flipped)), IMAGE,
                    tensor)
        yield Fault("kernel-transposed", conv(reweighed(Conv, tensor, "kernel", rows_for_columns),
                                              kernel=(3, 3)), IMAGE, tensor)
        yield Fault("kernel-channels-swapped", conv(reweighed(Conv, tensor, "kernel", in_for_out),
                                                    filters=2), IMAGE, tensor)
        yield Fault("kernel-layout", conv(reweighed(Conv, tensor, "kernel", hwio_as_oihw)), IMAGE,
                    tensor)
    yield Fault("kernel-flipped", conv(altered(Conv, DK, lambda s, g: flipped(g))), IMAGE, DK)
    yield Fault("kernel-transposed", conv(altered(Conv, DK, lambda s, g: rows_for_columns(g)),
                                          kernel=(3, 3)), IMAGE, DK)
    yield Fault("kernel-layout", conv(altered(Conv, DK, lambda s, g: hwio_as_oihw(g))), IMAGE, DK)
    yield Fault("kernel-flipped", lambda: reweighed(
        scratch.Conv1D, OUT, "kernel", lambda k: k[::-1])(4, 3), (9, 2))
    yield Fault("kernel-flipped", lambda: reweighed(
        scratch.DepthwiseConv2D, OUT, "kernel", flipped)((3, 2), depth_multiplier=2), IMAGE)
    yield Fault("kernel-flipped", lambda: reweighed(
        scratch.Conv2DTranspose, OUT, "kernel", flipped)(3, (3, 2), strides=2), IMAGE)
    yield Fault("kernel-flipped", lambda: reweighed(
        scratch.SeparableConv2D, DX, "depthwise_kernel", flipped)(3, (3, 2)), IMAGE, DX)
    yield Fault("kernel-flipped", conv(reweighed(Conv, OUT, "kernel", flipped),
                                       data_format="channels_first"), (2, 9, 8))


class Untied(Conv):
    """One bias for each position."""

    def affine(self, x):
        y = super().affine(x)
        return y + np.sin(np.arange(y[0].size)).reshape(y[0].shape).astype(y.dtype)


def biases():
    yield Fault("bias-missing", conv(mistakes.BiasMissing), IMAGE)
    yield Fault("bias-missing", lambda: mistakes.BiasMissesOneUnit(5), (7,), said="unit 1")
    yield Fault("bias-missing", lambda: mistakes.BiasGradientMissing(5), (7,), DB)
    yield Fault("bias-doubled", conv(altered(Conv, OUT, lambda s, y: y + s.bias)), IMAGE)
    yield Fault("bias-doubled", lambda: mistakes.BiasDoubled(5), (7,))
    yield Fault("bias-untied", conv(Untied), IMAGE)

    class UntiedGradient(Conv):
        def affine_backward(self, dz, wants):
            dx = super().affine_backward(dz, wants)
            self.grads["bias"] = dz.sum(axis=0)
            return dx

    yield Fault("bias-untied", conv(UntiedGradient), IMAGE, DB)
    yield Fault("bias-untied", conv(altered(
        Conv, DB, lambda s, g: s.seen_dy.sum(axis=(0, 1))[0])), IMAGE, DB)
    yield Fault("sign", lambda: altered(Dense, OUT, lambda s, y: y - 2 * s.bias)(5), (7,),
                said="bias")


def geometry():
    yield Fault("padding-side", conv(windowed(before=(1, 1))), IMAGE)
    yield Fault("padding-side", conv(windowed(before=(2, 1)), kernel=(3, 2)), IMAGE)
    yield Fault("padding-amount", conv(windowed(before=(3, 0))), IMAGE)
    yield Fault("padding-amount", lambda: Valid(3, (3, 2), padding="same"), IMAGE)
    for mode in ("edge", "reflect"):
        yield Fault("padding-value", conv(windowed(before=(1, 0), mode=mode)), IMAGE, said=mode)
    yield Fault("padding-value", conv(windowed(before=(1, 0), fill=-0.5)), IMAGE, said="-0.5")
    yield Fault("shifted", conv(altered(Conv, OUT, lambda s, y: np.roll(y, 1, axis=2))), IMAGE)
    yield Fault("shifted", conv(mistakes.PaddedBefore), IMAGE)
    yield Fault("shifted", conv(altered(Conv, DX, lambda s, d: np.roll(d, (1, -1), (1, 2)))),
                IMAGE, DX)
    valid = dict(padding="valid", strides=(2, 3))
    yield Fault("stride-offset", conv(windowed(before=(-1, 0)), **valid), (10, 12, 2))
    yield Fault("stride-offset", conv(windowed(before=(-1, -2)), **valid), (10, 12, 2))
    yield Fault("stride-ignored", conv(windowed(before=(0, 0), strides=(1, 1)), **valid),
                (10, 12, 2))
    yield Fault("stride-ignored", conv(windowed(before=(0, 0), strides=(3, 2)), **valid),
                (11, 12, 2))
    dilated = dict(padding="valid", dilation_rate=(2, 3))
    yield Fault("dilation-ignored", conv(windowed(before=(0, 0), dilation=(1, 1)), **dilated),
                (11, 12, 2))
    yield Fault("dilation-ignored", conv(windowed(before=(0, 0), dilation=(2, 2)), padding="valid",
                                         dilation_rate=(2, 1)), (11, 12, 2))
    yield Fault("groups-ignored", lambda: FirstGroup(4, (3, 2), groups=2), (9, 8, 6))
    yield Fault("groups-ignored", lambda: AllChannels(4, (3, 2), groups=2), (9, 8, 6))
    yield Fault("border-dropped", conv(mistakes.BorderColumnDropped), IMAGE)
    yield Fault("border-dropped", conv(altered(Conv, DX, border_zeroed)), IMAGE, DX)
    yield Fault("border-dropped", conv(KernelGradientInside), IMAGE, DK)
    yield Fault("overlap-overwritten", lambda: mistakes.Overwrites(3, (3, 2)), IMAGE, DX)
    yield Fault("overlap-overwritten", lambda: SpreadOver(3, (3, 2), strides=2), (5, 4, 2))


class Valid(Conv):
    """No padding where there should be some."""

    def affine(self, x):
        inner = scratch.Conv2D(self.filters, self.kernel_size)
        inner.build(x.shape)
        inner.params = self.params
        return inner.affine(x)


class FirstGroup(Conv):
    """Every filter sees the first group's channels."""

    def affine(self, x):
        held = x.shape[3] // self.groups
        return super().affine(np.tile(x[..., :held], self.groups))


class AllChannels(Conv):
    """Every filter sees the channels of all groups."""

    def affine(self, x):
        held = x.shape[3] // self.groups
        parts = x.reshape(*x.shape[:3], self.groups, held).sum(axis=3)
        return super().affine(np.tile(parts, self.groups))


class KernelGradientInside(Conv):
    """Windows on the border do not count in the kernel's gradient."""

    def affine_backward(self, dz, wants):
        super().affine_backward(border_zeroed(self, dz), wants)
        kernel = self.grads["kernel"].copy()
        dx = super().affine_backward(dz, wants)
        self.grads["kernel"] = kernel
        return dx


def border_zeroed(layer, image):
    image = image.copy()
    image[:, :1] = image[:, -1:] = 0
    image[:, :, :1] = image[:, :, -1:] = 0
    return image


class SpreadOver(scratch.Conv2DTranspose):
    """Where windows overlap, the last one stands alone."""

    def affine(self, x):
        y = np.zeros_like(super().affine(x))
        (sh, sw), (kh, kw) = self.strides, self.kernel_size
        for p, q in itertools.product(range(x.shape[1]), range(x.shape[2])):
            y[:, p * sh:p * sh + kh, q * sw:q * sw + kw] = np.einsum(
                "nc,ijfc->nijf", x[:, p, q], self.params["kernel"])
        return y + self.bias


FAULTS = [*kernels(), *biases(), *geometry()]
