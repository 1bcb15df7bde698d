"""What every operation between layers is, and how Keras's configs name one."""

import numbers
from typing import Any

from scratch.errors import UnsupportedError
from scratch.layers.base import Layer
from scratch.layers.symbolic import OPERATORS

ENDING = "Operation"


class Operation(Layer):
    """Base of the operations.

    Args:
        operands: what it is called on, in order: None for a tensor, or a number; None alone for one
            tensor.
        name, trainable, dtype: see `Layer`.

    Raises:
        UnsupportedError: for operands that are neither.
    """

    module = "keras.src.ops.numpy"
    takes_list = False  # whether Keras hands over its tensors as one list

    def __init__(self, operands=None, **kwargs):
        super().__init__(**kwargs)
        self.operands = [None] if operands is None else list(operands)
        for operand in self.operands:
            if operand is not None and (isinstance(operand, bool)
                                        or not isinstance(operand, numbers.Real)):
                raise UnsupportedError(f"{self}: expected tensors and numbers as operands. "
                                       f"Received: {operand!r:.80} of type "
                                       f"{type(operand).__name__}")
        self.merges = self.takes_list or self.operands.count(None) > 1

    def __init_subclass__(cls, operator: str | None = None, **kwargs):
        super().__init_subclass__(**kwargs)
        if operator is not None:
            OPERATORS[operator] = cls

    def arguments(self, tensors: list) -> tuple:
        """What Keras calls the operation on, given the tensors."""
        if self.takes_list:
            return (tensors,)
        rest = iter(tensors)
        return tuple(next(rest) if operand is None else operand for operand in self.operands)

    def get_config(self):
        return {"name": self.name, "operands": self.operands}

    def keras_entry(self) -> dict[str, Any]:
        """The dictionary by which Keras knows the operation; the operands stand with its call."""
        config = {key: value for key, value in self.get_config().items() if key != "operands"}
        name = type(self).__name__.removesuffix(ENDING)
        return {"module": self.module, "class_name": name, "config": config,
                "registered_name": name}


def is_operation(entry: dict) -> bool:
    """Whether an entry of a functional model's config is an operation's."""
    return str(entry.get("module")).startswith("keras.src.ops")


def described(entry: dict) -> dict[str, Any]:
    """{'class_name', 'config'} of an operation by its entry: as of a layer, operands in the config.

    Raises:
        UnsupportedError: for one that is called on other things than tensors and numbers, or at
            several calls on several numbers.
    """
    owner = f"{entry['config'].get('name')!r}, an operation between layers, {entry['class_name']}"
    calls = [_operands(node, owner) for node in entry.get("inbound_nodes") or ()]
    if not calls or any(operands != calls[0] for operands in calls):
        raise UnsupportedError(f"{owner}: expected to be called, and with the same numbers each "
                               f"time. Received: {calls!r:.200}")
    return {"class_name": f"{entry['class_name']}{ENDING}",
            "config": {**entry["config"], "operands": calls[0]}}


def _operands(node: Any, owner: str) -> list:
    """What one call is made on: None for each tensor, and the numbers."""
    args = list(node.get("args", ())) if isinstance(node, dict) else []
    own = {key: value for key, value in node.get("kwargs", {}).items()
           if value is not None} if args else {}
    if own or not args:
        raise UnsupportedError(f"{owner}: expected to be called on its operands alone, in order. "
                               f"Received: {node!r:.200}")
    listed = len(args) == 1 and isinstance(args[0], (list, tuple))
    return [None if _is_tensor(value) else value for value in (args[0] if listed else args)]


def _is_tensor(value) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"
