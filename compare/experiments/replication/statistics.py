"""What several runs say that one cannot: means with their uncertainty, and is the difference real?

Each run trains both sides from the same initial weights on the same batches, so its two figures
belong together: the pairs' differences are what is tested, not two independent groups. scipy and
scikit-learn do the counting.
"""

import math
from dataclasses import dataclass

import numpy as np

from compare.document.text import Text, bad, good, line, warning
from compare.experiments.benchmark.metrics import agreement

CONFIDENCE = 0.95
ALPHA = 0.05
MARGIN = 0.01  # differences of accuracy or F1 below this are called equivalent
POWER = 0.8


@dataclass(frozen=True)
class Summary:
    """Mean, standard deviation (n - 1) and the interval that holds the true mean in 95 of 100 such
    experiments (Student's t). The last two are None for a single run."""

    runs: int
    mean: float
    deviation: float | None
    low: float | None
    high: float | None


def summarize(values) -> Summary:
    """The summary of one figure over all runs, (runs,)."""
    from scipy import stats

    values = np.asarray(values, float)
    count, mean = len(values), float(values.mean())
    if count < 2:
        return Summary(count, mean, None, None, None)
    deviation = float(values.std(ddof=1))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, count - 1)) * deviation / math.sqrt(count)
    return Summary(count, mean, deviation, mean - half, mean + half)


@dataclass(frozen=True)
class Equivalence:
    """Whether paired differences are small, large, or not known well enough.

    Attributes:
        verdict: 'equivalent', 'different' or 'not enough runs'.
        margin: what counts as small.
        difference: the Summary of the paired differences.
        p_equivalent: the larger p of the two one-sided t tests (Schuirmann 1987): below ALPHA, the
            true mean difference lies inside the margin. None for a single run.
        p_different: of the paired t test that it is zero. None for a single run.
        runs_needed: how many runs would show equivalence with a probability of POWER, if the true
            difference were the one seen; None if it were never shown, or the answer is there.
    """

    verdict: str
    margin: float
    difference: Summary
    p_equivalent: float | None
    p_different: float | None
    runs_needed: int | None

    def sentence(self, what: str) -> Text:
        """The outcome in one sentence."""
        seen = self.difference
        if self.verdict == "equivalent" and self.p_equivalent is not None:
            return line(f"{what}: ", good(self.verdict), f". The mean difference of "
                        f"{seen.mean:+.4f} lies within +-{self.margin:g} (two one-sided tests, "
                        f"{probability(self.p_equivalent)}, {seen.runs} pairs of runs).",
                        self._beside())
        if self.verdict == "different" and self.p_different is not None:
            return line(f"{what}: ", bad(self.verdict), f". The mean difference of "
                        f"{seen.mean:+.4f} is not zero (paired t test, "
                        f"{probability(self.p_different)}) and is not shown to lie "
                        f"within +-{self.margin:g} ({seen.runs} pairs of runs).")
        needed = ("more would not show it, if the true difference is the one seen"
                  if self.runs_needed is None else
                  f"about {self.runs_needed} would be, if the true difference is the one seen"
                  if seen.runs > 1 else f"at least {self.runs_needed} are needed to tell")
        return line(f"{what}: ", warning(self.verdict),
                    f". {seen.runs} pair{'s' if seen.runs > 1 else ''} of runs "
                    f"with a mean difference of {seen.mean:+.4f} neither show that it lies within "
                    f"+-{self.margin:g} nor that it is not zero; {needed}.")


    def _beside(self) -> str:
        """That the two do differ, where that is shown although they are equivalent."""
        if self.p_different is None or self.p_different >= ALPHA:
            return ""
        return (f" It is not zero either (paired t test, {probability(self.p_different)}): the two "
                "differ, by less than that.")


