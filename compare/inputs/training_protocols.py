"""How each named benchmark network is trained, and what was published of it before.

Whatever departs from a protocol is not comparable with what was published; the reports say so.
"""

from dataclasses import dataclass

import scratch
from compare.inputs import benchmark_networks

TRAINING_IMAGES = 60_000
DATASET = "fashion-mnist"


@dataclass(frozen=True)
class Published:
    """Test figures of one earlier implementation, one run, after the last epoch."""

    accuracy: float
    macro_f1: float | None = None  # None: not published
    accuracy_by_epoch: tuple[float, ...] = ()


@dataclass(frozen=True)
class Protocol:
    """How a network is trained: Keras's spelling of the optimizer, its learning rate, and so on."""

    optimizer: str
    learning_rate: float
    batch_size: int
    epochs: int
    published: dict[str, Published]

    def compiled(self, model: scratch.Sequential, learning_rate: float) -> scratch.Sequential:
        """The model, compiled with this optimizer at another rate than the protocol's, if so."""
        optimizer = getattr(scratch, self.optimizer)(learning_rate)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def departures(self, training_images: int, epochs: int, batch_size: int,
                   learning_rate: float) -> list[str]:
        """Where a run departs from it, in words."""
        pairs = [("training images", TRAINING_IMAGES, training_images),
                 ("epochs", self.epochs, epochs), ("batch size", self.batch_size, batch_size),
                 ("learning rate", self.learning_rate, learning_rate)]
        return [f"{name} {theirs:,} there, {ours:,} here"
                for name, theirs, ours in pairs if theirs != ours]


PROTOCOLS = {
    "benchmark": Protocol("SGD", benchmark_networks.LEARNING_RATE, batch_size=1, epochs=3,
                          published={
        "NumPy": Published(0.891, 0.890, (0.873, 0.888, 0.891)),
        "Keras": Published(0.887, None, (0.8742, 0.8867, 0.8872)),
    }),
    "wide": Protocol("Adam", 1e-3, batch_size=1000, epochs=30, published={
        "before": Published(0.925),
    }),
}


def build(name: str, input_shape, classes: int, learning_rate: float,
          seed: int) -> scratch.Sequential:
    """The network of that name with weights drawn from `seed`, compiled as its protocol says."""
    model = benchmark_networks.NETWORKS[name](input_shape, classes, seed=seed)
    return PROTOCOLS[name].compiled(model, learning_rate)
