"""Style 3: plain functions with caches, channels first, filters (filters, channels, kh, kw).

    compare.wrap(forward=conv_forward, backward=conv_backward, kernel_layout="OIHW",
                 data_format="channels_first")

A forward function f(x, w, b) returns (output, cache); its backward function g(dout, cache) returns
(dx, dw, db). What else it takes, such as the padding, is filled in beforehand.
"""

import functools

import numpy as np


def conv_forward(x, w, b, pad=0):
    """x (N, C, H, W), w (F, C, kh, kw), b (F,): the correlation, step 1, `pad` zeros around."""
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    kh, kw = w.shape[2:]
    rows, columns = padded.shape[2] - kh + 1, padded.shape[3] - kw + 1
    out = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            window = padded[:, :, i:i + kh, j:j + kw]
            out[:, :, i, j] = np.tensordot(window, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (padded, w, pad)


def conv_backward(dout, cache):
    padded, w, pad = cache
    kh, kw = w.shape[2:]
    dpadded, dw = np.zeros(padded.shape), np.zeros(w.shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            window = padded[:, :, i:i + kh, j:j + kw]
            dw += np.tensordot(dout[:, :, i, j], window, axes=(0, 0))
            dpadded[:, :, i:i + kh, j:j + kw] += np.tensordot(dout[:, :, i, j], w, axes=1)
    inside = slice(pad, -pad or None)
    return dpadded[:, :, inside, inside], dw, dout.sum(axis=(0, 2, 3))


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def pool_forward(x):
    """The largest of each 2x2 pixels."""
    n, c, height, width = x.shape
    out = np.zeros((n, c, height // 2, width // 2))
    for i in range(height // 2):
        for j in range(width // 2):
            out[:, :, i, j] = x[:, :, 2 * i:2 * i + 2, 2 * j:2 * j + 2].max(axis=(2, 3))
    return out, x


def pool_backward(dout, cache):
    dx = np.zeros(cache.shape)
    for n, c, i, j in np.ndindex(dout.shape):
        window = cache[n, c, 2 * i:2 * i + 2, 2 * j:2 * j + 2]
        a, b = np.unravel_index(window.argmax(), window.shape)
        dx[n, c, 2 * i + a, 2 * j + b] += dout[n, c, i, j]
    return dx


def affine_forward(x, w, b):
    """x (N, C, H, W), flattened channel by channel, times w (inputs, outputs)."""
    return x.reshape(len(x), -1) @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def flatten_forward(x):
    return x.reshape(len(x), -1), x.shape


def flatten_backward(dout, cache):
    return dout.reshape(cache)


def softmax_loss(x, y):
    """(the mean cross-entropy of logits x (N, C) and classes y (N,), its gradient)."""
    shifted = x - x.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    each = np.arange(len(x))
    dx = np.exp(log_p)
    dx[each, y] -= 1
    return -log_p[each, y].mean(), dx / len(x)


FIRST = {"data_format": "channels_first"}


def network(wrap, conv=(conv_forward, conv_backward), loss=softmax_loss):
    """The layers for images of (8, 7, 2), wrapped: 5 filters of 3x3 with a border of zeros, pooling
    by 2, 4 classes, and the loss with the softmax in it."""
    padded = functools.partial(conv[0], pad=1)
    return [wrap(forward=padded, backward=conv[1], kernel_layout="OIHW", **FIRST),
            wrap(forward=relu_forward, backward=relu_backward, **FIRST),
            wrap(forward=pool_forward, backward=pool_backward, **FIRST),
            wrap(forward=flatten_forward, backward=flatten_backward, **FIRST),
            wrap(forward=affine_forward, backward=affine_backward),
            wrap(forward=loss, forward_takes=("x", "labels"),
                 forward_gives=("loss", "input_gradient"), backward=None)]
