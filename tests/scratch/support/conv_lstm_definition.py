"""A convolutional LSTM by its definition: an LSTM at each pixel, that sees the pixels around it."""

import itertools
import math

import numpy as np

SETTINGS = {"strides": 1, "dilation_rate": 1}


def around(image, kernel, column, pixel, strides, dilation, before):
    """The sum at one output pixel: nothing is added beyond the border."""
    total = 0.0
    for offset in np.ndindex(*kernel.shape[:-2]):
        place = tuple(p * s + i * d - b
                      for p, s, i, d, b in zip(pixel, strides, offset, dilation, before))
        if all(0 <= q < n for q, n in zip(place, image.shape)):
            for c in range(image.shape[-1]):
                total = total + image[(*place, c)] * kernel[(*offset, c, column)]
    return total


def walk(config, sizes):
    """(sizes of the output, pixels that stand before the image) for each axis."""
    made = []
    for n, k, s, d in zip(sizes, *(per_axis(config, name, len(sizes)) for name in
                                   ("kernel_size", "strides", "dilation_rate"))):
        reach = (k - 1) * d + 1
        if config.get("padding", "valid") == "same":
            out = math.ceil(n / s)
            made.append((out, max((out - 1) * s + reach - n, 0) // 2))
        else:
            made.append(((n - reach) // s + 1, 0))
    return zip(*made)


def per_axis(config, name, rank):
    value = config.get(name, SETTINGS.get(name))
    return [value] * rank if isinstance(value, int) else list(value)


def conv_lstm(config, x, weights, squash, gate):
    """All states, or each sample's last one."""
    first = config.get("data_format") == "channels_first"
    x = np.moveaxis(x, 2, -1) if first else x
    rank, filters = x.ndim - 3, config["filters"]
    sizes, before = walk(config, x.shape[2:-1])
    strides, dilation = (per_axis(config, name, rank) for name in ("strides", "dilation_rate"))
    ones, within = [1] * rank, [(k - 1) // 2 for k in per_axis(config, "kernel_size", rank)]
    y = np.zeros((*x.shape[:2], *sizes, filters), complex)
    for n, sample in enumerate(x):
        h = c = np.zeros((*sizes, filters), complex)
        for t, image in enumerate(sample[::-1] if config.get("go_backwards") else sample):
            new_h, new_c = np.empty_like(h), np.empty_like(c)
            for *pixel, u in itertools.product(*map(range, (*sizes, filters))):
                z = [around(image, weights["kernel"], k * filters + u, pixel, strides, dilation,
                            before)
                     + around(h, weights["recurrent_kernel"], k * filters + u, pixel, ones, ones,
                              within)
                     + (weights["bias"][k * filters + u] if "bias" in weights else 0)
                     for k in range(4)]
                new_c[(*pixel, u)] = gate(z[1]) * c[(*pixel, u)] + gate(z[0]) * squash(z[2])
                new_h[(*pixel, u)] = gate(z[3]) * squash(new_c[(*pixel, u)])
            h, c = new_h, new_c
            y[n, t] = h
    y = np.moveaxis(y, -1, 2) if first else y
    return y if config.get("return_sequences") else y[:, -1]
