"""The layer that somebody's object becomes: one of scratch's kind, with their arithmetic in it.

For every wrapped object a class is made that is derived from the layer it claims to be. Arguments,
shapes, weights' names and config are that layer's; forward and backward are the object's.
"""

from typing import Any

import numpy as np

from compare.adapters.adapter import Adapter
from compare.tracing.layer_error import RAISED
from scratch.layers import LAYERS, AffineLayer


class Wrapped:
    """What all wrapped layers have in common; stands before the layer's own class.

    Attributes:
        how: the object's `Conventions`.
        strict: whether the object's arrays must have the weights' shapes, which those of a layer
            made smaller, to find a minimal case, have not.
    """

    how: Any = None
    name: str
    dtype: np.dtype
    params: dict[str, np.ndarray]
    strict = False
    sample_by_sample = False

    def build(self, input_shape) -> None:
        super().build(input_shape)  # type: ignore[misc]  # the layer's own, which stands behind
        self.foreign = Adapter(self.how, self, self.strict)
        self._adopt()

    def _adopt(self) -> None:
        """Take over the weights that the object has, where they are of the right shapes."""
        for name, weight in self.params.items():
            try:
                own = self.foreign.pull([name])[name]
            except RAISED:  # its forward pass will fail, and a row will say why
                continue
            if own.shape == weight.shape:
                weight[...] = own

    @property
    def without_input_gradient(self) -> bool:
        """Whether its backward pass was declared to return none."""
        gives = self.how.given_back()
        return gives is not None and "input_gradient" not in gives

    @property
    def slack(self) -> dict:
        """By how much recovering a gradient may have rounded it, by the weight's name."""
        return self.foreign.slack

    @property
    def misshapen(self):
        """The input's gradient where the last one had another shape, else None."""
        return self.foreign.misshapen

    def _forward(self, x, training):
        y = self.foreign.forward(x, training)
        # where nobody trains it, what moves is a mistake, to be seen
        if self.trainable and (training or self.how.backward is None):
            kept = [name for name in dict.fromkeys((*self.non_trainable, *self.moved_by_passes))
                    if self.how.obj is not None or name in self.how.weights]
            for name, value in self.foreign.pull(kept).items():
                self.params[name][...] = value
        return y


class Whole(Wrapped):
    """An object that computes all of the layer, an activation inside it, too."""

    def forward(self, x, training=False):
        y = self._forward(x, training)
        if not isinstance(self, AffineLayer):
            self._z, self._y = x, y  # where the layer is an activation, its logits
        return y

    def backward(self, dy, wants_input_gradient=True):
        return self.foreign.backward(dy)

    @property
    def logits(self):
        if isinstance(self, AffineLayer) and self.logits_kind:
            raise ValueError(f"expected the {self.logits_kind} at the end of the network apart "
                             "from the layer, as the loss is computed from its input: wrap the two "
                             "by themselves, the first with activation='apart', and give them as a "
                             "pair; or, if one object is both and is handed the gradient of the "
                             "probabilities, with layers=1. "
                             f"Received one object for both, {self.how.name}")
        return super().logits


class Apart(Wrapped):
    """An object that leaves the activation inside the layer to somebody else."""

    def affine(self, x):
        return self._forward(x, True)

    def affine_backward(self, dz, wants_input_gradient):
        return self.foreign.backward(dz)


class ForwardAlone(Whole):
    """A softmax joined with its loss, say: the way back through it alone is scratch's own."""

    def backward(self, dy, wants_input_gradient=True):
        return super(Whole, self).backward(dy, wants_input_gradient)


class AtInference(ForwardAlone):
    """An object that knows no other mode: in training the layer is scratch's own, as is the way
    back."""

    def forward(self, x, training=False):
        if not training:
            return super().forward(x, training)
        return super(Whole, self).forward(x, training)


def layer_class(how, base: type, form: type[Wrapped] | None = None) -> type:
    """The class of an object's layer.

    Args:
        base: the class of `scratch.layers` that it claims to be.
        form: what it is of, None for what the conventions say.
    """
    if form is None:
        apart = how.activation == "apart" and issubclass(base, AffineLayer)
        form = ForwardAlone if how.joined else Apart if apart else Whole
    name = how.name if how.name not in LAYERS else f"Wrapped{how.name}"
    return type(name, (form, base), {"how": how, "__doc__": Wrapped.__doc__})
