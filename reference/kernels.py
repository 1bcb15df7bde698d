"""Which of TensorFlow's two sets of CPU kernels compute here: its own, or those of oneDNN.

TensorFlow decides once, when it starts: by TF_ENABLE_ONEDNN_OPTS if that is set, otherwise by the
processor, of which newer ones (with AVX512 VNNI, say) get oneDNN's. The two sets differ by more
than rounding: in what they can compute, and in their mistakes.
"""

import numpy as np

import reference.quiet  # noqa: F401  TensorFlow has to run, and to have decided

from tensorflow.python.util import _pywrap_util_port as port  # isort: skip

ONEDNN_DTYPES = ("float32", "bfloat16")


def onednn_in_use(dtype: str = "float32") -> bool:
    """Whether convolutions, poolings, matrix products and softmaxes run on oneDNN's kernels.

    The answer is TensorFlow's own, by which it also chooses the kernels.

    Args:
        dtype: of the layer; oneDNN has no kernels for float64, which runs on TensorFlow's own.
    """
    return dtype in ONEDNN_DTYPES and bool(port.IsMklEnabled())


OF_STEPS = ("ConvLSTM1D", "ConvLSTM2D")


def refuse_corrupting(layer, input_shape, dtype: str | None = None) -> None:
    """Refuse a convolution during whose kernel gradient oneDNN writes outside its memory, and
    patches of one pixel that Keras cuts out by such a one.

    That is one of kernel size 1 with strides over 1, whose larger image is just the smaller one's
    size times the strides. Seen with TensorFlow 2.21, batches of 1 to 8, and 1 to 4 threads: wrong
    numbers, errors of other operations, or the end of the process by SIGSEGV or SIGABRT. Images of
    some 16 pixels across and more are enough, with several threads smaller ones; where nothing was
    seen to happen, nothing is known of what was overwritten.

    Args:
        layer: any Keras layer, or one call of an operation.
        input_shape: with the batch first.
        dtype: in which an operation computes; a layer does in its own.

    Raises:
        ValueError: for such a one, if its kernel is trained or it has none of its own.
    """
    own = getattr(layer, "operation", layer)
    patches = type(own).__name__ == "ExtractPatches"
    computes = layer.compute_dtype if own is layer or dtype is None else dtype
    if onednn_in_use(computes) and (patches or layer.trainable) and corrupts(own, input_shape):
        raise ValueError(
            f"Layer {layer.name!r}: expected {'an' if patches else 'a'} {type(own).__name__} "
            "whose gradient TensorFlow can compute. Received: "
            f"{'size' if patches else 'kernel_size'}=1 with strides over 1, "
            f"{tuple(own.strides)}, for which oneDNN's kernels write outside their memory. "
            "Set TF_ENABLE_ONEDNN_OPTS=0, and TensorFlow's own kernels compute it")


def refuse_larger_windows(layer, input_shape) -> None:
    """Refuse a pooling to a given size for which Keras makes windows larger than the image.

    Keras pools with windows of ceil(n / m) numbers and with such of one more, whether there are any
    or not (`adaptive_pooling_to_one`). Where the latter are larger than the image a compiled model
    raises an error; a max pooling that is called by itself divides by zero in oneDNN's kernels,
    which ends the process: seen with TensorFlow 2.21, SIGFPE.

    Args:
        layer: any Keras layer.
        input_shape: with the batch first.

    Raises:
        ValueError: for such a one.
    """
    kind = type(layer).__name__
    if kind.startswith("Adaptive") and any(-(-n // m) + 1 > n for n, m in zip(
            sizes_of(layer, input_shape), layer.output_size)):
        raise ValueError(
            f"Layer {layer.name!r}: expected an {kind} that TensorFlow can compute. Received: "
            f"output_size={tuple(layer.output_size)} for inputs of shape {tuple(input_shape)}, for "
            "which Keras also makes windows larger than the image. For an output_size of 1 "
            f"{kind.replace('Adaptive', 'Global')} with keepdims=True is the same")


def corrupts(layer, input_shape) -> bool:
    """Whether it is a convolution of that kind, or one of every step of a recurrent layer."""
    kind = type(layer).__name__
    if kind == "ExtractPatches":  # it begins at the first pixel, as a convolution does
        return (max(layer.size) == 1 < max(layer.strides or layer.size) and all(
            n % stride == 0 for n, stride in zip(input_shape[1:-1], layer.strides)))
    if (kind not in ("Conv1D", "Conv2D", "Conv1DTranspose", "Conv2DTranspose", *OF_STEPS)
            or max(layer.kernel_size) > 1 or max(layer.strides) == 1):
        return False
    if kind in OF_STEPS:
        input_shape = (input_shape[0], *input_shape[2:])
        output_shape = layer.cell.compute_output_shape(input_shape)[0]
    else:
        output_shape = layer.compute_output_shape(input_shape)
    shapes = sorted((tuple(input_shape), output_shape),
                    key=lambda shape: int(np.prod(sizes_of(layer, shape))))
    small, large = (sizes_of(layer, shape) for shape in shapes)
    return all(n * stride == m for n, m, stride in zip(small, large, layer.strides))


def sizes_of(layer, shape) -> tuple:
    """The sizes of an image, or the length of a sequence."""
    return shape[2:] if layer.data_format == "channels_first" else shape[1:-1]
