"""Gradients of the weights, from wherever somebody's object leaves them, in Keras's terms.

They are attributes, or returned, or never shown, because the backward pass makes its step at once.
Then they are recovered from the change in the weights: with w the weights before, and after it
w' = fl(w - fl(rate g)), (w - w') / rate differs from g by the rounding of the product, u |g|, and
that of the difference, u |w'| / rate. Products with the rate may be made in another place, hence a
few roundings of |g| more. What rounding this can add is `slack`, an addition to the row's bound.
"""

import numpy as np

from compare.adapters import accessors
from compare.adapters.calls import numbers
from compare.tracing.layer_error import RAISED

# The rate handed to a backward pass that takes one: a power of two, so that the product rounds
# nothing, and a large one, so that the step is no smaller than the weights' own rounding.
RATE = 1024.0
PRODUCTS = 4  # roundings granted to products with the rate
DIVISIONS = 3  # and to a division by the number of samples, or a product with its reciprocal


def rate(how, obj) -> float:
    """The learning rate of one backward pass of an object."""
    if "learning_rate" in (how.backward_takes or ()) and how.applies:
        return RATE
    if isinstance(how.learning_rate, str):
        return _rounded(obj, how.learning_rate) if how.applies else \
            float(accessors.read(obj, how.learning_rate))
    return float(how.learning_rate or 0.0)


def _rounded(obj, place: str) -> float:
    """The rate that an object keeps, made the next power of two there, if it can be: products with
    that round nothing, wherever in a sum of them they are made."""
    step = float(accessors.read(obj, place))
    near = float(2.0 ** np.round(np.log2(step))) if step > 0 else step
    try:
        accessors.write(obj, place, near)
        return float(accessors.read(obj, place))
    except RAISED:  # a property may refuse
        return step


def collect(how, obj, weights, names, said: dict, before: dict, dtype) -> dict:
    """{name: (gradient, slack)} after one backward pass, in the object's own layout.

    Args:
        weights: its `Weights`.
        names: of the weights that are trained.
        said: what the backward pass returned.
        before: the weights before it, where it applies the gradients.
        dtype: the network's precision.
    """
    found = {}
    for name in names:
        slack = 0.0
        if f"{name}_gradient" in said:
            gradient = numbers(said[f"{name}_gradient"], f"{name}_gradient")
        elif how.applies:
            gradient, slack = recovered(before[name], weights.pull(obj, name), rate(how, obj),
                                        dtype)
        elif isinstance(how.gradients, dict) and name in how.gradients:
            gradient = numbers(accessors.read(obj, how.gradients[name]), f"{name}_gradient")
        else:
            continue  # none: a row says that it is missing
        found[name] = (np.array(gradient, np.float64), slack)
    return found


def recovered(before: np.ndarray, after: np.ndarray, step: float, dtype):
    """(the gradient that was applied, what rounding may have added to it).

    Args:
        dtype: the network's precision; the product may be made in it, whatever the weights' is.
    """
    coarser = max(unit(dtype), unit(after.dtype))
    gradient = (before.astype(np.float64) - after.astype(np.float64)) / step
    slack = PRODUCTS * coarser * np.abs(gradient) + 2 * unit(after.dtype) * np.abs(after) / step
    return gradient, slack


def unit(dtype) -> float:
    """The unit roundoff of a precision."""
    return float(np.finfo(dtype).eps) / 2


def in_keras(how, weights, name: str, gradient, slack, samples: int, dtype):
    """(gradient, slack or None) in Keras's layout and the network's precision."""
    if how.per_sample and gradient.ndim:
        gradient = gradient.sum(axis=0)
    if how.divides_by_batch:
        gradient = gradient * samples
        slack = slack * samples + DIVISIONS * unit(dtype) * np.abs(gradient)
    made = weights.keras(name, gradient)
    if made.shape != weights.shapes[name] or not np.any(slack):
        return made.astype(dtype), None
    slack = weights.keras(name, np.broadcast_to(slack, gradient.shape))
    last = unit(dtype) * np.abs(made)  # rounded to the network's precision
    return made.astype(dtype), np.array(slack + last, np.float64)
