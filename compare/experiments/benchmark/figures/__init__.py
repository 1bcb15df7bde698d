"""The pictures of a benchmark, as matplotlib figures that need no display.

Importing this loads matplotlib.
"""

from matplotlib.figure import Figure

from compare.experiments.benchmark.figures import learned
from compare.experiments.benchmark.figures.architecture import architecture
from compare.experiments.benchmark.figures.confusion import confusion
from compare.experiments.benchmark.figures.learning_curves import learning_curves
from compare.experiments.benchmark.figures.predictions import predictions
from compare.experiments.benchmark.results import Benchmark
from compare.inputs import datasets

__all__ = ["architecture", "confusion", "learning_curves", "pictures", "predictions"]


def pictures(result: Benchmark, dataset: datasets.Dataset) -> dict[str, tuple[str, Figure | None]]:
    """By file name: a caption, and the figure, or None if too little was finished to draw it."""
    return {
        "learning-curves.png": ("Training loss and test accuracy of both sides",
                                learning_curves(result)),
        "confusion.png": ("Confusion matrices of both sides, and their difference",
                          confusion(result)),
        "predictions.png": ("Test images with both predictions, disagreements first",
                            predictions(result, dataset)),
        "filters.png": ("Filters of the first layer of both sides, and their difference",
                        learned.filters(result)),
        "feature-maps.png": ("What the first layer of both sides makes of test images",
                             learned.feature_maps(result)),
        "classes.png": ("F1 of each class after each epoch", learned.classes(result)),
        "mistakes.png": ("The mistakes of which either side was most sure",
                         learned.mistakes(result, dataset)),
        "architecture.png": ("The network, with shapes and numbers of parameters",
                             architecture(result)),
    }
