"""A network's config read: what a layer's settings are, and a scratch model's own in Keras's words.
"""

import json
from collections.abc import Iterator
from typing import Any

import scratch
from compare.tracing.known_settings import NOT_CHECKED, not_checked, stand_in, understood
from compare.tracing.loss_scale import INNER, SCALES
from compare.tracing.model_kinds import is_scratch, kind
from compare.tracing.optimizer_steps import undecayed
from compare.tracing.trace import Trace
from compare.tracing.types import Config, Network
from scratch.call_config import CAUSAL, causal_at, initial_states_at
from scratch.errors import UnsupportedError
from scratch.layer_config import layer_from_config
from scratch.layers import IN_CONFIGS, LAYERS, OWN_NAMES, TimeDistributed
from scratch.layers.one_output import OneOutput
from scratch.losses import JointLoss
from scratch.mask_config import without_masks
from scratch.nesting import CALL
from scratch.operations import described, is_operation, kind_of
from scratch.pieces_config import in_pieces
from scratch.precision import LOW

# In an optimizer's dictionary, beside its config, which does not tell: [number of the layer from 1,
# name of the weight] of each weight that is excluded from weight decay.
UNDECAYED = "exclude_from_weight_decay"
# In the config of a recurrent layer: on how many of them it is called.
INITIAL_STATES = "initial_states"


def layer_config(trace: Trace, name: str) -> Config:
    """The config of the layer of that name, or path; a model that is not trainable makes its layers
    so."""
    return _configs(trace)[path_of(name)]


def _configs(trace: Trace) -> dict[str, Config]:
    """All layers' configs by path, read once as long as the trace has that config."""
    config, kept = vars(trace).get("_layer_configs", (None, {}))
    if config is trace.config:
        found: dict[str, Config] = kept
        return found
    found = {}
    for path, entry in layer_entries(trace.config):
        found.setdefault(path, entry["config"])
    vars(trace)["_layer_configs"] = trace.config, found
    return found


def of_weight(class_name: str, config: Config, weight: str) -> tuple[str, Config, str]:
    """(class, config, name of the weight there) of the layer that has a weight: that itself, or of
    a layer around another the one inside."""
    if not isinstance(config.get("layer"), dict):
        return class_name, config, weight
    argument, _, rest = weight.partition("/")
    inner = config["layer"]
    if argument in ("forward_layer", "backward_layer"):
        inner, weight = config.get(argument) or inner, rest
    return of_weight(inner["class_name"], inner["config"], weight)


def path_of(name: str) -> str:
    """A layer's path, without the number of a further call."""
    return name.split(CALL)[0]


def layer_entries(config: Config, inside: str = "", trainable: bool = True
                  ) -> Iterator[tuple[str, Config]]:
    """(path, dictionary with 'class_name' and 'config') for each layer of a model's config, those
    of models in it at their place; each as trainable as the models around it let it be.

    Args:
        inside: what the paths begin with.
        trainable: whether the models around this one are.
    """
    trainable = bool(trainable and config.get("trainable", True))
    for entry in _called(config):
        own = entry["config"]
        path = f"{inside}{own.get('name')}"
        if "layers" in own:
            yield from layer_entries(own, f"{path}.", trainable)
        elif around_model(entry):
            yield from _on_every_step(own, path, trainable)
        elif is_operation(entry):
            operation = described(entry, kind_of(entry))
            yield path, {**operation, "config": {**operation["config"], **_read_in(entry)}}
        else:
            kind_there = OWN_NAMES.get(entry["class_name"], entry["class_name"])
            attends = hasattr(LAYERS.get(str(kind_there)), CAUSAL)
            at_calls: Config = {CAUSAL: causal_at(entry)} if attends else {}
            if initial_states_at(entry):
                at_calls[INITIAL_STATES] = initial_states_at(entry)
            yield path, {**entry, "class_name": kind_there, "config": {
                **own, "trainable": bool(own.get("trainable", True) and trainable), **at_calls}}
            yield from _outputs_of(path, entry)


