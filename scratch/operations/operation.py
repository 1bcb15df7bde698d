"""What every operation between layers is, and how Keras's configs name one."""

import numbers
from typing import Any

from scratch.errors import UnsupportedError
from scratch.layers.base import Layer
from scratch.layers.symbolic import OPERATORS

ENDING = "Operation"
ARRAYS = ("__numpy__", "__tensor__")  # as what a config holds one


class Operation(Layer):
    """Base of the operations.

    Args:
        operands: what it is called on, in order: None for a tensor, or a number; None alone for one
            tensor.
        name, trainable, dtype: see `Layer`.

    Raises:
        UnsupportedError: for operands that are neither.
    """

    takes_low_precision = True  # of what it reads, see `Building._read_in`
    gives_truth = False  # whether what it makes is of Keras's precision bool
    module = "keras.src.ops.numpy"
    said_at_call: tuple[str, ...] = ("operands",)  # what of the config stands there with Keras
    takes_list = False  # whether Keras hands over its tensors as one list

    def __init__(self, operands=None, **kwargs):
        super().__init__(**kwargs)
        self.operands = [None] if operands is None else list(operands)
        for operand in self.operands:
            if operand is not None and (isinstance(operand, bool)
                                        or not isinstance(operand, numbers.Real)):
                held = isinstance(operand, dict) and operand.get("class_name")
                said = "an array, which a Dense or an Embedding could hold as its weights" \
                    if held in ARRAYS else f"{operand!r:.80} of type {type(operand).__name__}"
                raise UnsupportedError(f"{self}: expected tensors and numbers as operands. "
                                       f"Received: {said}")
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

    def keyword_arguments(self) -> dict[str, Any]:
        """What it is called with besides, by name."""
        return {}

    @classmethod
    def settings_of_call(cls, args: list, kwargs: dict, owner: str) -> dict[str, Any]:
        """The settings that stand with a call in Keras's config, beside the tensors.

        Args:
            args: what Keras calls the operation on.
            kwargs: likewise, by name; what is a setting is taken out.

        Raises:
            UnsupportedError: for what is neither a tensor nor a setting.
        """
        listed = len(args) == 1 and isinstance(args[0], (list, tuple))
        return {"operands": [None if is_tensor(value) else number_of(value)
                             for value in (args[0] if listed else args)]}

    def get_config(self):
        return {"name": self.name, "operands": self.operands}

    def keras_entry(self) -> dict[str, Any]:
        """The dictionary by which Keras knows the operation; the operands stand with its call."""
        config = {key: value for key, value in self.get_config().items()
                  if key not in self.said_at_call}
        name = type(self).__name__.removesuffix(ENDING)
        return {"module": self.module, "class_name": name, "config": config,
                "registered_name": name}


def is_operation(entry: dict) -> bool:
    """Whether an entry of a functional model's config is an operation's."""
    return str(entry.get("module")).startswith("keras.src.ops")


def described(entry: dict, kind: type[Operation]) -> dict[str, Any]:
    """{'class_name', 'config'} of an operation by its entry: as of a layer, operands and whatever
    else stands with its call in the config.

    Args:
        kind: the class that the operation has here.

    Raises:
        UnsupportedError: for one that is called on other things than tensors and numbers, or at
            several calls on several numbers.
    """
    owner = f"{entry['config'].get('name')!r}, an operation between layers, {entry['class_name']}"
    calls = [_settings(kind, node, owner) for node in entry.get("inbound_nodes") or ()]
    if not calls or any(settings != calls[0] for settings in calls):
        raise UnsupportedError(f"{owner}: expected to be called, and with the same numbers each "
                               f"time. Received: {calls!r:.200}")
    return {"class_name": f"{entry['class_name']}{ENDING}",
            "config": {**entry["config"], **calls[0]}}


def _settings(kind: type[Operation], node: Any, owner: str) -> dict[str, Any]:
    """The settings that stand with one call."""
    args = list(node.get("args", ())) if isinstance(node, dict) else []
    kwargs = dict(node.get("kwargs", {})) if args else {}
    settings = kind.settings_of_call(args, kwargs, owner) if args else {}
    if not args or any(value is not None for value in kwargs.values()):
        raise UnsupportedError(f"{owner}: expected to be called on its operands alone, in order. "
                               f"Received: {node!r:.200}")
    return settings


def is_tensor(value) -> bool:
    """Whether an argument of a call in a config is the output of a layer."""
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def number_of(value) -> Any:
    """A number of NumPy's or TensorFlow's, as a config has it, as such; anything else as it is."""
    if isinstance(value, dict) and value.get("class_name") in ARRAYS:
        held = value.get("config", {}).get("value")
        return held if isinstance(held, numbers.Real) else value
    return value
