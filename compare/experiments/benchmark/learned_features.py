"""What the two networks learned, side by side: filters, weights, mistakes, classes over epochs."""

from dataclasses import dataclass

import numpy as np

from compare.document.sections import Table
from compare.experiments.benchmark.metrics import figures
from compare.experiments.benchmark.results import SIDES, Benchmark, Learned

MISTAKES = 12


@dataclass(frozen=True)
class Pair:
    """Panels (count, height, width) of both sides."""

    scratch: np.ndarray
    keras: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        return self.scratch.astype(np.float64) - self.keras


def finished(result: Benchmark) -> tuple[Learned, Learned] | None:
    """What both sides learned, once both came to their end, so that there is something to see."""
    ours, theirs = (result.runs[side].learned for side in SIDES)
    return None if ours is None or theirs is None else (ours, theirs)


def filters(result: Benchmark) -> Pair | None:
    """The first layer's kernel, a panel for each pair of channels; None if it has none."""
    kernels = []
    for side in SIDES:
        learned = result.runs[side].learned
        found = [w for name, w in zip(learned.names, learned.weights)
                 if name.endswith("/kernel")] if learned else []
        if not found or found[0].ndim != 4:
            return None
        height, width = found[0].shape[:2]  # (h, w, in, out) -> (in * out, h, w)
        kernels.append(np.moveaxis(found[0].reshape(height, width, -1), -1, 0))
    return Pair(*kernels)


def feature_maps(result: Benchmark) -> list[tuple[int, Pair]]:
    """(test image, what the first layer makes of it: a panel for each channel)."""
    both = finished(result)
    if both is None:
        return []
    ours, theirs = both
    if ours.maps.ndim != 4:
        return []
    return [(int(image), Pair(*(np.moveaxis(side.maps[i], -1, 0) for side in (ours, theirs))))
            for i, image in enumerate(ours.images)]


def weights(result: Benchmark) -> Table | None:
    """How far apart each pair of weights ended, relative to its size in the 2-norm."""
    both = finished(result)
    if both is None:
        return None
    ours, theirs = both
    rows = []
    for name, a, b in zip(ours.names, ours.weights, theirs.weights):
        a, b = a.astype(np.float64), b.astype(np.float64)
        size = np.linalg.norm(b)
        apart = np.linalg.norm(a - b)
        rows.append([name, f"{a.size:,}", f"{size:.3g}",
                     f"{np.abs(a - b).max(initial=0):.2g}",
                     f"{100 * apart / size:.2g}" if size else "-"])
    return Table(["weight", "numbers", "norm\n(Keras)", "largest\ndifference",
                  "distance\n(% of norm)"], rows)


def mistakes(result: Benchmark, side: str) -> np.ndarray:
    """Test images that a side got wrong, those first of which it was most sure."""
    epoch = result.shown(side)
    if epoch is None:
        return np.array([], int)
    wrong = np.flatnonzero(epoch.predictions != result.data.test_labels)
    return wrong[np.argsort(-epoch.confidences[wrong], kind="stable")][:MISTAKES]


def class_curves(result: Benchmark) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """F1 of every class after every epoch: by class name, then by side, (epoch, F1)."""
    names = result.data.class_names
    found: dict[str, dict[str, list[tuple[int, float]]]] = {
        name: {side: [] for side in SIDES} for name in names}
    for side in SIDES:
        for epoch in result.runs[side].epochs:
            scores = figures(result.data.test_labels, epoch.predictions, len(names)).f1
            for name, score in zip(names, scores):
                found[name][side].append((epoch.number, float(score)))
    return found
