"""The penalty on pairs of rows, or of columns, that are not orthogonal, with a bound on rounding.

It is factor / (n (n - 1)) times the sum of |cosine| over all n (n - 1) ordered pairs of unit
vectors u_i; its gradient with respect to u_i is twice that factor times the sum of sign(cosine) u_j
over all others. Where rounding leaves a cosine's sign open, so is what it adds.
"""

import numpy as np

from compare.oracle.products import product
from compare.oracle.running_error import Bounded, bilinear
from compare.oracle.unit_length import UnitVectors
from compare.tracing.types import Config

SHORTEST = 1e-7
FACTOR_ROUNDINGS = 4  # of factor, one half and the number of pairs, in any order


def penalty(config: Config, x: Bounded) -> Bounded:
    """factor times the mean of |cosine| over all pairs."""
    rows = _rows(config, x)
    found = cosines(UnitVectors(rows, (1,), SHORTEST))
    sizes = Bounded(np.abs(found.value), x.rounding, found.error)
    return product(sizes.sum(), _share(config, rows), more=FACTOR_ROUNDINGS)


def gradient(config: Config, x: Bounded) -> Bounded:
    """The penalty's gradient, of the weight's shape."""
    rows = _rows(config, x)
    made = UnitVectors(rows, (1,), SHORTEST)
    found = cosines(made)
    sign = np.sign(found.value)
    open_ = (found.bound > 0) & (np.abs(found.value) <= found.bound)
    signs = Bounded(sign, x.rounding, np.where(open_, 1 + np.abs(sign), 0.0))
    share = _share(config, rows)
    twice = Bounded(2 * share.value, x.rounding, 2 * share.bound)
    # TensorFlow adds up two products, of the cosines as rows and as columns
    by_units = product(bilinear(np.matmul, signs, made.values), twice, more=FACTOR_ROUNDINGS + 1)
    return _rows(config, made.backward(by_units))


def cosines(made: UnitVectors) -> Bounded:
    """Those of all pairs, 0 for a vector and itself."""
    found = bilinear(lambda a, b: a @ b.T, made.values, made.values)
    return found.where(~np.eye(len(found.value), dtype=bool))


def _rows(config: Config, x: Bounded) -> Bounded:
    return x if config.get("mode", "rows") == "rows" else x.rearranged(np.transpose)


def _share(config: Config, rows: Bounded) -> Bounded:
    size = rows.shape[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = float(np.divide(config.get("factor", 0.01), size * (size - 1)))
    return Bounded(share, rows.rounding, rows.rounding.unit * abs(share))
