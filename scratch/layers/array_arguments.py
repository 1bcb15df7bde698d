"""Arguments that hold numbers, one or an array of them, as Keras's configs write them."""

from typing import Any

import numpy as np

KINDS = ("__numpy__", "__tensor__")  # how a config says that a list of numbers was an array


def from_config(value: Any) -> Any:
    """A config's value as it was given: numbers and lists as they are, arrays as arrays.

    Raises:
        ValueError: for a dictionary that holds no array and no tuple.
    """
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__tuple__":
        return tuple(value.get("items", ()))
    config = value.get("config")
    if value.get("class_name") not in KINDS or not isinstance(config, dict):
        raise ValueError(f"Expected numbers, or an array of them. Received: {value!r:.200}")
    return np.array(config.get("value"), config.get("dtype"))


def to_config(value: Any) -> Any:
    """What Keras writes for it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "items": [to_config(each) for each in value]}
    if isinstance(value, np.ndarray):
        return {"class_name": "__numpy__",
                "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    return value


def real_numbers(value: Any, name: str, owner) -> np.ndarray:
    """The same as an array of float64. What is no array is rounded to float32 first, as TensorFlow
    does in every precision.

    Raises:
        ValueError: for anything but real numbers.
    """
    try:
        array = np.asarray(value)
        if array.dtype.kind == "f" and not isinstance(value, (np.ndarray, np.generic)):
            array = array.astype(np.float32)
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{owner}: expected {name} to be a number or an array of numbers. "
                         f"Received: {name}={value!r:.200}") from None


def require_fitting(array: np.ndarray, name: str, shape: tuple, owner) -> None:
    """That numbers broadcast to inputs of `shape`, (None, ...), and to nothing larger.

    Raises:
        ValueError: if they do not.
    """
    behind = (1, *shape[1:])[max(0, len(shape) - array.ndim):]
    if array.ndim > len(shape) or any(n not in (1, size) for n, size in zip(array.shape, behind)):
        raise ValueError(f"{owner}: expected {name} to broadcast to inputs {tuple(shape)}. "
                         f"Received: {name} of shape {array.shape}")
