"""Faults of all kinds of layers: order, numbers, activations, merging; each with its name."""

import numpy as np

import scratch
from tests.compare.support import mistakes
from tests.compare.support.faulty import (
    DB,
    DK,
    DX,
    IMAGE,
    OUT,
    Avg,
    Conv,
    Dense,
    Fault,
    Max,
    altered,
    conv,
    in_for_out,
    reweighed,
)


def orders():
    for cls in (Conv, Max):
        make = conv(altered(cls, OUT, lambda s, y: y[:, ::-1])) if cls is Conv else (
            lambda: altered(Max, OUT, lambda s, y: y[:, ::-1])((2, 3)))
        yield Fault("axes-permuted", make, (9, 8, 2), said="turned")
    yield Fault("axes-permuted", conv(altered(Conv, OUT, lambda s, y: y.swapaxes(1, 2))),
                (8, 8, 2))
    yield Fault("axes-permuted", lambda: altered(
        scratch.UpSampling2D, OUT, lambda s, y: np.tile(s.seen_x, (1, 2, 3, 1)))((2, 3)), (4, 3, 2))
    yield Fault("flatten-order", lambda: mistakes.ChannelsFirst(), (6, 5, 2), said="CHW")
    yield Fault("flatten-order", lambda: mistakes.GradientChannelsFirst(), (6, 5, 2), DX)
    chw = np.arange(24).reshape(4, 3, 2).transpose(2, 0, 1).reshape(-1)
    for tensor in (OUT, DX):
        yield Fault("flatten-order", lambda t=tensor: reweighed(
            Dense, t, "kernel", lambda k: k[chw])(5), (24,), tensor,
            options=dict(context={"image": (4, 3, 2)}))
    yield Fault("batch-mixed", lambda: mistakes.SamplesSwapped(5), (7,))
    yield Fault("batch-mixed", conv(altered(Conv, OUT, lambda s, y: y[::-1])), IMAGE)
    yield Fault("batch-mixed", conv(mistakes.FirstSampleOnly), IMAGE, DK, said="first sample")
    yield Fault("batch-mixed", lambda: altered(Dense, DK, lambda s, g:
                np.roll(s.seen_x, 1, axis=0).T @ s.seen_dy)(5), (7,), DK)
    yield Fault("batch-mixed", lambda: altered(scratch.ReLU, OUT, lambda s, y: np.repeat(
        y.mean(axis=0, keepdims=True), len(y), axis=0))(), (7,), said="mean")
    square = dict(shape=(6,))
    yield Fault("transposed-weights", lambda: reweighed(Dense, OUT, "kernel", lambda k: k.T)(6),
                **square)
    yield Fault("transposed-weights", lambda: reweighed(Dense, DX, "kernel", lambda k: k.T)(6),
                (6,), DX)
    yield Fault("transposed-weights", lambda: altered(Dense, DK, lambda s, g: g.T)(6), (6,), DK)
    yield Fault("transposed-weights", lambda: reweighed(
        Dense, OUT, "kernel", lambda k: np.ascontiguousarray(k.T).reshape(k.shape))(5), (7,))


def numbers():
    yield Fault("scale", lambda: mistakes.DividedTwice(5), (7,), DK, said="1/N")
    yield Fault("scale", lambda: altered(Dense, DK, lambda s, g: g * len(s.seen_x))(5), (7,), DK,
                said="which is N")
    yield Fault("scale", conv(mistakes.BiasGradientMean), IMAGE, DB, said="1/(N H W)")
    yield Fault("scale", conv(altered(Conv, DK, lambda s, g: g / np.prod(
        s.seen_x.shape[1:3]))), IMAGE, DK,
                said="1/(H W)")
    yield Fault("scale", lambda: altered(Dense, OUT, lambda s, y: 2 * y)(5), (7,),
                said="which is 2")
    yield Fault("scale", lambda: altered(Avg, OUT, lambda s, y: y * 6)((2, 3)), (8, 9, 2),
                said="pool's area")
    yield Fault("scale", lambda: altered(scratch.Dropout, OUT, lambda s, y: y * 0.75)(0.25), (9,),
                said="1 - rate", options=dict(noise="dropout"))
    yield Fault("sign", lambda: altered(Dense, DX, lambda s, d: -d)(5), (7,), DX)
    yield Fault("sign", conv(altered(Conv, OUT, lambda s, y: -y)), IMAGE)
    yield Fault("gradient-missing", lambda: altered(Dense, DX, lambda s, d: 0 * d)(5), (7,), DX)
    yield Fault("update-before-gradient", lambda: mistakes.UpdatedTooEarly(5), (7,), DX,
                said="0.001")
    yield Fault("update-before-gradient", conv(TooEarly), IMAGE, DX)


