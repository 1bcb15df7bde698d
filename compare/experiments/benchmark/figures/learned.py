"""What the first layers of both sides learned: their filters and what they make of images."""

from compare.document.charts.drawing import Drawing, Group
from compare.document.charts.heatmaps import extent, figure
from compare.experiments.benchmark import learned_features
from compare.experiments.benchmark.results import Benchmark

FILTERS = "Filters of the first layer"


def filters(result: Benchmark) -> Group | None:
    """The first layer's filters, of both sides and their difference; None if it has none."""
    found = learned_features.filters(result)
    return None if found is None else Group(FILTERS, three(found, "filters"), 3)


def feature_maps(result: Benchmark) -> list[Group]:
    """What the first layer makes of some test images."""
    names, labels = result.data.class_names, result.data.test_labels
    return [Group(f"What the first layer makes of test image {image} ({names[labels[image]]})",
                  three(pair, f"feature maps of test image {image}"), 3)
            for image, pair in learned_features.feature_maps(result)]


def three(pair: learned_features.Pair, what: str) -> list[Drawing]:
    """Both sides on one scale, and their difference on its own."""
    low, high = extent(pair.scratch)
    lowest, highest = extent(pair.keras)
    most = max(-low, high, -lowest, highest)
    apart = extent(abs(pair.difference))[1]
    return [figure(pair.scratch, f"scratch: {what}", "scratch", "diverging", -most, most),
            figure(pair.keras, f"Keras: {what}", "Keras", "diverging", -most, most),
            figure(pair.difference, f"difference of {what}", "scratch − Keras", "diverging",
                   -apart, apart)]
