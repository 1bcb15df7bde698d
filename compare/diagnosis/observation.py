"""What was made of known numbers, beside the computation that should have been made of them."""

from dataclasses import dataclass

import numpy as np

from compare.checks.row import distance, share
from compare.diagnosis.computation import Computation
from compare.oracle.running_error import Bounded

SLACK = 4  # roundings that a mistaken computation may have beyond those of the right one
# What a change that does not fit a computation may raise.
CANNOT = (ValueError, IndexError, KeyError, TypeError, AttributeError, ArithmeticError)
CLEAR = 20.0  # from so many bounds on, an error is too large to be explained by such a slack


@dataclass
class Observation:
    """One run.

    Attributes:
        right: the computation as it should be.
        made: what came out instead.
        exactly: whether whole numbers went in that come out whole, with nothing rounded.
        about: which numbers these are.
        slack: how far recovering what was made may have led away from it.
    """

    right: Computation
    made: np.ndarray
    exactly: bool = False
    about: str = ""
    slack: np.ndarray | None = None

    def __post_init__(self):
        self.made = np.asarray(self.made, np.float64)
        self.beyond = np.inf
        self.before = self.residual(self.right, slack=False)
        self.worst = self._worst()
        self.beyond = self.before  # by the rounding bound, also where nothing may be rounded
        if self.exactly:
            self.beyond = self.residual_of(self.right.evaluate(), slack=False, exactly=False)

    def _worst(self) -> tuple | None:
        """Where what was made is furthest off, and by how much; None if that has no place."""
        right = self.right.evaluate()
        if right.shape != self.made.shape or not self.made.size:
            return None
        off = distance(self.made, right.value)
        with np.errstate(all="ignore"):
            index = np.unravel_index(np.argmax(share(off, right.bound)), off.shape)
        return index, off[index]

    @property
    def fails(self) -> bool:
        """Whether what was made lies outside what rounding can explain."""
        return self.before > 1

    def residual(self, computation: Computation, slack: bool = True) -> float:
        """How far what was made lies from a computation's result, in units of its bound.

        Infinite for a result of another shape, or one that cannot be computed at all.
        """
        try:
            result = computation.evaluate()
        except CANNOT:
            return np.inf
        return self.residual_of(result, slack)

    def residual_of(self, result: Bounded, slack: bool = True, exactly=None) -> float:
        """The same for a result; that of whole numbers has to be met exactly."""
        if result.shape != self.made.shape:
            return np.inf
        bound = result.bound
        exactly = self.exactly if exactly is None else exactly
        if exactly and _whole(result.value):
            bound = np.zeros(result.shape)
        elif exactly and not self.beyond > 1:
            return np.inf  # a result that is rounded would explain an error as small as roundings
        elif slack and self.before > CLEAR:
            bound = bound + (result.rounding.gamma(SLACK) * np.abs(result.value)
                             + SLACK * result.rounding.tiny)
        if slack and not self._informative(bound):
            return np.inf
        if self.slack is not None:
            bound = bound + self.slack
        with np.errstate(all="ignore"):
            shares = share(distance(self.made, result.value), bound)
        return float(shares.max(initial=0.0))

    def _informative(self, bound: np.ndarray) -> bool:
        """Whether a mistaken computation's bound is narrow enough to tell it from the right one."""
        if not np.isfinite(bound).all():
            return False
        return not self.fails or self.worst is None or bool(bound[self.worst[0]] < self.worst[1])


def _whole(value: np.ndarray) -> bool:
    with np.errstate(invalid="ignore"):
        return bool(np.isfinite(value).all() and (value == np.rint(value)).all()
                    and np.abs(value).max(initial=0) < 2**24)
