"""What `config.json` says, read so that nothing in it is overlooked.

Keras's dictionaries name modules and classes, and Keras imports what they name. Here nothing is
imported, whatever stands there; but a file that names something of somebody else's, or says a thing
that is not understood, does not describe the model that would be made of it, and is refused.
"""

import json
import re
from collections.abc import Iterator

from scratch import custom_objects
from scratch.errors import UnsupportedError
from scratch.files.limits import require_text
from scratch.layer_config import known_module
from scratch.layers import LAYERS

SAVED = {"module", "class_name", "config", "registered_name", "build_config", "compile_config"}
# of an object inside, such as a layer or an initializer; the last three only layers have
OBJECT = {"module", "class_name", "config", "registered_name", "build_config", "shared_object_id",
          "name", "inbound_nodes"}
MODELS = {"Sequential", "Functional", "Model"}  # may stand among layers, compiled on their own
MODEL = {"name", "trainable", "dtype", "layers", "build_input_shape", "input_layers",
         "output_layers"}
COMPILED = {"optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly",
            "steps_per_execution", "jit_compile"}
PLAIN = {"build_config", "loss_weights", "run_eagerly", "steps_per_execution", "jit_compile"}
ROOMS = {"activations", "constraints", "dtype_policies", "initializers", "layers", "losses",
         "metrics", "models", "ops", "optimizers", "regularizers"}  # of Keras, where classes are
COMPILED_WITH = {"optimizer": ("optimizers",), "loss": ("losses",),
                 "metrics": ("metrics", "losses"), "weighted_metrics": ("metrics", "losses")}
# what operations between layers may be called on, beside plain values
ARGUMENTS = {"__keras_tensor__", "__slice__", "__ellipsis__", "__numpy__", "__tensor__"}


def parse(content: bytes, what: str = "config.json") -> dict:
    """The dictionary in a JSON text out of a file.

    Raises:
        ValueError: if it is none, or absurdly long or deeply nested.
    """
    require_text(content, what)
    value = json.loads(content)
    if not isinstance(value, dict):
        raise ValueError(f"expected {what} to be a dictionary. Received: {type(value).__name__}")
    return value


def require_understood(saved: dict) -> None:
    """That a model's saved dictionary, which could be made a model of, says nothing beyond that.

    Args:
        saved: with the model's `class_name`, `config` and `compile_config`.

    Raises:
        UnsupportedError: for a key that is not known, or a class of somebody else's, by its name
            and place.
    """
    _require_known(saved, SAVED, "the file")
    _require_known(saved.get("config"), MODEL, "the model's config")
    _require_known(saved.get("compile_config"), COMPILED, "compile_config")
    require_kerass_own({key: value for key, value in saved.items() if key != "compile_config"},
                       SAVED)
    require_kerass_own(saved.get("compile_config"))
    _require_own_kind(saved.get("compile_config"))


def require_kerass_own(config, keys=OBJECT) -> None:
    """That every object in a config is one of Keras's, by its module and its registered name.

    Args:
        keys: that the outermost dictionary may have, if it is an object itself.

    Raises:
        UnsupportedError: for the first that is not, or has keys that are not known.
    """
    theirs: list[str] = []  # places of what somebody has given, with all that stands inside
    for place, value in _within(config):
        if place.startswith(tuple(theirs)):
            continue
        if not {"class_name", "module", "registered_name"} & value.keys():
            continue
        if value.get("class_name") not in LAYERS and custom_objects.given(value) is not None:
            theirs.append(f"{place}.")
            continue
        if PLAIN & set(re.split(r"[.\[]", place)):
            raise UnsupportedError(f"{place} is an object, {value.get('class_name')!r:.80} from "
                                   f"{value.get('module')!r:.80}. Expected plain values there.")
        name, module = value.get("class_name"), value.get("module")
        nested = place and isinstance(name, str) and name in MODELS
        _require_known(value, OBJECT | {"compile_config"} if nested else OBJECT if place else keys,
                       place or "the file")
        if nested:
            _require_known(value.get("config"), MODEL, f"{place}.config")
        registered = value.get("registered_name")
        if not _of_keras(module, name) or registered not in (None, name, value.get("config")) \
                or (isinstance(name, str) and name.startswith("__") and not (
                    name in ARGUMENTS and ".inbound_nodes[" in place)):
            raise UnsupportedError(
                f"{place or 'The file'} is {name!r:.80} from {module!r:.80}, registered as "
                f"{registered!r:.80}, which is not supported. Expected classes of Keras's own.")


def _require_own_kind(compiled) -> None:
    """That a model is compiled with losses, metrics and optimizers: a layer in the place of one,
    though Keras's own, describes nothing that could be left out.

    Raises:
        UnsupportedError: for the first that is something else.
    """
    for key, rooms in COMPILED_WITH.items():
        given = compiled.get(key) if isinstance(compiled, dict) else None
        for one in given if isinstance(given, (list, tuple)) else [given]:
            if not isinstance(one, dict):
                continue
            module = one.get("module")
            parts = module.split(".") if isinstance(module, str) else []
            if set(parts) & ROOMS and not set(parts) & set(rooms):
                raise UnsupportedError(
                    f"{key} is {one.get('class_name')!r:.80} from {module!r:.80}. "
                    f"Expected a class of keras.{rooms[0]}.")


def _of_keras(module, class_name) -> bool:
    """Whether that is a module of Keras in which there are classes of models' parts."""
    if module == "builtins":  # where functions come from, which are then looked up by their name
        return class_name == "function"
    if module is None or module == "keras":
        return True
    if module == known_module(class_name):  # some layers of keras.applications
        return True
    parts = module.split(".") if isinstance(module, str) else []
    room = parts[2:3] if parts[1:2] == ["src"] else parts[1:2]
    return parts[:1] == ["keras"] and bool(ROOMS.intersection(room))


def _within(config) -> Iterator[tuple[str, dict]]:
    """Every dictionary inside, and where it stands: 'layers[3].config.dtype'."""
    waiting = [("", config)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, dict):
            yield place, value
            waiting += [(f"{place}.{key}"[-200:].removeprefix("."), held)
                        for key, held in value.items() if isinstance(held, (dict, list, tuple))]
        elif isinstance(value, (list, tuple)):
            waiting += [(f"{place}[{i}]"[-200:], held) for i, held in enumerate(value)
                        if isinstance(held, (dict, list, tuple))]


def _require_known(value, known: set, place: str) -> None:
    unknown = sorted(str(key)[:80] for key in value if key not in known) \
        if isinstance(value, dict) else []
    if unknown:
        raise UnsupportedError(f"{place} has the unknown keys {unknown[:5]}, of which nobody can "
                               f"say what they change. Expected only: {', '.join(sorted(known))}.")
