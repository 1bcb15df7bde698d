"""Colours and sizes that the pictures share which matplotlib draws."""

import textwrap
from typing import Literal

from matplotlib.figure import Figure

# Okabe and Ito's palette, which the colour-blind can tell apart
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY, INK = "#8C8C8C", "#222222"
DPI = 130


def new_figure(width: float, height: float,
               layout: Literal["constrained"] | None = "constrained") -> Figure:
    """An empty figure, in inches. Not made through pyplot: it needs no display and no clean-up."""
    return Figure(figsize=(width, height), dpi=DPI, layout=layout, facecolor="white")


def put_title(figure: Figure, heading: str, title: str) -> None:
    """What is shown, and below it which data ran (`title`), in lines that fit the width."""
    characters = int(figure.get_figwidth() / 0.08)  # inches that a character of 11 points takes
    lines = [*heading.split("\n"), *textwrap.wrap(title, characters)]
    figure.suptitle("\n".join(lines), fontsize=11, color=INK)
