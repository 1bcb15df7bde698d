"""A real Keras model from a config dictionary or a file, compiled in its own precision."""

import contextlib
import warnings
from copy import deepcopy
from pathlib import Path

from reference import outside
from reference.failures import KerasError
from reference.graph import layers_of
from reference.own_config import config_of
from reference.quiet import keras, precision, tf
from reference.statistics import set_weights
from reference.weight_names import weight_names

UNDECAYED = "exclude_from_weight_decay"  # see `compile_config`
LEFT_OUT = {"Huber": "delta", "CosineSimilarity": "axis"}  # settings that configs leave out
NOT_CHECKED = "not_checked"  # names of settings that a compile config leaves out


def from_config(config: dict, compile_config: dict | None = None) -> "keras.Model":
    """The Keras model of that config, such as `get_config()` of a Keras or a scratch model.

    Args:
        config: Keras's config dictionary of a Sequential or of a functional model.
        compile_config: as from `get_compile_config()`; None leaves the model uncompiled.

    Raises:
        ValueError: for a config that Keras cannot read.
    """
    with precision(config_dtype(config)):
        if "output_layers" in config:
            model = keras.Model.from_config(dict(config))  # which Keras takes apart
        else:
            model = _sequential(config)
    if not config.get("trainable", True):  # which Keras forgets
        model.trainable = False
    if compile_config:
        compile_model(model, compile_config)
    return model


def _sequential(config: dict) -> "keras.Sequential":
    """What `Sequential.from_config` makes, which builds the model once more after each layer."""
    layers = config.get("layers")
    if not layers or not config.get("name") or not all("module" in layer for layer in layers):
        return keras.Sequential.from_config(dict(config))
    model = keras.Sequential([keras.saving.deserialize_keras_object(layer) for layer in layers],
                             name=config["name"])
    if not model.built and config.get("build_input_shape"):
        model.build(config["build_input_shape"])
    return model


def compile_model(model, compile_config: dict) -> None:
    """Compile with optimizer, loss and metrics from their dictionaries, in the model's precision.

    The learning rate is the config's own number: a float32 model's is rounded when it is used.
    """
    settings = {key: value for key, value in compile_config.items() if key != NOT_CHECKED}
    excluded: list = []
    if isinstance(settings.get("optimizer"), dict):
        # Keras takes apart the dictionary of an optimizer inside of another
        settings["optimizer"] = deepcopy(settings["optimizer"])
        excluded = settings["optimizer"].pop(UNDECAYED, [])
    with precision(model_dtype(model)):
        model.compile_from_config(settings)
    if excluded:
        layers = layers_of(model)
        rule_of(model.optimizer).exclude_from_weight_decay(
            [v for number, name in excluded for v in layers[number - 1].trainable_variables
             if weight_names(layers[number - 1])[id(v)] == name])


def compile_config(model) -> dict:
    """Optimizer, loss and metrics as `compile_model` takes them; {} for a model without.

    Keras's own config of a Huber loss leaves its delta out, and that of a cosine similarity its
    axis; they are read from the live loss. What
    `exclude_from_weight_decay` was told stands in no config; beside the optimizer's is a list of
    [number of the layer from 1, name of the weight] under that name, if there are any.
    """
    config = model.get_compile_config() or {}
    if config and isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
        # which Keras has put around the one that its config names, as the model's policy is mixed
        config["optimizer"] = keras.optimizers.serialize(model.optimizer)
    if config:
        for loss, described in _each_loss(model.loss, config["loss"]):
            for kind, setting in LEFT_OUT.items():
                if isinstance(loss, getattr(keras.losses, kind)):
                    described["config"][setting] = loss._fn_kwargs[setting]
    if config and isinstance(config.get("optimizer"), dict):
        layers = layers_of(model)
        found = [[number, weight_names(layer)[id(v)]]
                 for number, layer in enumerate(layers, start=1)
                 if layers.index(layer) == number - 1  # its first call
                 for v in getattr(layer, "trainable_variables", ())
                 if _excluded(model.optimizer, v)]
        if found:
            config["optimizer"][UNDECAYED] = found
    return config


def _each_loss(losses, described) -> list[tuple]:
    """(loss, its dictionary) of one, or of each in a list or a dictionary."""
    if isinstance(losses, dict):
        return [(loss, described[key]) for key, loss in losses.items()]
    return list(zip(losses, described)) if isinstance(losses, (list, tuple)) else \
        [(losses, described)]


def _excluded(optimizer, variable) -> bool:
    """Whether an optimizer that lets weights decay was told to leave this one alone."""
    optimizer = rule_of(optimizer)
    decays = optimizer.weight_decay or getattr(optimizer, "adam_weight_decay", None)  # Muon's
    # as a step does, of TensorFlow's variable, in whose name its layer's is; the answer is kept for
    # all steps to come
    return bool(decays) and not optimizer._use_weight_decay(variable.value)


def fresh_optimizer(optimizer, variables, copies):
    """The optimizer before its first step, for copies of its variables.

    What is excluded from weight decay stays excluded.

    Raises:
        KerasError: for one that Keras cannot run on such variables.
    """
    rule = rule_of(optimizer)
    wide = any(keras.backend.standardize_dtype(copy.dtype) == "float64" for copy in copies)
    if wide and isinstance(rule, keras.optimizers.Muon) and isinstance(
            rule.get_config()["learning_rate"], dict):
        raise KerasError("Expected a number as the learning_rate of Muon with weights of float64, "
                         "since Keras's own does not multiply these by a schedule's float32. "
                         f"Received: {rule.get_config()['learning_rate']['class_name']}")
    made = type(rule).from_config(rule.get_config())
    if rule is not optimizer:
        settings = optimizer.get_config()
        del settings["inner_optimizer"]  # which Keras cannot read if its class is somebody's own
        made = type(optimizer)(made, **settings)
    kept = [copy for variable, copy in zip(variables, copies) if _excluded(optimizer, variable)]
    if kept:
        rule_of(made).exclude_from_weight_decay(var_list=kept)
    return made


