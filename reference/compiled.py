"""Lets go of what TensorFlow keeps of a function that is compiled for a few calls and then dropped.

Each time a training step is traced, the sum of gradients over devices registers a gradient of its
own in a table that lives as long as the process, and with it all of the step's graph: a megabyte or
two for a small network. Nobody asks for that second gradient once the step is dropped.
"""

import contextlib
import inspect
from collections.abc import Iterator

OWNER = "ReplicaContextBase.all_reduce"  # the function of TensorFlow's that registers it


@contextlib.contextmanager
def dropped_afterwards() -> Iterator[None]:
    """Around the life of compiled training steps: what they register is forgotten at the end."""
    table = _registered()
    before = set(table)
    try:
        yield
    finally:
        for name in set(table) - before:
            if _is_of_the_sum(table[name]["type"]):
                table.pop(name, None)
        with contextlib.suppress(ImportError, AttributeError):
            from tensorflow.python.eager import context

            context.context().clear_kernel_cache()  # which holds what ran of the steps


def _registered() -> dict:
    """TensorFlow's table of gradients; an empty one where this version keeps it elsewhere."""
    try:
        from tensorflow.python.framework.ops import gradient_registry

        return gradient_registry._registry
    except (ImportError, AttributeError):
        return {}


def _is_of_the_sum(function, depth: int = 3) -> bool:
    """Whether this is the gradient of that sum, inside the functions that wrap it."""
    if not inspect.isfunction(function) or depth == 0:
        return False
    if function.__qualname__.startswith(OWNER):
        return True
    inner = [cell.cell_contents for cell in function.__closure__ or ()]
    return any(_is_of_the_sum(each, depth - 1) for each in inner)


def put(model, name: str, value) -> None:
    """Set an attribute of a Keras model. Without being deleted first, what it held before would
    live on in the list of what TensorFlow may save, with the graphs it was compiled into."""
    if name in vars(model):
        delattr(model, name)
    setattr(model, name, value)