class TooEarly(Conv):
    """Goes back through weights that were updated already."""

    def affine_backward(self, dz, wants):
        super().affine_backward(dz, wants)
        kept = dict(self.grads)
        with mistakes.Kernel(self, self.kernel - np.float32(0.01) * kept["kernel"]):
            dx = super().affine_backward(dz, True)
        self.grads.update(kept)
        return dx


def activations():
    relu = scratch.ReLU
    yield Fault("mask-missing", lambda: altered(relu, DX, lambda s, d: s.seen_dy)(), (6, 5), DX)
    yield Fault("mask-inverted", lambda: altered(
        relu, DX, lambda s, d: s.seen_dy * (s.seen_x <= 0))(), (6, 5), DX)
    yield Fault("mask-wrong-tensor", lambda: mistakes.MaskFromGradient(), (6, 5), DX)
    yield Fault("mask-wrong-tensor", lambda: altered(scratch.Activation, DX, lambda s, d:
                s.seen_dy * s.seen_x * (1 - s.seen_x))("sigmoid"), (6, 5), DX)
    yield Fault("mask-missing", lambda: altered(scratch.Dropout, DX, lambda s, d: s.seen_dy)(0.4),
                (9,), DX, options=dict(noise="dropout"))
    yield Fault("mask-inverted", lambda: altered(scratch.Dropout, OUT, lambda s, y:
                s.seen_x * (y == 0) / 0.6)(0.4), (9,), options=dict(noise="dropout"))
    yield Fault("activation-kink", lambda: mistakes.PassesAtZero(), (6, 5), DX)
    yield Fault("activation-missing", lambda: altered(relu, OUT, lambda s, y: s.seen_x)(), (6, 5))
    yield Fault("activation-missing", lambda: altered(
        scratch.Activation, DX, lambda s, d: s.seen_dy)("tanh"), (6, 5), DX)
    yield Fault("activation-twice", lambda: altered(
        scratch.Activation, OUT, lambda s, y: np.tanh(y))("tanh"), (6, 5))
    for other, function in (("leaky_relu", lambda x: np.where(x > 0, x, 0.05 * x)),
                            ("softsign", lambda x: x / (1 + np.abs(x))),
                            ("up to 1", lambda x: np.clip(x, 0, 1))):
        yield Fault("activation-other", lambda f=function: altered(
            relu, OUT, lambda s, y: f(s.seen_x))(), (6, 5), said=other)
    yield Fault("activation-other", lambda: altered(scratch.Activation, OUT, lambda s, y: 0.5 *
                s.seen_x * (1 + np.tanh(np.sqrt(2 / np.pi) * (s.seen_x + 0.044715 * s.seen_x**3)))
                )("gelu"), (6, 5), said="tanh")


def softmaxes():
    softmax = scratch.Softmax

    def over(axis):
        def function(layer, y):
            e = np.exp(layer.seen_x - layer.seen_x.max())
            return e / e.sum(axis=axis, keepdims=True)

        return function

    yield Fault("softmax-axis", lambda: altered(softmax, OUT, over(0))(), (6,), said="batch")
    yield Fault("softmax-axis", lambda: altered(softmax, OUT, over(1))(), (4, 6))
    yield Fault("softmax-axis", lambda: mistakes.OverAllSamples(), (6,))
    yield Fault("softmax-jacobian-missing", lambda: mistakes.NoJacobian(), (6,), DX)
    yield Fault("softmax-jacobian-missing", lambda: mistakes.DiagonalJacobian(), (6,), DX)
    yield Fault("softmax-twice", lambda: altered(softmax, OUT, lambda s, y: np.exp(y) / np.exp(
        y).sum(axis=-1, keepdims=True))(), (6,))
    yield Fault("activation-missing", lambda: altered(softmax, OUT, lambda s, y: s.seen_x)(), (6,))


