"""Keeps this project's packages apart from modules of the same names in somebody's own folder.

`--model` looks for modules in the current folder first. A `reference.py` or a `scratch.py` there
must not take the place of the packages that do the work.
"""

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

OURS = ("compare", "reference", "scratch")
ROOT = Path(__file__).parents[2]  # where they stand


class OwnFirst:
    """Finds these packages where they stand, whatever comes first on the path."""

    @staticmethod
    def find_spec(name: str, path=None, target=None) -> ModuleSpec | None:
        if name in OURS and path is None:
            return PathFinder.find_spec(name, [str(ROOT)])
        return None


def install() -> None:
    """From now on these packages are found first.

    Raises:
        ImportError: if another module of such a name has been imported already, naming its file.
    """
    for name in OURS:
        loaded = sys.modules.get(name)
        if loaded is not None and not stands_here(loaded):
            raise ImportError(f"Expected keras-parity's package {name!r}. Received: "
                              f"{getattr(loaded, '__file__', None) or 'another module'}, which is "
                              "in its way. Rename it")
    if OwnFirst not in sys.meta_path:
        sys.meta_path.insert(0, OwnFirst)  # type: ignore[arg-type]  # a class is a finder, too


def stands_here(module: ModuleType) -> bool:
    """Whether this is the package of that name beside this one."""
    return any(Path(place).resolve().parent == ROOT.resolve()
               for place in getattr(module, "__path__", ()))


def in_the_way(folder: str | None = None) -> list[str]:
    """Files of the folder, the current one by default, that have the names of these packages."""
    places = [Path(folder or os.getcwd(), name) for name in OURS]
    found = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return [str(file) for file in found
            if file.is_file() and ROOT.resolve() not in file.resolve().parents]


def somebodys(name: str) -> ModuleType | None:
    """The module of the current folder that has the name of one of these packages, if there is one.

    It is imported under another name: its own stays that of the package.
    """
    file = Path(os.getcwd(), f"{name}.py")
    if name not in OURS or not file.is_file():
        return None
    spec = importlib.util.spec_from_file_location(f"{name}_of_this_folder", file)
    assert spec is not None and spec.loader is not None  # it is a Python file
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
