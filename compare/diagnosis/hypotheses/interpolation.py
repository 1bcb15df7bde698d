"""Mistakes in interpolation: another kind of it, or pixels that lie elsewhere."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.interpolation import FLOAT32, KINDS, resampled
from compare.oracle.layers.reshaping import UpSampling2D
from compare.oracle.running_error import Bounded

# (what it says, where output pixel o of n * factor lies among n input pixels)
PLACES = (("the corners' centres lie on each other",
           lambda o, n, factor: o * (n - 1) / max(n * factor - 1, 1)),
          ("pixel o lies at o / size", lambda o, n, factor: o / factor),
          ("pixel o lies at (o + 1/2) / size", lambda o, n, factor: (o + 0.5) / factor))


def of_interpolation(c) -> list[Variant]:
    """UpSampling2D: another kind of interpolation, or other places of the pixels."""
    if not isinstance(c.layer, UpSampling2D):
        return []
    own = c.config.get("interpolation", "nearest")
    found = [inside("interpolation", f"'{kind}' in place of '{own}'",
                    lambda c, k=kind: c.configured(interpolation=k))
             for kind in ("nearest", *KINDS) if kind != own]
    if own == "nearest":
        return found
    return found + [inside("interpolation", said, lambda c, p=place: c.changed(
        own=lambda c: placed(c, p))) for said, place in PLACES]


def placed(c, place) -> Bounded:
    """The result with the output's pixels elsewhere."""
    oracle = c.oracle()
    lay, kind = oracle.layout, KINDS[oracle.kind]
    rows, columns = (kind(Bounded(place(np.arange(n * factor), n, factor), FLOAT32), n)
                     for n, factor in zip(lay.image_shape(np.shape(c.x))[1:3], oracle.size))
    source = c.exact(c.x if c.tensor == "output" else c.dy).rearranged(lay.image)
    if c.tensor != "output":
        rows, columns = rows.turned, columns.turned
    return resampled(rows, columns, source).rearranged(lay.given)