def merges():
    pair = [(4, 3), (4, 3)]
    yield Fault("inputs-swapped", lambda: altered(
        scratch.Concatenate, OUT, lambda s, y: np.concatenate(s.seen_x[::-1], axis=-1))(), pair)
    yield Fault("merge-other", lambda: altered(
        scratch.Add, OUT, lambda s, y: s.seen_x[0] - s.seen_x[1])(), pair, said="Subtract")
    yield Fault("merge-other", lambda: altered(
        scratch.Add, OUT, lambda s, y: s.seen_x[1])(), pair, said="input 2")
    yield Fault("inputs-swapped", lambda: altered(
        scratch.Multiply, DX, lambda s, d: d[::-1])(), pair, f"{DX}_1")


def more():
    """What the families above leave out."""
    depthwise, transposed = scratch.DepthwiseConv2D, scratch.Conv2DTranspose
    yield Fault("axes-permuted", lambda: altered(depthwise, OUT, lambda s, y: y.reshape(
        *y.shape[:3], 2, 2).swapaxes(3, 4).reshape(y.shape))((3, 2), depth_multiplier=2), IMAGE,
        said="multiplier")
    yield Fault("kernel-channels-swapped", lambda: reweighed(
        transposed, OUT, "kernel", in_for_out)(2, (3, 2), strides=2), IMAGE)
    yield Fault("padding-side", lambda: altered(scratch.ZeroPadding2D, OUT, lambda s, y: np.pad(
        s.seen_x, ((0, 0), (2, 1), (0, 3), (0, 0))))(((1, 2), (0, 3))), (3, 4, 2))
    yield Fault("padding-value", lambda: altered(scratch.ZeroPadding2D, OUT, lambda s, y: np.pad(
        s.seen_x, ((0, 0), (1, 2), (0, 3), (0, 0)), mode="edge"))(((1, 2), (0, 3))), (3, 4, 2))
    yield Fault("padding-side", lambda: altered(scratch.Cropping2D, OUT, lambda s, y:
                s.seen_x[:, 2:-1, :-1])(((1, 2), (0, 1))), (6, 4, 2))
    yield Fault("axes-permuted", lambda: altered(scratch.Permute, OUT, lambda s, y:
                s.seen_x.transpose(0, 3, 1, 2).reshape(y.shape))((2, 3, 1)), (3, 4, 2))
    yield Fault("overlap-overwritten", lambda: altered(scratch.UpSampling2D, DX, lambda s, d:
                s.seen_dy[:, ::2, ::3])((2, 3)), (3, 4, 2), DX)
    yield Fault("activation-other", lambda: altered(scratch.ReLU, OUT, lambda s, y:
                np.maximum(s.seen_x, 0))(max_value=1.0), (6, 5), said="without max_value")
    yield Fault("activation-other", lambda: altered(scratch.LeakyReLU, DX, lambda s, d: np.where(
        s.seen_x > 0, s.seen_dy, np.float32(0.01) * s.seen_dy))(0.2), (6, 5), DX, said="0.01")
    yield Fault("moving-statistics", lambda: altered(
        scratch.BatchNormalization, DX, lambda s, d: d + s._inverse * s.params["gamma"]
        * s.seen_dy.mean((0, 1)))(), (5, 3), DX, said="mean is held")
    yield Fault("sign", lambda: altered(scratch.Subtract, DX, lambda s, d: [d[0], -d[1]])(),
                [(4, 3), (4, 3)], f"{DX}_2")
    yield Fault("pool-ties", lambda: altered(scratch.Maximum, DX, lambda s, d: [
        s.seen_dy * (s.seen_x[0] > s.seen_x[1]), s.seen_dy * (s.seen_x[1] >= s.seen_x[0])])(),
        [(4, 3), (4, 3)], f"{DX}_1", said="last")
    yield Fault("batch-mixed", lambda: altered(Dense, DB, lambda s, g: s.seen_dy[0])(5), (7,), DB)
    yield Fault("scale", lambda: altered(Dense, DK, lambda s, g: g * np.float32(0.05))(5), (7,), DK,
                options=dict(context={"learning_rate": 0.05}), said="learning rate")


FAULTS = [*orders(), *numbers(), *activations(), *softmaxes(), *merges(), *more()]
