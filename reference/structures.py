"""The forms in which a Keras model takes several inputs and gives several outputs.

Here several arrays are a tuple in Keras's own order, that of a list or of a dictionary's sorted
keys; a single one is itself.
"""

from typing import Any

import numpy as np

from reference.quiet import keras


def each(arrays) -> tuple:
    """The arrays of a tuple, or the one that there is."""
    return arrays if isinstance(arrays, tuple) else (arrays,)


def mapped(function, arrays) -> Any:
    """function(array) of each, or of the one that there is; None stays None."""
    if isinstance(arrays, tuple):
        return tuple(None if array is None else function(array) for array in arrays)
    return None if arrays is None else function(arrays)


def flat(arrays) -> tuple:
    """What a model returned, as a tuple."""
    return tuple(keras.tree.flatten(arrays))


def as_inputs(model, arrays) -> Any:
    """Several inputs in the form in which the model takes them."""
    return _packed(model, "_inputs_struct", arrays)


def as_outputs(model, arrays) -> Any:
    """Several labels, weights or outputs in the form of the model's outputs."""
    return _packed(model, "_outputs_struct", arrays)


def form_of_outputs(model) -> Any:
    """The list or the dictionary of a model's outputs; None for a single one, which Keras hands out
    without a list."""
    form = getattr(model, "_outputs_struct", None)
    several = isinstance(form, dict) or (isinstance(form, (list, tuple)) and len(form) > 1)
    return form if several else None


def filled_in(labels: tuple, outputs: tuple) -> tuple:
    """Labels with zeros for outputs that have none, and no loss: Keras wants some for each."""
    return tuple(np.zeros(made.shape, np.float32) if given is None else given
                 for given, made in zip(labels, outputs))


def _packed(model, name: str, arrays) -> Any:
    if not isinstance(arrays, tuple):
        return arrays
    form = getattr(model, name)
    if isinstance(form, dict):
        by_key = dict(zip(sorted(form), arrays, strict=True))
        return {key: by_key[key] for key in form}
    return type(form)(arrays)
