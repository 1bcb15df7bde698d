"""Colour scales that the colour-blind can read, as palettes for pictures.

Sequential: ColorBrewer's YlGnBu, from nothing (pale) to all (dark). Diverging: orange below zero,
blue above it, as in charts and tables of differences, where blue is scratch and orange Keras; the
halves are those of ColorBrewer's PuOr and RdBu. Grey: for photographs. What is not a finite number
is magenta.
"""

import numpy as np

YL_GN_BU = ("ffffd9", "edf8b1", "c7e9b4", "7fcdbb", "41b6c4", "1d91c0", "225ea8", "253494",
            "081d58")
OR_BU = ("7f3b08", "b35806", "e08214", "fdb863", "fee0b6", "f7f7f7", "d1e5f0", "92c5de", "4393c3",
         "2166ac", "053061")
GREY = ("ffffff", "000000")
SCALES = {"sequential": YL_GN_BU, "diverging": OR_BU, "grey": GREY}
FAILED = "#d55e00"  # Okabe and Ito's vermilion
NOT_FINITE, GAP = 254, 255  # positions in a palette; the colours of a scale are 0 to 253


def palette(scale: str) -> np.ndarray:
    """(256, 4): 254 colours of a scale, then what is not finite, then nothing (transparent)."""
    anchors = np.array([rgb(text) for text in SCALES[scale]], float)  # (anchors, 3)
    at = np.linspace(0, len(anchors) - 1, NOT_FINITE)
    colours = np.stack([np.interp(at, range(len(anchors)), anchors[:, i]) for i in range(3)], 1)
    found = np.full((256, 4), 255, np.uint8)
    found[:NOT_FINITE, :3] = np.rint(colours)
    found[NOT_FINITE, :3] = (255, 0, 255)
    found[GAP] = 0
    return found


def positions(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Where values stand between `low` and `high`, as positions in a palette, uint8."""
    finite = np.isfinite(values)
    width = high - low
    shares = (np.where(finite, values, low) - low) / width if width > 0 else np.zeros(values.shape)
    found = np.rint(np.clip(shares, 0, 1) * (NOT_FINITE - 1)).astype(np.uint8)
    return np.where(finite, found, NOT_FINITE).astype(np.uint8)


def rgb(text: str) -> tuple[int, int, int]:
    """'1d91c0' as three numbers."""
    red, green, blue = (int(text[i:i + 2], 16) for i in (0, 2, 4))
    return red, green, blue
