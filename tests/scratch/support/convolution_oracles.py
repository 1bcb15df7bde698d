"""Convolutions of every kind once more, as plain loops over single products; see `oracles.py`.

Images are (N, H, W, C), volumes (N, D, H, W, C); arguments have one number for each axis. Each
function returns the `Sums` of the output, the input's gradient and the weights' gradients, in
Keras's order of the weights.
"""

import itertools

import numpy as np

from tests.scratch.support.oracles import Sums


class Triples(Sums):
    """Sums of products of three numbers, whose bound has room for the second multiplication."""

    def bound(self, dtype):
        two_more = 2 * np.finfo(dtype).eps / 2 * self._each(lambda terms: sum(map(abs, terms)))
        return super().bound(dtype) + 1.01 * two_more


def axis(size, kernel, stride, padding, dilation):
    """(number of windows, pixels of padding before the first) along one axis."""
    reach = dilation * (kernel - 1) + 1
    if padding == "valid":
        return len(range(0, size - reach + 1, stride)), 0
    count = len(range(0, size, stride))
    if padding == "causal":
        return count, reach - 1
    return count, max((count - 1) * stride + reach - size, 0) // 2


def output_size(image, kernel, strides, padding, dilation):
    return tuple(axis(n, k, s, padding, d)[0]
                 for n, k, s, d in zip(image, kernel, strides, dilation))


def meetings(image, kernel, strides, padding, dilation):
    """Every (output pixel, place in the kernel, image pixel there), three tuples of indices."""
    walks = [axis(*each, padding, d) for *each, d in zip(image, kernel, strides, dilation)]
    outputs, before = zip(*walks)
    for out in np.ndindex(*outputs):
        for place in np.ndindex(*kernel):
            pixel = tuple(o * s + p * d - b for o, s, p, d, b in
                          zip(out, strides, place, dilation, before))
            if all(0 <= i < n for i, n in zip(pixel, image)):
                yield out, place, pixel


def bias_sums(y, dbias, bias, dy):
    """The bias's part in an output (N, ., ., F) and its gradient."""
    for *where, f in np.ndindex(*dy.shape):
        y.add((*where, f), bias[f])
        dbias.add(f, dy[(*where, f)])


def convolution(x, kernel, bias, dy, strides, padding, dilation, groups=1):
    """x (N, H, W, C), kernel (kh, kw, C / groups, F), bias (F,), dy (N, OH, OW, F)."""
    *window, channels, filters = kernel.shape
    y, dx, dkernel, dbias = Sums(dy.shape), Sums(x.shape), Sums(kernel.shape), Sums(bias.shape)
    bias_sums(y, dbias, bias, dy)
    for out, place, at in meetings(x.shape[1:-1], window, strides, padding, dilation):
        for b, f, c in np.ndindex(len(x), filters, channels):
            seen = f // (filters // groups) * channels + c  # the group's c-th channel
            pixel, weight, slope = x[(b, *at, seen)], kernel[(*place, c, f)], dy[(b, *out, f)]
            y.add((b, *out, f), pixel * weight)
            dx.add((b, *at, seen), slope * weight)
            dkernel.add((*place, c, f), slope * pixel)
    return y, dx, dkernel, dbias


def depthwise(x, kernel, bias, dy, strides, padding, dilation):
    """x (N, H, W, C), kernel (kh, kw, C, M), bias (C M,), dy (N, OH, OW, C M)."""
    *window, channels, multiplier = kernel.shape
    y, dx, dkernel, dbias = Sums(dy.shape), Sums(x.shape), Sums(kernel.shape), Sums(bias.shape)
    bias_sums(y, dbias, bias, dy)
    for out, place, at in meetings(x.shape[1:-1], window, strides, padding, dilation):
        for b, c, m in np.ndindex(len(x), channels, multiplier):
            f = c * multiplier + m
            pixel, weight, slope = x[(b, *at, c)], kernel[(*place, c, m)], dy[(b, *out, f)]
            y.add((b, *out, f), pixel * weight)
            dx.add((b, *at, c), slope * weight)
            dkernel.add((*place, c, m), slope * pixel)
    return y, dx, dkernel, dbias


def separable(x, depthwise, pointwise, bias, dy, strides, padding, dilation):
    """x (N, H, W, C), depthwise (kh, kw, C, M), pointwise (1, 1, C M, F), dy (N, OH, OW, F)."""
    *window, channels, multiplier = depthwise.shape
    y, dx, dbias = Triples(dy.shape), Triples(x.shape), Sums(bias.shape)
    ddepthwise, dpointwise = Triples(depthwise.shape), Triples(pointwise.shape)
    bias_sums(y, dbias, bias, dy)
    alone = (0,) * len(window)  # the only pixel of the pointwise kernel
    for out, place, at in meetings(x.shape[1:-1], window, strides, padding, dilation):
        for b, c, m, f in np.ndindex(len(x), channels, multiplier, pointwise.shape[-1]):
            k = (*alone, c * multiplier + m, f)
            pixel, slope = x[(b, *at, c)], dy[(b, *out, f)]
            first, second = depthwise[(*place, c, m)], pointwise[k]
            y.add((b, *out, f), pixel * first * second)
            dx.add((b, *at, c), slope * first * second)
            ddepthwise.add((*place, c, m), slope * pixel * second)
            dpointwise.add(k, slope * pixel * first)
    return y, dx, ddepthwise, dpointwise, dbias


def transposed_axis(size, kernel, stride, padding, extra, dilation):
    """(length of the output, its pixels cut off before the first), as Keras has it.

    Input pixel p adds to the pixels p stride + k dilation of an uncut output, of which padding
    'same' keeps the middle. Keras gives the length in `compute_conv_transpose_output_shape`.
    """
    reach = dilation * (kernel - 1) + 1
    shortest = (size - 1) * stride
    if padding == "valid":
        return shortest + (max(reach, stride) if extra is None else reach + extra), 0
    if extra is None:
        return size * stride, max(reach - stride, 0) // 2
    return shortest + reach % 2 + extra, max(reach - reach % 2 - extra, 0) // 2


def transposed(x, kernel, bias, dy, strides, padding, extra, dilation):
    """x (N, H, W, C), kernel (kh, kw, F, C), bias (F,), dy (N, OH, OW, F)."""
    *window, filters, channels = kernel.shape
    y, dx, dkernel, dbias = Sums(dy.shape), Sums(x.shape), Sums(kernel.shape), Sums(bias.shape)
    bias_sums(y, dbias, bias, dy)
    cut = [transposed_axis(n, k, s, padding, e, d)[1] for n, k, s, e, d in
           zip(x.shape[1:-1], window, strides, extra, dilation)]
    for at, place in itertools.product(np.ndindex(*x.shape[1:-1]), np.ndindex(*window)):
        out = tuple(i * s + p * d - c for i, s, p, d, c in zip(at, strides, place, dilation, cut))
        if not all(0 <= o < n for o, n in zip(out, dy.shape[1:-1])):
            continue
        for b, f, c in np.ndindex(len(x), filters, channels):
            pixel, weight, slope = x[(b, *at, c)], kernel[(*place, f, c)], dy[(b, *out, f)]
            y.add((b, *out, f), pixel * weight)
            dx.add((b, *at, c), slope * weight)
            dkernel.add((*place, f, c), slope * pixel)
    return y, dx, dkernel, dbias
