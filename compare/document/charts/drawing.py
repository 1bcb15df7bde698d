"""A picture as SVG, the same on a page, where it takes part in light and dark, and in a file of its
own, which has a light ground and needs no style sheet, no variable and no script.
"""

import re
import textwrap
from dataclasses import dataclass
from importlib import resources

from compare.document.charts import palettes
from compare.document.markup import Html, element

LETTER = 8.2  # pixels that a letter of 13 takes, at most, in the usual fonts
MARGIN, GAP = 20, 40  # of a sheet, and between its pictures
LEAST = 560.0  # width of a sheet's inside
LINE = 20  # from one line of text to the next


@dataclass(frozen=True)
class Drawing:
    """A picture.

    Attributes:
        heading: what stands over it.
        label: what a screen reader says of it.
        content: SVG elements.
        width, height: in pixels, as large as it is meant to be.
        kind: more classes of the style sheet; 'stretched' for one that may be stretched.
        role: 'img', or 'table' where its parts can be read one by one.
    """

    heading: str
    label: str
    content: object
    width: float
    height: float
    kind: str = ""
    role: str = "img"

    def svg(self) -> Html:
        """The picture as an element of a page."""
        size = {} if "stretched" in self.kind.split() else {"width": f"{self.width:.0f}"}
        return self._element(f"chart {self.kind}".strip(), **size)

    def within(self, x: float, y: float) -> Html:
        """The picture as an element of a larger picture, at that place."""
        return self._element(self.kind or None, x=f"{x:.0f}", y=f"{y:.0f}",
                             width=f"{self.width:.0f}", height=f"{self.height:.0f}")

    def _element(self, class_: str | None, **attributes: object) -> Html:
        return element("svg", self.content, class_=class_, role=self.role, aria_label=self.label,
                       viewBox=f"0 0 {self.width:.0f} {self.height:.0f}", **attributes)


@dataclass(frozen=True)
class Group:
    """Pictures that belong together, so many beside one another."""

    heading: str
    drawings: list[Drawing]
    columns: int


def sheet(heading: str, about: str, groups: list[Group]) -> str:
    """Pictures on one light sheet, as the text of an SVG file.

    Args:
        heading: what is shown.
        about: on which data, or how to read it.
    """
    inner = max([LEAST, *(row_width(group) for group in groups)])
    parts, y = [], float(MARGIN)
    for text, kind in ((heading, "title"), (about, "quiet")):
        letters = int(inner / LETTER * (0.85 if kind == "title" else 1))
        for piece in textwrap.wrap(text, letters):
            y += LINE
            parts.append(element("text", piece, x=MARGIN, y=f"{y:.0f}", class_=kind))
    for group in groups:
        y += GAP
        if group.heading:
            parts.append(element("text", group.heading, x=MARGIN, y=f"{y + 8:.0f}", class_="group"))
            y += LINE + 4
        for i in range(0, len(group.drawings), group.columns):
            placed, y = row(group.drawings[i:i + group.columns], cell(group), y)
            parts += placed
    return as_file(Drawing(heading, f"{heading}. {about}", parts, inner + 2 * MARGIN, y + MARGIN))


def row(drawings: list[Drawing], width: float, top: float) -> tuple[list[Html], float]:
    """(pictures side by side under their headings, where what is below them begins)."""
    parts = []
    below = top + (LINE if any(drawing.heading for drawing in drawings) else 0)
    for i, drawing in enumerate(drawings):
        x = MARGIN + i * (width + GAP)
        if drawing.heading:
            parts.append(element("text", drawing.heading, x=f"{x:.0f}", y=f"{top + 13:.0f}",
                                 class_="heading"))
        parts.append(drawing.within(x, below))
    return parts, below + max(drawing.height for drawing in drawings) + 10


def cell(group: Group) -> float:
    """The width of the widest picture."""
    return max((drawing.width for drawing in group.drawings), default=0.0)


def row_width(group: Group) -> float:
    count = min(group.columns, len(group.drawings))
    return count * (cell(group) + GAP) - GAP


def as_file(drawing: Drawing) -> str:
    """A picture as the text of an SVG file, in light colours on a ground of its own."""
    ground = element("rect", class_="ground", width="100%", height="100%")
    content = [element("style", Html(plain_style())), gradients(), ground, drawing.content]
    width, height = f"{drawing.width:.0f}", f"{drawing.height:.0f}"
    return element("svg", content, xmlns="http://www.w3.org/2000/svg", class_="chart", width=width,
                   height=height, viewBox=f"0 0 {width} {height}", role="img",
                   aria_label=drawing.label) + "\n"


def style() -> str:
    """The style sheet of all pictures, whose light colours a page may replace by dark ones."""
    return resources.files(__package__).joinpath("charts.css").read_text(encoding="utf-8")


def plain_style() -> str:
    """The same with the light colours in the place of variables, which not every viewer knows."""
    variables, _, rules = style().partition("}")
    colours = dict(re.findall(r"--(\w+): ([^;]+);", variables))
    return re.sub(r"var\(--(\w+)\)", lambda found: colours[found[1]], rules).strip()


def gradients() -> Html:
    """The colours of all scales, for legends; once in a document, since they have names."""
    scales = [element("linearGradient", [element("stop", offset=f"{i / (len(stops) - 1):.3f}",
                                                 stop_color=f"#{colour}")
                                         for i, colour in enumerate(stops)], id=f"scale-{name}")
              for name, stops in palettes.SCALES.items()]
    return element("defs", scales)


def length(text: str, size: float = 13) -> float:
    """About how wide a text is whose letters have that size, not less than it really is."""
    return LETTER * len(text) * size / 13
