"""What is made of an error that somebody's own layer raises: one sentence, with the line it is in.
"""

import linecache
import traceback
from pathlib import Path
from typing import Any

import numpy as np

import scratch
from compare.tracing.types import Network

# What somebody's own code may raise: sys.exit() in a layer ends no check either.
RAISED = (Exception, SystemExit)
# Errors are told by the last line that is none of these packages'.
OURS = (*np.__path__, *scratch.__path__, str(Path(__file__).parent.parent))


class LayerError(ValueError):
    """A layer raised an error, or gave an array of another shape than it has to.

    Attributes:
        phase: 'forward' or 'backward', the pass in which it did.
        array: what it gave, if that has another shape.
        result: what else it gave, a `compare.tracing.ops.OpResult`, if it is only that array which
            is wrong; None otherwise.
    """

    result: Any = None

    def __init__(self, message: str, phase: str = "forward", array: Any = None) -> None:
        super().__init__(message)
        self.phase, self.array = phase, array

    @property
    def from_outside(self) -> bool:
        """Whether somebody's own code raised it; else what the layer gave is not what it has to be.
        """
        return self.__cause__ is not None


def sentence(error: BaseException) -> str:
    """The error's type and message, where in somebody's own code it arose, and its notes."""
    said = " ".join(str(error).split())
    text = f"{type(error).__name__}: {said}" if said else type(error).__name__
    frames = _somebodys(error)
    if frames:
        last = frames[-1]
        line = linecache.getline(last.filename, last.lineno or 0).strip()
        text = f"{text} ({Path(last.filename).name}, line {last.lineno}: {line})"
    return ". ".join([text, *getattr(error, "__notes__", ())])


def in_somebodys_code(error: BaseException) -> bool:
    """Whether it arose in code that is none of these packages'."""
    return bool(_somebodys(error))


def _somebodys(error: BaseException) -> list[traceback.FrameSummary]:
    return [frame for frame in traceback.extract_tb(error.__traceback__)
            if not frame.filename.startswith((*OURS, "<"))]


def culprit(model: Network, error: BaseException) -> str:
    """The name of the model's layer, or of its copy, in whose method an error arose; '' if none."""
    found = ""
    names = {layer.name for layer in model.layers}
    for frame, _ in traceback.walk_tb(error.__traceback__):
        inside = frame.f_locals.get("self")
        if isinstance(inside, scratch.layers.Layer) and inside.name in names:
            found = inside.name
    return found


def of_model(model: Network, error: BaseException) -> str:
    """The sentence for an error that a whole model raised, with the layer that it came from."""
    name = culprit(model, error)
    return f"layer {name!r} raised {sentence(error)}" if name else f"it raised {sentence(error)}"
