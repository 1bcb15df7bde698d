"""What may have been left untold of an object that raised, or gave something else than it has to.

Other conventions are tried on a copy of the object: one under which it runs, and gives the right
shape, is what is named. Nothing is decided so, it is said in the error alone.
"""

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from compare.adapters import accessors
from compare.adapters.kernel_layouts import squeezed

Runs = Callable[[Any], bool]

MODES = ("training", "train", "is_training", "is_train", "train_mode", "istraining")
RESETS = ("reset", "clear", "zero_grad", "zero_grads", "zero_gradients", "zero", "reset_cache",
          "clear_cache", "reset_grads", "reset_gradients", "clear_grads", "reset_state")


def noted(error: BaseException, hint: str) -> None:
    """Put a hint into an error, once; `compare.tracing.layer_error.sentence` tells it."""
    if hint and hint not in getattr(error, "__notes__", ()):
        error.add_note(hint)


def of_forward(how, layer, runs: Runs) -> str:
    """A hint on a forward pass that raised, or gave another shape; '' if there is none.

    Args:
        how: the object's `Conventions`.
        layer: the layer, built.
        runs: whether a fresh copy of the object runs under such conventions, and gives the right
            shape.
    """
    if how.obj is None:
        return ""
    for changes in _ways(how, layer):
        told = replace(how, **changes)
        if runs(told):
            said = ", ".join(f"{name}={value!r}" for name, value in changes.items())
            return f"It runs with compare.wrap(..., {said})"
    return _of_mode(how)


def of_backward(how, runs: Runs) -> str:
    """The same for a backward pass."""
    if how.obj is None:
        return ""
    if how.reset is None and runs(how):
        own = [name for name in RESETS if callable(getattr(how.obj, name, None))]
        name = own[0] if own else "name of the method"
        return ("A fresh copy of the object runs, so it is what it keeps of earlier passes. If a "
                f"method is to be called before each: compare.wrap(..., reset={name!r}, "
                "reset_before='forward')")
    return _of_mode(how)


def gives(returned: Any, shapes: dict[str, tuple[int, ...]], option: str) -> str:
    """What the option that names what comes back may be, by the shapes; '' if nothing has one.

    Args:
        shapes: of what may come back, by name, in the object's own order of axes.
    """
    left = dict(shapes)

    def named(each: Any) -> Any:
        if isinstance(each, (tuple, list)):
            return tuple(map(named, each))
        found = next((name for alike in (tuple, squeezed) for name, shape in left.items()
                      if alike(shape_of(each)) == alike(shape)), None)
        if found is None:
            return "ignored"
        del left[found]
        return found

    if isinstance(returned, Mapping):
        keys = tuple(returned)
        made = named(list(returned.values()))
        which = option.removesuffix("_gives")
        taken = "x" if which == "forward" else "dy"
        way = f"{which}=lambda o, {taken}: tuple(o.{which}({taken})[k] for k in {keys!r}), "
    else:
        made, way = named(returned), ""
    return f"By the shapes: compare.wrap(..., {way}{option}={made!r})" \
        if len(left) < len(shapes) else ""


def shape_of(thing: Any) -> tuple[int, ...]:
    """An array's shape; that of nothing, (0,), for what is none, such as a ragged list."""
    try:
        return np.shape(thing) if not isinstance(thing, (Mapping, str)) else (0,)
    except ValueError:
        return (0,)


def _of_mode(how) -> str:
    """How an object may want to be told whether it is in training."""
    takes = how.forward_takes or ("x",)
    method = getattr(how.obj, how.forward, None) if isinstance(how.forward, str) else None
    if "training" in takes or how.mode is not None or method is None:
        return ""
    try:
        asked = next((name for name in inspect.signature(method).parameters if name in MODES), None)
    except (TypeError, ValueError):  # of what is written in C it may not be known
        asked = None
    if asked is not None:
        return (f"Whether it is in training is not handed over as its {asked!r}: "
                f"compare.wrap(..., forward_takes={(*takes, 'training')!r})")
    own = next((name for name in accessors.names(how.obj) if name in MODES), None) or next(
        (name for name in MODES if hasattr(how.obj, name)
         and not callable(getattr(how.obj, name))), None)
    return "" if own is None else ("Whether it is in training is not told: "
                                   f"compare.wrap(..., mode={own!r})")


def _ways(how, layer) -> Iterator[dict[str, Any]]:
    """Conventions that were not told, one, two or three at a time."""
    if how.batched is not True or how.batch_axis:
        return
    batches: list[dict] = [{}, {"batched": False}, {"batched": "one"}, {"batch_axis": -1}]
    ranks = {weight.ndim for name, weight in layer.params.items() if "kernel" in name}
    layouts: list[dict] = [{}]
    if how.kernel_layout is None and ranks & {2, 4}:
        layouts.append({"kernel_layout": "OI" if 2 in ranks else "OIHW"})
    axes: list[dict] = [{}]
    if how.data_format is None and len(layer.input_shape) > 2:
        axes.append({"data_format": "channels_first"})
    for batch, layout, order in itertools.product(batches, layouts, axes):
        if batch or layout or order:
            yield {**batch, **layout, **order}
