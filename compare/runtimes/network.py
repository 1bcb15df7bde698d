"""A file of another runtime that is handed over, and how it is to be held against a Keras model."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from compare.checks.array_layout import FORMATS
from compare.runtimes import onnx_file, tflite_file
from compare.runtimes.graph import Ran
from compare.tracing.trace import Trace

ENDINGS = (".onnx", ".tflite")


def is_file(thing: object) -> bool:
    """Whether this is a `NetworkFile`, or the path of a file that may be one."""
    return isinstance(thing, NetworkFile) or (
        isinstance(thing, (str, os.PathLike)) and str(thing).lower().endswith(ENDINGS))


def opened(thing) -> "NetworkFile":
    """A path as a `NetworkFile`; whatever else can be run on a trace as it is."""
    return thing if hasattr(thing, "run") else NetworkFile(thing)


@dataclass
class NetworkFile:
    """A file and how it is compared; the arguments are those of `from_onnx` and `from_tflite`."""

    path: str | os.PathLike[str]
    names: dict[str, str] = field(default_factory=dict)
    data_format: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.path, (str, os.PathLike)) or \
                not str(self.path).lower().endswith(ENDINGS):
            raise ValueError(f"Expected the path of a {' or '.join(ENDINGS)} file. "
                             f"Received: {self.path!r}")
        if not isinstance(self.names, dict):
            raise TypeError("Expected names to be a dictionary from Keras's names of layers to "
                            f"those of tensors or nodes. Received: {type(self.names).__name__}")
        if self.data_format not in (None, *FORMATS):
            raise ValueError(f"Expected data_format to be one of {(None, *FORMATS)}. "
                             f"Received: {self.data_format!r}")
        if not os.path.isfile(self.path):
            raise FileNotFoundError(f"Expected a {' or '.join(ENDINGS)} file. Received: "
                                    f"{self.path}, which is no file")
        (onnx_file if self._is_onnx else tflite_file).require_installed()

    @property
    def _is_onnx(self) -> bool:
        return str(self.path).lower().endswith(".onnx")

    @property
    def title(self) -> str:
        return Path(self.path).name

    def run(self, trace: Trace) -> Ran:
        """What it computes of a trace's batch.

        Raises:
            ValueError: for a file that cannot be read or run, or is quantized.
        """
        if self._is_onnx:
            return onnx_file.ran(self.path, trace, self.data_format)
        return tflite_file.ran(self.path, trace.x)


def from_onnx(path, names=None, data_format=None) -> NetworkFile:
    """An ONNX file, with what `compare.check("model.onnx", twin, x)` cannot know by itself.

    Args:
        path: of the file, which ends with .onnx.
        names: tensors or nodes for Keras's layers, where numbers, names and kinds do not tell which
            belong together: {'conv2d_1': 'Relu_7'}.
        data_format: 'channels_first' or 'channels_last', as the file has images, where its shapes
            fit both.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: where ONNX Runtime is not installed, with what to do.
        TypeError, ValueError: for arguments that make no sense, named one by one.
    """
    _require_ending(path, ".onnx")
    return NetworkFile(path, names or {}, data_format)


def from_tflite(path, names=None) -> NetworkFile:
    """A TFLite file; see `from_onnx`. Those in floating point alone can be judged.

    Args:
        path: of the file, which ends with .tflite.
        names: tensors for Keras's layers.
    """
    _require_ending(path, ".tflite")
    return NetworkFile(path, names or {})


def _require_ending(path, ending: str) -> None:
    if not str(path).lower().endswith(ending):
        raise ValueError(f"Expected the path of a {ending} file. Received: {path!r}")
