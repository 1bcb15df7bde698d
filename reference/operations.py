"""Operations between layers, as `+` and keras.ops make them, as if they were layers."""

from typing import Any


class Called:
    """One call of an operation: the operation, and what it is called on beside the tensors.

    Attributes:
        name, operation: Keras's.
        class_name: the operation's class, told apart from a layer's of the same name.
        arguments: as the config writes them, tensors as dictionaries.
    """

    weights: tuple = ()
    trainable = False
    activity_regularizer = None
    compute_dtype = "float32"
    input = None

    def __init__(self, operation, arguments: list) -> None:
        self.operation, self.name, self.arguments = operation, operation.name, arguments
        self.class_name = f"{type(operation).__name__}Operation"

    def __call__(self, x, training=None):
        """The operation on a tensor, or on a list of them in order."""
        rest = iter(x if isinstance(x, (list, tuple)) else [x])
        return self.operation(*[_filled(argument, rest) for argument in self.arguments])


def _filled(argument: Any, tensors) -> Any:
    """An argument with tensors in the places of the dictionaries that stand for them."""
    if isinstance(argument, dict) and argument.get("class_name") == "__keras_tensor__":
        return next(tensors)
    if isinstance(argument, (list, tuple)):
        return [_filled(item, tensors) for item in argument]
    return argument
