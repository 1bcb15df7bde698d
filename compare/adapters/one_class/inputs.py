"""Several inputs of a network in one class: an argument each, or all of them in a list.

They are called 'x_1', 'x_2' ..., in Keras's order; 'x' is the list. A single input is 'x'.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from compare.adapters import calls
from compare.adapters.kernel_layouts import squeezed
from compare.tracing.tensor_names import by_name
from scratch.several import each

GRADIENT = "input_gradient"


def named(x: Any) -> dict[str, np.ndarray]:
    """The inputs, an array or `Several`, by name."""
    arrays = each(x)
    return by_name("x", arrays if len(arrays) > 1 else arrays[0])


def among(given: Mapping[str, Any]) -> list[str]:
    """The names of the inputs among what can be handed over."""
    return [name for name in given if name == "x" or name.startswith("x_")]


def held(given: Mapping[str, Any]) -> dict[str, Any]:
    """What can be handed over, by name: several inputs together, too."""
    several = [given[name] for name in among(given)]
    return {**given, "x": several} if len(several) > 1 else dict(given)


def taken(how, obj: Any, which: str, default: tuple[str, ...], given: Mapping[str, Any]
          ) -> tuple[str, ...]:
    """What a pass is called with.

    Where nothing was declared, a pass that asks for as many arguments as there are inputs and
    whatever else it gets by `default`, or for any number, gets the inputs one by one.

    Args:
        which: 'forward', 'backward', 'loss' or 'step'.
        given: what can be handed over, the inputs among it.
    """
    told: tuple[str, ...] | None = getattr(how, f"{which}_takes")
    names = among(given)
    if told is not None or len(names) == 1:
        return default if told is None else told
    apart = tuple(name for each in default for name in (names if each == "x" else [each]))
    return apart if _asks_for(calls.method_of(how, obj, which), len(apart)) else default


def _asks_for(method, count: int) -> bool:
    try:
        arguments = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):  # of what is written in C it may not be known
        return False
    positional = [one for one in arguments
                  if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    required = sum(one.default is one.empty for one in positional)
    return required == count or required < count and any(
        one.kind is one.VAR_POSITIONAL for one in arguments)


def sent_back(how, back: dict[str, Any], given: Mapping[str, np.ndarray]
              ) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the gradients of the inputs, by name, as far as they were returned; all else by name).

    Args:
        back: what a backward pass returned, by name.
        given: what it could be handed, the inputs among it.

    Raises:
        TypeError: for one gradient where there are several inputs.
    """
    names, told = among(given), how.backward_gives is not None
    wanted = [GRADIENT + name.removeprefix("x") for name in names]
    rest = {name: value for name, value in back.items() if name not in (GRADIENT, *wanted)}
    found = {name: back.get(name) for name in wanted}
    whole = back.get(GRADIENT)
    if len(names) > 1 and whole is not None:
        if isinstance(whole, (list, tuple)) and len(whole) == len(names) and (
                told or _one_for_each(whole, [given[name] for name in names])):
            found = dict(zip(wanted, whole))
        elif told or isinstance(whole, np.ndarray) and np.size(whole) > 1:
            raise TypeError(
                f"expected the backward pass to return the gradients of all {len(names)} inputs in "
                f"a list; backward_gives=({', '.join(map(repr, wanted))}) names them where they "
                "come otherwise, 'gradients' those of all weights, () says that nothing comes back."
                f" Received: {type(whole).__name__}"
                + (f" of shape {whole.shape}" if isinstance(whole, np.ndarray) else ""))
        else:
            rest |= _of_weights(whole)
    elif not told and _no_gradient(whole):
        found, rest = {}, {**rest, **_of_weights(whole)}
    return {name: value for name, value in found.items() if value is not None}, rest


def not_sent_back(name: str, gradients: Mapping[str, Any], count: int) -> str:
    """A sentence on those of `count` inputs of which a network returns no gradient."""
    missing = [str(i) for i in range(1, count + 1) if f"{GRADIENT}_{i}" not in gradients]
    which = f"input{'s' if len(missing) > 1 else ''} {' and '.join(missing)}" if count > 1 \
        else "input"
    return (f"{name} returns no gradient of its {which}, which a network need not: that one is not "
            "checked.")


def _of_weights(returned: Any) -> dict[str, Any]:
    return {"gradients": returned} if isinstance(returned, (Mapping, list, tuple)) else {}


def _no_gradient(returned: Any) -> bool:
    """Whether what a backward pass returned is no array, but all gradients, a loss, or nothing."""
    return isinstance(returned, (Mapping, list, tuple)) or np.size(returned) == 1


def _one_for_each(returned: Sequence[Any], inputs: list[np.ndarray]) -> bool:
    """Whether arrays have the shapes of the inputs, in any order; None may stand for one."""
    shapes = [squeezed(array.shape) for array in inputs]
    for one in returned:
        if isinstance(one, np.ndarray) and squeezed(one.shape) in shapes:
            shapes.remove(squeezed(one.shape))
        elif one is not None:
            return False
    return True
