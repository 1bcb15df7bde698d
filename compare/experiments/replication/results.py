"""What is kept of every run of a replication, and the questions it answers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compare.document.display import Displayed
from compare.experiments.benchmark.results import SIDES
from compare.experiments.replication import statistics
from compare.inputs.training_protocols import PROTOCOLS

MEASURES = {"accuracy": "accuracy", "macro_f1": "macro F1"}


@dataclass(frozen=True)
class Run:
    """One pair of runs from the same initial weights, as the benchmark's JSON tells of it."""

    seed: int
    record: dict

    def figure(self, side: str, measure: str) -> float:
        """Accuracy or macro F1 of a side on the test images, after its last epoch."""
        return self.record["runs"][side]["epochs"][-1][measure]

    def predictions(self, side: str) -> np.ndarray:
        """(test images,) predicted classes after the last epoch."""
        return np.asarray(self.record["runs"][side]["epochs"][-1]["predictions"])

    @property
    def labels(self) -> np.ndarray:
        return np.asarray(self.record["data"]["test_labels"])


@dataclass(frozen=True)
class Replication(Displayed):
    """All runs, in the order of their seeds.

    Attributes:
        runs: one for each seed.
        margin: what difference of accuracy or F1 counts as small.
        parallel: how many ran at the same time; above 1 their times say nothing.
    """

    runs: list[Run]
    margin: float
    parallel: int

    @property
    def first(self) -> dict:
        """The record of one run, for what all have in common."""
        return self.runs[0].record

    @property
    def differing(self) -> list[str]:
        """Settings, in words, in which these runs depart from the published ones."""
        asked, data = self.first["settings"], self.first["data"]
        return PROTOCOLS[asked["network"]].departures(
            data["training_images"], asked["epochs"], asked["batch_size"], asked["learning_rate"])

    def values(self, side: str, measure: str) -> np.ndarray:
        """One figure over all runs, (runs,)."""
        return np.array([run.figure(side, measure) for run in self.runs])

    def summary(self, side: str, measure: str) -> statistics.Summary:
        return statistics.summarize(self.values(side, measure))

    def equivalence(self, measure: str) -> statistics.Equivalence:
        """Scratch against Keras in one measure, pair by pair."""
        ours, theirs = (self.values(side, measure) for side in SIDES)
        return statistics.equivalence(ours, theirs, self.margin)

    @cached_property
    def pairs(self) -> list[statistics.Pair]:
        """The two sides' predictions in each run."""
        return [statistics.compare_predictions(run.labels, *(run.predictions(s) for s in SIDES))
                for run in self.runs]

    def places(self) -> list[tuple[str, str, str, statistics.Place]]:
        """(who published, side it is held against, measure, where it stands) for earlier figures.

        None for other settings than those they were reached with.
        """
        published = {} if self.differing else self.first["published"] or {}
        found = []
        for name, figures in published.items():
            side = "scratch" if name == "NumPy" else "keras"
            for measure in MEASURES:
                value = figures.get(measure)
                stands = value and statistics.place(value, self.values(side, measure))
                if stands:
                    found.append((name, side, measure, stands))
        return found
