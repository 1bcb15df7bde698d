"""Images read at other places: turned, moved, zoomed, sheared, as TensorFlow's kernel does it.

Row i and column j of what comes out is read at column a0 j + a1 i + a2 and row b0 j + b1 i + b2 of
the image. Such places lie between the pixels, and beyond the image. They are numbers of float32,
whatever the images are, and so are the weights by which pixels are mixed.
"""

import numpy as np


def transformed(images: np.ndarray, matrices: np.ndarray, interpolation: str, fill_mode: str,
                fill_value: float = 0.0) -> np.ndarray:
    """The images, each read at the places that its matrix says.

    Args:
        images: (N, H, W, C).
        matrices: ((a0, a1, a2), (b0, b1, b2)) of each image, (N, 2, 3) in float32.
        interpolation: 'bilinear', or 'nearest' for the nearest pixel, of two the further one.
        fill_mode: what lies beyond an image, see `within`.
        fill_value: what lies there with the fill_mode 'constant', as float32 has it.
    """
    height, width = images.shape[1:3]
    columns, rows = places(matrices, height, width)
    columns, rows = within(columns, width, fill_mode), within(rows, height, fill_mode)
    fill = np.float32(fill_value)
    if interpolation == "nearest":
        return _pixels(images, nearest(rows), nearest(columns), fill)
    top, left = np.floor(rows), np.floor(columns)
    bottom, right = top + 1, left + 1
    # (N, H, W) -> (N, H, W, 1), as all channels of a pixel have the same weight
    below, above, after, before = (weight[..., None] for weight in (
        rows - top, bottom - rows, columns - left, right - columns))
    values = images.astype(np.float32)
    upper, lower = (before * _pixels(values, row, left, fill)
                    + after * _pixels(values, row, right, fill) for row in (top, bottom))
    return (above * upper + below * lower).astype(images.dtype)


def places(matrices: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """(columns, rows) at which each pixel of what comes out is read, (N, H, W) each."""
    columns = np.arange(width, dtype=np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    # (N, 2, 3) -> (2, 3, N, 1, 1)
    (a0, a1, a2), (b0, b1, b2) = np.moveaxis(matrices, 0, -1)[..., None, None]
    return a0 * columns + a1 * rows + a2, b0 * columns + b1 * rows + b2


def within(place: np.ndarray, size: int, fill_mode: str) -> np.ndarray:
    """The places of an axis with those beyond the image brought back into it.

    'reflect' turns back at the outer edge of the last pixel, 'nearest' stops at its middle. 'wrap'
    is TensorFlow's: it goes on at the other end as soon as the middle of the last pixel is passed,
    and counts how often by the size less 1. 'constant' leaves places where they are.
    """
    if fill_mode == "constant":
        return place
    if size == 1:
        return np.zeros_like(place)
    last = np.float32(size - 1)
    if fill_mode == "reflect":
        period = np.float32(2 * size)
        back = place + period * np.trunc(-place / period)
        back = np.where(back < -size, back + period, -back - 1)
        on = place - period * np.trunc(place / period)
        on = np.where(on >= size, period - on - 1, on)
        place = np.where(place < 0, back, np.where(place > last, on, place))
    elif fill_mode == "wrap":
        back = place + size * (np.trunc(-place / last) + 1)
        on = place - size * np.trunc(place / last)
        place = np.where(place < 0, back, np.where(place > last, on, place))
    return np.clip(place, np.float32(0), last)


def nearest(place: np.ndarray) -> np.ndarray:
    """The whole number next to each place; of two the one that is further from 0."""
    size = np.abs(place)
    whole = np.floor(size)
    return np.copysign(whole + (size - whole >= 0.5), place)


def inverse(matrices: np.ndarray) -> np.ndarray:
    """Those that read back what the matrices read, (N, 2, 3).

    Raises:
        ValueError: if one of them has no inverse.
    """
    last_row = np.broadcast_to(np.array([0, 0, 1], matrices.dtype), (len(matrices), 1, 3))
    try:
        return np.linalg.inv(np.concatenate([matrices, last_row], axis=1))[:, :2]
    except np.linalg.LinAlgError:
        flat = [matrix.ravel().tolist() for matrix in matrices]
        raise ValueError("expected transformations that have an inverse, by which the gradient "
                         f"goes back. Received: matrices {flat}") from None


def _pixels(images: np.ndarray, rows: np.ndarray, columns: np.ndarray, fill) -> np.ndarray:
    """The pixels at these rows and columns, (N, H, W, C); `fill` beyond the image."""
    height, width = images.shape[1:3]
    inside = (0 <= rows) & (rows < height) & (0 <= columns) & (columns < width)
    sample = np.arange(len(images))[:, None, None]
    found = images[sample, np.clip(rows, 0, height - 1).astype(np.intp),
                   np.clip(columns, 0, width - 1).astype(np.intp)]
    return np.where(inside[..., None], found, images.dtype.type(fill))
