"""Interpolation once more, as plain loops over single pixels, in exact fractions where they go.

Nothing here is shared with `scratch.interpolation`.
"""

import math
from fractions import Fraction

import numpy as np

KINDS = ["bilinear", "bicubic", "lanczos3", "lanczos5"]


def weights_at(o: int, size: int, factor: int, kind: str) -> dict:
    """{input pixel: weight} of output pixel o; weights of pixels that do not exist are left out."""
    place = Fraction(2 * o + 1, 2 * factor) - Fraction(1, 2)
    before = math.floor(place)
    part = place - before
    if kind == "bilinear":
        found = {}
        for pixel, weight in ((before, 1 - part), (before + 1, part)):
            inside = min(max(pixel, 0), size - 1)
            found[inside] = found.get(inside, 0) + weight
        return {pixel: float(weight) for pixel, weight in found.items()}
    if kind == "bicubic":
        part = Fraction(round(part * 1024), 1024)
        found = {before + k: keys(abs(part - k)) for k in (-1, 0, 1, 2)}
    else:
        radius = int(kind[-1])
        found = {pixel: sinc(pixel - place) * sinc((pixel - place) / radius)
                 for pixel in range(before - radius, before + radius + 2)
                 if abs(pixel - place) <= radius}
    inside = {pixel: weight for pixel, weight in found.items() if 0 <= pixel < size}
    total = sum(inside.values())
    return {pixel: float(weight / total) for pixel, weight in inside.items()}


def keys(d: Fraction) -> Fraction:
    """The cubic with a = -1/2, in the form in which a stands in it."""
    a = Fraction(-1, 2)
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else Fraction(0)


def sinc(d) -> float:
    angle = math.pi * float(d)
    return math.sin(angle) / angle if d else 1.0


def interpolated(x: np.ndarray, size: tuple, kind: str, dy: np.ndarray) -> tuple:
    """(y, dx) for images (N, H, W, C)."""
    y, dx = np.zeros(dy.shape), np.zeros(x.shape)
    for i, j in np.ndindex(*dy.shape[1:3]):
        for row, down in weights_at(i, x.shape[1], size[0], kind).items():
            for column, across in weights_at(j, x.shape[2], size[1], kind).items():
                y[:, i, j] += down * across * x[:, row, column]
                dx[:, row, column] += down * across * dy[:, i, j]
    return y, dx
