"""Faults of poolings, local and global."""

import numpy as np

from compare.evaluation.faults.families.convolution import WINDOWS
from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import input_gradient, moved, output, rotated
from compare.evaluation.faults.networks import around
from scratch.layers import AveragePooling1D, AveragePooling2D, MaxPooling1D, MaxPooling2D
from scratch.naming import snake_case

OUT, DX = "output", "input_gradient"
MAX = around("MaxPooling2D", pool_size=(2, 3), strides=(2, 2), padding="same")
MAX_OVERLAPPING = around("MaxPooling2D", pool_size=3, strides=(1, 2))
MAX_1D = around("MaxPooling1D", pool_size=3, strides=2)
MAX_STRIDED = around("MaxPooling2D", pool_size=(3, 2), strides=(1, 2))
AVERAGE = around("AveragePooling2D", pool_size=(2, 3), strides=(2, 2), padding="same")
AVERAGE_INSIDE = around("AveragePooling2D", pool_size=(2, 3), strides=(1, 2))
AVERAGE_1D = around("AveragePooling1D", pool_size=2, padding="same")
GLOBAL_MAX = around("GlobalMaxPooling2D")
GLOBAL_MAX_1D = around("GlobalMaxPooling1D")
GLOBAL_AVERAGE = around("GlobalAveragePooling2D")
GLOBAL_AVERAGE_1D = around("GlobalAveragePooling1D")


def walk(layer, shape):
    """(output row, output column, slices of the image, pixels outside of it) for each window."""
    rows, columns = layer.walks(shape)
    for i in range(rows.outputs):
        for j in range(columns.outputs):
            top, left = i * rows.stride - rows.before, j * columns.stride - columns.before
            window = (slice(max(top, 0), min(top + rows.kernel, rows.size)),
                      slice(max(left, 0), min(left + columns.kernel, columns.size)))
            inside = (window[0].stop - window[0].start) * (window[1].stop - window[1].start)
            yield i, j, window, rows.kernel * columns.kernel - inside


def padded_with_zeros(layer, y, x):
    """A window that reaches beyond the image sees a zero there."""
    y = y.copy()
    for i, j, _, outside in walk(layer, x.shape):
        if outside:
            y[:, i, j] = np.maximum(y[:, i, j], 0)
    return y


def padding_counted(layer, y, x):
    """Sums are divided by the pool's size even at the border."""
    y, size = y.copy(), layer.pool_size[0] * layer.pool_size[1]
    for i, j, _, outside in walk(layer, x.shape):
        y[:, i, j] *= (size - outside) / size
    return y


def padding_counted_back(layer, dx, dy):
    """Likewise, on the way back."""
    size, wrong = layer.pool_size[0] * layer.pool_size[1], np.zeros_like(dx)
    for i, j, window, _ in walk(layer, dx.shape):
        wrong[(slice(None), *window)] += dy[:, i:i + 1, j:j + 1] / size
    return wrong


def sent(share):
    """An input gradient where each window's goes to its largest pixels in other shares.

    Args:
        share: a function (which of the window's pixels are largest) -> shares; an `overwrite`
            attribute makes the last window stand for the sum.
    """
    def change(layer, dx, dy):
        x, wrong = layer._steps[0][1], np.zeros_like(dx)  # padded along the columns alone
        left = layer.walks(dx.shape)[1].before
        x = x[:, :, left:left + dx.shape[2]]
        for i, j, window, _ in walk(layer, dx.shape):
            seen = x[(slice(None), *window)]  # (N, h, w, C)
            flat = np.moveaxis(seen, 3, 1).reshape(len(x), x.shape[3], -1)
            won = share(flat == flat.max(axis=-1, keepdims=True)) * dy[:, i, j][..., None]
            won = np.moveaxis(won.reshape(*won.shape[:2], *seen.shape[1:3]), 1, 3)
            here = (slice(None), *window)
            if getattr(share, "overwrite", False):
                wrong[here] = np.where(seen == seen.max(axis=(1, 2), keepdims=True), won,
                                       wrong[here])
            else:
                wrong[here] += won
        return wrong

    return input_gradient(change)


def to_all(largest):
    return largest.astype(float)


def to_last(largest):
    return ((largest[..., ::-1].cumsum(axis=-1) == 1) & largest[..., ::-1])[..., ::-1].astype(float)


def shared(largest):
    return largest / largest.sum(axis=-1, keepdims=True)


def to_first(largest):
    return ((largest.cumsum(axis=-1) == 1) & largest).astype(float)


class FirstOverwriting:
    """The first one's share, where the last window stands for the sum."""

    overwrite = True

    def __call__(self, largest):
        return to_first(largest)


def pooled_by(cls):
    """The output of a pooling of another class."""
    def change(layer, y, x):
        other = cls(layer.pool_size, layer.strides, layer.padding, dtype=layer.dtype)
        other.build((None, *x.shape[1:]))
        return other.forward(x)

    return output(change)


def sum_of_window(layer, y, x):
    return y * np.prod(layer.pool_size)


def winners_once(layer, dx, dy):
    """Of several largest numbers the first takes all."""
    x = layer._x
    flat = np.moveaxis(x, -1, 1).reshape(len(x), x.shape[-1], -1)
    won = to_first(flat == flat.max(axis=-1, keepdims=True)) * dy[..., None]
    return np.moveaxis(won.reshape(len(x), x.shape[-1], *x.shape[1:-1]), 1, -1)


def winners_all(layer, dx, dy):
    """Of several largest numbers each takes all."""
    return dy[:, None, None] * (layer._x == layer._y)


