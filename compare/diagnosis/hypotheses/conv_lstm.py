"""Mistakes of the convolutions in a convolutional LSTM."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside


def of_convolutions(c) -> list[Variant]:
    """Kernels turned round, and padding of the states on the other side."""
    def other_side(layer, right, state):
        walk = layer.walk_of_states
        walk.before = [k // 2 for k in walk.kernel]
        return right(state)

    def unflipped(layer, right, dz):
        kept, state = layer.kernels
        axes = tuple(range(kept.value.ndim - 2))
        layer.kernels = [kept.rearranged(lambda k: np.flip(k, axes)), state]
        try:
            return right(dz)
        finally:
            layer.kernels = [kept, state]

    found = [inside("kernel-flipped", f"{name}, which is convolved, not correlated",
                    lambda c, name=name: _flipped(c, name))
             for name in ("kernel", "recurrent_kernel")]
    found.append(inside("padding-side", "of the states",
                        lambda c: c.hooked(seen=other_side)))
    if c.tensor == "input_gradient":
        found.append(inside("kernel-flipped", "on the way back to the input",
                            lambda c: c.hooked(given_back=unflipped)))
    if c.tensor.endswith("_gradient") and c.tensor.removesuffix("_gradient") in c.weights:
        axes = tuple(range(c.layer.rank))
        found.append(inside("kernel-flipped", "the gradient comes out turned",
                            lambda c: c.moved(lambda g: np.flip(g, axes))))
    return found


def _flipped(c, name: str):
    """The kernel of that name turned round along the axes of the images."""
    axes = tuple(range(c.layer.rank))
    changed = c.weighing(**{name: np.flip(c.weights[name], axes)})
    return changed.moved(lambda g: np.flip(g, axes)) if c.tensor == f"{name}_gradient" else changed
