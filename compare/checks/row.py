"""One row of a verdict: one tensor, how far it is off, what rounding can explain, passed or not."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from compare.checks.excerpt import Excerpt, close_up
from compare.checks.gate import Gate
from compare.document.plain_json import plain
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.layer_error import LayerError

# What a row says where the usual bounds do not hold.
OVERFLOWN = "intermediate results overflow, on both sides alike"
NOT_JUDGED = "not judged: no bound on what rounding can do holds for"
MANY = "so many terms that (1 - u)^-n - 1 takes the place of gamma_n, n u / (1 - n u)"


@dataclass
class Row:
    """A tensor's verdict.

    Attributes:
        gate: which one; its name will do.
        layer: 'conv2d', or 'dense/softmax' for the activation inside a layer.
        tensor: 'output', 'input_gradient', 'kernel_gradient', 'kernel' ...
        passed: whether both sides lie within what rounding can explain.
        unjudged: how many elements are NaN on both sides, which equals nothing, or differ by
            something that no bound holds for: a row that passed with such is no evidence, see
            `judged`.
        max_abs: the largest absolute difference between the two.
        max_rel: that, relative to the reference's largest entry.
        index: of the worst element, the one that used most of what was allowed; where nothing was,
            the one that is farthest off.
        actual, expected: candidate's and reference's values there.
        error: how far the worse of the two lies from the exact value there.
        allowed: how far either may lie from it there; 0 means bit for bit.
        used: error / allowed, the largest share of its bound that any element of either side used.
        likely: the same against the sqrt(n) level, which is not proved but usually holds.
        over, size: how many elements are over their bound, of how many.
        candidate_error, reference_error: largest distance from the float64 oracle.
        off: 'candidate', 'reference' or 'both', for a row that failed; '' where neither is.
        observed, local, inherited: at the element where the freely running networks differ most:
            that difference, this step's own share, and what came in with its input.
        kind: 'exact', 'componentwise' or 'normwise': the kind of bound. 'recovered': that of a
            gradient which the layer does not show, with what its recovery rounds. 'perturbed': not
            proved but tried out, of a layer that is its own oracle in float64.
        downstream: failed, but behind a failure that explains it.
        note: anything else worth saying.
        excerpt: the surroundings of the worst element, for pictures; not part of the JSON.
        drawn: the numbers on which it failed, if they were drawn for the purpose; likewise.
        stopped: whether somebody's code raised an error, so that there is nothing to hold against
            anything; likewise.
    """

    gate: Gate
    layer: str
    tensor: str
    passed: bool
    shape: tuple[int, ...] = ()
    max_abs: float = 0.0
    max_rel: float = 0.0
    index: tuple[int, ...] = ()
    actual: float | None = None
    expected: float | None = None
    error: float | None = None
    allowed: float = 0.0
    used: float = 0.0
    likely: float = 0.0
    over: int = 0
    unjudged: int = 0
    size: int = 0
    candidate_error: float | None = None
    reference_error: float | None = None
    off: str = ""
    observed: float | None = None
    local: float | None = None
    inherited: float | None = None
    kind: str = "componentwise"
    downstream: bool = False
    note: str = ""
    excerpt: Excerpt | None = field(default=None, repr=False, compare=False)
    drawn: Any = field(default=None, repr=False, compare=False)
    stopped: bool = field(default=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.gate = Gate(self.gate)  # type: ignore[call-arg]  # a member by its value

    @property
    def name(self) -> str:
        return f"{self.layer} {self.tensor}".strip()

    @property
    def judged(self) -> bool:
        """Whether it is a verdict: it failed, or each of its elements is equal or has a bound."""
        return not self.passed or not self.unjudged

    @property
    def of_layer(self) -> bool:
        """Whether it judges a single layer by itself; the gate of extremes also has the loss."""
        return self.gate.single_layer and (self.gate, self.layer) != (Gate.EXTREMES, "loss")

    @property
    def decides(self) -> bool:
        """Whether parity cannot be said to hold without it: of a single layer, loss or update on
        the batch's own numbers."""
        return not self.gate.whole and self.gate is not Gate.EXTREMES

    @property
    def smallest_tolerance(self) -> float:
        """The smallest absolute tolerance under which the two would have been called equal."""
        return self.max_abs

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; numbers that JSON cannot hold become text."""
        known = {each.name: getattr(self, each.name) for each in fields(self)
                 if each.name not in ("excerpt", "drawn", "stopped")}
        made: dict[str, Any] = plain({**known, "smallest_tolerance": self.smallest_tolerance})
        return made


def judge(gate: Gate, layer: str, tensor: str, actual: ArrayLike | None, expected: ArrayLike | None,
          oracle: Bounded, terms: int = 1, slack: ArrayLike | None = None) -> Row:
    """The row for one tensor, both sides held against the oracle's value and bound.

    Args:
        actual, expected: the candidate's and the reference's arrays.
        oracle: the exact value (as far as float64 knows it) and the bound around it.
        terms: how many terms each element adds up, for the sqrt(n) level.
        slack: what is added to the bound, of a gradient that had to be recovered; None for nothing.
    """
    if slack is not None and np.shape(slack) == oracle.shape:
        row = judge(gate, layer, tensor, actual, expected,
                    Bounded(oracle.value, oracle.rounding, oracle.bound + slack), terms)
        row.kind = "recovered"
        return row
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape:
        return mismatch(gate, layer, tensor, actual, expected)
    exact, bound = oracle.value, oracle.bound
    a, e = actual.astype(np.float64), expected.astype(np.float64)
    finite = all(np.isfinite(each).all() for each in (a, e, exact))
    difference = np.abs(a - e) if finite else distance(a, e)
    candidate_error = np.abs(a - exact) if finite else _error(a, e, exact)
    reference_error = np.abs(e - exact) if finite else _error(e, a, exact)
    farthest = [float(each.max(initial=0)) for each in (candidate_error, reference_error)]
    candidate_share = share(candidate_error, bound)
    reference_share = share(reference_error, bound)
    error = np.maximum(candidate_error, reference_error)
    del candidate_error, reference_error  # a tensor may have many millions of numbers
    overflown, beyond = False, np.zeros((), bool)
    if oracle.rounding.overflows:
        alike = _overflown_alike(oracle, difference, candidate_share, reference_share)
        if oracle.rounding.overflows_low:
            beyond = ~(np.isfinite(a) & np.isfinite(e))
            alike |= beyond
        candidate_share, reference_share, error = (
            np.where(alike, 0.0, each) for each in (candidate_share, reference_share, error))
        overflown = bool(alike.any())
    off = _who(candidate_share, reference_share)
    shares = np.maximum(candidate_share, reference_share)
    del candidate_share, reference_share
    where = _worst(shares, error, difference)
    over = int((shares > 1).sum())
    unjudged = 0
    if not finite or np.isinf(bound).any():
        unbounded = np.isinf(bound) & (shares <= 1) & (difference > 0)
        unjudged = int((unbounded | beyond | (np.isnan(a) & np.isnan(e))).sum())
    used = float(shares.max(initial=0))
    kind = "exact" if not bound.any() else "componentwise"
    likely_gamma = _likely_ratio(oracle.rounding, terms) if kind == "componentwise" else 1.0
    worst = float(error[where]) if a.size else 0.0
    max_abs, max_rel = float(difference.max(initial=0)), relative(difference, e)
    del error, difference
    return Row(
        gate, layer, tensor, passed=not over, shape=actual.shape, max_abs=max_abs, max_rel=max_rel,
        index=where, actual=float(a[where]) if a.size else None,
        expected=float(e[where]) if e.size else None,
        error=worst, allowed=float(bound[where]) if bound.size else 0.0, used=used,
        likely=float(used * likely_gamma),
        over=over, unjudged=unjudged, size=actual.size,
        candidate_error=farthest[0], reference_error=farthest[1], off=off, kind=kind,
        note=_nonfinite(a, e, finite) or (f"{NOT_JUDGED} {unjudged} of {a.size} numbers"
                                          if unjudged else "") or (OVERFLOWN if overflown else "")
        or (MANY if terms * oracle.rounding.unit >= 1 else ""),
        excerpt=close_up(tensor, a, e, np.broadcast_to(bound, a.shape), shares, where))


def bitwise(gate: Gate, layer: str, tensor: str, actual: ArrayLike | None,
            expected: ArrayLike | None) -> Row:
    """The row for two arrays that must be equal, bit for bit (0 and -0 count as equal)."""
    expected = np.asarray(expected)
    if expected.dtype.kind != "f":
        expected = expected.astype(np.float64)
    exact = Bounded(expected, Rounding.of(expected.dtype))
    row = judge(gate, layer, tensor, actual, expected, exact)
    row.candidate_error = row.reference_error = None
    row.off = ""
    return row


def mismatch(gate: Gate, layer: str, tensor: str, actual: ArrayLike | None,
             expected: ArrayLike | None) -> Row:
    """The row for two arrays that cannot be compared, or one that is missing."""
    shapes = [None if array is None else np.shape(array) for array in (actual, expected)]
    return Row(gate, layer, tensor, passed=False, shape=shapes[0] or (), used=np.inf,
               max_abs=np.inf, max_rel=np.inf, error=np.inf, kind="exact",
               note=f"expected shape {shapes[1]}, received {shapes[0]}".replace("None", "nothing"))


def raised(gate: Gate, layer: str, tensor: str, why: str | LayerError) -> Row:
    """The row for a tensor that could not be computed, as the candidate's layer raised an error or
    gave what is no such tensor."""
    return Row(gate, layer, tensor, passed=False, used=np.inf, max_abs=np.inf, max_rel=np.inf,
               error=np.inf, off="candidate", kind="exact", note=str(why),
               stopped=not isinstance(why, LayerError) or why.from_outside)


def _worst(shares: np.ndarray, error: np.ndarray, difference: np.ndarray) -> tuple[int, ...]:
    """The index of the element that used most of its bound; of several the one farthest off, for
    where nothing is allowed every share is infinite. Where nothing is off, of the largest
    difference."""
    if not shares.size:
        return ()
    most = shares.max()
    sizes = np.where(shares == most, error, -1.0) if most > 0 else difference
    return tuple(int(i) for i in np.unravel_index(np.argmax(sizes), shares.shape))


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a - b|; 0 where both are NaN or the same infinity, infinite where only one is."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(a - b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isfinite(difference), difference, np.inf))


def _error(value: np.ndarray, other: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Distance from the oracle; where both sides agree on NaN or infinity, that is right."""
    agreed = ~np.isfinite(value) & ((value == other) | (np.isnan(value) & np.isnan(other)))
    return np.where(agreed, 0.0, distance(value, exact))


