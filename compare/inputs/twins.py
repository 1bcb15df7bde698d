"""Gets a candidate and its reference from what a person names: nothing, a file, or a callable.

Nothing means the benchmark network; `FILE.keras` a saved Keras model; `module:callable` a function
that returns a scratch model, a Keras model, a Keras config dictionary, one layer that
`compare.wrap` gave, or the pair to compare: a scratch model, a list of wrapped layers or a wrapped
network in one class, and the network to hold it against.
"""

import importlib
import os
import sys
from dataclasses import replace
from pathlib import Path

import scratch
from compare import adapters
from compare.inputs import (
    benchmark_networks,
    own_packages,
    starting_tensorflow,
    trace_config,
)
from compare.tracing.configs import (
    compile_as,
    compile_config,
    compile_understood,
    keras_config,
    plain,
    settings_of,
)
from compare.tracing.known_settings import NOT_CHECKED, not_checked, understood
from compare.tracing.layer_error import RAISED
from compare.tracing.model_kinds import is_keras, is_scratch, kind
from scratch import custom_objects
from scratch.errors import OwnClassError, UnsupportedError
from scratch.files.model_archive import refuse_folder
from scratch.models import load_compiled_by, model_with_weights, naming
from scratch.precision import Policy

ENDINGS = (".keras", ".h5", ".hdf5")
UNCOMPILED = "what the model is compiled with"


def pair(spec: str | None, dtype: str | None = None, seed: int = 0, compiled: bool = True):
    """(candidate, reference) with the same weights, in `dtype`.

    Args:
        spec: None for the benchmark network, 'FILE.keras' or 'module:callable'.
        dtype: a precision such as 'float64' or 'mixed_float16', or None for the model's own.
        seed: of the initial weights, where the model has none of its own.
        compiled: whether what a model was compiled with is looked at; else there is a note that it
            is not checked, see `compare.tracing.known_settings`.

    Raises:
        FileNotFoundError: if the file is missing.
        ValueError: for a file or a callable that gives no such model, or an unsupported layer.
    """
    if spec is None:
        return twins(benchmark_networks.build(seed=seed, dtype=dtype or "float32"))
    scratch.set_random_seed(seed)
    if names_a_callable(spec):
        made = call(spec, seed)
    elif spec.endswith(ENDINGS) or (spec and Path(spec).is_dir()):
        made = load(spec, compiled)
    else:
        raise ValueError("Expected --model to be FILE.keras or module:callable. "
                         f"Received: {spec!r}")
    if isinstance(made, tuple) and len(made) == 2:
        if dtype is not None:
            raise ValueError(f"Expected no --dtype, as {spec} gives both models. "
                             f"Received: {dtype}")
        if isinstance(made[0], adapters.Conventions) and is_network(made[1]):
            return made
        if _becomes_network(made[0]) and is_network(made[1]):
            return adapters.as_network(*made), made[1]
        if not is_scratch(made[0]) or not is_network(made[1]):
            raise ValueError(f"Expected {spec} to give a torch.nn.Module, a scratch.Sequential or "
                             "scratch.Model, a list of layers, compare.wrap(network), or what "
                             "compare.from_jax gives, and the network to hold it against. "
                             "Received: "
                             + " and ".join(type(thing).__name__ for thing in made))
        return made
    return twins(alone(made), dtype, compiled)


def alone(made):
    """What a callable gave, a single layer as a network of its own.

    Raises:
        ValueError: for a wrapped object of which it is not known what it stands for, or on what
            inputs; for what needs a Keras model beside it.
    """
    if isinstance(made, adapters.Conventions):
        raise ValueError("Expected to be told which layer the object stands for: "
                         f"compare.wrap({made.name}(...), like=...), or, of a whole network, the "
                         "pair (wrapped, keras_model). Received neither")
    if isinstance(made, type):
        raise ValueError(f"Expected a model, such as {made.__name__}(...). Received: the class "
                         f"{made.__name__}")
    if _becomes_network(made):
        what = "PyTorch module" if adapters.is_torch(made) else "list of layers" \
            if isinstance(made, list) else type(made).__name__
        raise ValueError(f"Expected the pair (it, keras_model), for a {what} is held against a "
                         f"Keras model. Received: {type(made).__name__} alone")
    if not isinstance(made, scratch.layers.Layer):
        return made
    if not made.built:
        raise ValueError("Expected to be told the shape of the layer's inputs: "
                         "compare.wrap(..., input_shape=(H, W, C)). Received none")
    return scratch.Sequential([scratch.Input(made.input_shape[1:]), made])