def around_model(entry: Config) -> bool:
    """Whether it is a wrapper that runs a model on every step."""
    inner = entry["config"].get("layer")
    return isinstance(inner, dict) and "layers" in inner.get("config", {})


def _on_every_step(own: Config, path: str, trainable: bool) -> Iterator[tuple[str, Config]]:
    """The entries of a model that a wrapper with these settings runs on every step: a wrapper
    around each of its layers, with the layer's own flag and penalty; its inputs as they are."""
    model = own["layer"]["config"]
    for inner, entry in layer_entries(model, f"{path}.{model.get('name')}.",
                                      trainable and own.get("trainable", True)):
        config = entry["config"]
        if entry["class_name"] == "InputLayer":
            yield inner, entry
            continue
        yield inner, {"class_name": TimeDistributed.__name__, "config": {
            "name": config.get("name"), "trainable": config.get("trainable", True),
            "dtype": config.get("dtype", own.get("dtype")),
            "activity_regularizer": config.get("activity_regularizer"),
            "layer": {"class_name": entry["class_name"], "config": config}}}


def _read_in(entry: Config) -> Config:
    """{'dtype': name} of an operation of which all that it reads is of one low precision, in which
    it then computes; else {}."""
    read = set(_dtypes(entry.get("inbound_nodes"))) - {"bool"}
    low = read.pop() if len(read) == 1 else ""
    return {"dtype": low} if low in LOW else {}


def _dtypes(value: Any) -> Iterator[str]:
    """Those of all tensors in the calls of an entry."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        yield value["config"]["dtype"]
    elif isinstance(value, (dict, list, tuple)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _dtypes(each)


def _outputs_of(path: str, entry: Config) -> Iterator[tuple[str, Config]]:
    """What takes the outputs out of all of them, if there are several."""
    own = entry["config"]
    if not own.get("return_state") and not (
            isinstance(own.get("layer"), dict) and own.get("merge_mode", "") is None
            or (own.get("layer") or {}).get("config", {}).get("return_state")):
        return
    try:
        layer = layer_from_config(entry)
    except UnsupportedError:
        return
    for place in range(0 if layer.outputs_as is None else layer.outputs_as.count):
        part = layer.one_output(place)
        yield f"{path}[{place}]", {"class_name": OneOutput.__name__, "config": part.get_config()}


def _called(config: Config) -> list[Config]:
    """The layers' entries, without the operations that make masks, and with an entry for each piece
    of a tensor that one cuts."""
    entries = list(config.get("layers", ()))
    if "output_layers" not in config:
        return entries
    named = {entry["name"]: {**entry, "config": {"name": entry["name"], **entry["config"]}}
             for entry in entries}
    try:
        kept = without_masks(named)
    except UnsupportedError:  # a mask of somebody's own
        kept = named
    return list(in_pieces({name: named[name] for name in kept}, config["output_layers"])[0]
                .values())


def input_layers(config: Config) -> list[str]:
    """The names of a model's input layers, in the order in which it takes its inputs."""
    if "input_layers" not in config:
        return [entry["config"]["name"] for entry in config["layers"][:1]
                if entry["class_name"] == "InputLayer"]

    def names(packed: Any) -> Iterator[str]:
        if isinstance(packed, dict):
            packed = [packed[key] for key in sorted(packed)]
        if packed and isinstance(packed[0], str):  # [name, call, tensor]
            yield packed[0]
        else:
            for inner in packed:
                yield from names(inner)

    return list(names(config["input_layers"]))


def keras_config(model: Network) -> Config:
    """The model's config, a layer class of one's own under the name of its Keras base."""
    config: Config = model.get_config()
    _name_kinds(config, {layer.name: kind(layer) for layer in model.layers}, "")
    return config


def _name_kinds(config: Config, kinds: dict[str, str], inside: str) -> None:
    """Name the classes of a config's layers, by their paths."""
    for entry in config["layers"]:
        path = f"{inside}{entry['config'].get('name')}"
        if "layers" in entry["config"]:
            _name_kinds(entry["config"], kinds, f"{path}.")
        elif path in kinds and not is_operation(entry):
            entry["class_name"] = IN_CONFIGS.get(kinds[path], kinds[path])


