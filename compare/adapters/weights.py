"""Weights on their way between Keras's layout and the places where somebody's object keeps them."""

import numpy as np

from compare.adapters import accessors
from compare.adapters.calls import numbers
from compare.adapters.kernel_layouts import Layout, keras_order, squeezed


class Weights:
    """The weights of one layer, as its object has them.

    Args:
        how: the object's `Conventions`.
        layer: the built layer that stands for Keras's.
        channels_first: whether the object's channels lie first.
    """

    def __init__(self, how, layer, channels_first: bool):
        self.how, self.channels_first = how, channels_first
        self.moved = channels_first and getattr(layer, "data_format", None) == "channels_last"
        kinds = [cls.__name__ for cls in type(layer).__mro__]
        specs = how.kernel_layout if isinstance(how.kernel_layout, dict) else \
            {"kernel": how.kernel_layout}
        self.layouts = {name: Layout(specs.get(name), _known(kinds)) for name in layer.params}
        self.shapes = {name: weight.shape for name, weight in layer.params.items()}

    def own(self, name: str, weight: np.ndarray) -> np.ndarray:
        """A weight in the object's layout, a copy."""
        return np.array(self.layouts[name].to_own(weight), order="C")

    def push(self, obj, params: dict, strict: bool) -> None:
        """Put all weights into the object.

        Args:
            strict: whether arrays of another shape than is to be put there are refused.

        Raises:
            AttributeError: for a place that is not there.
            ValueError: for one that cannot hold the weight, or does not keep it.
        """
        for name, weight in params.items():
            if name not in self.how.weights:
                if self.how.obj is None:
                    continue  # handed over as an argument
                raise ValueError(f"expected wrap to be told where the {name} is, {name}=... "
                                 f"{type(obj).__name__} has: {', '.join(accessors.names(obj))}")
            place = self.how.weights[name]
            current = self._there(obj, place)
            value = self.own(name, weight)
            if isinstance(current, np.ndarray) and current.shape != value.shape:
                value = self._stretched(name, value, current.shape, strict)
            accessors.write(obj, place, value)
            kept = numbers(accessors.read(obj, place), name)
            if not np.array_equal(kept, value.astype(kept.dtype), equal_nan=True):
                raise ValueError(f"expected {place!r} to keep the {name} that is put there. "
                                 "Received another one when it was read again; give a pair of "
                                 "functions (get, set)")

    def _there(self, obj, place):
        try:
            return accessors.read(obj, place)
        except AttributeError as error:
            hint = "" if self.how.lazy else \
                ". If its first call makes the weights: compare.wrap(..., lazy=True)"
            raise AttributeError(f"{error}{hint}") from None

    def pull(self, obj, name: str) -> np.ndarray:
        """A weight out of the object, as it has it."""
        return numbers(accessors.read(obj, self.how.weights[name]), name)

    def keras(self, name: str, own: np.ndarray) -> np.ndarray:
        """A weight or its gradient in Keras's layout; as it came if it has another shape."""
        shape = self.shapes[name]
        turned = self.layouts[name].to_keras(own, shape)
        if turned.shape != shape and squeezed(turned.shape) == squeezed(shape):
            turned = turned.reshape(shape)
        elif len(shape) == 1 < turned.ndim and self.moved and len(turned) == shape[0]:
            turned = np.moveaxis(turned, 0, -1)  # one number for each place of an output
        return turned

    def _stretched(self, name: str, value: np.ndarray, shape: tuple, strict: bool) -> np.ndarray:
        """A weight in the shape that the object has: with axes of length 1, or one number for each
        place of an output where Keras has one for all."""
        if squeezed(value.shape) == squeezed(shape):
            return value.reshape(shape)
        if value.ndim == 1 and len(shape) > 1:
            line = value.reshape(-1, *[1] * (len(shape) - 1)) if self.channels_first else value
            if _fits(line, shape):
                return np.broadcast_to(line, shape).copy()
        if strict:
            article = "an" if name[0] in "aeiou" else "a"
            raise ValueError(f"expected {self.how.weights[name]!r} to be of shape {value.shape}, "
                             f"for {article} {name} of shape {self.shapes[name]} in Keras. "
                             f"Received: {tuple(shape)}{_hint(name, value.shape, shape)}")
        return value


def _known(kinds) -> str:
    """The class whose layouts are told in letters, if it is one of these."""
    return next((kind for kind in kinds if keras_order(kind)), kinds[-2])


def _fits(line: np.ndarray, shape) -> bool:
    """Whether the array stretches to that shape."""
    return len(line.shape) <= len(shape) and all(
        a in (1, b) for a, b in zip(line.shape[::-1], tuple(shape)[::-1]))


def _hint(name: str, expected: tuple, received: tuple) -> str:
    """What may have been left untold of an array of another shape."""
    if name == "alpha":
        return ". Keras has a slope for each element, unless shared_axes=[1, 2] says otherwise"
    if "kernel" in name and len(received) == len(expected) == 2:
        longer = [axis for axis, (n, more) in enumerate(zip(expected, received)) if more == n + 1]
        if len(longer) == 1 and received[1 - longer[0]] == expected[1 - longer[0]]:
            rest, last = ("[:-1]", "[-1]") if longer == [0] else ("[:, :-1]", "[:, -1]")
            return (f". If the bias is in it, too: kernel=lambda o: o.W{rest}, "
                    f"bias=lambda o: o.W{last}")
    if "kernel" in name and np.prod(expected) == np.prod(received):
        return (". In which order its axes lie is told by kernel_layout='OIHW' and the like, "
                "'(IO)HW' where channels and multiplier are one axis")
    return ""
