"""A mistake where windows overlap: one of them in place of their sum."""

import numpy as np

from compare.diagnosis.hypotheses.window_geometry import pixel_at
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.convolution import Conv2DTranspose, DepthwiseConv2D
from compare.oracle.running_error import bilinear


def of_overlap(c) -> list[Variant]:
    """Where windows overlap, one of them in place of their sum."""
    spreads = "output" if isinstance(c.layer, Conv2DTranspose) else "input_gradient"
    if c.tensor != spreads or "kernel" not in c.weights or c.default_walk().overlap() == 1:
        return []
    found = []
    for by, said in (("window", "the last window's"), ("first window", "the first window's"),
                     ("offset", "that of the window's last pixel"),
                     ("first offset", "that of the window's first pixel")):
        found.append(inside("overlap-overwritten", f"{said} contribution stands alone",
                            lambda c, by=by: overwritten(c, by)))
    return found


def overwritten(c, by: str):
    """What a convolution spreads over an image, each contribution overwriting those before it."""
    c = c.bare() if c.tensor != "output" else c
    walk, lay = c.default_walk(), c.layout()
    depthwise = isinstance(c.layer, DepthwiseConv2D)

    def product(source, kernel):
        kernel = _whole_kernel(lay.kernel(kernel), c, depthwise)
        return lay.given(_spread_over(walk, lay.image(source), kernel, by))

    def own(c):
        source = c.exact(c.x if c.tensor == "output" else c.dy)
        bias = lay.beside_channels(c.exact(c.weights["bias"])) \
            if c.tensor == "output" and "bias" in c.weights else None
        return bilinear(product, source, c.exact(c.weights["kernel"]), bias)

    return c.changed(own=own)


def _whole_kernel(kernel, c, depthwise: bool) -> np.ndarray:
    """(kh, kw, C, F) with zeros where a filter does not see a channel."""
    *window, held, filters = kernel.shape
    groups = held if depthwise else c.config.get("groups", 1)
    if groups == 1:
        return kernel
    if depthwise:  # (kh, kw, C, M) -> (kh, kw, 1, C M)
        kernel, held, filters = kernel.reshape(*window, 1, -1), 1, held * filters
    whole = np.zeros((*window, held * groups, filters))
    for f in range(filters):
        start = f // (filters // groups) * held
        whole[..., start:start + held, f] = kernel[..., f]
    return whole


def _spread_over(walk, source, kernel, by: str) -> np.ndarray:
    """(N, H, W, C), of a source (N, OH, OW, F)."""
    image = np.zeros((len(source), *walk.size, kernel.shape[-2]))
    if by.endswith("offset"):
        offsets = walk.offsets() if by == "offset" else walk.offsets()[::-1]
        for offset in offsets:
            out, pixels = walk.at(*offset)
            image[pixels] = source[out] @ kernel[offset].T
        return image
    windows = list(np.ndindex(*walk.outputs))
    for window in windows if by == "window" else windows[::-1]:
        for offset in walk.offsets():
            pixel = pixel_at(walk, window, offset)
            if pixel is not None:
                image[(slice(None), *pixel)] = source[(slice(None), *window)] @ kernel[offset].T
    return image
