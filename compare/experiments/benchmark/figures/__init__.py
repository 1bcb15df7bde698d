"""The pictures of a benchmark, each drawn once, for the page and for the folder.

curves.py, confusion.py, images.py and learned.py draw SVG. The architecture is drawn by matplotlib,
which is imported only for it, where graph_layout.py says, and stands in the folder alone.
"""

from compare.document.charts.drawing import Group, sheet
from compare.document.pictures import Picture
from compare.experiments.benchmark.figures import confusion, curves, images, learned
from compare.experiments.benchmark.results import Benchmark
from compare.inputs import datasets


def pictures(result: Benchmark, dataset: datasets.Dataset) -> dict[str, Picture]:
    """By file name: a caption and what is drawn, None if too little was finished."""
    from compare.experiments.benchmark.figures.architecture import architecture

    drawn = {name: Picture(caption, sheet(caption, f"{result.title}. {about}".strip(), groups)
                           if groups else None)
             for name, (caption, about, groups) in sheets(result, dataset).items()}
    drawn["architecture.png"] = Picture("The network, with shapes and numbers of parameters",
                                        architecture(result))
    return drawn


def sheets(result: Benchmark, dataset: datasets.Dataset) -> dict[str, tuple[str, str, list[Group]]]:
    """By file name: a caption, a sentence on how to read it, and groups of pictures."""
    trained = any(run.curve for run in result.runs.values())
    filters = learned.filters(result)
    classes, apart = curves.class_curves(result), images.disagreements(result)
    matrices = confusion.confusion(result)
    few = "" if len(apart) <= images.MOST else (
        f"{images.MOST} of {len(apart):,} shown: those of which both are most sure.")
    return {
        "learning-curves.svg": (
            "Learning curves of both sides", "",
            [Group("", curves.learning_curves(result), 2)] if trained else []),
        "confusion.svg": ("Confusion matrices of both sides, and their difference",
                          confusion.READING, [Group("", matrices, 2)] if matrices else []),
        "predictions.svg": (
            "Test images on which the two disagree, with both predictions", few,
            [Group("", images.tiles(result, dataset, apart[:images.MOST]), 5)]
            if len(apart) else []),
        "filters.svg": ("Filters of the first layer of both sides, and their difference", "",
                        [Group("", filters.drawings, 3)] if filters else []),
        "feature-maps.svg": ("What the first layer of both sides makes of test images", "",
                             learned.feature_maps(result)),
        "classes.svg": ("F1 of each class after each epoch", "",
                        [Group("", [curves.sides_key()], 1), Group("", classes, 4)]
                        if classes else []),
        "mistakes.svg": ("The mistakes of which either side was most sure", "", [
            Group(f"The surest mistakes of {name}", images.tiles(result, dataset, found), 5)
            for name, found in images.surest_mistakes(result).items()]),
    }