# class, name, sentence, network, tensor, cause, injection, causes that are the same
TABLE = [
    ("MaxPooling2D", "pads-with-zero", "the border counts as zero, which beats what is negative",
     MAX, OUT, "padding-value", output(padded_with_zeros)),
    ("MaxPooling2D", "average", "the mean of a window in place of its largest number", MAX, OUT,
     "pool-kind", pooled_by(AveragePooling2D)),
    ("MaxPooling2D", "stride-offset", "windows begin one column later", MAX_STRIDED, OUT,
     "stride-offset", output(lambda layer, y, x: super(type(layer), layer).forward(
         moved(x, -1, 2))), WINDOWS),
    ("MaxPooling2D", "output-transposed", "height and width of the output are swapped in memory",
     MAX, OUT, "axes-permuted", output(lambda layer, y, x: y.swapaxes(1, 2).reshape(y.shape))),
    ("MaxPooling2D", "samples-rotated", "each output is that of the sample before", MAX, OUT,
     "batch-mixed", output(lambda layer, y, x: rotated(y))),
    ("MaxPooling2D", "ties-all", "every number that ties for the largest gets the whole gradient",
     MAX, DX, "pool-ties", sent(to_all)),
    ("MaxPooling2D", "ties-last", "of numbers that tie the last one gets the gradient", MAX, DX,
     "pool-ties", sent(to_last)),
    ("MaxPooling2D", "ties-shared", "numbers that tie share the gradient", MAX, DX, "pool-ties",
     sent(shared)),
    ("MaxPooling2D", "dx-overwritten", "where windows overlap, the last gradient stands for the "
     "sum", MAX_OVERLAPPING, DX, "overlap-overwritten", sent(FirstOverwriting())),
    ("MaxPooling2D", "dx-divided-by-window", "the gradient is divided by the window's size", MAX,
     DX, "scale", input_gradient(lambda layer, dx, dy: dx / np.prod(layer.pool_size))),
    ("MaxPooling1D", "average", "the mean of a window in place of its largest number", MAX_1D, OUT,
     "pool-kind", pooled_by(AveragePooling1D)),
    ("MaxPooling1D", "dx-shifted", "the input gradient lies one step too late", MAX_1D, DX,
     "shifted", input_gradient(lambda layer, dx, dy: moved(dx, 1, 1)), WINDOWS),
    ("AveragePooling2D", "padding-counted", "pixels of the border count in the mean", AVERAGE, OUT,
     "pool-average-padding", output(padding_counted)),
    ("AveragePooling2D", "maximum", "the largest number of a window in place of its mean", AVERAGE,
     OUT, "pool-kind", pooled_by(MaxPooling2D)),
    ("AveragePooling2D", "sum", "the sum of a window in place of its mean", AVERAGE_INSIDE, OUT,
     "scale", output(sum_of_window)),
    ("AveragePooling2D", "dx-not-divided", "each pixel gets the whole gradient of its window",
     AVERAGE_INSIDE, DX, "scale",
     input_gradient(lambda layer, dx, dy: dx * np.prod(layer.pool_size))),
    ("AveragePooling2D", "dx-padding-counted", "on the way back, pixels of the border count",
     AVERAGE, DX, "pool-average-padding", input_gradient(padding_counted_back)),
    ("AveragePooling1D", "output-negated", "the output has the wrong sign", AVERAGE_1D, OUT,
     "sign", output(lambda layer, y, x: -y)),
    ("AveragePooling1D", "maximum", "the largest number of a window in place of its mean",
     AVERAGE_1D, OUT, "pool-kind", pooled_by(MaxPooling1D)),
    ("GlobalMaxPooling2D", "mean", "the mean in place of the largest number", GLOBAL_MAX, OUT,
     "pool-kind", output(lambda layer, y, x: x.mean(axis=(1, 2)))),
    ("GlobalMaxPooling2D", "ties-first", "of numbers that tie the first gets the whole gradient",
     GLOBAL_MAX, DX, "pool-ties", input_gradient(winners_once)),
    ("GlobalMaxPooling2D", "ties-all", "of numbers that tie each gets the whole gradient",
     GLOBAL_MAX, DX, "pool-ties", input_gradient(winners_all)),
    ("GlobalMaxPooling1D", "ties-first", "of numbers that tie the first gets the whole gradient",
     GLOBAL_MAX_1D, DX, "pool-ties", input_gradient(winners_once)),
    ("GlobalAveragePooling2D", "sum", "the sum in place of the mean", GLOBAL_AVERAGE, OUT, "scale",
     output(lambda layer, y, x: x.sum(axis=(1, 2)))),
    ("GlobalAveragePooling2D", "maximum", "the largest number in place of the mean",
     GLOBAL_AVERAGE, OUT, "pool-kind", output(lambda layer, y, x: x.max(axis=(1, 2)))),
    ("GlobalAveragePooling2D", "dx-not-divided", "each pixel gets the whole gradient",
     GLOBAL_AVERAGE, DX, "scale",
     input_gradient(lambda layer, dx, dy: dx * (dx.shape[1] * dx.shape[2]))),
    ("GlobalAveragePooling1D", "dx-not-divided", "each step gets the whole gradient",
     GLOBAL_AVERAGE_1D, DX, "scale", input_gradient(lambda layer, dx, dy: dx * dx.shape[1])),
    ("GlobalAveragePooling1D", "last-step-left-out", "the mean leaves the last step out",
     GLOBAL_AVERAGE_1D, OUT, "border-dropped",
     output(lambda layer, y, x: x[:, :-1].mean(axis=1))),
]


def faults():
    """All of them."""
    for class_name, name, sentence, network, tensor, cause, inject, *also in TABLE:
        layer = snake_case(class_name)
        yield single(class_name.removesuffix("1D").removesuffix("2D"),
                     f"{layer.replace('_', '-')}-{name}", sentence, network, layer, tensor, cause,
                     inject, *also)