def share(error: np.ndarray | float, bound: np.ndarray | float) -> np.ndarray:
    """error / bound; 0 where nothing is off, infinite where nothing was allowed.

    An error that is not finite is never explained, not even by a bound that is not finite either.
    """
    if np.min(bound, initial=1.0) > 0 and np.isfinite(error).all():  # as nearly always
        with np.errstate(over="ignore"):
            return np.asarray(error / bound)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        explained = np.where((bound > 0) & np.isfinite(error), error / bound, np.inf)
    return np.where(error == 0, 0.0, explained)


def relative(difference: np.ndarray, expected: np.ndarray) -> float:
    worst = float(difference.max(initial=0))
    if worst == 0:
        return 0.0
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    return worst / float(largest) if largest else np.inf


def _who(candidate_share: np.ndarray, reference_share: np.ndarray) -> str:
    candidate, reference = (s.max(initial=0) > 1 for s in (candidate_share, reference_share))
    if candidate and reference:
        return "both"
    return "candidate" if candidate else "reference" if reference else ""


def _overflown_alike(oracle: Bounded, difference: np.ndarray, candidate_share: np.ndarray,
                     reference_share: np.ndarray) -> np.ndarray:
    """Where both sides are off by as much, behind intermediate results that overflow: neither can
    be blamed for what the precision does to the formula."""
    return (candidate_share > 1) & (reference_share > 1) & (difference <= oracle.bound)


def _likely_ratio(rounding: Rounding, terms: int) -> float:
    """gamma_n over the level that sqrt(n) roundings of random sign reach (Higham & Mary, 2019)."""
    return rounding.gamma(terms) / rounding.gamma(2 * np.sqrt(terms)) if terms > 4 else 1.0


def _nonfinite(actual: np.ndarray, expected: np.ndarray, finite: bool) -> str:
    if finite:
        return ""
    notes = [f"{what}: {int(bad.sum())} {kind}"
             for what, array in (("candidate", actual), ("reference", expected))
             for kind, bad in (("NaN", np.isnan(array)), ("infinite", np.isinf(array)))
             if bad.any()]
    return ", ".join(notes)


def forget_observed(rows: list[Row]) -> None:
    """Take away what rows would say of the freely running networks."""
    for row in rows:
        row.observed = row.local = row.inherited = None
