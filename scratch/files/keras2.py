"""What Keras 2 wrote of a model, put in the words of Keras 3, as far as it has words for it.

Both describe a model by dictionaries of the same kind. The names of some arguments differ, calls
are written as [[layer, call, output, arguments], ...], operators are layers of their own kind, and
one activation has another formula under the same name, which is refused.
"""

import re
from typing import Any

from scratch.errors import UnsupportedError
from scratch.layers import LAYERS

MODELS = {"Sequential", "Functional", "Model"}
# what says nothing any more: by the argument, the values for which that is so; None for all
NEUTRAL: dict[str, tuple | None] = {
    "batch_input_shape": None, "input_length": None, "implementation": None, "input_dim": None,
    "time_major": (False, None), "ragged": (False, None), "jit_compile": None,
    "is_legacy_optimizer": None, "decay": (0, None), "fn": None, "fused": None,
    "virtual_batch_size": (None,), "data_format": (None,)}
RENAMED = {("LeakyReLU", "alpha"): "negative_slope", ("InputLayer", "batch_input_shape"):
           "batch_shape"}
UNGROUPED = {"DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
             "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"}
UNUSED = {"kernel_initializer", "kernel_regularizer", "kernel_constraint"}  # of the first four
OPERATORS = {"__operators__.add": "Add", "math.add": "Add", "math.subtract": "Subtract",
             "math.multiply": "Multiply", "math.truediv": "TrueDivide",
             "math.divide": "TrueDivide", "math.maximum": "Maximum", "math.minimum": "Minimum"}
CONSTANT = "_CONSTANT_VALUE"
POLICIES = {"Policy", "PolicyV1"}


def is_of_keras_2(version: str) -> bool:
    """Whether that is the version of a Keras before 3."""
    return bool(re.match(r"[12]\.", version))


def translated(saved: dict) -> dict:
    """The dictionary of a saved model, with its `class_name`, `config` and `compile_config`.

    Raises:
        UnsupportedError: for what means something else in Keras 3, or has no place there.
    """
    known = {"class_name", "config", "compile_config"}
    compiled = saved.get("compile_config")
    made = {key: value for key, value in saved.items() if key in known} | {"module": "keras"}
    made["config"] = _model(saved.get("class_name"), saved.get("config"))
    if isinstance(compiled, dict):
        made["compile_config"] = _compiled(compiled)
    return made


def _model(class_name, config) -> Any:
    """A model's config."""
    if isinstance(config, list):  # as the first versions wrote that of a Sequential
        config = {"name": "sequential", "layers": config}
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        return config
    entries = [entry for entry in config["layers"] if isinstance(entry, dict)]
    made = {key: value for key, value in config.items() if key != "layers"}
    layers = [_entry(entry) for entry in entries]
    if class_name == "Sequential":
        first = entries[0].get("config") if entries else None
        shape = first.get("batch_input_shape") if isinstance(first, dict) else None
        if shape is not None and entries[0].get("class_name") != "InputLayer":
            layers.insert(0, {"class_name": "InputLayer", "module": "keras.layers",
                              "config": {"batch_shape": shape, "name": "input_layer"}})
        return {**made, "layers": layers}
    later = {entry.get("name"): entry.get("class_name") for entry in entries
             if _counts_itself(entry)}
    for entry, layer in zip(entries, layers):
        nodes = entry.get("inbound_nodes")
        if isinstance(nodes, list):
            layer["inbound_nodes"] = [_node(entry, node, later) for node in nodes]
    outputs = made.get("output_layers")
    if isinstance(outputs, list):  # which of a functional model are counted from 1 today, too
        among = {name for name, kind in later.items() if kind == "Sequential"}
        made["output_layers"] = [[each[0], each[1] - (each[0] in among), *each[2:]]
                                 if _is_tensor(each) else each for each in outputs]
    return {**made, "layers": layers}


def _counts_itself(entry: dict) -> bool:
    """Whether an entry is a model's whose first call was the making of it."""
    config = entry.get("config")
    layers = config.get("layers") if isinstance(config, dict) else None
    first = layers[0] if entry.get("class_name") in MODELS and isinstance(layers, list) \
        and layers else None
    return isinstance(first, dict) and first.get("class_name") == "InputLayer"


def _entry(entry: dict) -> dict:
    """The entry of a layer, an operator, or a model among layers."""
    class_name, config = entry.get("class_name"), entry.get("config")
    made = {key: value for key, value in entry.items() if key != "build_config"}
    if not isinstance(config, dict) and not isinstance(config, list):
        return made
    if class_name in MODELS:
        kept = {key: made[key] for key in ("name", "inbound_nodes") if key in made}
        return {**kept, "class_name": class_name, "module": "keras",
                "config": _model(class_name, config)}
    if class_name in ("TFOpLambda", "SlicingOpLambda") and isinstance(config, dict):
        return {**made, **_operator(config)}
    module = made.get("module")
    if module is None or str(module).split(".")[0] == "keras":
        made["module"] = "keras.layers"
    made["config"] = _settings(str(class_name), config)
    return made


def _operator(config: dict) -> dict:
    function = config.get("function")
    if function not in OPERATORS:
        raise UnsupportedError(f"{config.get('name')!r} is an operation of TensorFlow between "
                               f"layers, {function!r:.80}, which is not supported. "
                               f"Expected one of: {', '.join(OPERATORS)}.")
    name = OPERATORS[function]
    return {"module": "keras.src.ops.numpy", "class_name": name, "registered_name": name,
            "config": {"name": config.get("name")}}


