"""What the tensors of an op are called: output, input_gradient, kernel_gradient, kernel_updated ...

The inputs' gradients of an op that merges are numbered from 1: input_gradient_1, input_gradient_2.
"""

from collections.abc import Mapping
from typing import Any


def by_name(name: str, value: Any) -> dict[str, Any]:
    """An array under its name; those of several inputs under 'name_1', 'name_2' ...

    Args:
        value: an array, or a tuple or list of them; None, also among them, stands for none.
    """
    if isinstance(value, (tuple, list)):
        return {f"{name}_{i + 1}": array for i, array in enumerate(value) if array is not None}
    return {} if value is None else {name: value}


def results_by_name(output: Any, input_gradient: Any = None,
                    weight_gradients: Mapping[str, Any] | None = None,
                    updated: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What an op made, by tensor name.

    Args:
        output, input_gradient: as `by_name` takes them.
        weight_gradients: by the weights' names.
        updated: the weights as they are afterwards, likewise.
    """
    return {"output": output, **by_name("input_gradient", input_gradient),
            **{f"{name}_gradient": gradient for name, gradient in (weight_gradients or {}).items()},
            **{f"{name}_updated": weight for name, weight in (updated or {}).items()}}
