"""The network as a graph, branches side by side, with what passes between its layers."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from compare.document.figure_style import BLUE, GREEN, GREY, INK, ORANGE, new_figure
from compare.experiments.benchmark.figures.graph_layout import ALONE, Place, places, with_lines
from compare.experiments.benchmark.results import Benchmark
from compare.inputs.benchmark_networks import LayerInfo
from compare.oracle.layers.convolution import Convolution
from compare.oracle.layers.dense import Dense
from compare.oracle.layers.pooling import Pooling
from compare.oracle.registry import LAYERS

COLOURS = {Convolution: BLUE, Dense: ORANGE, Pooling: GREEN}  # by the family of the oracle
HEIGHT = 0.62  # of a layer; from one level to the next it is 1
BELOW = 0.24  # from one line of text to the next
INCHES = 1.05  # of a unit across


def architecture(result: Benchmark) -> Figure:
    """A box per layer: its class, what it was made with, its parameters; arrows carry the shape."""
    layers = result.layers
    total = sum(layer.parameters for layer in layers)
    return graph(layers, f"The network: {total:,} parameters, the same on both sides")


def graph(layers: list[LayerInfo], title: str) -> Figure:
    """The layers, level by level from the inputs down."""
    nodes = with_lines(layers)
    found = places(nodes)
    right = max(place.x + place.width / 2 for place in found)
    last = max(place.level for place in found)
    figure = new_figure(INCHES * (right + 0.8), 0.72 * (last + 1.5) + 0.4)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_xlim(-0.4, right + 0.4)
    axes.set_ylim(-last - 0.9, 0.6)
    for node, place in zip(nodes, found):
        for source in node.sources:
            draw_line(axes, found[source], place, isinstance(node, LayerInfo),
                      isinstance(nodes[source], LayerInfo))
        if isinstance(node, LayerInfo):
            draw_box(axes, node, place)
            write(axes, place.x + 0.15, -place.level - 0.5, shape(node), "left", size=9,
                  ground="white")
            if place.level == last:
                arrow(axes, place.x, -last - HEIGHT / 2, place.x, -last - 1 + HEIGHT / 2)
        else:
            axes.plot([place.x] * 2, [HEIGHT / 2 - place.level, -HEIGHT / 2 - place.level],
                      color=INK, linewidth=1)
    figure.suptitle(title, fontsize=12, color=INK)
    return figure


def draw_box(axes, layer: LayerInfo, place: Place) -> None:
    """A layer: on one line where it is alone, on two where it stands beside others."""
    y, width = -place.level, place.width
    left, right = place.x - width / 2, place.x + width / 2
    colour = colour_of(layer.class_name)
    axes.add_patch(FancyBboxPatch((left, y - HEIGHT / 2), width, HEIGHT, facecolor=colour,
                                  edgecolor=colour, alpha=0.22,
                                  boxstyle="round,pad=0,rounding_size=0.12"))
    count = f"{layer.parameters:,} parameters" if layer.parameters else ""
    if width == ALONE:
        write(axes, left + 0.2, y, layer.class_name, "left", weight="bold")
        write(axes, left + 2.35, y, layer.settings, "left")
        write(axes, right - 0.2, y, count, "right")
        return
    above = y + BELOW / 2 if layer.settings or count else y
    write(axes, left + 0.2, above, layer.class_name, "left", weight="bold")
    write(axes, left + 0.2, above - BELOW, layer.settings, "left", size=9)
    write(axes, right - 0.2, above, count, "right", size=9)


def draw_line(axes, start: Place, end: Place, arrives: bool, leaves: bool) -> None:
    """From one level to the next, with an arrow where it arrives at a layer. What leaves a layer
    sidewards begins as far to that side as the layer is wide."""
    reach = start.width / 2 - 0.2 if leaves else 0.0
    x = min(max(end.x, start.x - reach), start.x + reach)
    x = start.x if abs(end.x - start.x) < start.width / 2 else x
    target = end.x
    top, bottom = -start.level - HEIGHT / 2, -end.level + HEIGHT / 2
    if arrives:
        arrow(axes, x, top, target, bottom)
    else:
        axes.plot([x, target], [top, bottom], color=INK, linewidth=1)


def arrow(axes, x: float, y: float, to_x: float, to_y: float) -> None:
    axes.annotate("", (to_x, to_y), (x, y),
                  arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0})


def colour_of(class_name: str) -> str:
    """The colour of a layer's family, grey for those that have none."""
    oracle = LAYERS.get(class_name, object)
    return next((colour for family, colour in COLOURS.items() if issubclass(oracle, family)), GREY)


def shape(layer: LayerInfo) -> str:
    """'28 x 28 x 6'."""
    return " x ".join(str(size) for size in layer.output_shape)


def write(axes, x: float, y: float, text: str, align: str, size: float = 11, weight="normal",
          ground: str | None = None) -> None:
    """A text on a line, on a ground that hides what is below it if there is one."""
    box = None if ground is None else {"facecolor": ground, "edgecolor": "none", "pad": 0.6}
    axes.text(x, y, text, ha=align, va="center", fontsize=size, fontweight=weight, color=INK,
              bbox=box, zorder=3 if ground is None else 5)