def _settings(class_name: str, config: Any) -> Any:
    """The arguments of a layer, and of what stands inside it."""
    if not isinstance(config, dict):
        return config
    made: dict[str, Any] = {}
    for key, value in config.items():
        renamed = RENAMED.get((class_name, key))
        if renamed is None and _says_nothing(class_name, key, value):
            continue
        if key in ("activation", "recurrent_activation") and value == "hard_sigmoid":
            raise UnsupportedError(
                f"{class_name} {config.get('name')!r}: hard_sigmoid is 0.2 x + 0.5 in Keras 2, and "
                "x / 6 + 0.5 in Keras 3, which has no name for the former. Expected another "
                "activation.")
        if key == "axis" and class_name == "BatchNormalization" and isinstance(value, list) \
                and len(value) == 1:
            value = value[0]
        made[renamed or key] = _held(value)
    return made


def _says_nothing(class_name: str, key: str, value) -> bool:
    if key == "groups" and class_name in UNGROUPED:
        return bool(value == 1)
    if key in UNUSED and class_name.startswith(("Depthwise", "Separable")):
        return True
    if key == "data_format" and value is not None:
        return False
    neutral = NEUTRAL.get(key, ())
    return neutral is None or value in neutral


def _held(value: Any) -> Any:
    """An argument, which may be a layer, an initializer, a policy or a list of such."""
    if isinstance(value, list):
        return [_held(each) for each in value]
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    name, config = value["class_name"], value.get("config")
    if name in POLICIES and isinstance(config, dict):
        return config.get("name")
    if name in LAYERS or name in MODELS:
        return _entry(value)
    return {**value, "config": _settings(str(name), config)}


def _is_tensor(value) -> bool:
    return (isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str)
            and type(value[1]) is int and value[0] != CONSTANT)


def _node(entry: dict, node, later: dict) -> dict:
    """One call of a layer."""
    def tensor(value: list) -> dict:
        number = value[1] - (value[0] in later)
        return {"class_name": "__keras_tensor__", "config": {
            "keras_history": [value[0], number, value[2]]}}

    def argument(value):
        if _is_tensor(value):
            return tensor(value)
        return [argument(each) for each in value] if isinstance(value, list) else value

    operator = entry.get("class_name") == "TFOpLambda"
    if isinstance(node, list) and node and isinstance(node[0], str):
        node = [node]  # as the call of an operator is written
    if not isinstance(node, list) or not node or not all(
            isinstance(each, list) and len(each) in (3, 4) for each in node):
        raise UnsupportedError(f"Layer {entry.get('name')!r}: expected calls as Keras 2 writes "
                               f"them. Received: {node!r:.200}")
    first = [each[2] if each[0] == CONSTANT else tensor(each) for each in node]
    given = {key: argument(value) for each in node[:1] if len(each) == 4
             for key, value in dict(each[3] or {}).items() if value is not None}
    if operator:
        return {"args": [*first, *([given.pop("y")] if "y" in given else [])], "kwargs": given}
    merges = len(first) > 1 or getattr(LAYERS.get(str(entry.get("class_name"))), "merges", False) \
        and not getattr(LAYERS.get(str(entry.get("class_name"))), "calls_apart", False)
    return {"args": [first if merges else first[0]], "kwargs": given}


def _compiled(config: dict) -> dict:
    """How a model was compiled."""
    made = {key: value for key, value in config.items() if key in
            ("loss", "loss_weights", "metrics", "weighted_metrics", "optimizer")}
    if isinstance(made.get("loss"), dict):
        made["loss"] = _object(made["loss"], "keras.losses")
    if isinstance(made.get("optimizer"), dict):
        made["optimizer"] = _object(made["optimizer"], "keras.optimizers")
    for key in ("metrics", "weighted_metrics"):
        if isinstance(made.get(key), list):
            made[key] = [_metric(each) for each in _flat(made[key])]
    return made


def _object(value: dict, module: str) -> dict:
    """A loss, an optimizer or a metric by its class."""
    if not isinstance(value.get("class_name"), str) or not isinstance(value.get("config"), dict):
        return value
    own, registered = value.get("module"), value.get("registered_name")
    if (own is not None and str(own).split(".")[0] != "keras") or \
            (registered and not str(registered).startswith(("Custom>", value["class_name"]))):
        return value  # of somebody's own: to be refused by its name
    config = _settings(value["class_name"], value["config"])
    if config.get("reduction") == "auto":
        del config["reduction"]
    if config.get("use_ema") is False:
        config.pop("ema_overwrite_frequency", None)  # 100, which nobody overwrites by
    for key, held in config.items():
        if key == "learning_rate" and isinstance(held, dict):
            config[key] = _object(held, "keras.optimizers.schedules")
    return {"class_name": value["class_name"].removeprefix("Custom>"), "module": module,
            "config": config, "registered_name": None}


def _metric(value):
    if not isinstance(value, dict):
        return value
    config = value.get("config")
    if value.get("class_name") == "MeanMetricWrapper" and isinstance(config, dict):
        name = config.get("name")  # 'accuracy', for which there is more than one function
        return name if name in ("accuracy", "acc") else config.get("fn")
    return _object(value, "keras.metrics")


def _flat(values: list) -> list:
    """The metrics of the one output, which stand in a list of their own."""
    return [each for value in values for each in (value if isinstance(value, list) else [value])]
