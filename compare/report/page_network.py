"""The network as a column of layers, each in the colour of the share of its bound that it used."""

import math

from compare.checks.gate import Gate
from compare.checks.row import Row
from compare.document.charts.palettes import css
from compare.document.markup import Html, element
from compare.report.row_table import percent
from compare.tracing.topology import Layer

# Gates in which a layer is judged by its own numbers. An update, a single rounding, nearly fills
# its bound on every machine, and would hide what the others say.
JUDGED = {Gate.FORWARD: "output", Gate.BACKWARD: "gradients", Gate.INFERENCE: "inference"}
HEIGHT, LANE = 76, 14  # pixels from one layer to the next; and from one skipping line to the next


def drawing(layers: list[Layer], rows: list[Row]) -> Html:
    """A list of layers from input to output, with lines beside it for those that skip some."""
    skips = lanes(layers)
    width = LANE * (1 + max((lane for *_, lane in skips), default=-1))
    boxes = [element("li", box(layer, rows, layers), class_="reads" if i - 1 in layer.sources and i
                     else None) for i, layer in enumerate(layers)]
    return element("div", legend(),
                   element("div", element("ol", boxes, class_="layers"),
                           lines(skips, len(layers), width) if skips else None,
                           class_="network", style=f"--gutter:{width}px"))


def box(layer: Layer, rows: list[Row], layers: list[Layer]) -> Html:
    """One layer: what it is, what it makes, and how much of its bounds it used."""
    own = [row for row in rows if row.layer.split("/")[0] == layer.name]
    failed = [row for row in own if not row.passed and not row.gate.whole]
    behind = [row for row in own if not row.passed and row.gate.whole]
    shares = {what: max(row.used for row in own if row.gate == gate)
              for gate, what in JUDGED.items() if any(row.gate == gate for row in own)}
    used = max(shares.values(), default=0.0)
    numbers = ", ".join(f"{what} {percent(share)}" for what, share in shares.items())
    colour, ink = css(min(used, 1.0))
    style = f"background:{colour};color:{ink}" if not failed else None
    mark = element("span", f"✗ {len(failed)} failed", class_="failed") if failed else None
    if behind and not failed:
        numbers += f"; {len(behind)} failed in the whole network"
    return element(
        "button",
        element("span", element("b", layer.name), " ", element("span", layer.class_name)),
        element("span", mark or percent(used), class_="share"),
        element("span", shape(layer, layers), class_="what"),
        element("span", numbers or "not judged alone", class_="what end"),
        type="button", class_="layer bad" if failed else "layer", style=style,
        data_layer=layer.name, title=f"Show the rows of {layer.name}, {layer.class_name}")


def shape(layer: Layer, layers: list[Layer]) -> str:
    """'28 × 28 × 6', and whom it reads if that is not the layer before it."""
    text = " × ".join(map(str, layer.shape)) or "a number"
    if layer.sources != (layers.index(layer) - 1,):
        text += " from " + ", ".join(_input(source, layers) if source < 0 else layers[source].name
                                     for source in layer.sources)
    return text


def _input(source: int, layers: list[Layer]) -> str:
    """'the input', or which one where there are several."""
    several = any(read < -1 for layer in layers for read in layer.sources)
    return f"input {-source}" if several else "the input"


def lanes(layers: list[Layer]) -> list[tuple[int, int, int]]:
    """(from, to, lane) of every connection that skips layers; those that overlap lie apart."""
    # all inputs come from above
    skipping = sorted(((source, i) for i, layer in enumerate(layers)
                       for source in dict.fromkeys(max(read, -1) for read in layer.sources)
                       if source != i - 1), key=lambda pair: pair[1] - pair[0])
    taken: list[list[tuple[int, int]]] = []
    found = []
    for start, end in skipping:
        lane = next((n for n, others in enumerate(taken)
                     if all(end <= a or b <= start for a, b in others)), len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((start, end))
        found.append((start, end, lane))
    return found


def lines(skips, count: int, width: int) -> Html:
    """The skipping connections, to the right of the layers."""
    paths = []
    for start, end, lane in skips:
        top = (start + 0.5) * HEIGHT + 6 if start >= 0 else 2
        bottom, x = (end + 0.5) * HEIGHT - 10, LANE * (lane + 0.6)
        paths.append(element("path", d=f"M0 {top:.0f}H{x:.0f}V{bottom:.0f}H2",
                             marker_end="url(#tip)"))
    tip = element("marker", element("path", d="M6 0L0 3L6 6z"), id="tip", viewBox="0 0 6 6",
                  refX="0", refY="3", markerWidth="6", markerHeight="6", orient="0")
    return element("svg", element("defs", tip), paths, class_="skips", aria_hidden="true",
                   width=width, height=count * HEIGHT, viewBox=f"0 0 {width} {count * HEIGHT}")


def legend() -> Html:
    """The scale of the colours, with numbers."""
    stops = ",".join(css(i / 8)[0] for i in range(9))
    return element("p", "Share of the rounding bound that was used: ",
                   element("span", element("span", "0 %"),
                           element("span", class_="ramp", aria_hidden="true",
                                   style=f"background:linear-gradient(90deg,{stops})"),
                           element("span", "100 %"), class_="range"),
                   " ", element("span", "✗ failed", class_="failed"),
                   class_="quiet legend")


def percent_of(share: float) -> float:
    """A share as per cent between 0 and 100, for the length of a bar."""
    return 100 * min(1.0, share) if math.isfinite(share) else 100.0
