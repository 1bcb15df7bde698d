"""TensorFlow's start, whoever brings it about: without its chatter, and told to those who wait.

Somebody's own module may well begin with `import keras`. Within a block of `quietly` that starts it
as this project does, by `reference.quiet`; the module gets the very package that it asked for, and
what it says itself on standard error is not held back.
"""

import contextlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

STARTER = "reference.quiet"
STARTED = ("keras", "tensorflow")


def require_installed() -> None:
    """Raises a ModuleNotFoundError where Keras is not installed: to be told so only after longer
    work is a waste."""
    if "keras" not in sys.modules and importlib.util.find_spec("keras") is None:
        raise ModuleNotFoundError("No module named 'keras'", name="keras")


def nothing() -> None:
    """For those who need not be told."""


@contextlib.contextmanager
def quietly(tell: Callable[[], None] = nothing) -> Iterator[None]:
    """Within the block TensorFlow starts without its chatter.

    Args:
        tell: called when it does start, before anything else.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    finder = Starter(tell)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class Starter(MetaPathFinder):
    """Has the first import of Keras or TensorFlow start both."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self.tell = tell
        self.starting = False

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        """None, as for any finder that leaves a module to others; or what stands for one that has
        been started meanwhile."""
        if name == STARTER:
            self.tell()
        elif name in STARTED and not self.starting and STARTER not in sys.modules:
            return self.started(name)
        return None

    def started(self, name: str) -> ModuleSpec | None:
        if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
            return None  # who asks for another backend is told later that there is no twin on it
        self.starting = True
        try:
            importlib.import_module(STARTER)
        except ImportError:
            return None  # the import that was asked for says what is missing
        finally:
            self.starting = False
        # the import takes no other's spec for a module that is there, and would run it once more;
        # it puts it back
        module = sys.modules.pop(name, None)
        return None if module is None else ModuleSpec(name, Given(module))


class Given(Loader):
    """Gives out a module that has been imported already, as it is."""

    def __init__(self, module: ModuleType) -> None:
        self.module, self.spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # the import has put its own in this one's place
