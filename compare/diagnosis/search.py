"""Tries the hypotheses, one at a time and then two together, and keeps those that suffice.

A hypothesis is screened on the smallest numbers on which the mistake shows, and has to explain all
others too, to within the bound. Of two, the likely ones are tried first, and those of which the
second only rearranges, scales or signs the first one's result, which costs next to nothing.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from compare.diagnosis.hypothesis import Variant
from compare.diagnosis.observation import CANNOT, Observation

PAIR_SECONDS = 4.0
ALONE = ("low-precision", "small-values-dropped")  # no part of a pair
SAME = 1e-9  # two results closer than this, relative to their size, are one computation


@dataclass
class Explanation:
    """One variant, or two of which the second comes after the first, that suffice.

    Attributes:
        details: what each comes to here.
        before, after: the largest error in units of its bound, without and with them.
        results: what they give for each observation.
    """

    variants: tuple[Variant, ...]
    details: tuple[str, ...]
    before: float
    after: float
    results: list

    @property
    def identifiers(self) -> tuple[str, ...]:
        return tuple(variant.identifier for variant in self.variants)

    def same_as(self, other: "Explanation") -> bool:
        """Whether both are the same computation of these numbers."""
        return all(a.shape == b.shape
                   and np.allclose(a.value, b.value, rtol=SAME,
                                   atol=SAME * np.abs(a.value).max(initial=0), equal_nan=True)
                   for a, b in zip(self.results, other.results))


def explain(observations: list[Observation], *variants: Variant) -> Explanation | None:
    """The explanation that these variants make, None if some observation contradicts it."""
    after, results, moved = 0.0, [], False
    steps: list[list] = [[] for _ in variants]  # what each variant was applied to
    for seen in observations:
        try:
            computation = seen.right
            for variant, step in zip(variants, steps):
                step.append((computation, seen.made))
                computation = variant.change(computation, seen.made)
            result = computation.evaluate()
        except CANNOT:
            return None
        residual = seen.residual_of(result)
        if not residual <= 1:
            return None
        after = max(after, residual)
        results.append(result)
        moved = moved or (seen.fails and seen.residual_of(result, slack=False) < seen.before)
    # what changes nothing explains nothing, even if the slack for roundings would let it pass
    if not moved:
        return None
    if any(v.agrees and not v.agrees(step) for v, step in zip(variants, steps)):
        return None
    before = farthest(observations)
    details = tuple(v.detail if isinstance(v.detail, str) else v.detail(step)
                    for v, step in zip(variants, steps))
    return Explanation(variants, details, before, after, results)


def farthest(observations) -> float:
    """The largest error in units of the rounding bound; infinite if only whole numbers show it."""
    largest = max(seen.beyond for seen in observations)
    return largest if largest > 1 else np.inf


def singles(observations, variants: list[Variant]) -> list[Explanation]:
    """All single variants that suffice, the first of each identifier, in the catalogue's order."""
    found: dict[str, Explanation] = {}
    for variant in variants:
        if variant.identifier not in found:
            explanation = explain(observations, variant)
            if explanation is not None:
                found[variant.identifier] = explanation
    return list(found.values())


def pairs(observations, variants: list[Variant], seconds: float = PAIR_SECONDS
          ) -> tuple[list[Explanation], bool]:
    """(two variants that suffice together, the first such pair and others that are as likely, in
    the catalogue's order; whether the search ended for time, before all pairs were tried)."""
    deadline = time.thread_time() + seconds
    screen = observations[0]
    changed: dict[int, object] = {}
    found: dict[tuple, tuple[tuple[int, int], Explanation]] = {}
    last = 0  # how likely the pair was that was found
    late = False
    for rank, first, second in ranked(variants):
        if found and rank > last:
            break
        if time.thread_time() > deadline:
            late = True
            break
        if first not in changed:
            changed[first] = _changed(observations, variants[first])
        a, b = variants[first], variants[second]
        key = tuple(sorted((a.identifier, b.identifier)))
        if changed[first] is None or (key in found and found[key][0] < (first, second)):
            continue
        if not _suffices(screen, changed[first], b):
            continue
        explanation = explain(observations, a, b)
        if explanation is not None:
            found[key], last = ((first, second), explanation), rank
    return [explanation for _, explanation in sorted(found.values(), key=lambda one: one[0])], late


def ranked(variants: list[Variant]) -> Iterator[tuple[int, int, int]]:
    """(rank, first, second) for pairs of variants of two kinds, the likelier ones first.

    A variant ranks by how many others of its identifier come before it; the likely variants of all
    identifiers are tried before the unlikely ones of any. What is cheap comes second and counts
    less, and within a rank it is tried first; whatever the order, a lower precision or dropped
    numbers are no part of a pair, since they excuse too much.

    There are too many pairs to list them all before the first is tried.
    """
    count: dict[str, int] = {}
    usable: dict[tuple[bool, int], list[int]] = {}  # by whether they are cheap, and by rank
    for i, variant in enumerate(variants):
        rank = count.get(variant.identifier, 0)
        count[variant.identifier] = rank + 1
        if variant.identifier not in ALONE:
            usable.setdefault((variant.cheap, rank), []).append(i)
    most = max(count.values(), default=0)
    for rank in range(2 * most + 2):
        found = []
        for (cheap, own), firsts in usable.items():
            # a cheap one first and another second is the other way round, and slower
            seconds = [*usable.get((True, 2 * rank - own), []),
                       *usable.get((True, 2 * rank + 1 - own), []),
                       *([] if cheap else usable.get((False, rank - 2 - own), []))]
            found += [(rank, a, b) for a in firsts for b in seconds
                      if variants[a].identifier != variants[b].identifier]
        yield from sorted(found, key=lambda pair: (not variants[pair[2]].cheap, pair))


def _changed(observations: list[Observation], variant: Variant):
    """The computation of the first observation after a variant; None where it does not apply, or
    leaves the tensor as it is in all of them: then a second one would have to suffice alone."""
    screen, *others = observations
    computation = _other(screen, variant)
    if computation is None or _differs(screen, computation):
        return computation
    for seen in others:
        other = _other(seen, variant)
        if other is not None and _differs(seen, other):
            return computation
    return None


def _other(seen: Observation, variant: Variant):
    """What a variant makes of a computation; None where it does not apply."""
    try:
        computation = variant.change(seen.right, seen.made)
        computation.evaluate()
    except CANNOT:
        return None
    return computation


def _differs(seen: Observation, computation) -> bool:
    return not np.array_equal(computation.evaluate().value, seen.right.evaluate().value,
                              equal_nan=True)


def _suffices(screen: Observation, changed, variant: Variant) -> bool:
    try:
        computation = variant.change(changed, screen.made)
    except CANNOT:
        return False
    return screen.residual(computation) <= 1
