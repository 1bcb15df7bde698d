"""A TFLite file, run by LiteRT or by TensorFlow's own interpreter, all of its tensors preserved."""

import importlib.util
import warnings
from typing import Any

import numpy as np

from compare.runtimes.graph import Node, Ran
from compare.tracing.layer_error import RAISED, sentence

TFLITE_MISSING = ('No interpreter of TFLite files is installed; install it with: '
                  'pip install "keras-parity[tflite]"')


def require_installed() -> None:
    """Raises ImportError, with what to do, where there is no interpreter."""
    if all(importlib.util.find_spec(name) is None for name in ("ai_edge_litert", "tensorflow")):
        raise ImportError(TFLITE_MISSING)


def interpreter_class() -> tuple[type, str]:
    """(the class `Interpreter`, what it is and of which version): LiteRT's, else TensorFlow's.

    Raises:
        ImportError: where neither is there, with what to do.
    """
    if importlib.util.find_spec("ai_edge_litert") is not None:
        from importlib.metadata import version

        from ai_edge_litert.interpreter import Interpreter

        return Interpreter, f"ai-edge-litert {version('ai-edge-litert')}"
    if importlib.util.find_spec("tensorflow") is not None:
        import tensorflow

        if hasattr(tensorflow, "lite") and hasattr(tensorflow.lite, "Interpreter"):
            return tensorflow.lite.Interpreter, f"tf.lite of tensorflow {tensorflow.__version__}"
    raise ImportError(TFLITE_MISSING)


def ran(path, x: np.ndarray) -> Ran:
    """What a file computes of a batch in Keras's layout, as many samples at a time as it takes.

    Raises:
        ValueError: for a file that cannot be read, is quantized, or does not take such a batch.
    """
    made, runtime = interpreter_class()
    interpreter = _read(made, path)
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ValueError(f"Expected a TFLite file with one input and one output. Received {path} "
                         f"with {len(inputs)} and {len(outputs)}")
    details = {each["index"]: each for each in interpreter.get_tensor_details()}
    _require_floats(details, path)
    step = _fit(interpreter, inputs[0], x, path)
    nodes, names = _nodes(interpreter, details)
    made_by_nodes = [i for node in interpreter._get_ops_details() for i in node["outputs"]]
    kept: dict[int, list[np.ndarray]] = {i: [] for i in dict.fromkeys(made_by_nodes)
                                         if details[i]["dtype"] in (np.float32, np.float16)}
    try:
        for start in range(0, len(x), step):
            interpreter.set_tensor(inputs[0]["index"],
                                   np.array(x[start:start + step], inputs[0]["dtype"], order="C"))
            interpreter.invoke()
            for i, several in kept.items():
                several.append(np.array(interpreter.get_tensor(i)))
    except RAISED as error:
        raise ValueError(f"Expected a TFLite file that runs on a batch of shape {x.shape}. "
                         f"Received {path}: {sentence(error)}") from None
    arrays = {names[i]: np.concatenate(several) for i, several in kept.items()
              if several and several[0].ndim and len(several[0]) == step}
    source = names[inputs[0]["index"]]
    return Ran(runtime, nodes, {source: x, **arrays}, (source,), names[outputs[0]["index"]])


def _read(made: Any, path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is for looking inside, which is meant
            interpreter = made(model_path=str(path), experimental_preserve_all_tensors=True)
    except RAISED as error:
        raise ValueError(f"Expected a TFLite file. Received {path}, which cannot be read: "
                         f"{sentence(error)}") from None
    return interpreter


def _require_floats(details: dict[int, dict], path) -> None:
    """Refuse what is quantized.

    Raises:
        ValueError: naming a tensor that is.
    """
    for each in details.values():
        scales = each["quantization_parameters"]["scales"]
        if len(scales) or each["dtype"] in (np.int8, np.uint8, np.int16):
            raise ValueError(
                "Expected a TFLite file in floating point: no bound is proved for quantized "
                f"arithmetic. Received {path}, whose {each['name'].split(';')[0]!r} is of "
                f"{np.dtype(each['dtype']).name}. Convert it without `optimizations`")
        if each["dtype"] is np.float16:
            raise ValueError(
                "Expected a TFLite file with weights in float32. Received "
                f"{path}, whose {each['name'].split(';')[0]!r} is of float16: these are other "
                "weights than Keras's. Convert it without `optimizations`, or hold it against a "
                "Keras model whose weights were rounded likewise")


def _fit(interpreter: Any, taken: dict, x: np.ndarray, path) -> int:
    """Make room for samples of this size; returns how many the file takes at a time.

    Raises:
        ValueError: if it takes others.
    """
    shape = tuple(int(n) for n in taken["shape"])
    open_ones = tuple(int(n) for n in taken["shape_signature"])
    step = 1 if open_ones[:1] == (-1,) else shape[0] if shape else 0
    fits = len(shape) == x.ndim and all(size in (-1, own)
                                        for size, own in zip(open_ones[1:], x.shape[1:]))
    if not fits or not step or len(x) % step:
        raise ValueError(f"Expected a TFLite file that takes samples of shape {x.shape[1:]}, of "
                         f"which there are {len(x)}. Received {path}, which takes {shape}")
    if taken["dtype"] is not np.float32:
        raise ValueError("Expected a TFLite file whose input is of float32. Received "
                         f"{path}: {np.dtype(taken['dtype']).name}")
    try:
        if shape != (step, *x.shape[1:]):
            interpreter.resize_tensor_input(taken["index"], (step, *x.shape[1:]))
        interpreter.allocate_tensors()
    except RAISED as error:
        raise ValueError("Expected a TFLite file that this interpreter can run. Received "
                         f"{path}: {sentence(error)}") from None
    return step


def _nodes(interpreter: Any, details: dict[int, dict]) -> tuple[list[Node], dict[int, str]]:
    """(the nodes in their order, a name of its own for each tensor)."""
    names: dict[int, str] = {}
    for i, each in details.items():
        title = each["name"]
        names[i] = title if title and title not in names.values() else f"{title}#{i}"
    nodes = []
    for each in interpreter._get_ops_details():
        if each["op_name"] == "DELEGATE":  # computes nodes that are listed, too
            continue
        makes = tuple(names[i] for i in each["outputs"])
        nodes.append(Node(each["op_name"], makes[0].split(";")[0] if makes else each["op_name"],
                          tuple(names[i] for i in each["inputs"] if i in names), makes))
    return nodes, names
