"""The oracle for the circle loss, whose mean is that of the losses above 0.

A loss below the smallest normal number may be flushed to zero, and then is not counted; one that is
below all numbers of the precision is zero everywhere.
Where that is open, the divisor may be any from the number of those that are surely above 0 to that
number and all open ones. What such a loss itself adds is next to nothing, so the bound is as narrow
as the question is.
"""

from typing import NamedTuple

import numpy as np

from compare.oracle.elementary import constant, sigmoid, softplus
from compare.oracle.losses.base import FACTOR_ROUNDINGS, LossOracle, opened, stretched
from compare.oracle.losses.elementwise import positive
from compare.oracle.running_error import LIBRARY_ULPS, Bounded, bilinear, grown


class Circle(LossOracle):
    """softplus(log sum exp(gamma max(d + m, 0) (d - m)) + log sum exp(gamma max(1 + m - d, 0)
    (1 - m - d))), over the samples of the same class and over the others, d = max(1 - e f, 0)."""

    # whether the factors d + m and max(1 + m - d, 0) take part in the gradient, and whether the
    # samples to which a distance is measured do
    weights_move = True
    partners_move = True

    def __call__(self, y: np.ndarray, output: Bounded, fused: bool,
                 sample_weight: np.ndarray | None = None, steps: np.ndarray | None = None
                 ) -> tuple[Bounded, Bounded]:
        labels = self.cast(y).reshape(-1)
        near, far = self.partners(labels)
        apart = Bounded(1.0, self.rounding) - bilinear(lambda a, b: a @ b.T, output, output)
        d = positive(apart)
        pulled, pushed = self.attraction(d), self.repulsion(d)
        pull, push = log_sum_exp(pulled.exponent, near), log_sum_exp(pushed.exponent, far)
        paired = np.asarray(near.any(axis=1) & far.any(axis=1))
        total = (pull.total + push.total).where(paired)
        losses = softplus(total).where(paired)
        gone = total.value + total.bound < np.log(np.finfo(self.dtype).smallest_subnormal) - 1
        factor = self.counted(losses, paired & ~gone, sample_weight, steps)
        each = (sigmoid(total).where(paired) * factor).reshape(-1, 1)
        by_distance = self.rounded((pull.shares * pulled.slope + push.shares * pushed.slope) * each,
                                   4)
        open_ = np.abs(apart.value) <= apart.bound
        slopes = -opened(by_distance.where(apart.value >= 0), by_distance, open_)
        # e stands in its own row of distances and in its own column
        both = slopes.rearranged(lambda a: np.concatenate([a, a.T * self.partners_move], axis=1))
        twice = output.rearranged(lambda a: np.concatenate([a, a]))
        return (losses * factor).sum(), bilinear(np.matmul, both, twice)

    def partners(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(which samples are of each one's class, which are not), boolean (n, n)."""
        alike = labels[:, None] == labels
        itself = np.eye(len(labels), dtype=bool) & bool(self.config.get("remove_diagonal", True))
        return alike & ~itself, ~alike

    def attraction(self, d: Bounded) -> "Pairs":
        """-gamma max(m + d, 0) (m - d)."""
        margin = constant(self.margin, self.rounding)
        return self._pairs(d, 1, d + margin, margin - d)

    def repulsion(self, d: Bounded) -> "Pairs":
        """gamma max(1 + m - d, 0) (1 - m - d)."""
        return self._pairs(d, -1, constant(1 + self.margin, self.rounding) - d,
                           constant(1 - self.margin, self.rounding) - d)

    def _pairs(self, d: Bounded, sign: int, weight: Bounded, short: Bounded) -> "Pairs":
        """-sign gamma max(weight, 0) short, where the weight moves with sign d, the other with -d.

        Multiplied out it is gamma (d^2 - m^2), or gamma ((1 - d)^2 - m^2), which loses digits where
        the two are nearly equal: the bound has room for that.
        """
        gamma, cut = constant(self.config.get("gamma", 80.0), self.rounding), positive(weight)
        exponent = cut * short * gamma * -float(sign)
        moves = short.where((weight.value >= 0) & self.weights_move)
        open_ = (np.abs(weight.value) <= weight.bound) & self.weights_move
        slope = (cut * float(sign) - opened(moves, short, open_)) * gamma
        sizes = abs(float(gamma.value)) * (np.abs(weight.value) + np.abs(short.value)
                                           + weight.bound + short.bound)
        room = sizes * (1 + abs(self.margin) + np.abs(d.value)) * (cut.value + cut.bound > 0)
        return Pairs(widened(exponent, self.rounding.gamma(4) * room),
                     widened(slope, self.rounding.gamma(6) * sizes))

    @property
    def margin(self) -> float:
        return float(self.config.get("margin", 0.4))

    def counted(self, losses: Bounded, possible: np.ndarray, sample_weight: np.ndarray | None,
                steps: np.ndarray | None) -> Bounded:
        """What each loss counts for in the batch's, (n,); it is above 0 only where `possible`."""
        count, tiny = len(possible), self.rounding.tiny
        some = possible if steps is None else possible & np.asarray(steps).reshape(-1)
        weights = np.where(some, 1.0 if sample_weight is None else
                           stretched(self.cast(sample_weight), (count,)), 0.0)
        sure = some & (losses.value - losses.bound > tiny)
        open_ = some & ~sure
        above = some & (losses.value >= tiny)
        reduction = self.config.get("reduction", "sum_over_batch_size")
        if reduction == "sum":
            least = most = divisor = 1.0
            own = 0.0
        else:
            by_weight = reduction == "mean_with_sample_weight" and sample_weight is not None
            terms = weights if by_weight else some.astype(np.float64)
            divisor = float(terms[above].sum())
            least, most = divisors(terms, sure, open_)
            off = self.rounding.gamma(count) * np.abs(terms).sum() if by_weight else 0.0
            nearest = min(abs(least), abs(most))
            own = off / (nearest - off) if off < nearest else (np.inf if off else 0.0)
        value = weights * above / divisor if divisor else np.zeros(count)
        if not most and not least:
            return Bounded(value, self.rounding)
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.stack([np.where(weights == 0, 0.0, weights / end) for end in (least, most)])
        hull = np.abs(ends - value).max(axis=0)
        hull = np.where(open_, np.maximum(hull, np.abs(value)), hull)
        relative = self.rounding.gamma(FACTOR_ROUNDINGS) + own
        return Bounded(value, self.rounding, hull + relative * np.abs(ends).max(axis=0))


class Pairs(NamedTuple):
    """Exponents of all pairs (n, n), and their slopes by the distance."""

    exponent: Bounded
    slope: Bounded


class Pooled(NamedTuple):
    """log sum exp of each row (n,), and each number's share in it (n, n)."""

    total: Bounded
    shares: Bounded


def divisors(terms: np.ndarray, sure: np.ndarray, open_: np.ndarray) -> tuple[float, float]:
    """The least and the most that the sum of all sure terms and some of the open ones can be,
    other than 0, where they are of one sign; -0.0 and 0.0 if only 0; with 0 between them a least
    of 0."""
    known, rest = float(terms[sure].sum()), terms[open_]
    least, most = known + rest[rest < 0].sum(), known + rest[rest > 0].sum()
    if least < 0 < most:
        return 0.0, float(most)
    if known == 0 and (rest > 0).any():
        least = rest[rest > 0].min()
    if known == 0 and (rest < 0).any():
        most = rest[rest < 0].max()
    return float(least), float(most)


def widened(x: Bounded, room: np.ndarray) -> Bounded:
    return Bounded(x.value, x.rounding, x.bound + room)


def log_sum_exp(z: Bounded, among: np.ndarray) -> Pooled:
    """Of the numbers of each row that are `among` it; of none, zeros.

    An error in the exponents moves the sum's logarithm by no more than the largest of them, and a
    share by a factor of exp of twice that, to 1 at most. The largest exponent is taken off, and
    added back to the logarithm; a share is a quotient, a product with the reciprocal, or exp of the
    exponent less the logarithm.
    """
    rounding, some = z.rounding, among.any(axis=1, keepdims=True)
    top = np.where(some, np.where(among, z.value, -np.inf).max(axis=1, keepdims=True), 0.0)
    off = np.where(among, z.bound, 0.0).max(axis=1, keepdims=True)
    shifted = Bounded(np.where(among, z.value, top), rounding) - Bounded(top, rounding)
    powers = shifted.exp().where(among)
    sums = powers.sum(axis=1, keepdims=True)
    sums = Bounded(np.where(some, sums.value, 1.0), rounding, np.where(some, sums.bound, 0.0))
    logs = sums.log()
    total = widened(logs + Bounded(top, rounding), off + rounding.gamma(4) * off)
    quotient = powers / sums
    exponent = (2 * np.abs(shifted.value) + 4 * off + 2 * np.abs(top)
                + (4 + 2 * LIBRARY_ULPS) * np.log(sums.value))
    share = shifted.value - np.log(sums.value)
    room = (grown(share, rounding.unit * exponent) + grown(share, 2 * off)
            + rounding.gamma(1) * (quotient.value + quotient.bound))
    bound = np.minimum(quotient.bound + room, 1 + rounding.gamma(8 + among.shape[1]))
    return Pooled(total.reshape(-1), Bounded(quotient.value, rounding, np.where(among, bound, 0.0)))
