"""The optimizer's part of a file: number of steps, learning rate and slots, for going on training.

The slots belong to the weights that are trained, in the model's order. As in Keras, a state of
another number of arrays than the optimizer has is passed over with a warning; Keras writes such
ones for optimizers that have not made a step yet, of which nothing is lost.
"""

import warnings
from typing import NamedTuple

import numpy as np

from scratch.files import half_precision
from scratch.files.limits import RefusedFile


class State(NamedTuple):
    """An optimizer's arrays by their names in the file, or how many there are of another's."""

    arrays: dict[str, np.ndarray]
    foreign: int = 0


def save(model, group) -> None:
    """Put the state of a compiled model's optimizer into an HDF5 group."""
    _built(model).save_own_variables(group)


def read(model, state: dict) -> State:
    """The arrays of a state that is this optimizer's, once it is sure that they fit.

    Of one with another number of arrays only the number of steps is looked at.

    Raises:
        RefusedFile: if it has as many arrays, of other shapes, or numbers that no optimizer has.
    """
    if not state or model.optimizer is None:
        return State({})
    optimizer = _built(model)
    own = [array.shape for array in optimizer.variables]
    if len(state) == len(own) - 1 and own[1:2] == [()]:
        # before Keras 3 the learning rate was not among the state, but in the config alone
        state = {"0": state["0"], "1": optimizer.variables[1],
                 **{str(i + 1): state[str(i)] for i in range(1, len(state))}} \
            if state.keys() == {str(i) for i in range(len(state))} else state
    shapes = {key: array.shape for key, array in state.items()}
    if len(own) != len(state):
        steps = state.get("0")
        made = steps is not None and steps.shape == () and np.any(steps)
        return State({}, len(state) if made else 0)
    if shapes != {str(i): shape for i, shape in enumerate(own)}:
        raise RefusedFile(f"expected the state of the optimizer {model.optimizer.name!r} as arrays "
                          f"of shapes {own}. Received: {shapes}")
    arrays = {key: half_precision.read(array) for key, array in state.items()}
    try:
        optimizer.require_own_variables(arrays)
    except ValueError as error:
        raise RefusedFile(str(error)) from None
    return State(arrays)


def restore(model, state: State, path) -> None:
    """Give a compiled model's optimizer a state that `read` gave."""
    if not state.arrays and not state.foreign:
        return
    optimizer = model.optimizer
    if not optimizer.built:
        optimizer.build(*_trained(model))
    if state.arrays:
        optimizer.load_own_variables(state.arrays)
    else:
        warnings.warn(f"{path}: expected {len(optimizer.variables)} arrays of the optimizer "
                      f"{optimizer.name!r}. Received: {state.foreign}, which are passed over.",
                      stacklevel=4)


def _built(model):
    """The model's optimizer, or before the first step one like it that has made its slots."""
    if model.optimizer.built:
        return model.optimizer
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    optimizer.build(*_trained(model))
    return optimizer


def _trained(model) -> tuple[list, list[str]]:
    """(the weights that are trained, their names 'dense/kernel' ...)."""
    trained = [(weight, f"{layer.name}/{name}") for layer in model.layers if model.trainable
               for name, weight in layer.trainable_params.items()]
    return [weight for weight, _ in trained], [name for _, name in trained]
