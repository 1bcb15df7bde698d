"""What a row keeps of its tensor for pictures: some panels around the worst element, and the worst
elements by name. A few kilobytes, however large the tensor was.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SIDE = 48  # points along either side of a panel; larger ones are thinned out
PANELS = 16
POINTS = 12_544  # of all panels together
WORST = 8


@dataclass(frozen=True)
class Element:
    """One element of a tensor; `used` is the share of `allowed` that the worse side used."""

    index: tuple[int, ...]
    actual: float
    expected: float
    allowed: float
    used: float


@dataclass(frozen=True)
class Excerpt:
    """Part of a tensor, ready to be drawn.

    Attributes:
        actual, expected, difference: (panels, height, width) in float32; the difference is
            candidate minus reference, computed in float64.
        mark: (panel, row, column) of the worst element.
        block: how many elements, downwards and across, each point stands for: it shows the one
            among them at which the two differ most.
        panels: of how many panels those shown were taken.
        caption: which part of the tensor this is.
        worst: the worst elements, worst first.
    """

    actual: np.ndarray
    expected: np.ndarray
    difference: np.ndarray
    mark: tuple[int, int, int]
    block: tuple[int, int]
    panels: int
    caption: str
    worst: tuple[Element, ...]


def close_up(tensor: str, actual: np.ndarray, expected: np.ndarray, allowed: np.ndarray,
             used: np.ndarray, index: tuple[int, ...]) -> Excerpt | None:
    """The panels around `index`; None for an empty tensor.

    Args:
        tensor: its name, which tells a kernel from images.
        actual, expected, allowed, used: float64 arrays of one shape.
        index: of the worst element.
    """
    if not actual.size:
        return None
    arrange, caption = arrangement(tensor, actual.shape, index)
    place = np.zeros(actual.shape, bool)
    place[index] = True
    placed = arrange(place)
    found = np.unravel_index(np.argmax(placed), placed.shape)
    shown = [arrange(array) for array in (actual, expected)]  # (panels, height, width)
    chosen, first = window(shown[0].shape, int(found[0]))
    (a, e), block = [array[chosen] for array in shown], blocks(shown[0].shape)
    spot = (int(found[0]) - first, int(found[1]), int(found[2]))
    picked = thinned(a, e, spot, block)
    with np.errstate(invalid="ignore"):
        difference = picked[0] - picked[1]
    with np.errstate(over="ignore"):
        a, e, difference = (array.astype(np.float32) for array in (*picked, difference))
    mark = (spot[0], spot[1] // block[0], spot[2] // block[1])
    return Excerpt(a, e, difference, mark, block, len(shown[0]), caption,
                   worst_elements(actual, expected, allowed, used))


def arrangement(tensor: str, shape: tuple[int, ...],
                index: tuple[int, ...]) -> tuple[Callable[[np.ndarray], np.ndarray], str]:
    """(a function from the tensor to (panels, height, width), a caption).

    Kernels (height, width, ...) show a panel for each pair of channels. Everything else is a batch:
    the worst sample is shown, images with a panel for each channel, whichever axis holds them.
    """
    rank = len(shape)
    if rank <= 1:
        return (lambda array: array.reshape(1, 1, -1)), "the whole tensor"
    if rank == 2:
        return (lambda array: array[np.newaxis]), "the whole tensor, axis 0 downwards"
    if "kernel" in tensor:
        return (lambda array: np.moveaxis(array.reshape(*shape[:2], -1), -1, 0),
                "a panel for each pair of channels" if rank > 3 else "a panel for each channel")
    sample = index[0]
    if rank == 3:
        return (lambda array: array[sample][np.newaxis]), f"sample {sample}, axis 1 downwards"
    # images are nearly square, so the two axes most alike are those of the image
    first = abs(shape[-2] - shape[-3]) > abs(shape[-1] - shape[-2])
    caption = f"sample {sample}, a panel for each channel"
    if rank > 4:
        caption = f"position {' '.join(map(str, index[:-3]))}, a panel for each channel"

    def arrange(array: np.ndarray) -> np.ndarray:
        image = array[index[:-3]]  # the last three axes
        return image if first else np.moveaxis(image, -1, 0)

    return arrange, caption


def window(shape: tuple[int, ...], panel: int) -> tuple[slice, int]:
    """(which panels to show, so that the marked one is among them; the first of them)."""
    block = blocks(shape)
    points = -(-shape[1] // block[0]) * -(-shape[2] // block[1])
    count = max(1, min(PANELS, shape[0], POINTS // points))
    first = min(max(0, panel - count // 2), shape[0] - count)
    return slice(first, first + count), first


def blocks(shape: tuple[int, ...]) -> tuple[int, int]:
    """How many elements a point stands for, downwards and across; a vector may be wide."""
    widest = SIDE if shape[1] > 1 else 4 * SIDE
    return max(1, -(-shape[1] // SIDE)), max(1, -(-shape[2] // widest))


def thinned(a: np.ndarray, e: np.ndarray, spot: tuple[int, ...],
            block: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays with one element left of each block: where the two differ most, or the spot."""
    if block == (1, 1):
        return a, e
    panels, height, width = a.shape
    rows, columns = -(-height // block[0]), -(-width // block[1])
    padding = ((0, 0), (0, rows * block[0] - height), (0, columns * block[1] - width))

    def cut(array: np.ndarray, fill: float) -> np.ndarray:
        padded = np.pad(array, padding, constant_values=fill)
        split = padded.reshape(panels, rows, block[0], columns, block[1])
        return split.transpose(0, 1, 3, 2, 4).reshape(panels, rows, columns, -1)

    with np.errstate(invalid="ignore"):
        gap = np.abs(a - e)
    gap = np.where(np.isnan(gap), np.where(np.isnan(a) & np.isnan(e), 0, np.inf), gap)
    gap[spot] = np.inf
    chosen = np.argmax(cut(gap, -1.0), axis=-1)[..., np.newaxis]

    def left(array: np.ndarray) -> np.ndarray:
        return np.take_along_axis(cut(array, 0.0), chosen, -1)[..., 0]

    return left(a), left(e)


def worst_elements(actual: np.ndarray, expected: np.ndarray, allowed: np.ndarray,
                   used: np.ndarray) -> tuple[Element, ...]:
    """Those that used most of their bound; the largest differences where nothing was used."""
    with np.errstate(invalid="ignore"):
        rank = used if used.max() > 0 else np.nan_to_num(np.abs(actual - expected))
    order = -rank.ravel()
    count = min(WORST, order.size)
    chosen = np.argpartition(order, count - 1)[:count]
    chosen = chosen[np.argsort(order[chosen], kind="stable")]
    found = []
    for position in chosen:
        index = tuple(int(i) for i in np.unravel_index(position, actual.shape))
        found.append(Element(index, *(float(array[index])
                                      for array in (actual, expected, allowed, used))))
    return tuple(found)
