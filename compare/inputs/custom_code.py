"""What stands for somebody's own classes and functions, out of a Python file or a module of theirs.

It defines `custom_objects`, see `scratch.custom_objects`. A model in a file also needs Keras's own
classes of these names: the module registers them, or has them in `keras_objects`.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from compare.inputs import starting_tensorflow
from compare.tracing.layer_error import RAISED
from scratch.custom_objects import custom_object_scope


@contextlib.contextmanager
def given_by(spec: str | None) -> Iterator[None]:
    """Within the block configs may name what the module has, in scratch and in Keras.

    Args:
        spec: 'FILE.py' or the name of a module; None for none.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be imported, or has no such dictionary.
    """
    if spec is None:
        yield
        return
    module = _imported(spec)
    ours, theirs = (_dictionary(module, name, spec) for name in ("custom_objects", "keras_objects"))
    if ours is None:
        raise ValueError(f"Expected {spec} to define custom_objects, a dictionary of classes and "
                         "functions by name. Received none")
    from reference.quiet import keras  # which starts it without its chatter

    with custom_object_scope(ours), keras.saving.CustomObjectScope(theirs or {}):
        yield


def _dictionary(module: ModuleType, name: str, spec: str) -> dict[str, Any] | None:
    found = getattr(module, name, None)
    if found is not None and not isinstance(found, dict):
        raise ValueError(f"Expected {name} in {spec} to be a dictionary. "
                         f"Received: {type(found).__name__}")
    return found


def _imported(spec: str) -> ModuleType:
    if spec.endswith(".py") and not Path(spec).is_file():
        raise FileNotFoundError(f"Expected a Python file. Received: {spec}, which is no file")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        with starting_tensorflow.quietly():
            return _module(spec)
    except RAISED as error:  # it is somebody's own: anything can go wrong in it
        raise ValueError(f"Expected {spec} to be imported. Received: {type(error).__name__}: "
                         f"{error}") from error


def _module(spec: str) -> ModuleType:
    if not spec.endswith(".py"):
        return importlib.import_module(spec)
    name = Path(spec).stem
    if name in sys.modules and Path(sys.modules[name].__file__ or "") == Path(spec).resolve():
        return sys.modules[name]
    found = importlib.util.spec_from_file_location(name, Path(spec).resolve())
    assert found is not None and found.loader is not None  # it is a Python file
    module = importlib.util.module_from_spec(found)
    sys.modules.setdefault(name, module)
    found.loader.exec_module(module)
    return module
