"""Arrays of another runtime, which cannot be run here, held against a network layer by layer.

All that is needed of a port to ONNX, TFLite, C++ or anything else is what its layers put out on one
batch. Each is judged on that port's own input of the layer, so that the first row that fails names
the layer that is wrong, and not all those behind it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from compare.adapters.factory import described
from compare.checks import given_outputs
from compare.checks.array_layout import FORMATS
from compare.diagnosis.together import TogetherDiagnosis
from compare.inputs import named_outputs
from compare.inputs.live_keras import keras_ops
from compare.oracle.expected import results
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Rounding
from compare.report.report import Report
from compare.report.timing import timed
from compare.runtimes import is_file, opened, reading
from compare.tracing.configs import input_layers, plain
from compare.tracing.global_state import QUIET, leaving_no_trace
from compare.tracing.model_kinds import kind, require_network
from compare.tracing.ops import inner_activation
from compare.tracing.recorder import record
from compare.tracing.trace import WHOLE, Trace, at_inference, folded, layer_parts
from compare.tracing.validation import check_trace_alone
from scratch.layer_config import layer_from_config
from scratch.several import each

PRECISIONS = ("float16", "float32", "float64")


class Bounds(NamedTuple):
    """What a layer should put out, and how far rounding alone may lead away from it.

    Attributes:
        expected, bound: float64 arrays of the output's shape.
    """

    expected: np.ndarray
    bound: np.ndarray


@timed
@leaving_no_trace
@np.errstate(**QUIET)
def check_outputs(model, x=None, outputs=(), *, data_format=None, precision=None,
                  because="") -> Report:
    """Whether arrays are what the layers of `model` put out at inference, within proved bounds.

    Each layer is judged on the array of the layer before it. Where that is missing, the exact
    output and the bound on it are carried along from the last one that is there.

    Args:
        model: the reference: a Keras model, a scratch model, or a Trace recorded at inference.
        x: (batch, ...), what the arrays came from; of several inputs a list or a dictionary as the
            model takes them. Not with a Trace, which brings its own.
        outputs: arrays by the names of the layers, activations inside them included, {'conv2d':
            array, ...}; or a list of arrays in the layers' order, told by their shapes. Some may be
            missing. float16, float32 or float64; images in Keras's order of axes, or with the
            channels at the other end. Or an ONNX or a TFLite file, by its path or from
            `compare.from_onnx` or `compare.from_tflite`, which is run on the batch.
        data_format: 'channels_first' or 'channels_last', as the arrays lie, where their shapes fit
            both; None takes the one that is nearer.
        precision: in which they were computed, 'float16', 'float32' or 'float64'; None for that of
            the model. An array that is stored in float16 alone may be off by that rounding, too.
        because: why gradients are not judged although they are there; '' where there are none.

    Returns:
        A Report. Its rows at the gate 'forward' judge single layers; `observed` in each is how far
        its array is from what the model puts out on x.

    Raises:
        ValueError: for a name that no layer has, a shape that its output does not have, or arrays
            that do not say which layers they belong to.
        TypeError: for a model of another kind, or arrays that hold no real numbers.
        ImportError: for a file whose runtime is not installed, with what to do.
    """
    require_network(model)
    for name, value, choices in (("data_format", data_format, FORMATS),
                                 ("precision", precision, PRECISIONS)):
        if value is not None and value not in choices:
            raise ValueError(f"Expected {name} to be one of {choices}. Received: {value!r}")
    if isinstance(model, Trace):
        check_trace_alone(x)
        trace = at_inference(model)
    else:
        if x is None:
            raise ValueError("Expected the batch x that the arrays came from. Received none")
        trace = record(model, x, gradients=False)
    every = range(len(layer_parts(trace)))
    trace = folded(trace, every)
    shapes = {part.layer: part.output.shape for part in trace.parts}
    runs = keras_ops(model, every)
    names: list = []
    misshapen: dict[str, np.ndarray] = {}
    said: list[str] = []
    runs_here = is_file(outputs) or hasattr(outputs, "run")
    if runs_here:
        read = reading.read(opened(outputs), trace, runs, data_format)
        given, by_order, misshapen, said = read.arrays, False, read.misshapen, read.said
    else:
        outputs = _without_inputs(trace, outputs)
        names = list(outputs)
        given, by_order = named_outputs.matched(outputs, shapes)
    found = given_outputs.judged(trace, given, runs, data_format, precision, misshapen)
    if runs_here:
        found.candidate.producer = read.runtime
    explained = TogetherDiagnosis(found.candidate, trace, slack=found.slack)
    if because:
        said.insert(0, f"The forward pass alone is judged. {because}")
    return Report.of(found.rows, found.candidate, trace, explained,
                     said + _notes(names, given, by_order, list(shapes), found),
                     ["gradients"] if because else [])


def _without_inputs(trace: Trace, outputs):
    """The arrays without those of the network's input layers, which have to be the batch.

    Raises:
        ValueError: if one is another array.
    """
    if not isinstance(outputs, Mapping):
        return outputs
    layers = {part.layer for part in trace.parts}
    inputs = {name: x for name, x in zip(input_layers(trace.config), each(trace.x))
              if name not in layers}
    for name in inputs.keys() & outputs.keys():
        array = np.asarray(outputs[name])
        ways = [array, *([np.moveaxis(array, 1, -1), np.moveaxis(array, -1, 1)]
                         if array.ndim > 2 else [])]
        if not any(np.array_equal(way, inputs[name].astype(array.dtype)) for way in ways):
            raise ValueError(f"Expected {name!r}, the network's input, to be the batch. "
                             f"Received another array, of shape {array.shape}")
    return {name: array for name, array in outputs.items() if name not in inputs}


def _notes(names: list, given: dict, by_order: bool, layers: list[str], found) -> list[str]:
    """What was taken for what, and what was not there."""
    said = []
    if by_order:
        if isinstance(names[0], str):
            pairs = ", ".join(f"{name} as {layer}" for name, layer in zip(names, given))
        else:
            pairs = ", ".join(given)
        said.append(f"The arrays were matched with the layers by their order and shapes: {pairs}.")
    ways: dict[str, list[str]] = {}
    for layer, how in found.turned.items():
        ways.setdefault(how, []).append(layer)
    said += [f"Taken as {how}: {', '.join(some)}." for how, some in ways.items()]
    last = max((layers.index(layer) for layer in given), default=-1)
    missing = [layer for layer in layers[:last] if layer not in given]
    if missing:
        said.append(f"There is no array of {', '.join(missing)}: each is judged together with "
                    "those behind it that have one.")
    if layers[last + 1:]:
        said.append(f"Not judged, as there is no array: {', '.join(layers[last + 1:])}.")
    return said


@np.errstate(**QUIET)
def bounds(layer, x, weights=None) -> Bounds:
    """What a layer should put out of x at inference, and the proved bound on anybody's rounding.

    Args:
        layer: a Keras layer, one of scratch's, or a config {'class_name': ..., 'config': ...}.
        x: (batch, ...) in float32 or float64, whose precision is the audited one; a list of inputs
            for a layer that merges.
        weights: by name, {'kernel': ..., 'bias': ...}, or a list in Keras's order; None for the
            layer's own.

    Raises:
        TypeError: for what is no layer.
        ValueError: for a layer that is not supported, or weights that it does not have.
    """
    entry, own, _ = described(layer)
    several = isinstance(x, (list, tuple))
    inputs = [named_outputs.numbers(each, "x") for each in (x if several else [x])]
    dtype = np.result_type(*inputs, np.float32)
    inputs = [each.astype(dtype) for each in inputs]
    made: Any = layer_from_config({"class_name": entry["class_name"],
                                   "config": plain(entry["config"])})
    made.dtype = dtype
    shapes = [(None, *each.shape[1:]) for each in inputs]
    made.build(shapes if several else shapes[0])
    held = _weights(made, own if weights is None else weights)
    part = WHOLE if made.params and inner_activation(made) else ""
    oracle = oracle_for(kind(made), plain(made.get_config()), part)
    oracle.training = False
    right = results(oracle, tuple(inputs) if several else inputs[0], held, None,
                    Rounding.of(dtype))["output"]
    return Bounds(right.value, right.bound)


def _weights(layer, given) -> dict[str, np.ndarray]:
    """A built layer's weights by name."""
    names = list(layer.params)
    if not isinstance(given, Mapping):
        arrays = list(given)
        if len(arrays) != len(names):
            raise ValueError(f"Expected {len(names)} weights: {', '.join(names) or 'none'}. "
                             f"Received: {len(arrays)}")
        given = dict(zip(names, arrays))
    if set(given) != set(names):
        raise ValueError(f"Expected the weights {', '.join(names) or 'none'}. "
                         f"Received: {', '.join(map(str, given)) or 'none'}")
    held = {name: np.asarray(given[name], layer.dtype) for name in names}
    for name, array in held.items():
        if array.shape != layer.params[name].shape:
            raise ValueError(f"Expected {name} in shape {layer.params[name].shape}. "
                             f"Received: {array.shape}")
    return held
