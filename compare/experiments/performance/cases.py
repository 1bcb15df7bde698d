"""What is measured: a network on images of a size, in batches of a size, trained or predicting.

The images are random bytes, centred as the benchmark's are. How long a step takes does not depend
on what the numbers are, with one exception: denormal numbers are slow on most processors, and some
libraries round them to zero while others do not. None come up here, because the learning rate is so
small that the weights hardly leave their initial values.
"""

import math
from dataclasses import dataclass

import numpy as np

from compare.experiments.performance import layer_kinds
from compare.experiments.performance.settings import BATCH_SIZES, Settings
from compare.inputs import benchmark_networks as network
from compare.inputs.datasets.pixels import pixel_table

LEARNING_RATE = 1e-6
CLASSES = 10
LAYER_PARTS = {"forward": "forward", "backward": "forward and backward"}
MOST_IMAGES, MOST_NUMBERS = 4096, 2**22  # of the images trained on over and over: 16 MB as floats

# The scaling curves: what is varied, its name on the axis, and the values it takes.
AXES = {"batch": "batch size", "side": "image side (pixels)", "channels": "input channels"}
SIDES = (14, 28, 56, 112, 224)
CHANNELS = (1, 2, 4, 8, 16, 32, 64)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SIDE_BATCH, CHANNEL_BATCH = 8, 32


@dataclass(frozen=True)
class Case:
    """One row of a table.

    Attributes:
        part: the table: 'training', 'predict', 'scaling', or of a single layer 'forward' or
            'backward', which is forward and backward.
        network: the network's name, or the kind of layer.
        batch: images per step.
        input_shape: (H, W, C) of an image.
        images: how many images one `predict` gets; 0 for training.
        axis: in a scaling curve, which of `AXES` this is a point of.
    """

    part: str
    network: str
    batch: int
    input_shape: tuple[int, ...] = (28, 28, 1)
    images: int = 0
    axis: str = ""

    @property
    def trains(self) -> bool:
        return self.part not in ("predict", "forward")

    @property
    def is_layer(self) -> bool:
        """Whether it is a layer by itself."""
        return self.part in LAYER_PARTS

    @property
    def samples(self) -> int:
        """Of a training step, or of a call of `predict`."""
        return self.images or self.batch

    @property
    def value(self) -> int:
        """Where on its axis a point of a scaling curve lies."""
        return {"batch": self.batch, "side": self.input_shape[0],
                "channels": self.input_shape[2]}[self.axis]

    @property
    def label(self) -> str:
        said = f"{self.network}, batch {self.batch}"
        if self.is_layer:
            return said
        height, width, channels = self.input_shape
        if self.images:
            return f"{said}, predict {self.images:,}"
        return f"{said}, {height}x{width}x{channels}" if self.axis else said

    def model(self):
        """The scratch model, built and, if it is a network, compiled: the others are made from its
        config."""
        if self.is_layer:
            return layer_kinds.model(self.network)
        return network.NETWORKS[self.network](self.input_shape, CLASSES, LEARNING_RATE)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """(x, y): images (n, H, W, C) of float32 and labels (n,); n is a multiple of the batch.

        To predict, exactly `images`; to train, as many as fit into some megabytes, at least 2
        batches: a turn passes over them as often as it takes.
        """
        numbers = math.prod(self.input_shape)
        fitting = min(MOST_IMAGES, MOST_NUMBERS // numbers) // self.batch
        count = self.images or max(2, fitting) * self.batch
        images, labels = random_images(count, self.input_shape)
        return pixel_table(255, np.float32)[images], labels


def layer_data(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """(x, dy) of one batch for a layer: its input, and a gradient of its output."""
    generator = np.random.default_rng(0)
    x, dy = (generator.normal(size=(case.batch, *shape)).astype(np.float32) for shape in
             (case.input_shape, case.model().output_shape[1:]))
    return x, dy


def random_images(count: int, input_shape) -> tuple[np.ndarray, np.ndarray]:
    """Bytes (count, H, W, C) and labels (count,), the same in every process."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (count, *input_shape), dtype=np.uint8)
    return images, generator.integers(0, CLASSES, count)


def cases(settings: Settings) -> list[Case]:
    """All rows of all tables, in the order in which they are measured."""
    rows = []
    if "training" in settings.parts:
        rows += [Case("training", name, batch) for name in settings.networks
                 for batch in settings.batches_of(name)]
    if "predict" in settings.parts:
        rows += [Case("predict", name, batch, images=settings.predict_images)
                 for name in settings.networks for batch in settings.predict_batches]
    if "layers" in settings.parts:
        rows += [Case(part, kind, batch, shape) for part in LAYER_PARTS
                 for kind, (shape, _) in layer_kinds.KINDS.items()
                 for batch in settings.batch_sizes or layer_kinds.BATCHES]
    if "scaling" in settings.parts:
        name = next(iter(BATCH_SIZES))
        rows += [Case("scaling", name, batch, axis="batch") for batch in BATCHES]
        rows += [Case("scaling", name, SIDE_BATCH, (side, side, 1), axis="side")
                 for side in SIDES]
        rows += [Case("scaling", name, CHANNEL_BATCH, (28, 28, channels), axis="channels")
                 for channels in CHANNELS]
    return rows
