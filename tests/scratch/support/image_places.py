"""Images read at other places, pixel by pixel, by the definition."""

import itertools
import math

import numpy as np

NEAR = 1e-4  # of a pixel: so far apart are the places of float32 and of float64 at most
SHAPE = (4, 5, 7, 3)  # (N, H, W, C)
AFFINE = {"RandomTranslation": [{"height_factor": 0.9, "width_factor": (-0.8, 0.5)}],
          "RandomRotation": [{"factor": 0.4}, {"factor": (-0.1, 0.25)}],
          "RandomZoom": [{"height_factor": 0.6, "width_factor": (-0.5, 1.0)},
                         {"height_factor": (-0.5, 0.8)}],
          "RandomShear": [{"x_factor": (0.1, 0.9), "y_factor": (0.0, 0.6)}]}
MODES = ("reflect", "wrap", "constant", "nearest")
KINDS = ("bilinear", "nearest")
FILL = 0.75


def draws(name, rng, batch=SHAPE[0], size=SHAPE[1:3]) -> np.ndarray:
    """(batch, 1, 1, draws): what such a layer might draw."""
    if name == "RandomTranslation":
        return rng.uniform(-1, 1, (batch, 1, 1, 2)) * [size[1], size[0]]
    if name == "RandomRotation":
        return rng.uniform(-180, 180, (batch, 1, 1, 1))
    if name == "RandomZoom":
        return rng.uniform(0.5, 2, (batch, 1, 1, 2))
    return rng.uniform(0.1, 0.9, (batch, 1, 1, 2)) * rng.choice([-1, 1], (batch, 1, 1, 1))


def matrix(name, drawn, height, width) -> tuple[np.ndarray, np.ndarray]:
    """(L, o): the pixel p = (column, row) of the result is read at L p + o."""
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    if name == "RandomTranslation":
        return np.eye(2), -drawn
    if name == "RandomRotation":
        angle = math.radians(drawn[0])
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        return turn, middle - turn @ middle
    if name == "RandomZoom":
        zoom = np.diag(drawn[::-1])
        return zoom, middle - zoom @ middle
    return np.array([[1, drawn[0]], [drawn[1], 1]]), np.zeros(2)


def pixel(image, row: int, column: int, mode: str, fill: float) -> np.ndarray:
    """That pixel of the image, which goes on beyond its borders by its mode; (C,)."""
    at = []
    for index, size in ((row, image.shape[0]), (column, image.shape[1])):
        if mode == "constant" and not 0 <= index < size:
            return np.full(image.shape[2], fill)
        if mode == "reflect":
            forth_and_back = [*range(size), *reversed(range(size))]
            index = forth_and_back[index % (2 * size)]
        at.append(min(max(index, 0), size - 1))
    return image[at[0], at[1]]


def wrapped(place: float, size: int) -> float:
    """TensorFlow's 'wrap' of a place."""
    if size == 1:
        return 0.0
    if place < 0:
        place += size * (math.floor(-place / (size - 1)) + 1)
    elif place > size - 1:
        place -= size * math.floor(place / (size - 1))
    return min(max(place, 0.0), size - 1.0)


def sample(image, column: float, row: float, kind: str, mode: str, fill: float) -> np.ndarray:
    """The image at one place, (C,)."""
    if mode == "wrap":
        row, column = wrapped(row, image.shape[0]), wrapped(column, image.shape[1])
    if kind == "nearest":
        return pixel(image, round(row), round(column), mode, fill)
    top, left = math.floor(row), math.floor(column)
    total = np.zeros(image.shape[2])
    for i, j in itertools.product((0, 1), repeat=2):
        weight = abs(1 - i - (row - top)) * abs(1 - j - (column - left))
        if weight:
            total = total + weight * pixel(image, top + i, left + j, mode, fill)
    return total


def by_pixel(images, transformations, kind, mode, fill, inverted=False) -> np.ndarray:
    """(candidates, N, H, W, C): what stands at each pixel; where a place lies next to a jump, what
    stands on either side of it is among the candidates."""
    near = (0, -NEAR, NEAR) if kind == "nearest" or mode == "wrap" else (0,)
    found = np.zeros((len(near) ** 2, *images.shape))
    for n, i, j in np.ndindex(images.shape[:3]):
        linear, offset = transformations[n]
        point = np.array([j, i], float)
        column, row = (np.linalg.solve(linear, point - offset) if inverted
                       else linear @ point + offset)
        for k, (off, away) in enumerate(itertools.product(near, repeat=2)):
            found[k, n, i, j] = sample(images[n], column + off, row + away, kind, mode, fill)
    return found


def distance(array, candidates) -> float:
    """How far the array's worst number is from the nearest of its candidates."""
    return float(np.abs(candidates - array).min(axis=0).max())
