"""What an activation is: a function, and the gradient it passes back."""

from collections.abc import Callable
from typing import NamedTuple


class Activation(NamedTuple):
    """A function of each number (softmax: of each row), and the way back through it.

    Attributes:
        name: as Keras spells it; of one that is made from a layer's config, that layer's name.
        function: `function(z) -> y`, of z's shape and dtype.
        gradient: `gradient(dy, z, y) -> dz`, likewise, with y = function(z).
        config: the dictionary of the layer that it is made from, if it is made from one.
    """

    name: str
    function: Callable
    gradient: Callable
    config: dict | None = None

    @property
    def logits_kind(self) -> str | None:
        """'softmax' or 'sigmoid' if a loss may be computed from z in place of y, else None."""
        kind = self.config["class_name"].lower() if self.config else self.name
        return kind if kind in ("softmax", "sigmoid") else None
