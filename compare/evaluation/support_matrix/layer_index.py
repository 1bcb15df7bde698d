"""The way to a layer: an index of all of Keras's layers by letter, and those that are refused."""

from collections import defaultdict

from compare.evaluation.support_matrix import layers
from compare.evaluation.support_matrix.markdown import table
from compare.evaluation.support_matrix.nearest import NEAREST


def anchor(name: str) -> str:
    """Where a layer's row is: the `id` of its name there."""
    return f"layer-{name.lower()}"


def index(classes: dict[str, list]) -> str:
    """Every layer by its first letter, each a link to its row; those that are refused in italics.

    Args:
        classes: family -> its classes, as `layers.classes` gives them.
    """
    by_letter = defaultdict(list)
    for cls in sorted((cls for family in classes.values() for cls in family),
                      key=lambda cls: cls.__name__.lower()):
        link = f"[{cls.__name__}](#{anchor(cls.__name__)})"
        by_letter[cls.__name__[0]].append(link if layers.is_supported(cls) else f"*{link}*")
    return "\n".join([
        "## Find a layer\n",
        "By its first letter; in *italics* what is refused, with the nearest way that works.\n",
        table(["", "layers"], [[f"**{letter}**", " · ".join(links)]
                               for letter, links in by_letter.items()])])


def marked(made: list[list[str]], names: list[str]) -> list[list[str]]:
    """A table's rows, the name of each layer in the first cell a place that links lead to."""
    wanted = {f"**{name}**": f'<a id="{anchor(name)}"></a>**{name}**' for name in names}
    return [[", ".join(wanted.get(part, part) for part in row[0].split(", ")), *row[1:]]
            for row in made]


def refused(classes: dict[str, list]) -> str:
    """The layers that are refused by name, family by family, and what to do about each.

    Raises:
        AssertionError: for a layer of which no way is known.
    """
    made = []
    for family, members in classes.items():
        heading = layers.FAMILIES.get(family, "Other")
        for cls in members:
            if layers.is_supported(cls):
                continue
            if cls.__name__ not in NEAREST:
                raise AssertionError(f"no nearest way for {cls.__name__}")
            made.append([f'<a id="{anchor(cls.__name__)}"></a>`{cls.__name__}`', heading,
                         NEAREST[cls.__name__]])
    return "\n".join(["### Layers that are refused by name\n",
                      table(["layer", "family", "nearest way"], made)])
