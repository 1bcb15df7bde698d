"""The network from input to output, branches side by side, each layer in the shade of the share of
its bound that it used."""

import math

from compare.checks.gate import Gate
from compare.checks.row import Row
from compare.document.markup import Html, element
from compare.report.network_layout import lanes, levels
from compare.report.row_table import percent
from compare.tracing.topology import Layer

# Gates in which a layer is judged by its own numbers. An update, a single rounding, nearly fills
# its bound on every machine, and would hide what the others say.
JUDGED = {Gate.FORWARD: "output", Gate.BACKWARD: "gradients", Gate.INFERENCE: "inference"}
HEIGHT, LANE = 76, 14  # pixels from one layer to the next; and from one skipping line to the next
SEVERAL, MANY = 20, 40  # levels from which on one can zoom; and that are small from the start


def drawing(layers: list[Layer], rows: list[Row]) -> Html:
    """The layers level by level, with lines between neighbours, and lines beside them for what
    skips levels."""
    skips = lanes(layers)
    width = LANE * (1 + max((lane for *_, lane in skips), default=-1))
    found = levels(layers)
    by_layer: dict[str, list[Row]] = {}
    for row in rows:
        by_layer.setdefault(row.layer.split("/")[0], []).append(row)
    boxes = [element("li", joints(found, i, layers),
                     [box(layers[k], by_layer.get(layers[k].name, []), layers) for k in level])
             for i, level in enumerate(found)]
    most = max(map(len, found), default=1)
    zoom, many = (0.35, "middle") if len(found) > MANY else (1, "near")
    return element(
        "div", legend(any(row.layer and not row.passed for row in rows)),
        zooming() if len(found) > SEVERAL else None,
        element("div", element("div", element("ol", boxes, class_="layers"),
                               lines(skips, len(found), width) if skips else None,
                               class_="network", data_distance=many,
                               style=f"--gutter:{width}px;--columns:{most};--zoom:{zoom}"),
                class_="viewport", role="region", aria_label="Layers", tabindex="0"))


def zooming() -> Html:
    """Buttons that bring a large network nearer, farther, and in sight as a whole."""
    return element("div", element("button", "−", type="button", data_zoom="out",
                                  aria_label="Farther"),
                   element("button", "+", type="button", data_zoom="in", aria_label="Nearer"),
                   element("button", "Whole network", type="button", data_zoom="whole"),
                   element("output", ""), class_="controls zoom", role="group", aria_label="Zoom")


def joints(found: list[list[int]], at: int, layers: list[Layer]) -> Html | None:
    """The lines from the level above to this one; None where there are none."""
    if at == 0:
        return None
    above, here = found[at - 1], found[at]
    across = [(100 * (above.index(source) + 0.5) / len(above), 100 * (k + 0.5) / len(here))
              for k, i in enumerate(here) for source in dict.fromkeys(layers[i].sources)
              if source in above]
    if not across:
        return None
    return element("svg", [element("line", x1=f"{a:.2f}%", y1=0, x2=f"{b:.2f}%", y2=14)
                           for a, b in across], class_="joints", aria_hidden="true")


def box(layer: Layer, own: list[Row], layers: list[Layer]) -> Html:
    """One layer with its own rows: what it is, what it makes, and how much of its bounds it used.
    """
    failed = [row for row in own if not row.passed and not row.gate.whole]
    behind = [row for row in own if not row.passed and row.gate.whole]
    shares = {what: max(row.used for row in own if row.gate == gate)
              for gate, what in JUDGED.items() if any(row.gate == gate for row in own)}
    used = max(shares.values(), default=0.0)
    numbers = ", ".join(f"{what} {percent(share)}" for what, share in shares.items())
    style = f"--used:{min(used, 1.0):.3f}" if not failed else None
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


def legend(failed: bool) -> Html:
    """The scale of the colours, with numbers, and what failed, if anything did."""
    return element("p", "Share of the rounding bound that was used: ",
                   element("span", element("span", "0 %"),
                           element("span", class_="ramp", aria_hidden="true"),
                           element("span", "100 %"), class_="range"),
                   *([" ", element("span", "✗ failed", class_="failed")] if failed else []),
                   class_="quiet legend")


def percent_of(share: float) -> float:
    """A share as per cent between 0 and 100, for the length of a bar."""
    return 100 * min(1.0, share) if math.isfinite(share) else 100.0
