"""Line charts as SVG, in the page's own colours, and the list of names that belongs to them."""

import math
from dataclasses import dataclass

from compare.document.html.markup import Html, element

LARGE, SMALL = (520, 300), (250, 170)  # sizes, in pixels of the page
LEFT, RIGHT, TOP, BOTTOM = 68, 14, 12, 46


@dataclass(frozen=True)
class Series:
    """Points (x, y) of one colour.

    Attributes:
        kind: 'first', 'second', 'third' or 'fourth': a colour of the style sheet.
        line: whether the points are joined.
        marks: 'dot', 'cross' or '' for none.
    """

    name: str
    points: list[tuple[float, float]]
    kind: str
    line: bool = True
    marks: str = ""


@dataclass(frozen=True)
class Band:
    """A range of y over the whole width."""

    name: str
    low: float
    high: float
    kind: str


def chart(title: str, series: list[Series], x_label: str, y_label: str, bands: tuple = (),
          least: float = 0.0, zero: bool = False, bounds: tuple = (),
          size: tuple[int, int] = LARGE) -> Html:
    """A chart.

    Args:
        title: what a screen reader says in place of the picture.
        least: the smallest range of y to show, so that a difference of nothing looks like nothing.
        zero: whether y has to start at zero.
        bounds: values of y that have to be in sight besides the points'.
    """
    points = [point for each in series for point in each.points if math.isfinite(point[1])]
    if not points:
        return element("p", "Nothing was finished that could be drawn.", class_="quiet")
    xs = span([x for x, _ in points])
    edges = [edge for band in bands for edge in (band.low, band.high)]
    ys = span([y for _, y in points] + edges + list(bounds), least)
    ys = (0.0, ys[1]) if zero else ys
    whole = all(float(x).is_integer() for x, _ in points)  # steps, epochs, seeds
    frame = Frame(xs, ys, size, least_step=1.0 if whole else 0.0)
    return element(
        "svg", frame.axes(x_label, y_label),
        [element("g", element("rect", class_="band", x=LEFT, y=f"{frame.y(band.high):.1f}",
                              width=size[0] - LEFT - RIGHT,
                              height=f"{frame.y(band.low) - frame.y(band.high):.1f}"),
                 class_=band.kind) for band in bands],
        [frame.draw(each) for each in series],
        class_="chart", viewBox=f"0 0 {size[0]} {size[1]}", role="img", aria_label=title)


def key(entries) -> Html:
    """The names of series and bands, each in its colour and drawn as it is in the chart."""
    return element("ul", [element("li", element("span", each.name),
                                  class_=f"{each.kind} {how(each)}") for each in entries],
                   class_="key")


def how(entry) -> str:
    """The style sheet's word for what an entry of a key looks like."""
    if isinstance(entry, Band):
        return "band"
    return "line" if entry.line else entry.marks


class Frame:
    """From numbers to places in the picture."""

    def __init__(self, xs: tuple, ys: tuple, size: tuple[int, int], least_step: float = 0.0):
        self.xs, self.ys, self.least_step = xs, ys, least_step
        self.width, self.height = size

    def x(self, value: float) -> float:
        share = (value - self.xs[0]) / (self.xs[1] - self.xs[0])
        return LEFT + share * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.ys[0]) / (self.ys[1] - self.ys[0])
        return self.height - BOTTOM - share * (self.height - BOTTOM - TOP)

    def axes(self, x_label: str, y_label: str) -> list[Html]:
        """Ticks with numbers, lines across, and what is on each axis."""
        bottom, right = self.height - BOTTOM, self.width - RIGHT
        middle = (TOP + bottom) / 2
        across = [(self.x(value), text) for value, text in
                  ticks(*self.xs, self.width // 80, self.least_step)]
        upward = [(self.y(value), text) for value, text in ticks(*self.ys, self.height // 50)]
        return [
            [element("path", class_="tick", d=f"M{LEFT} {y:.1f}H{right}") for y, _ in upward],
            [element("text", text, x=LEFT - 6, y=f"{y + 4:.1f}", text_anchor="end", class_="quiet")
             for y, text in upward],
            [element("path", class_="axis", d=f"M{x:.1f} {bottom}v5") for x, _ in across],
            [element("text", text, x=f"{x:.1f}", y=bottom + 19, text_anchor="middle",
                     class_="quiet") for x, text in across],
            element("path", class_="axis", d=f"M{LEFT} {bottom}H{right}"),
            element("text", x_label, x=(LEFT + right) / 2, y=self.height - 8,
                    text_anchor="middle"),
            element("text", y_label, transform=f"translate(13 {middle:.0f}) rotate(-90)",
                    text_anchor="middle", class_="upright")]

    def draw(self, series: Series) -> Html:
        """One series' line and marks."""
        places = [(self.x(x), self.y(y)) for x, y in series.points if math.isfinite(y)]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        marks = [element("circle", class_="dot", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4)
                 if series.marks == "dot" else
                 element("path", class_="cross", d=f"M{x - 5:.1f} {y - 5:.1f}l10 10m-10 0l10 -10")
                 for x, y in places if series.marks]
        return element("g", element("path", class_="line", d=path) if series.line else None, marks,
                       class_=series.kind)


def span(values: list[float], least: float = 0.0) -> tuple[float, float]:
    """The range to show, a little wider than the values."""
    low, high = min(values), max(values)
    missing = max(least - (high - low), 0.0) or (1.0 if high == low else 0.0)
    margin = 0.03 * (high - low)
    return low - missing / 2 - margin, high + missing / 2 + margin


def ticks(low: float, high: float, about: int, least: float = 0.0) -> list[tuple[float, str]]:
    """Round numbers between two, at most `about` + 1 of them and `least` apart, and their texts."""
    raw = max((high - low) / about, least)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [(i * step, f"{i * step:,.{digits}f}") for i in range(first, last + 1)]
