"""Objects of a submission as they are seen from outside of its process.

What is read of such an object is asked for there: arrays and numbers come as themselves, anything
else as another such object, whose methods can be called. `compare.wrap` takes one like an object of
this process.
"""

from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np


class Remote:
    """An object in the process of a `Student`; its class has the name of the object's own."""

    __slots__ = ("_student", "_number")

    def __init__(self, student, number: int) -> None:
        object.__setattr__(self, "_student", student)
        object.__setattr__(self, "_number", number)

    def __getattr__(self, name: str) -> Any:
        if name == "__dict__":  # what a person may have meant by a name that is not there
            return dict.fromkeys(self._student.ask("names", self._number))
        if name.startswith("__"):
            raise AttributeError(name)
        return fixed(self._student.ask("get", self._number, name))

    def __setattr__(self, name: str, value: Any) -> None:
        self._student.ask("set", self._number, name, value)

    def __call__(self, *arguments: Any) -> Any:
        return self._student.ask("call", self._number, *arguments)

    def __deepcopy__(self, memo: dict) -> "Remote":
        return self._student.ask("copy", self._number)


class RemoteMapping(Remote, MutableMapping):
    """A dictionary there."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        return fixed(self._student.ask("item", self._number, key))

    def __setitem__(self, key: Any, value: Any) -> None:
        self._student.ask("set_item", self._number, key, value)

    def __delitem__(self, key: Any) -> None:
        raise TypeError("Expected nothing to be taken out of a submission's dictionary")

    def __iter__(self) -> Iterator:
        return iter(self._student.ask("keys", self._number))

    def __len__(self) -> int:
        return len(self._student.ask("keys", self._number))


def fixed(value: Any) -> Any:
    """An array as one that cannot be written to: that would change this copy of it alone."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    return value


def thing(student, value: dict) -> Remote:
    """The object that a message speaks of."""
    name = "".join(c for c in str(value.get("class")) if c.isidentifier() or c.isdigit())
    base = RemoteMapping if value.get("dict") else Remote
    return type(name or "object", (base,), {"__slots__": ()})(student, int(value["object"]))


def reference(value: Any) -> dict:
    """How a message speaks of an object that came from there.

    Raises:
        TypeError: for any other.
    """
    if isinstance(value, Remote):
        return {"object": value._number}
    raise TypeError("Expected an array, a number, a text or an object of the submission to be "
                    f"handed to it. Received: {type(value).__name__}")


def raised(error: dict, base: type[Exception]) -> Exception:
    """An error of the submission's, under its own name; an AttributeError is one here, too."""
    name, text = str(error.get("type")), str(error.get("text"))
    where = f" (its {error['where']})" if error.get("where") else ""
    kinds = (base, AttributeError) if name == "AttributeError" else (base,)
    return type(name, kinds, {})(f"{text}{where}")
