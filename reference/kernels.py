"""Which of TensorFlow's two sets of CPU kernels compute here: its own, or those of oneDNN.

TensorFlow decides once, when it starts: by TF_ENABLE_ONEDNN_OPTS if that is set, otherwise by the
processor, of which newer ones (with AVX512 VNNI, say) get oneDNN's. The two sets differ by more
than rounding: in what they can compute, and in their mistakes.
"""

from reference.quiet import tf  # noqa: F401  TensorFlow has to run, and to have decided

from tensorflow.python.util import _pywrap_util_port as port  # isort: skip

ONEDNN_DTYPES = ("float32", "bfloat16")


def onednn_in_use(dtype: str = "float32") -> bool:
    """Whether convolutions, poolings, matrix products and softmaxes run on oneDNN's kernels.

    The answer is TensorFlow's own, by which it also chooses the kernels.

    Args:
        dtype: of the layer; oneDNN has no kernels for float64, which runs on TensorFlow's own.
    """
    return dtype in ONEDNN_DTYPES and bool(port.IsMklEnabled())
