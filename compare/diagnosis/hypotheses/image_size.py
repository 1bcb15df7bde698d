"""Mistakes of layers that resize images: where pixels are read, and how they are mixed."""

import numpy as np

from compare.diagnosis.hypotheses.given_numbers import instead
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.image_size import CenterCrop, ImageSize
from compare.oracle.resampling import along_both
from compare.oracle.running_error import Bounded

OTHER = "interpolation"


def of_image_size(c) -> list[Variant]:
    """Everything about Resizing and CenterCrop."""
    if not isinstance(c.layer, ImageSize):
        return []
    found = []
    if not isinstance(c.layer, CenterCrop):
        own = c.config.get("interpolation", "bilinear")
        found = [inside(OTHER, f"{kind!r} in place of {own!r}",
                        lambda c, kind=kind: c.configured(interpolation=kind))
                 for kind in ("nearest", "bilinear", "bicubic") if kind != own]
    found += [inside(OTHER, said, lambda c, read=read, kind=kind: c.changed(
        own=lambda c: _read(c, read, kind))) for said, (read, kind) in PLACES.items()]
    if isinstance(c.layer, CenterCrop):
        found += [inside("shifted", f"cut from the {said}", lambda c, place=place: c.changed(
            own=lambda c: _cut(c, place))) for said, place in CORNERS.items()]
    return found


PLACES = {  # at which place of n pixels pixel i of m is read
    "the outermost pixels stay in their places": (
        lambda i, n, m: i * (n - 1) / max(m - 1, 1), "bilinear"),
    "read without half a pixel": (lambda i, n, m: i * n / m, "bilinear"),
    "rounded down, not to the nearest": (lambda i, n, m: np.floor(i * n / m), "nearest"),
}
CORNERS = {"upper left": (0, 0), "upper right": (0, 1), "lower left": (1, 0), "lower right": (1, 1)}


def _weights(read, kind: str, size: int, new: int) -> np.ndarray:
    at = np.clip(read(np.arange(new), size, new), 0, size - 1)[:, None]
    shares = 1 - np.abs(at - np.arange(size))
    return np.maximum(shares, 0) if kind == "bilinear" else (shares == 1).astype(np.float64)


def _read(c, read, kind: str) -> Bounded:
    oracle = c.oracle()
    oracle.forward(c.exact(c.x), {})
    if any(sum(map(abs, widths)) for widths in oracle.widths):
        raise ValueError("Expected images that are not framed. Received: others")
    size = oracle.layout.image(np.asarray(c.x)).shape[1:3]
    rows, columns = (_weights(read, kind, n, m) for n, m in zip(size, oracle.to))
    if c.tensor == "output":
        value = along_both(oracle.layout.image(np.asarray(c.x, np.float64)), rows, columns)
    else:
        value = along_both(oracle.layout.image(np.asarray(c.dy, np.float64)), rows.T, columns.T)
    return instead(c, oracle.layout.given(value))


def _cut(c, place) -> Bounded:
    """The part of the image in one of its corners."""
    oracle = c.oracle()
    image = oracle.layout.image(np.asarray(c.x, np.float64))
    starts = [(n - m) * end for n, m, end in zip(image.shape[1:3], oracle.to, place)]
    if min(starts) < 0 or c.tensor != "output":
        raise ValueError("Expected an output and an image that is large enough. Received: another")
    (top, left), (height, width) = starts, oracle.to
    return c.exact(oracle.layout.given(image[:, top:top + height, left:left + width]))
