"""An exercise: what submissions are held against, what is taken out of them, and the points.

It is a Python file of the teacher's:

    import keras, numpy as np, compare

    title = "A convolution and a rectifier"
    points = {"conv forward": 2, "conv backward": 3, "relu": 1}
    seconds, memory = 60, 2.0              # of each submission; memory in GB
    forbidden = ("keras", "tensorflow")    # what it may not import

    def reference():                       # a Keras model, or (model, x, y)
        return keras.Sequential([keras.Input((6, 5, 2)),
                                 keras.layers.Conv2D(3, (3, 2), name="conv"),
                                 keras.layers.ReLU(name="relu")])

    def candidate(submission):             # one object for each layer
        conv = submission.Conv(2, 3, (3, 2))
        return [compare.wrap(conv, kernel="W", bias="b", gradients={"kernel": "dW", "bias": "db"}),
                compare.wrap(submission.Relu())]
"""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compare.checks.gate import Gate
from compare.tracing.layer_error import RAISED, sentence

FORBIDDEN = ("compare", "jax", "keras", "reference", "scratch", "sklearn", "tensorflow", "torch")
SECONDS, MEMORY = 60.0, 4.0


@dataclass(frozen=True)
class Exercise:
    """What a teacher's file says.

    Attributes:
        title: for people.
        points: by item: a layer's name, a gate's, or both: 'conv', 'backward', 'conv backward'.
        candidate: a function (the submission's module) -> what `compare.check` takes as candidate.
        reference: a function () -> Keras model, or (model, x, y).
        seconds, memory: limits of a submission; memory in GB, None for none.
        forbidden: modules that a submission may not import.
    """

    title: str
    points: dict[str, float]
    candidate: Callable[[Any], Any]
    reference: Callable[[], Any]
    seconds: float = SECONDS
    memory: float | None = MEMORY
    forbidden: tuple[str, ...] = field(default=FORBIDDEN)

    @property
    def total(self) -> float:
        return sum(self.points.values())

    @classmethod
    def load(cls, path) -> "Exercise":
        """The exercise that a file describes.

        Raises:
            ValueError: for a file that raises, or lacks or misspells something.
        """
        path = Path(path)
        if not path.is_file():
            raise ValueError(f"Expected a Python file that describes the exercise. Received: {path}"
                             ", which is no file")
        module = _run(path)
        wrong = _wrong(module)
        if wrong:
            raise ValueError(f"{path}: expected {wrong[0]}. Received: {wrong[1]}")
        memory = getattr(module, "memory", MEMORY)
        return cls(getattr(module, "title", path.stem), dict(module.points), module.candidate,
                   module.reference, float(getattr(module, "seconds", SECONDS)),
                   None if memory is None else float(memory),
                   tuple(getattr(module, "forbidden", FORBIDDEN)))


def _run(path: Path):
    spec = importlib.util.spec_from_file_location(f"exercise_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path}: expected a file of Python, FILE.py. Received another kind")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))  # what it imports from its own folder
    try:
        spec.loader.exec_module(module)
    except RAISED as error:
        raise ValueError(f"{path}: expected a file that runs. Received: {sentence(error)}"
                         ) from error
    finally:
        sys.path.pop(0)
    return module


def _wrong(module) -> tuple[str, str] | None:
    """(what was expected, what came), for the first thing that is wrong."""
    for name, what in (("candidate", "candidate(submission)"), ("reference", "reference()")):
        if not callable(getattr(module, name, None)):
            return f"a function {what}", "none"
    points = getattr(module, "points", None)
    if not isinstance(points, dict) or not points:
        return "points as a dictionary, such as {'conv forward': 2}", repr(points)
    for item, value in points.items():
        if not isinstance(item, str) or not item.strip() or isinstance(value, bool) \
                or not isinstance(value, (int, float)) or not value >= 0:
            return "points as a layer's or a gate's name and a number of 0 or more", \
                f"{item!r}: {value!r}"
    for name in ("seconds", "memory"):
        value = getattr(module, name, 1)
        if value is not None and (not isinstance(value, (int, float)) or not value > 0):
            return f"{name} as a number above 0", repr(value)
    return None


def parts_of(item: str) -> tuple[str, str]:
    """(layer, gate) of an item, '' where it names none."""
    for gate in sorted(Gate, key=len, reverse=True):
        if item == gate:
            return "", gate
        if item.endswith(f" {gate}"):
            return item.removesuffix(f" {gate}"), gate
    return item, ""
