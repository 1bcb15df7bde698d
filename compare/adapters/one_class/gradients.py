"""Where an object's backward pass leaves the gradients of its weights: returned, or kept."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from compare.adapters import accessors
from compare.adapters.kernel_layouts import squeezed
from compare.adapters.one_class import places
from compare.adapters.one_class.parameters import Parameter

Key = tuple[str, str]  # layer and name of a weight


def shown(how, parameters: Sequence[Parameter], trained: Sequence[Key], obj: Any, back: dict
          ) -> dict[Key, Any]:
    """The gradients that an object returns or keeps, by layer and name.

    Args:
        how: the object's `Conventions`.
        parameters, trained: where its weights are, and of which of them there are gradients.
        obj: the object, after its backward pass.
        back: what that returned, by name.

    Raises:
        ValueError: if one is not to be found.
    """
    wanted = [each for each in parameters if (each.layer, each.name) in trained]
    told = how.gradients if isinstance(how.gradients, dict) else {}
    returned = places.arrays(back["gradients"]) if "gradients" in back else {}
    kept = places.arrays(obj)
    found = _without_names(wanted, returned) if isinstance(back.get("gradients"), (list, tuple)) \
        else {}
    for each in wanted:
        key, path = (each.layer, each.name), f"{each.path}_gradient"
        if path in back:
            found[key] = back[path]
        elif each.path in told:
            found[key] = accessors.read(obj, told[each.path])
        elif key not in found:
            place = str(each.place)
            last = place.split(".")[-1]
            names = [name for name in returned if name in (place, last)
                     or places.is_gradient(name, last) or places.is_gradient(name, place)]
            names = names or [name for name in returned if name.split(".")[-1] == last]
            there = [name for name in kept if places.is_gradient(name, place)]
            if len(names) == 1:
                found[key] = returned[names[0]]
            elif len(there) == 1 and not names:
                found[key] = kept[there[0]]
            else:
                raise ValueError(_asked(how, each, names or there, returned or kept))
    return found


def _without_names(wanted: Sequence[Parameter], returned: dict[str, np.ndarray]
                   ) -> dict[Key, Any]:
    """Gradients in lists: in Keras's order of the weights, if their shapes are these, or else
    those of which the shape is that of a single weight; {} where that is not so of all."""
    listed = list(returned.values())

    def fits(each: Parameter, array: np.ndarray) -> bool:
        return squeezed(array.shape) == squeezed(each.held or each.shape)

    if len(listed) == len(wanted) and all(map(fits, wanted, listed)):
        return {(each.layer, each.name): array for each, array in zip(wanted, listed)}
    alike = [[array for array in listed if fits(each, array)] for each in wanted]
    if any(len(arrays) != 1 for arrays in alike):
        return {}
    return {(each.layer, each.name): arrays[0] for each, arrays in zip(wanted, alike)}


def _asked(how, each: Parameter, names: list[str], there: Mapping[str, Any]) -> str:
    which = f"either of {', '.join(names)}" if names else "none with a name like it"
    return (f"Expected a gradient of {each.path}, which {how.name} keeps as "
            f"{each.place!r}: gradients={{{each.path!r}: ...}} says where it is after the "
            "backward pass; 'applied' that the backward pass changes the weights at once; "
            "backward_gives='gradients' that it returns them all, by name or in a list; a name "
            f"such as '{each.path}_gradient' in backward_gives, which of them it is. "
            f"Received {which} among: {', '.join(there) or 'nothing'}")
