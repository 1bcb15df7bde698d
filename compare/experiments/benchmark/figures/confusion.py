"""Confusion matrices of both sides, and where they differ."""

import numpy as np

from compare.document.charts.drawing import Drawing
from compare.document.charts.matrix import matrix
from compare.experiments.benchmark import tables
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark

READING = "Rows are labels, columns predictions; shaded by the share of the class's images."


def confusion(result: Benchmark) -> list[Drawing]:
    """The matrices of the sides that finished an epoch."""
    found = {side: tables.figures_of(result, side) for side in SIDES}
    return matrices({side: each.confusion for side, each in found.items() if each is not None},
                    result.data.class_names)


def matrices(found: dict[str, np.ndarray], names) -> list[Drawing]:
    """A matrix for each side, and scratch minus Keras if there are both and they differ.

    Args:
        found: by side, (classes, classes) counts of test images.
        names: of the classes.
    """
    drawn = []
    for side, counts in found.items():
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        drawn.append(matrix(NAMES[side], f"Confusion matrix: {NAMES[side]}", counts, share, "d",
                            names))
    if len(found) == 2:
        difference = found["scratch"] - found["keras"]
        if difference.any():
            title = "scratch − Keras"
            drawn.append(matrix(title, f"Confusion matrix: {title}", difference,
                                difference / np.abs(difference).max(), "+d", names))
    return drawn
