"""A result on the way through a network of which only the whole can be run, and may be mistaken."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from compare.diagnosis.computation import Computation
from compare.diagnosis.hypotheses.selection import variants_for
from compare.diagnosis.hypothesis import Variant
from compare.diagnosis.observation import CANNOT


@dataclass
class Suspected:
    """One result on the way.

    Attributes:
        layer, tensor: whose, for people.
        key: under which `along_the_graph` settles it.
        right: its computation on the reference's numbers.
        made: what the network made of it, as far as that is known.
        beside: results of the same op in which the same mistake is made along with it.
    """

    layer: str
    tensor: str
    key: tuple[Any, ...]
    right: Computation
    made: np.ndarray
    beside: "tuple[Suspected, ...]" = ()

    def variants(self) -> list[Variant]:
        """The mistakes that may have been made in it."""
        try:
            return variants_for(self.right, self.made.shape)
        except CANNOT:
            return []

    def detail(self, variant: Variant) -> str:
        """What a mistake in it is, in words."""
        return variant.detail if isinstance(variant.detail, str) else \
            variant.detail([(self.right, self.made)])

    def along(self, variant: Variant) -> Iterator[tuple["Suspected", Variant]]:
        """The same mistake in the results beside, in the same words where it can be had in them."""
        for other in self.beside:
            alike = [one for one in other.variants() if one.identifier == variant.identifier]
            alike.sort(key=lambda one: one.detail != variant.detail)
            yield from [(other, alike[0])] if alike else []
