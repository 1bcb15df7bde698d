"""The kinds of layer that are measured each by itself, on images as in the middle of a network."""

from collections.abc import Callable
from typing import Any

import scratch
from scratch import layers

SHAPE = (28, 28, 32)  # of an image; a sequence has its rows one after the other
SEQUENCE = (28 * 28, 32)
BATCHES = (1, 32, 128)

KINDS: dict[str, tuple[tuple, Callable[[], Any]]] = {
    "Conv2D 3x3": (SHAPE, lambda: layers.Conv2D(32, 3, padding="same")),
    "Conv2D 1x1": (SHAPE, lambda: layers.Conv2D(32, 1)),
    "Conv2D 3x3, strides 2": (SHAPE, lambda: layers.Conv2D(32, 3, strides=2, padding="same")),
    "DepthwiseConv2D 3x3": (SHAPE, lambda: layers.DepthwiseConv2D(3, padding="same")),
    "SeparableConv2D 3x3": (SHAPE, lambda: layers.SeparableConv2D(32, 3, padding="same")),
    "Conv2DTranspose 2x2, strides 2": (SHAPE, lambda: layers.Conv2DTranspose(16, 2, strides=2)),
    "Conv1D 3": (SEQUENCE, lambda: layers.Conv1D(32, 3, padding="same")),
    "BatchNormalization": (SHAPE, layers.BatchNormalization),
    "ReLU": (SHAPE, layers.ReLU),
    "MaxPooling2D 2x2": (SHAPE, lambda: layers.MaxPooling2D(2)),
    "AveragePooling2D 2x2": (SHAPE, lambda: layers.AveragePooling2D(2)),
    "GlobalAveragePooling2D": (SHAPE, layers.GlobalAveragePooling2D),
    "Dense 128": ((1152,), lambda: layers.Dense(128)),
}


def model(kind: str):
    """A network of that layer alone, built."""
    shape, make = KINDS[kind]
    return scratch.Sequential([scratch.Input(shape), make()])
