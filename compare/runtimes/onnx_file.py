"""An ONNX file, run by ONNX Runtime with every tensor between its nodes among its outputs."""

import importlib.metadata
import importlib.util
from typing import Any

import numpy as np

from compare.runtimes.graph import Node, Ran
from compare.tracing.layer_error import RAISED, sentence
from compare.tracing.trace import Trace

ONNX_MISSING = ('ONNX Runtime is not installed; install it with: '
                'pip install "keras-parity[onnx]"')
FLOATS = {1: np.float32, 10: np.float16, 11: np.float64}  # TensorProto.DataType
QUANTIZED = ("QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger",
             "MatMulInteger", "DynamicQuantizeLinear")


def require_installed() -> None:
    """Raises ImportError, with what to do, where the libraries are not there."""
    for name in ("onnx", "onnxruntime"):
        if importlib.util.find_spec(name) is None:
            raise ImportError(ONNX_MISSING)


def ran(path, trace: Trace, data_format: str | None) -> Ran:
    """What a file computes of a trace's batch; of one that stops on its way, what comes before.

    Optimizations of the graph are off, so that each tensor is what the file says.

    Raises:
        ValueError: for a file that cannot be read, is quantized, or does not take such a batch.
    """
    import onnx

    x = trace.x
    model = _read(path)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    inputs = [each for each in model.graph.input if each.name not in constants]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise ValueError(f"Expected an ONNX file with one input and one output. Received {path} "
                         f"with {len(inputs)} and {len(model.graph.output)}")
    nodes = [_node(node, constants, onnx) for node in model.graph.node]
    quantized = [str(node) for node in nodes if node.op in QUANTIZED]
    if quantized:
        raise ValueError("Expected an ONNX file that computes in floating point: no bound is "
                         f"proved for quantized arithmetic. Received {path} with "
                         f"{', '.join(quantized[:3])}. Check it before it is quantized")
    nested = [str(node) for node, own in zip(nodes, model.graph.node)
              if any(attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
                     for attribute in own.attribute)]
    fed, said = _as_input(inputs[0], x, data_format, path)
    output = model.graph.output[0].name
    try:
        arrays = _arrays(_every_tensor_shown(model, onnx), {inputs[0].name: fed})
    except RAISED as error:  # the runtime has classes of its own
        because = sentence(error)
        count, arrays = _as_far_as_it_goes(model, {inputs[0].name: fed}, onnx)
        output = next((name for node in reversed(nodes[:count]) for name in node.makes
                       if name in arrays), "")
        right = trace.parts[trace.ends[0]].output.shape
        if not output or sorted(arrays[output].shape) == sorted(right):
            raise ValueError(f"Expected an ONNX file that runs on a batch of shape {fed.shape}. "
                             f"Received {path}: {because}") from None
        said.append(f"The file does not run to its end: {nodes[count]} raised {because}. What is "
                    "computed before it is judged.")
        nodes = nodes[:count]
    kept = {name: array for name, array in arrays.items()
            if isinstance(array, np.ndarray) and array.dtype.kind == "f"}
    if nested:
        said.append(f"What happens inside of {', '.join(nested)} was not looked into.")
    return Ran(f"onnxruntime {importlib.metadata.version('onnxruntime')}", nodes,
               {inputs[0].name: fed, **kept}, (inputs[0].name,), output, said)


def _arrays(model, fed: dict[str, np.ndarray]) -> dict[str, Any]:
    """All outputs of a model, by name."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4  # what is raised is told once, by us
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, fed)))


def _as_far_as_it_goes(model, fed: dict[str, np.ndarray], onnx) -> tuple[int, dict[str, Any]]:
    """(how many of a model's first nodes run, all that they give)."""
    runs, stops = 0, len(model.graph.node)
    arrays: dict[str, Any] = {}
    while stops - runs > 1:
        count = (runs + stops) // 2
        part = onnx.ModelProto()
        part.CopyFrom(model)
        del part.graph.node[count:], part.graph.output[:], part.graph.value_info[:]
        try:
            arrays = _arrays(_every_tensor_shown(part, onnx), fed)
            runs = count
        except RAISED:
            stops = count
    return runs, arrays


def _read(path) -> Any:
    import onnx

    try:
        return onnx.load(str(path))
    except Exception as error:  # protobuf and onnx have classes of their own
        raise ValueError(f"Expected an ONNX file. Received {path}, which cannot be read: "
                         f"{sentence(error)}") from None


def _node(node, constants: dict[str, Any], onnx) -> Node:
    """A node with its attributes, and what ONNX gives as inputs in their place."""
    settings = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    settings = {name: value.decode() if isinstance(value, bytes) else
                tuple(value) if isinstance(value, list) else value
                for name, value in settings.items()}
    if node.op_type == "Clip":
        settings |= {name: float(onnx.numpy_helper.to_array(constants[tensor]).item())
                     for name, tensor in zip(("min", "max"), node.input[1:])
                     if tensor in constants}
    return Node(node.op_type, node.name or node.output[0], tuple(filter(None, node.input)),
                tuple(filter(None, node.output)), settings)


def _every_tensor_shown(model, onnx) -> Any:
    """A copy of the model with the outputs of all of its nodes among its own."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    there = {each.name for each in shown.graph.output}
    for node in model.graph.node:
        for name in node.output:
            if name and name not in there:
                shown.graph.output.append(onnx.ValueInfoProto(name=name))
                there.add(name)
    return shown


def _as_input(described, x: np.ndarray, data_format: str | None, path
              ) -> tuple[np.ndarray, list[str]]:
    """(the batch as the file takes it, what is to be said of that)."""
    tensor = described.type.tensor_type
    sizes = tuple(each.dim_value if each.HasField("dim_value") else None
                  for each in tensor.shape.dim)
    if tensor.elem_type not in FLOATS:
        raise ValueError(f"Expected an ONNX file whose input is of floating-point numbers. "
                         f"Received {path}, whose {described.name!r} is not")
    ways = []
    if data_format != "channels_first":
        ways.append((x, ""))
    if x.ndim > 2 and data_format != "channels_last":
        ways.append((np.moveaxis(x, -1, 1), "The batch was handed over channels first."))
    for turned, said in ways:
        if len(sizes) == turned.ndim and all(size in (None, own)
                                             for size, own in zip(sizes, turned.shape)):
            array = np.array(turned, FLOATS[tensor.elem_type], order="C")
            return array, [said] if said else []
    raise ValueError(f"Expected an ONNX file that takes a batch of shape {x.shape}, or with its "
                     f"channels first. Received {path}, whose {described.name!r} is of shape "
                     f"{sizes}")