def equivalence(first, second, margin: float = MARGIN) -> Equivalence:
    """Tests the paired differences first - second, (runs,) each.

    Two one-sided t tests (D. J. Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987) at level ALPHA.
    Being different without being equivalent takes a paired t test at the same level.
    """
    from scipy import stats

    differences = np.asarray(first, float) - np.asarray(second, float)
    seen = summarize(differences)
    if seen.deviation is None:  # a single run
        return Equivalence("not enough runs", margin, seen, None, None, 2)
    if seen.deviation == 0:  # no test statistic exists; the runs all say the same
        inside = abs(seen.mean) < margin
        return Equivalence("equivalent" if inside else "different", margin, seen,
                           0.0 if inside else 1.0, 1.0 if seen.mean == 0 else 0.0, None)
    inside = max(stats.ttest_1samp(differences, -margin, alternative="greater").pvalue,
                 stats.ttest_1samp(differences, margin, alternative="less").pvalue)
    zero = stats.ttest_1samp(differences, 0.0).pvalue
    if inside < ALPHA:
        verdict, needed = "equivalent", None
    elif zero < ALPHA:
        verdict, needed = "different", None
    else:
        verdict = "not enough runs"
        needed = runs_needed(seen.mean, seen.deviation, margin)
    return Equivalence(verdict, margin, seen, float(inside), float(zero), needed)


def runs_needed(mean: float, deviation: float, margin: float, most: int = 10_000) -> int | None:
    """The least number of pairs for which equivalence is shown with probability POWER.

    The power of two one-sided t tests, bounded from below by the sum of their chances to fail, each
    a noncentral t probability. None if |mean| >= margin or more than `most` were needed.
    """
    from scipy import stats

    if abs(mean) >= margin:
        return None

    def power(runs):
        critical = stats.t.ppf(1 - ALPHA, runs - 1)
        scale = math.sqrt(runs) / deviation
        chances = [1 - stats.nct.cdf(critical, runs - 1, (margin + side * mean) * scale)
                   for side in (1, -1)]
        return sum(chances) - 1

    low, high = 1, 2
    while power(high) < POWER:
        low, high = high, 2 * high
        if high > most:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high


@dataclass(frozen=True)
class Pair:
    """How the predictions of one pair of runs agree.

    Attributes:
        only_first_right, only_second_right: test images that one side alone got right.
        p: of McNemar's exact test that either is as likely as the other.
        kappa: Cohen's kappa of the two sides' predictions: 1 for equal, 0 for chance.
        same: share of the test images with the same prediction.
    """

    only_first_right: int
    only_second_right: int
    p: float
    kappa: float
    same: float


def compare_predictions(labels, first, second) -> Pair:
    """McNemar's test and Cohen's kappa for two sets of predicted classes, (samples,) each."""
    from sklearn.metrics import cohen_kappa_score

    found = agreement(*(np.asarray(array) for array in (labels, first, second)))
    same = found.same / found.images
    kappa = 1.0 if same == 1 else float(cohen_kappa_score(first, second))
    return Pair(found.only_first_right, found.only_second_right, found.p_value, kappa, same)


@dataclass(frozen=True)
class Place:
    """Where one earlier figure stands among those of several runs.

    Attributes:
        value: the earlier figure.
        deviations: how many standard deviations above the mean.
        low, high: the interval in which one further run falls in 95 of 100 cases.
        inside: whether it is in there.
    """

    value: float
    deviations: float
    low: float
    high: float
    inside: bool


def place(value: float, values) -> Place | None:
    """`value` against a prediction interval, mean +- t s sqrt(1 + 1/n); None below two runs."""
    from scipy import stats

    seen = summarize(values)
    if seen.deviation is None or seen.deviation == 0:
        return None
    half = (float(stats.t.ppf((1 + CONFIDENCE) / 2, seen.runs - 1)) * seen.deviation
            * math.sqrt(1 + 1 / seen.runs))
    low, high = seen.mean - half, seen.mean + half
    return Place(value, (value - seen.mean) / seen.deviation, low, high, low <= value <= high)


def probability(p: float) -> str:
    """A p value as it is read: three digits, or that it is below a thousandth."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