def _becomes_network(thing) -> bool:
    """Whether it is a list of layers, or a module of PyTorch's."""
    return not isinstance(thing, tuple) and adapters.takes_part(thing)


def drawn_for(model, twin):
    """The scratch model whose inputs and loss say what batch to draw for a pair: the candidate, or,
    beside a network in one class, of which neither is known, one like the reference."""
    return twins(twin)[0] if isinstance(model, adapters.Conventions) else model


def is_network(thing) -> bool:
    """Whether this is a model of scratch's or of Keras's."""
    return is_scratch(thing) or is_keras(thing)


def candidate(spec: str | None):
    """The candidate alone, without making a Keras twin for it; see `pair`."""
    if spec is None:
        return benchmark_networks.build()
    made = call(spec) if ":" in spec else load(spec)
    if isinstance(made, tuple) and _becomes_network(made[0]):
        return adapters.as_network(*made)
    made = alone(made[0] if isinstance(made, tuple) else made)
    if is_scratch(made):
        return made
    return scratch.model_from_config(made if isinstance(made, dict) else made.get_config())


def golden_candidate(trace, spec: str | None):
    """The network to hold against a recorded trace, without Keras.

    Args:
        spec: 'FILE.keras', or 'module:callable' that returns a scratch model or a list of layers,
            or None for the network that the trace's own config and weights describe.
    """
    if spec is not None:
        made = call(spec) if ":" in spec else load(spec)
        made = made[0] if isinstance(made, tuple) and made else made
        if isinstance(made, adapters.Conventions):
            return made
        if _becomes_network(made):
            return adapters.as_network(made, trace)
        if not is_scratch(made):
            raise ValueError(f"Expected {spec} to return a scratch model, as --golden runs "
                             f"without Keras. Received: {type(made).__name__}")
        return made
    model = model_with_weights(trace.config, trace.weights().values())
    if trace.compile_config:
        with naming("", "a compile config that describes an optimizer, a loss and metrics"):
            known = understood(trace.compile_config)[0] or trace.compile_config
            compile_as(model, known)
            trace = replace(trace, compile_config=known)
    trace_config.require_shapes(model, trace)
    trace_config.require_settings(model, trace)
    return model


def twins(model, dtype: str | None = None, compiled: bool = True):
    """The scratch model and the Keras model of the same config, weights and compile settings.

    Args:
        model: either of the two, or the config of both. A scratch model is the candidate itself,
            with all the layers of somebody's own that it may have.
        dtype: the precision of both; None for the model's own.
        compiled: see `pair`.

    Raises:
        ValueError: for other things, and for layers and settings that are not supported.
    """
    if isinstance(model, dict):
        model = scratch.model_from_config(model)
    if not is_network(model):
        raise ValueError("Expected a scratch.Sequential, a keras.Sequential, a functional model of "
                         "either, a config dictionary, or a pair of models. "
                         f"Received: {type(model).__name__}")
    own = is_scratch(model)
    if not own:
        import reference

        model = reference.as_graph(model)
        kept = {layer.name for layer in model.layers
                if custom_objects.given(reference.names_of_class(layer)) is not None}
        model = reference.opened(model, kept)
    config = keras_config(model) if own else reference.config_of(model)
    settings = settings_of(model) if compiled else {}
    weights = model.get_weights()
    given = config
    if dtype is not None:
        config = with_dtype(config, dtype)
    as_it_is = plain(config) == plain(given)
    if own and as_it_is:
        candidate, twin = model, None  # layers of somebody's own are what is to be checked
    else:
        try:
            candidate, twin = scratch.model_from_config(config), None
        except OwnClassError as error:
            reason = None if own else reference.closed_by(model, kept)
            if reason is None:
                raise
            raise OwnClassError(f"{error} That was tried here, and failed: {reason}") from None
        if settings:
            compile_understood(candidate, settings)
        elif own:
            setattr(candidate, NOT_CHECKED, not_checked(model))
    import reference

    if is_keras(model) and as_it_is:
        twin = model if reference.model_dtype(model) == candidate.dtype.name else None
    if twin is None:
        twin = _made_of(config, candidate, compile_config(candidate) if compiled else None)
    if not compiled:
        setattr(candidate, NOT_CHECKED, [UNCOMPILED])
    if not candidate.built:
        raise ValueError("Expected a model that knows its input shape. Received one without an "
                         "Input: build it first.")
    candidate.set_weights(weights)
    if twin is not model:
        reference.set_weights(twin, weights)
    return candidate, twin


