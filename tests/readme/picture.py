"""The picture at the top of the README, drawn from the JSON of a benchmark.

Three panels: the share of its rounding bound that each layer used, the test accuracy of both sides
by epoch, and the time of a training step. It brings its own white ground, so that it can be read on
a light page and on a dark one.
"""

from dataclasses import dataclass
from pathlib import Path

from compare.document.figure_style import BLUE, GREY, INK, ORANGE
from compare.document.files import replacing
from compare.experiments.benchmark.metrics import standard_error
from compare.report.row_table import percent

PATH = Path(__file__).with_name("parity.svg")
SIDES = {"scratch": ("NumPy", BLUE), "keras": ("Keras", ORANGE)}
GREEN = "#00795C"  # Okabe and Ito's, darkened so that white can be read on it
LAYERWISE = ("forward", "loss", "backward")  # gates in which each layer is checked on its own
SIZE = (10.4, 3.7)  # inches
SPAN = 0.1  # of accuracy, at least: a difference of nothing must look like nothing
STYLE = {"font.family": "DejaVu Sans", "font.size": 9.5, "text.color": INK, "axes.labelcolor": INK,
         "xtick.color": INK, "ytick.color": INK, "axes.edgecolor": GREY,
         "svg.fonttype": "path", "axes.spines.top": False, "axes.spines.right": False}
# Nothing reaches beyond its panel. To cut it off there would put names into the file that hang on
# the last digits of the layout, which are not the same every time.
UNCUT = {"clip_on": False}


@dataclass(frozen=True)
class Side:
    """One side's figures: accuracy after each epoch, its standard error, and what training cost."""

    name: str
    colour: str
    accuracies: list[float]
    error: float
    seconds: float
    ms_per_step: float
    megabytes: float

    @classmethod
    def of(cls, record: dict, side: str) -> "Side":
        epochs = record["runs"][side]["epochs"]
        seconds = sum(epoch["seconds"] for epoch in epochs)
        accuracies = [epoch["accuracy"] for epoch in epochs]
        return cls(*SIDES[side], accuracies,
                   standard_error(accuracies[-1], record["data"]["test_images"]), seconds,
                   1000 * seconds / sum(epoch["steps"] for epoch in epochs),
                   epochs[-1]["peak_memory_bytes"] / 1e6)


def shares(record: dict) -> dict[str, float]:
    """Of each layer, and of the loss, the largest share of a bound that one of its numbers used."""
    found: dict[str, float] = {}
    for row in record["check"]["rows"]["rows"]:
        if row["gate"] in LAYERWISE:
            layer = row["layer"].split("/")[0]
            found[layer] = max(found.get(layer, 0.0), row["used"])
    order = [layer["name"] for layer in record["network"]]
    return dict(sorted(found.items(), key=lambda item: order.index(item[0])
                       if item[0] in order else len(order)))


def times_as_fast(record: dict) -> str:
    """'NumPy is 2.1 times as fast'."""
    ours, theirs = (Side.of(record, side).ms_per_step for side in SIDES)
    name, ratio = ("NumPy", theirs / ours) if ours <= theirs else ("Keras", ours / theirs)
    return f"{name} is {ratio:.1f} times as fast"


def verdict(record: dict) -> str:
    """The first clause of what the check said."""
    return record["check"]["summary"].split(";")[0].rstrip(".")


def in_words(record: dict) -> str:
    """The picture for those who do not see it."""
    used = max(shares(record).values())
    sides = [Side.of(record, side) for side in SIDES]
    reached = " and ".join(f"{side.accuracies[-1]:.4f} in {side.name}" for side in sides)
    return (f"{verdict(record)}, the worst at {percent(used)} of its bound. Test accuracy after "
            f"the last epoch: {reached}. {times_as_fast(record)} per training step.")


def write(record: dict, path: Path) -> None:
    """Draw the picture into a file, whole or not at all."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        save(figure(record), path)


def save(drawn, path: Path) -> None:
    """A matplotlib figure as a file, the same for the same figure."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "parity"}), replacing(path) as target:
        drawn.savefig(target, format="svg", metadata={"Date": None})


