"""What somebody may have meant by a name that is not known."""

import difflib
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import TypeVar

# Names of older Keras, and what they are called now.
FORMER = {"lr": "learning_rate", "nb_filter": "filters", "border_mode": "padding",
          "subsample": "strides", "init": "kernel_initializer", "nb_epoch": "epochs",
          "output_dim": "units", "p": "rate", "kernel": "kernel_size", "pool": "pool_size",
          "stride": "strides", "dilation": "dilation_rate", "beta1": "beta_1",
          "beta2": "beta_2", "eps": "epsilon"}

Function = TypeVar("Function", bound=Callable)


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """' Did you mean padding?' for 'pading'; nothing if no known name is near."""
    known = list(known)
    if FORMER.get(str(name)) in known:
        return f" Did you mean {FORMER[str(name)]}?"
    by_small_letters = {each.lower(): each for each in known}
    near = difflib.get_close_matches(str(name).lower(), by_small_letters, 1, 0.75) or [
        each for each in by_small_letters if sorted(each) == sorted(str(name).lower())]
    return f" Did you mean {by_small_letters[near[0]]}?" if near else ""


def arguments_of(cls: type) -> list[str]:
    """What the constructor takes by name, those of its bases too."""
    found: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" in vars(base):
            found |= dict.fromkeys(
                name for name, each in inspect.signature(vars(base)["__init__"]).parameters.items()
                if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY))
    return [name for name in found if name != "self"]


def with_suggestions(function: Function) -> Function:
    """A method, whose TypeError for an argument that it does not have says what may be meant.

    It names the class of the object, as 'EarlyStopping' or 'Sequential.fit', and not the one in
    which the method happens to be written.
    """
    known = list(inspect.signature(function).parameters)[1:]

    @functools.wraps(function)
    def called(self, *args, **arguments):
        for name in arguments:
            if name not in known:
                where = type(self).__name__ + f".{function.__name__}".removesuffix(".__init__")
                raise TypeError(f"{where} has no argument {name!r}.{did_you_mean(name, known)} "
                                f"Expected: {', '.join(known)}.")
        return function(self, *args, **arguments)

    return called  # type: ignore[return-value]