def _made_of(config: dict, candidate, compiled):
    """The Keras model of a candidate's config.

    Raises:
        UnsupportedError: for a Lambda, whose function only a live Keras model has.
        ValueError: for a class of somebody's own that Keras does not find.
    """
    import reference

    for layer in candidate.layers:
        if kind(layer) == custom_objects.LAMBDA:
            raise UnsupportedError(
                f"Layer {layer.name!r} is a Lambda, whose function is never taken out of a config. "
                "Hand over the live Keras model: --model module:callable, or "
                "compare.check(model, twin)")
    try:
        with reference.known(adapters.keras_classes(candidate.layers)):
            return reference.from_config(config, compiled)
    except (TypeError, ValueError) as error:
        own = [layer.described_as["class_name"] for layer in candidate.layers
               if layer.described_as]
        if not own:
            raise
        raise ValueError(f"Expected Keras's own classes {own}, registered by "
                         "keras.saving.register_keras_serializable or in the module's "
                         f"keras_objects. Received: {said(error)}") from error


def with_dtype(config, dtype: str):
    """A config with every layer's precision replaced; what is fed to a network of float16 or
    bfloat16 is of float32, as Keras has it."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            return {**config, "config": {"name": dtype}}
        fed = Policy(dtype).held.name
        return {key: (fed if key == "dtype" and isinstance(value, str)
                      else with_dtype(value, dtype))
                for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return type(config)(with_dtype(value, dtype) for value in config)
    return config


def names_a_callable(spec: str) -> bool:
    """Whether it is 'module:callable', and not the name of a file with a colon in it."""
    return ":" in spec and not Path(spec).exists()


def require_file(path) -> None:
    """Raises a FileNotFoundError if there is no such file of a model, an UnsupportedError for the
    folder of a SavedModel."""
    refuse_folder(path)
    if not Path(path).is_file():
        raise FileNotFoundError(f"Expected a Keras model file. Received: {path}, which is no file")


def load(path, compiled: bool = True):
    """The model in a `.keras` file, as a scratch model: Keras, which imports what a file names and
    unpacks what it holds, is never shown the file. Its twin is made of what was understood here.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for a file that is no such archive, says what is not understood, or holds a
            layer or a setting of one that is not supported. Of an unknown loss, optimizer or metric
            there is a note, see `compare.tracing.known_settings`.
    """
    require_file(path)
    return load_compiled_by(path, compile_understood if compiled else None)


def call(spec: str, seed: int | None = None):
    """What the function named 'module:callable' returns; modules are found from here, too.

    Args:
        seed: of the generators of Python, NumPy and Keras, before the function is called; None
            leaves them as they are.

    Raises:
        ValueError: if there is no such module or function, or it fails.
    """
    module_name, _, name = spec.partition(":")
    if not module_name or not name:
        raise ValueError(f"Expected module:callable. Received: {spec!r}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        with starting_tensorflow.quietly():
            module = (own_packages.somebodys(module_name)
                      or importlib.import_module(module_name))
    except RAISED as error:  # the module is somebody's own: anything can go wrong in it
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            raise ValueError(f"Expected a module {module_name!r} that can be imported. Received: "
                             f"{said(error)}. {adapters.TORCH_MISSING}") from error
        hidden = [Path(file).name for file in own_packages.in_the_way()]
        if hidden and isinstance(error, (ImportError, AttributeError)):
            raise ValueError(f"Expected a module {module_name!r} that can be imported. Received: "
                             f"{said(error)}. Imports find keras-parity's own packages in place of "
                             f"{', '.join(hidden)} in this folder. Rename it") from error
        raise ValueError(f"Expected a module {module_name!r} that can be imported. "
                         f"Received: {said(error)}. Run it from the folder that holds the module, "
                         "or put that folder on PYTHONPATH") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise ValueError(f"Expected a callable {name!r} in module {module_name!r}. Received: "
                         + ("nothing of that name" if function is None else repr(function))
                         + ". Name a function in it that returns a model")
    if seed is not None:
        import reference

        reference.set_random_seed(seed)
    try:
        with starting_tensorflow.quietly():
            return function()
    except RAISED as error:
        raise ValueError(f"Expected {spec} to return a model when called without arguments. "
                         f"Received: {said(error)}. See where it fails with: "
                         f"python -c 'import {module_name}; {module_name}.{name}()'") from error


def said(error: BaseException) -> str:
    """An error's kind and message, without the full stop."""
    return f"{type(error).__name__}: {error}".rstrip(". ")
