"""The network as a column of layers, with what passes between them."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from compare.document.figure_style import BLUE, GREEN, GREY, INK, ORANGE, new_figure
from compare.experiments.benchmark.results import Benchmark
from compare.oracle.layers.convolution import Convolution
from compare.oracle.layers.dense import Dense
from compare.oracle.layers.pooling import Pooling
from compare.oracle.registry import LAYERS

COLOURS = {Convolution: BLUE, Dense: ORANGE, Pooling: GREEN}  # by the family of the oracle
STEP = 1.0  # from one layer to the next, in the drawing's own units
HEIGHT, WIDTH = 0.56, 6.0


def architecture(result: Benchmark) -> Figure:
    """A box per layer: its class, what it was made with, its parameters; arrows carry the shape."""
    layers = result.layers
    figure = new_figure(7.4, 1.0 + 0.72 * len(layers))
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_xlim(-0.4, WIDTH + 0.4)
    axes.set_ylim(-STEP * (len(layers) - 1) - 0.9, 0.6)
    for i, layer in enumerate(layers):
        middle = -STEP * i
        colour = colour_of(layer.class_name)
        axes.add_patch(FancyBboxPatch((0, middle - HEIGHT / 2), WIDTH, HEIGHT, facecolor=colour,
                                      edgecolor=colour, alpha=0.22,
                                      boxstyle="round,pad=0,rounding_size=0.12"))
        write(axes, 0.2, middle, layer.class_name, "left", weight="bold")
        write(axes, 1.85, middle, layer.settings, "left")
        count = f"{layer.parameters:,} parameters" if layer.parameters else ""
        write(axes, WIDTH - 0.2, middle, count, "right")
        bottom = middle - HEIGHT / 2
        axes.annotate("", (WIDTH / 2, bottom - (STEP - HEIGHT)), (WIDTH / 2, bottom),
                      arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 0, "shrinkB": 0})
        write(axes, WIDTH / 2 + 0.15, bottom - (STEP - HEIGHT) / 2, shape(layer), "left", size=9)
    total = sum(layer.parameters for layer in layers)
    figure.suptitle(f"The network: {total:,} parameters, the same on both sides", fontsize=12,
                    color=INK)
    return figure


def colour_of(class_name: str) -> str:
    """The colour of a layer's family, grey for those that have none."""
    oracle = LAYERS.get(class_name, object)
    return next((colour for family, colour in COLOURS.items() if issubclass(oracle, family)), GREY)


def shape(layer) -> str:
    """'28 x 28 x 6'."""
    return " x ".join(str(size) for size in layer.output_shape)


def write(axes, x: float, y: float, text: str, align: str, size: float = 11, weight="normal"):
    axes.text(x, y, text, ha=align, va="center", fontsize=size, fontweight=weight, color=INK)
