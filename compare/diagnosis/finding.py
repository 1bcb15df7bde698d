"""What a diagnosis comes to: the name of the mistake, the evidence, and what to change."""

from dataclasses import dataclass

from compare.diagnosis.catalogue import CATALOGUE
from compare.document.plain_json import plain
from compare.document.text import Text, line, lines, strong


@dataclass(frozen=True)
class Cause:
    """One mistake of the catalogue.

    Attributes:
        identifier: in `CATALOGUE`.
        detail: what it comes to here.
    """

    identifier: str
    detail: str = ""

    def __str__(self):
        said = CATALOGUE[self.identifier].sentence
        return f"{self.identifier}: {said}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True)
class Finding:
    """What is wrong with one tensor of one layer.

    Attributes:
        layer, tensor: which.
        side: 'candidate' or 'reference', the side that is off.
        causes: one, or two that are both needed; none if nothing in the catalogue explains it.
        alternatives: others that explain it as well, in the catalogue's order.
        same: whether these are the same computation on all that was tried.
        before, after: the largest error in units of its bound, without and with the causes.
        looks_like: what the difference looks like.
        ended_for_time: whether two causes together were looked for no longer than so long, so that
            some pairs were not tried.
    """

    layer: str
    tensor: str
    side: str
    causes: tuple[Cause, ...]
    alternatives: tuple[tuple[Cause, ...], ...] = ()
    same: bool = True
    before: float = float("inf")
    after: float | None = None
    looks_like: str = ""
    ended_for_time: bool = False

    @property
    def identifier(self) -> str:
        """'kernel-flipped', 'kernel-flipped + bias-missing' or 'unknown'."""
        return " + ".join(cause.identifier for cause in self.causes) or "unknown"

    @property
    def sentence(self) -> str:
        """The finding in a sentence or two."""
        whose = "" if self.side == "candidate" else "Keras is the one that is off: "
        if not self.causes:
            ended = (", and of two causes together not all pairs were tried, for want of time"
                     if self.ended_for_time else "")
            return (f"{whose}unknown: nothing in the catalogue explains it{ended}; the difference "
                    f"looks like {self.looks_like}")
        named = " together with ".join(map(str, self.causes))
        if not self.alternatives:
            return whose + named
        others = " or ".join(" + ".join(cause.identifier for cause in causes)
                             for causes in self.alternatives)
        if self.same:
            return f"{whose}{named}; on these shapes the same computation as {others}"
        return f"{whose}ambiguous between {self.identifier} and {others}; the first is {named}"

    @property
    def evidence(self) -> str:
        """Residual before and after, in units of the bound."""
        right = f"against the right computation {_off(self.before)}"
        if self.after is None:
            return right
        return f"{right}; against one with this mistake {_off(self.after)}"

    @property
    def remedy(self) -> str:
        """What to change."""
        if not self.causes:
            return "Shrink the case with `parity debug` and compare the numbers by hand."
        return " ".join(CATALOGUE[cause.identifier].remedy for cause in self.causes)

    def __str__(self) -> Text:
        return lines([f"{self.layer} {self.tensor}: {self.sentence}",
                      line("  ", strong("Evidence"), f": {self.evidence}."),
                      line("  ", strong("Remedy"), f": {self.remedy}")])

    def as_dict(self) -> dict:
        """Plain values, for JSON."""
        return plain({"layer": self.layer, "tensor": self.tensor, "side": self.side,
                      "identifier": self.identifier, "sentence": self.sentence,
                      "details": [cause.detail for cause in self.causes],
                      "alternatives": [" + ".join(c.identifier for c in causes)
                                       for causes in self.alternatives],
                      "before": self.before, "after": self.after, "remedy": self.remedy,
                      "looks_like": self.looks_like})


def _off(residual: float) -> str:
    """How far off the worst number is, in words."""
    if residual == 0:
        return "no number is off"
    if residual == float("inf"):
        return "numbers differ that have to be equal"
    if residual <= 1:
        return "all are within what rounding explains"
    return f"the worst number is {residual:.3g} times as far off as rounding explains"