def rule_of(optimizer):
    """The optimizer that makes the steps: itself, or the one inside of one that scales the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def loss_scale(model) -> float:
    """What the loss is multiplied by before the way back, at a fresh optimizer's first step."""
    optimizer = model.optimizer
    return float(getattr(optimizer, "initial_scale", None)
                 or getattr(optimizer, "loss_scale_factor", None) or 1.0)


def with_loss_scale(model, scale: float) -> "keras.Model":
    """A copy of a model whose optimizer scales the loss, that begins with another scale."""
    copy = clone(model)
    copy.optimizer.initial_scale = scale
    copy.optimizer.dynamic_scale.assign(scale)
    return copy


def copied(variable, value):
    """A variable with the name and the path of another: optimizers tell them apart by these."""
    with contextlib.ExitStack() as scopes:
        for name in variable.path.split("/")[:-1]:
            scopes.enter_context(keras.name_scope(name))
        return keras.Variable(value, dtype=variable.dtype, name=variable.name)


def rate_dtype(model) -> str:
    """The precision of the learning rate; a schedule has none of its own: the model's."""
    return getattr(model.optimizer._learning_rate, "dtype", model_dtype(model))


def compiled_copy(model, compile_config: dict) -> "keras.Model":
    """A second model with the same config and weights, compiled as that says."""
    with outside.known_from(model):
        copy = from_config(config_of(model), compile_config)
    outside.take_functions(copy, model)
    set_weights(copy, model.get_weights())
    return copy


def clone(model) -> "keras.Model":
    """A second model with the same config, compile settings and weights.

    Its loss is the model's own, its optimizer one of the same class before its first step; so both
    may be of a class that Keras does not know by name.
    """
    with outside.known_from(model):
        copy = from_config(config_of(model))
    set_weights(copy, model.get_weights())  # from which some optimizers' slots start
    outside.take_functions(copy, model)
    settings = model.get_compile_config() or {}
    if settings:
        others = {key: value for key, value in settings.items() if key not in ("optimizer", "loss")}
        with precision(model_dtype(model)):
            optimizer = fresh_optimizer(model.optimizer, model.trainable_variables,
                                        copy.trainable_variables)
            copy.compile(optimizer=optimizer, loss=model.loss,
                         **keras.saving.deserialize_keras_object(others))
            optimizer.build(copy.trainable_variables)
    return copy


def losing_nothing(model, settings: dict) -> "keras.Model":
    """The model, or a copy where its loss is cast to less than its layers compute in.

    A loss has the precision that was Keras's default when the model was compiled, float32, also
    where a policy has the layers compute in float64. In a copy it has theirs.

    Args:
        settings: what of the model's compile config is known; the copy is compiled so.
    """
    loss = getattr(model, "_compile_loss", None)
    if loss is None or model_dtype(model) != "float64" or loss.dtype == "float64" or not settings:
        return model
    return compiled_copy(model, settings)


def load(path) -> "keras.Model":
    """A model from a `.keras` file, weights and compile settings included.

    Custom code in a file is never run: Keras's safe mode stays on.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is not a Keras model.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Expected a Keras model file. Received: {path}, which is no file")
    with warnings.catch_warnings():
        # of an optimizer's state in the file that Keras cannot use: here every optimizer is fresh
        warnings.simplefilter("ignore", UserWarning)
        return keras.saving.load_model(path, safe_mode=True)


def model_dtype(model) -> str:
    """The precision the model computes in, that of its layers; float32 if that is float16 or
    bfloat16, whose losses are computed in it and whose numbers it holds."""
    first = next(_computing(model), None)
    return keras.config.floatx() if first is None else held_in(first.compute_dtype)


def held_in(dtype: str) -> str:
    """The precision of losses, rates and arrays of a network whose layers compute in `dtype`: of
    float16 and bfloat16, mixed or not, float32, as Keras has it."""
    return dtype if dtype == "float64" else "float32" if "float" in dtype else dtype


def _computing(model):
    """The layers that compute, those of models inside a model among them."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _computing(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def config_dtype(config: dict) -> str:
    """The precision of the first layer in a model's config that names one. An input's is that of
    what is fed in, class numbers or bytes maybe."""
    for layer in config.get("layers", ()):
        if layer.get("class_name") == "InputLayer":
            continue
        if "layers" in layer.get("config", {}):
            return config_dtype(layer["config"])
        policy = layer.get("config", {}).get("dtype")
        name = policy.get("config", {}).get("name") if isinstance(policy, dict) else policy
        if name:
            return held_in(name)
    return keras.config.floatx()


def set_random_seed(seed: int) -> None:
    """Restart the generators of Python, NumPy and TensorFlow, from which Keras draws weights."""
    keras.utils.set_random_seed(seed)


def versions() -> str:
    """The libraries at work, such as 'keras 3.15.1 on tensorflow 2.21.0'."""
    return f"keras {keras.__version__} on tensorflow {tf.__version__}"