def compile_config(model: Network) -> Config:
    """The model's loss and optimizer in Keras's words, a class of one's own by its Keras base."""
    config: Config = model.get_compile_config()
    if config:
        for loss, described in each_loss(model, config["loss"]):
            described["class_name"] = kind(loss, scratch.losses.CLASSES)
        known = {cls.__name__ for cls in scratch.optimizers.CLASSES.values()}
        config["optimizer"]["class_name"] = kind(model.optimizer, {*known, SCALES})
        inner = config["optimizer"]["config"].get(INNER)
        if inner is not None:
            inner["class_name"] = kind(model.optimizer.inner_optimizer, known)
        excluded = undecayed(model)
        found = [[i + 1, name] for i, layer in enumerate(model.layers)
                 for name in layer.trainable_params if (layer.name, name) in excluded]
        if found:
            config["optimizer"][UNDECAYED] = found
        if not_checked(model):
            config[NOT_CHECKED] = not_checked(model)
    return config


def each_loss(model: Network, described: Any) -> list[tuple[Any, Config]]:
    """(loss, its dictionary) of one output, or of each of several that has a loss."""
    if not isinstance(model.loss, JointLoss):
        return [(model.loss, described)]
    form = model.loss.structure
    if isinstance(described, str) or (isinstance(described, dict) and "class_name" in described):
        by_output: list[Any] = [described] * form.count  # one loss for all
    elif isinstance(described, dict):
        keys = model.loss.names if form.keys is None else form.order
        by_output = [described.get(key) for key in keys]
    else:
        by_output = list(described)
    return [(term.loss, by_output[term.output]) for term in model.loss.terms]


def compile_as(model: Network, config: Config) -> None:
    """Compile a scratch model as a dictionary of `compile_config` says, with what is excluded from
    weight decay, and a note of what that dictionary leaves out."""
    model.compile_from_config(config)
    setattr(model, NOT_CHECKED, list(config.get(NOT_CHECKED, ())))
    optimizer = config.get("optimizer")
    excluded = optimizer.get(UNDECAYED, ()) if isinstance(optimizer, dict) else ()
    if excluded:
        model.optimizer.exclude_from_weight_decay(
            [model.layers[number - 1].params[name] for number, name in excluded])


def compile_understood(model: Network, config: Config) -> None:
    """Compile a scratch model as far as a compile config is known, and note the rest."""
    known, left_out = understood(config)
    if known:
        try:
            compile_as(model, known)
        except UnsupportedError:  # of an optimizer for weights of such a precision, or raised again
            rule = known["optimizer"]
            known = {**known, "optimizer": stand_in(rule)}
            compile_as(model, known)
            name = rule["class_name"] if isinstance(rule, dict) else rule
            left_out = [*left_out, f"optimizer {name} with such weights"]
    setattr(model, NOT_CHECKED, left_out)


def settings_of(model: Network) -> Config:
    """Loss and optimizer of a scratch or a Keras model, {} where there are none."""
    if is_scratch(model):
        return compile_config(model)
    import reference

    return reference.compile_config(model)


def channel_axis(config: Config, rank: int) -> int:
    """The axis, from the front, along which a layer's channels or features lie."""
    if config.get("data_format") == "channels_first":
        return 1
    axis = config.get("axis", -1)
    return axis % rank if isinstance(axis, int) else rank - 1


def plain(config: Config) -> Config:
    """A config as JSON has it: tuples become lists."""
    made: Config = json.loads(json.dumps(config))
    return made

# Settings by which two equal networks may differ: names, and how weights or noise are drawn.
INCIDENTAL = ("name", "dtype", "seed")


def incidental(key: str) -> bool:
    """Whether two equal networks may differ in this setting."""
    return key in INCIDENTAL or key.endswith("_initializer")


def without_names(value: Any) -> Any:
    """A setting without what is incidental in it, if it is an object's config: its class and its
    own settings stay, those that are None left out."""
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    config = value.get("config")
    if isinstance(config, dict):
        config = {key: without_names(held) for key, held in config.items()
                  if held is not None and not incidental(key)}
    return {"class_name": value["class_name"], "config": config}
