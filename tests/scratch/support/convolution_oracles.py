"""Convolutions of every kind once more, as plain loops over single products; see `oracles.py`.

Images are (N, H, W, C), pairs (rows, columns). Each function returns the `Sums` of the output, the
input's gradient and the weights' gradients, in Keras's order of the weights.
"""

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
    """Every (i, j, p, q, row, column): output pixel, place in the kernel, and image pixel there."""
    down, top = axis(image[0], kernel[0], strides[0], padding, dilation[0])
    across, left = axis(image[1], kernel[1], strides[1], padding, dilation[1])
    for i, j, p, q in np.ndindex(down, across, *kernel):
        row = i * strides[0] + p * dilation[0] - top
        column = j * strides[1] + q * dilation[1] - left
        if 0 <= row < image[0] and 0 <= column < image[1]:
            yield i, j, p, q, row, column


def bias_sums(y, dbias, bias, dy):
    """The bias's part in an output (N, ., ., F) and its gradient."""
    for *where, f in np.ndindex(*dy.shape):
        y.add((*where, f), bias[f])
        dbias.add(f, dy[(*where, f)])


def conv2d(x, kernel, bias, dy, strides, padding, dilation=(1, 1), groups=1):
    """x (N, H, W, C), kernel (kh, kw, C / groups, F), bias (F,), dy (N, OH, OW, F)."""
    filters, channels = kernel.shape[3], kernel.shape[2]
    y, dx, dkernel, dbias = Sums(dy.shape), Sums(x.shape), Sums(kernel.shape), Sums(bias.shape)
    bias_sums(y, dbias, bias, dy)
    for i, j, p, q, row, column in meetings(x.shape[1:3], kernel.shape[:2], strides, padding,
                                            dilation):
        for b, f, c in np.ndindex(len(x), filters, channels):
            seen = f // (filters // groups) * channels + c  # the group's c-th channel
            pixel, weight, slope = x[b, row, column, seen], kernel[p, q, c, f], dy[b, i, j, f]
            y.add((b, i, j, f), pixel * weight)
            dx.add((b, row, column, seen), slope * weight)
            dkernel.add((p, q, c, f), slope * pixel)
    return y, dx, dkernel, dbias


def depthwise_conv2d(x, kernel, bias, dy, strides, padding, dilation=(1, 1)):
    """x (N, H, W, C), kernel (kh, kw, C, M), bias (C M,), dy (N, OH, OW, C M)."""
    y, dx, dkernel, dbias = Sums(dy.shape), Sums(x.shape), Sums(kernel.shape), Sums(bias.shape)
    bias_sums(y, dbias, bias, dy)
    for i, j, p, q, row, column in meetings(x.shape[1:3], kernel.shape[:2], strides, padding,
                                            dilation):
        for b, c, m in np.ndindex(len(x), *kernel.shape[2:]):
            f = c * kernel.shape[3] + m
            pixel, weight, slope = x[b, row, column, c], kernel[p, q, c, m], dy[b, i, j, f]
            y.add((b, i, j, f), pixel * weight)
            dx.add((b, row, column, c), slope * weight)
            dkernel.add((p, q, c, m), slope * pixel)
    return y, dx, dkernel, dbias


def separable_conv2d(x, depthwise, pointwise, bias, dy, strides, padding, dilation=(1, 1)):
    """x (N, H, W, C), depthwise (kh, kw, C, M), pointwise (1, 1, C M, F), dy (N, OH, OW, F)."""
    y, dx, dbias = Triples(dy.shape), Triples(x.shape), Sums(bias.shape)
    ddepthwise, dpointwise = Triples(depthwise.shape), Triples(pointwise.shape)
    bias_sums(y, dbias, bias, dy)
    for i, j, p, q, row, column in meetings(x.shape[1:3], depthwise.shape[:2], strides, padding,
                                            dilation):
        for b, c, m, f in np.ndindex(len(x), *depthwise.shape[2:], pointwise.shape[3]):
            k = c * depthwise.shape[3] + m
            pixel, slope = x[b, row, column, c], dy[b, i, j, f]
            first, second = depthwise[p, q, c, m], pointwise[0, 0, k, f]
            y.add((b, i, j, f), pixel * first * second)
            dx.add((b, row, column, c), slope * first * second)
            ddepthwise.add((p, q, c, m), slope * pixel * second)
            dpointwise.add((0, 0, k, f), slope * pixel * first)
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


def conv2d_transpose(x, kernel, bias, dy, strides, padding, extra=(None, None), dilation=(1, 1)):
    """x (N, H, W, C), kernel (kh, kw, F, C), bias (F,), dy (N, OH, OW, F)."""
    y, dx, dkernel, dbias = Sums(dy.shape), Sums(x.shape), Sums(kernel.shape), Sums(bias.shape)
    bias_sums(y, dbias, bias, dy)
    cut = [transposed_axis(x.shape[a + 1], kernel.shape[a], strides[a], padding, extra[a],
                           dilation[a])[1] for a in (0, 1)]
    for i, j, p, q in np.ndindex(*x.shape[1:3], *kernel.shape[:2]):
        row = i * strides[0] + p * dilation[0] - cut[0]
        column = j * strides[1] + q * dilation[1] - cut[1]
        if not (0 <= row < dy.shape[1] and 0 <= column < dy.shape[2]):
            continue
        for b, f, c in np.ndindex(len(x), *kernel.shape[2:]):
            pixel, weight, slope = x[b, i, j, c], kernel[p, q, f, c], dy[b, row, column, f]
            y.add((b, row, column, f), pixel * weight)
            dx.add((b, i, j, c), slope * weight)
            dkernel.add((p, q, f, c), slope * pixel)
    return y, dx, dkernel, dbias
