"""The gradient check of textbooks: a network's gradients against differences of its own loss.

Central differences in float64, with a step of 1e-5, on a few entries of each weight and of the
input; the relative error |a - n| / max(|a|, |n|), whose worst decides. It needs no reference, and
sees nothing of a mistake that forward and backward pass share.
"""

import copy

import numpy as np

STEP = 1e-5
ENTRIES = 6  # of each tensor
WEAK = 1e-12  # both smaller than this are equal: nothing but rounding is left


def worst_error(model, x, y, upstream, weight, noise: dict, seed: int = 0) -> float:
    """The largest relative error of a float64 model's gradients.

    Args:
        model: a scratch model; it is left as it was.
        x, y, upstream, weight: the batch, with either labels or a gradient of the output.
        noise: by a layer's position, what it uses instead of drawing numbers.
    """
    model = copy.deepcopy(model)
    for i, value in noise.items():
        model.layers[i].give_noise(np.asarray(value, np.float64))
    x = np.array(x, np.float64)
    dx = gradients(model, x, y, upstream, weight)
    checked = [] if dx is None else [(x, dx)]  # class numbers have none
    for layer in model.layers:
        checked += [(layer.params[name], np.array(g)) for name, g in layer.grads.items()
                    if name in layer.trainable_params]
    rng = np.random.default_rng(seed)
    worst = 0.0
    for array, gradient in checked:
        for flat in rng.permutation(array.size)[:ENTRIES]:
            place = np.unravel_index(flat, array.shape)
            number = slope(model, array, place, x, y, upstream, weight)
            worst = max(worst, relative_error(float(gradient[place]), number))
    return worst


def gradients(model, x, y, upstream, weight):
    """The input gradient; the layers hold those of their weights."""
    if y is not None:
        return model.loss_and_gradients(x, y, wants_input_gradient=True, **weighted(weight))[2]
    model.forward(x, training=True)
    return model.backward(np.asarray(upstream, np.float64))


def objective(model, x, y, upstream, weight) -> float:
    """The loss, or the output times the gradient that is given for it."""
    if y is not None:
        return float(model.forward_and_loss(x, y, training=True, **weighted(weight))[1])
    return float(np.sum(model.forward(x, training=True) * upstream))


def weighted(weight) -> dict:
    return {} if weight is None else {"sample_weight": weight}


def slope(model, array, place, *batch) -> float:
    """The central difference along one entry of a weight or of the input."""
    kept = array[place]
    values = []
    for step in (STEP, -STEP):
        array[place] = kept + step
        values.append(objective(model, *batch))
    array[place] = kept
    return (values[0] - values[1]) / (2 * STEP)


def relative_error(a: float, n: float) -> float:
    """|a - n| / max(|a|, |n|); infinite for what is no number."""
    if not np.isfinite(a) or not np.isfinite(n):
        return float("inf")
    largest = max(abs(a), abs(n))
    return 0.0 if largest < WEAK else abs(a - n) / largest
