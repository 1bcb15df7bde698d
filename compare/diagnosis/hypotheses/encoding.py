"""Mistakes with classes as zeros and ones, and with the bins into which numbers fall."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.encoding import CategoryEncoding, Discretization, Encoding
from compare.oracle.running_error import Bounded


def of_encoding(c) -> list[Variant]:
    """Another number for the first class, the wrong side of a boundary, another encoding."""
    if not isinstance(c.layer, Encoding) or c.tensor != "output":
        return []
    found = [inside("encoding", f"as {mode}", lambda c, mode=mode: c.configured(output_mode=mode))
             for mode in ("multi_hot", "count", "one_hot")]
    if isinstance(c.layer, CategoryEncoding):
        return [inside("index-offset", f"class {first} is taken for the first one",
                       lambda c, first=first: c.changed(x=np.trunc(c.x) - first))
                for first in (1, -1)] + found
    return of_bins(c) + found


def of_bins(c) -> list[Variant]:
    assert isinstance(c.layer, Discretization)
    edges = list(c.config["bin_boundaries"])
    found = [inside("bin-edges", "it belongs to the bin below", lambda c: c.changed(
        x=np.nextafter(c.x, np.asarray(-np.inf, np.asarray(c.x).dtype))))]
    found += [inside("bin-edges", f"the {end} boundary is left out",
                     lambda c, kept=kept: c.configured(bin_boundaries=kept))
              for end, kept in (("first", edges[1:]), ("last", edges[:-1]))]
    if c.config.get("output_mode", "int") == "int":
        found += [inside("index-offset", f"the first bin is {first}",
                         lambda c, first=first: c.then(lambda y: Bounded(
                             y.value + first, y.rounding, y.bound))) for first in (1, -1)]
    return found
