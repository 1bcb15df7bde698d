"""Line charts, and the list of names that belongs to them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from compare.document.charts.drawing import Drawing
from compare.document.markup import Html, element

LARGE, SMALL = (520, 300), (250, 170)  # pixels
LEFT, RIGHT, TOP, BOTTOM = 68, 14, 12, 46
SAMPLE, LETTER, LINE = 24, 8.4, 22  # of a key, whose letters are larger on a phone


@dataclass(frozen=True)
class Series:
    """Points (x, y) of one colour.

    Attributes:
        kind: 'first', 'second', 'third' or 'fourth': a colour of the style sheet.
        line: whether the points are joined.
        marks: 'dot', 'cross', 'up', 'down' or '' for none.
    """

    name: str
    points: Sequence[tuple[float, float]]
    kind: str
    line: bool = True
    marks: str = ""


@dataclass(frozen=True)
class Band:
    """A range of y over the whole width, and what is in its middle, if that is to be drawn."""

    name: str
    low: float
    high: float
    kind: str
    mean: float | None = None


@dataclass(frozen=True)
class Level:
    """A value of y, as a dotted line over the whole width."""

    name: str
    at: float
    kind: str


Entry = Series | Band | Level  # of a key


def chart(heading: str, label: str, series: list[Series], x_label: str, y_label: str,
          bands: tuple[Band, ...] = (), levels: tuple[Level, ...] = (),
          stems: Sequence[tuple[float, float, float]] = (), least: float = 0.0,
          zero: bool = False, bounds: tuple[float, ...] = (), size: tuple[int, int] = LARGE,
          named: Sequence[Entry] = ()) -> Drawing:
    """A chart.

    Args:
        label: what a screen reader says in place of the picture.
        stems: (x, y, y) of thin lines upwards.
        least: the smallest range of y to show, so that a difference of nothing looks like nothing.
        zero: whether y has to start at zero.
        bounds: values of y that have to be in sight besides the points'.
        named: what the key above it lists: series, bands and levels.
    """
    names = key(named, size[0])
    points = [point for each in series for point in each.points if math.isfinite(point[1])]
    if not points:
        said = element("text", "Nothing was finished that could be drawn.", y=20, class_="quiet")
        return Drawing(heading, label, said, size[0], 30, "stretched")
    xs = span([x for x, _ in points])
    edges = [edge for band in bands for edge in (band.low, band.high)]
    ys = span([y for _, y in points] + edges + [level.at for level in levels] + list(bounds), least)
    ys = (0.0, ys[1]) if zero else ys
    whole = all(float(x).is_integer() for x, _ in points)  # steps, epochs, seeds
    frame = Frame(xs, ys, size, least_step=1.0 if whole else 0.0)
    inside = [frame.axes(x_label, y_label), [frame.band(band) for band in bands],
              [frame.level(level) for level in levels],
              [element("path", class_="stem", d=f"M{frame.x(x):.1f} {frame.y(a):.1f}"
                       f"V{frame.y(b):.1f}") for x, a, b in stems],
              [frame.draw(each) for each in series]]
    moved = element("g", inside, transform=f"translate(0 {names.height:.0f})")
    return Drawing(heading, label, [names.content, moved], size[0], size[1] + names.height,
                   "stretched")


def key(entries: Sequence[Entry], width: float) -> Drawing:
    """The names of series, bands and levels, each beside a sample of what is drawn."""
    placed, x, y = [], 0.0, 0.0
    for entry in entries:
        needs = SAMPLE + 8 + LETTER * len(entry.name)
        if x and x + needs > width:
            x, y = 0.0, y + LINE
        placed.append(element("g", sample(entry), element("text", entry.name, x=SAMPLE + 8, y=15),
                              transform=f"translate({x:.0f} {y:.0f})"))
        x += needs + 14
    label = "; ".join(entry.name for entry in entries)
    return Drawing("", label, placed, width, y + LINE + 4 if placed else 0, "key")


def sample(entry: Entry) -> Html:
    """A little of what an entry of a key looks like."""
    drawn: Html | list[Html | None]
    if isinstance(entry, Band):
        drawn = element("rect", class_="band", y=3, width=SAMPLE, height=14)
    elif isinstance(entry, Level):
        drawn = element("path", class_="level", d=f"M0 10H{SAMPLE}")
    else:
        drawn = [element("path", class_="line", d=f"M0 10H{SAMPLE}") if entry.line else None,
                 mark(entry.marks, SAMPLE / 2, 10)]
    return element("g", drawn, class_=entry.kind)


def mark(kind: str, x: float, y: float) -> Html | None:
    """A point of a series; None for one without marks."""
    paths = {"cross": f"M{x - 5:.1f} {y - 5:.1f}l10 10m-10 0l10 -10",
             "up": f"M{x - 5:.1f} {y + 4:.1f}h10l-5 -9z",
             "down": f"M{x - 5:.1f} {y - 4:.1f}h10l-5 9z"}
    if kind == "dot":
        return element("circle", class_="dot", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4)
    return element("path", class_=kind, d=paths[kind]) if kind else None


class Frame:
    """From numbers to places in the picture."""

    def __init__(self, xs: tuple[float, float], ys: tuple[float, float], size: tuple[int, int],
                 least_step: float = 0.0) -> None:
        self.xs, self.ys, self.least_step = xs, ys, least_step
        self.width, self.height = size

    def x(self, value: float) -> float:
        share = (value - self.xs[0]) / (self.xs[1] - self.xs[0])
        return LEFT + share * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.ys[0]) / (self.ys[1] - self.ys[0])
        return self.height - BOTTOM - share * (self.height - BOTTOM - TOP)

    def axes(self, x_label: str, y_label: str) -> list[object]:
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

    def band(self, band: Band) -> Html:
        """A band, and its middle."""
        middle = None if band.mean is None else element(
            "path", class_="mean", d=f"M{LEFT} {self.y(band.mean):.1f}H{self.width - RIGHT}")
        return element("g", element("rect", class_="band", x=LEFT, y=f"{self.y(band.high):.1f}",
                                    width=self.width - LEFT - RIGHT,
                                    height=f"{self.y(band.low) - self.y(band.high):.1f}"), middle,
                       class_=band.kind)

    def level(self, level: Level) -> Html:
        return element("path", class_=f"{level.kind} level",
                       d=f"M{LEFT} {self.y(level.at):.1f}H{self.width - RIGHT}")

    def draw(self, series: Series) -> Html:
        """One series' line and marks."""
        places = [(self.x(x), self.y(y)) for x, y in series.points if math.isfinite(y)]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        return element("g", element("path", class_="line", d=path) if series.line else None,
                       [mark(series.marks, x, y) for x, y in places], class_=series.kind)


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
