"""Operations between layers, as `+` and keras.ops make them, as if they were layers."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reference.quiet import keras, tf

LOW = ("float16", "bfloat16")
# operations of several outputs, each of which is a call of its own here
CUTTING = ("Split", "Unstack")


# what a config writes as dictionaries
KEPT: dict[str, Callable] = {
    "__slice__": lambda start, stop, step: slice(start, stop, step),
    "__ellipsis__": lambda: Ellipsis,
    "__numpy__": lambda value, dtype: np.array(value, dtype),
    "__tensor__": lambda value, dtype: np.array(value, dtype)}


class WithoutWeights:
    """What is asked of a layer, of what is called like one and has nothing of its own."""

    weights: tuple = ()
    trainable = False
    activity_regularizer = None
    compute_dtype = "float32"
    input = None


class Called(WithoutWeights):
    """One call of an operation: the operation, and what it is called on beside the tensors.

    Attributes:
        name, operation: Keras's.
        class_name: the operation's class, told apart from a layer's of the same name.
        arguments: as the config writes them, tensors as dictionaries.
        keywords: what it is called with besides, by name.
        place: which of its outputs is meant, from 0; None of an operation that has one alone.
        compute_dtype: float16 or bfloat16 where all tensors that it reads are of it.
    """

    def __init__(self, operation, arguments: list, keywords: dict | None = None,
                 place: int | None = None) -> None:
        self.operation, self.name, self.arguments = operation, operation.name, arguments
        self.keywords, self.place = keywords or {}, place
        self.class_name = f"{type(operation).__name__}Operation"
        read = set(_dtypes([arguments, self.keywords])) - {"bool"}
        low = read.pop() if len(read) == 1 else ""
        self.compute_dtype = low if low in LOW else WithoutWeights.compute_dtype

    def __call__(self, x, training=None):
        """The operation on a tensor, or on a list of them in order."""
        given = [tf.cast(each, self.compute_dtype) if self.compute_dtype in LOW else each
                 for each in (x if isinstance(x, (list, tuple)) else [x])]
        number = given[0].dtype  # truth is held in numbers between operations
        kind = type(self.operation).__name__
        truths = range(len(given)) if kind.startswith("Logical") or self._casts_truth(kind) else (
            [0] if kind == "Where" else [])
        for k in truths:
            given[k] = keras.ops.cast(given[k], "bool")
        rest = iter(given)
        made = self.operation(*[_filled(argument, rest) for argument in self.arguments],
                              **self.keywords)
        made = made if self.place is None else made[self.place]
        return keras.ops.cast(made, number) if made.dtype == "bool" or kind == "Cast" else made

    def _casts_truth(self, kind: str) -> bool:
        """Whether it is a cast of what a comparison makes."""
        return kind == "Cast" and self.arguments[0]["config"]["dtype"] == "bool"

    @property
    def cuts(self) -> bool:
        """Whether it has several outputs."""
        return type(self.operation).__name__ in CUTTING

    def at(self, place: int) -> "Called":
        """The same call, of which one output is meant."""
        return Called(self.operation, self.arguments, self.keywords, place)


def _dtypes(argument: Any) -> Iterator[str]:
    """The precisions of all tensors among arguments."""
    if isinstance(argument, dict) and argument.get("class_name") == "__keras_tensor__":
        yield argument["config"]["dtype"]
    elif isinstance(argument, (dict, list, tuple)):
        for each in argument.values() if isinstance(argument, dict) else argument:
            yield from _dtypes(each)


def _filled(argument: Any, tensors) -> Any:
    """An argument with tensors in the places of the dictionaries that stand for them."""
    if isinstance(argument, dict) and argument.get("class_name") == "__keras_tensor__":
        return next(tensors)
    if isinstance(argument, dict) and argument.get("class_name") in KEPT:
        return KEPT[argument["class_name"]](**argument["config"])
    if isinstance(argument, np.generic):  # a number, as the config of a file has it
        return argument.item()
    if isinstance(argument, (list, tuple)):
        return tuple(_filled(item, tensors) for item in argument)
    return argument