def figure(record: dict):
    """The three panels, as a matplotlib figure, in the style that is in force."""
    from matplotlib.figure import Figure

    made = Figure(figsize=SIZE, layout="constrained", facecolor="white", edgecolor="#D0D7DE",
                  linewidth=1.5, dpi=110)
    made.get_layout_engine().set(w_pad=0.14, h_pad=0.12, wspace=0.05)
    made.suptitle(verdict(record), fontsize=12.5, fontweight="bold")
    layers, learning, speed = made.subplots(1, 3, width_ratios=(1.2, 1, 0.85))
    draw_layers(layers, record)
    draw_learning(learning, record)
    draw_speed(speed, record)
    return made


def draw_layers(axes, record: dict) -> None:
    """A bar for each layer, up to the bound at 100 %."""
    used = shares(record)
    head(axes, "The same function", "share of its rounding bound that a layer used")
    axes.barh(range(len(used)), [100 * share for share in used.values()], height=0.55,
              color=GREEN, **UNCUT)
    for i, share in enumerate(used.values()):
        inside = 0.8 < share <= 1  # beside the bar it would lie on the line of the bound
        axes.annotate("exact" if share == 0 else percent(share), (100 * share, i),
                      (-5 if inside else 5, 0), textcoords="offset points", fontsize=8.5,
                      va="center_baseline", ha="right" if inside else "left",
                      color="white" if inside else "#555555" if share == 0 else INK)
    axes.axvline(100, color=INK, linewidth=1.2, linestyle=(0, (4, 2)), **UNCUT)
    axes.set_yticks(range(len(used)), list(used))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.invert_yaxis()
    axes.set_xlim(0, max(105.0, 100 * max(used.values()) * 1.2))
    axes.set_xticks([0, 50, 100], ["0", "50 %", "100 %: the bound"])


def draw_learning(axes, record: dict) -> None:
    """Both accuracies by epoch, each with the interval that the choice of test images leaves."""
    sides = [Side.of(record, side) for side in SIDES]
    head(axes, "The same learning", "test accuracy, with 95 % intervals")
    for side, width, alpha, marker in zip(sides, (5, 1.6), (0.4, 1), ("o", "D")):
        epochs = range(1, len(side.accuracies) + 1)
        axes.plot(epochs, side.accuracies, color=side.colour, linewidth=width, alpha=alpha,
                  marker=marker, markersize=1.2 * width + 3, label=side.name, **UNCUT)
        axes.errorbar(epochs, side.accuracies, yerr=1.96 * side.error, fmt="none",
                      ecolor=side.colour, elinewidth=1, alpha=0.7, **UNCUT)
    every = [accuracy for side in sides for accuracy in side.accuracies]
    middle = (max(every) + min(every)) / 2
    half = max(SPAN, 1.4 * (max(every) - min(every))) / 2
    axes.set_ylim(middle - half, middle + half)
    last = max(len(side.accuracies) for side in sides)
    axes.set_xticks(range(1, last + 1), ["epoch 1", *map(str, range(2, last + 1))])
    axes.set_xmargin(0.12)
    axes.grid(axis="y", alpha=0.3, **UNCUT)
    axes.legend(frameon=False, loc="lower right", fontsize=9.5)


def draw_speed(axes, record: dict) -> None:
    """A bar for each side."""
    sides = [Side.of(record, side) for side in SIDES]
    batch = record["settings"]["batch_size"]
    head(axes, times_as_fast(record).replace(" is", ":"), f"ms per step of batch size {batch}")
    axes.bar(range(len(sides)), [side.ms_per_step for side in sides], width=0.55,
             color=[side.colour for side in sides], **UNCUT)
    for i, side in enumerate(sides):
        axes.text(i, side.ms_per_step, f"{side.ms_per_step:.2f}", ha="center", va="bottom",
                  fontweight="bold")
    axes.set_xticks(range(len(sides)), [side.name for side in sides])
    axes.set_yticks([])
    axes.tick_params(axis="x", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.25, y=0.12)


def head(axes, title: str, told: str) -> None:
    """A panel's title, and below it what is drawn."""
    axes.set_title(title, loc="left", fontsize=10.5, fontweight="bold", pad=25)
    axes.annotate(told, (0, 1), (0, 9), xycoords="axes fraction", textcoords="offset points",
                  fontsize=8.5, color="#555555")
