"""What may be chosen about a measurement of speed, checked before anything is started."""

import math
import numbers
import operator
from dataclasses import dataclass
from importlib import util

from compare.inputs import benchmark_networks

NAMES = {"scratch": "scratch", "keras": "Keras fit", "keras-loop": "Keras loop",
         "torch": "PyTorch"}
PARTS = ("training", "predict", "layers", "check", "scaling", "memory")
BATCH_SIZES = {"benchmark": (1, 8, 32, 128, 256), "wide": (100,)}

PAIRS, SCALING_PAIRS, STRETCH = 11, 3, 0.3
PREDICT_IMAGES, PREDICT_BATCHES = 10_000, (32, 256)
MEMORY_IMAGES, MEMORY_BATCH = 60_000, 256
CHECK_POINTS = 5

# for a run of under a minute on two cores
QUICK = {"batch_sizes": (1, 32), "networks": ("benchmark",), "pairs": 3, "stretch": 0.1,
         "competitors": ("scratch", "keras"), "predict_images": 1_000, "predict_batches": (32,),
         "parts": ("training",), "check_points": 2}


@dataclass(frozen=True)
class Settings:
    """The defaults make all tables, which takes several minutes.

    Attributes:
        networks: names from `network.NETWORKS`.
        batch_sizes: images per training step, for every network; None for each network's own.
        competitors: who takes part, the one that all others are compared with first.
        parts: which tables to make, of `PARTS`.
        pairs: how often each competitor takes its turn in each row.
        stretch: the least length of one timed turn, in seconds.
        predict_images: how many images `predict` gets.
        predict_batches: its batch sizes.
        memory_images: how many images are loaded when memory is measured.
        check_points: how many networks are checked along each axis, the small ones first.

    Raises:
        ValueError: for an unknown name or a number out of range.
    """

    networks: tuple[str, ...] = tuple(BATCH_SIZES)
    batch_sizes: tuple[int, ...] | None = None
    competitors: tuple[str, ...] = tuple(NAMES)
    parts: tuple[str, ...] = PARTS
    pairs: int = PAIRS
    stretch: float = STRETCH
    predict_images: int = PREDICT_IMAGES
    predict_batches: tuple[int, ...] = PREDICT_BATCHES
    memory_images: int = MEMORY_IMAGES
    check_points: int = CHECK_POINTS

    def __post_init__(self):
        _require_names("networks", self.networks, benchmark_networks.NETWORKS)
        _require_names("competitors", self.competitors, NAMES)
        _require_names("parts", self.parts, PARTS)
        for name in ("pairs", "predict_images", "memory_images", "check_points"):
            _require_positive(name, getattr(self, name))
        for name in ("batch_sizes", "predict_batches"):
            sizes = getattr(self, name)
            if sizes is not None and len(sizes) == 0:
                raise ValueError(f"expected {name} to name at least one size. Received: none")
            for size in sizes or ():
                _require_positive(name, size)
        stretch = self.stretch
        if not isinstance(stretch, numbers.Real) or not math.isfinite(stretch) or stretch <= 0:
            raise ValueError("expected stretch to be a finite number of seconds above 0. "
                             f"Received: {stretch!r}")

    def batches_of(self, name: str) -> tuple[int, ...]:
        """The batch sizes for a network of that name."""
        return self.batch_sizes or BATCH_SIZES[name]

    @property
    def scaling_pairs(self) -> int:
        """Turns in each row of the scaling curves, whose point is their slope."""
        return min(self.pairs, SCALING_PAIRS)

    @property
    def present(self) -> tuple[str, ...]:
        """The competitors that can take part here."""
        return tuple(name for name in self.competitors if name != "torch" or has_torch())


def has_torch() -> bool:
    """Whether PyTorch is installed; it is not imported for that."""
    return util.find_spec("torch") is not None


def _require_names(name: str, chosen, known) -> None:
    """At least one, each of them known, none twice."""
    if not chosen or len(set(chosen)) != len(chosen) or not set(chosen) <= set(known):
        raise ValueError(f"expected {name} to be some of {', '.join(known)}, each once. "
                         f"Received: {', '.join(map(str, chosen)) or 'none'}")


def _require_positive(name: str, value) -> None:
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if isinstance(value, bool) or number < 1:
        raise ValueError(f"expected {name} to be a positive integer. Received: {value!r}")
