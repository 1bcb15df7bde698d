"""How much memory a process takes that has all images loaded, as bytes, and trains on them."""

from collections.abc import Iterator
from dataclasses import dataclass

from compare.experiments.execution.peak_memory import peak_memory
from compare.experiments.performance.cases import Case, random_images
from compare.experiments.performance.competitors import make
from compare.experiments.performance.results import MemoryUse

EARLY_STEPS = 16  # after which every buffer should have its final size


@dataclass(frozen=True)
class MemoryJob:
    """One competitor, the network, its batch, and how many images to load and to train on."""

    competitor: str
    case: Case
    images: int


def use_memory(job: MemoryJob) -> Iterator[MemoryUse]:
    """Load, train for some steps, train for an epoch, and yield what that took.

    To be run in a fresh process, since a peak never goes down again.
    """
    competitor = make(job.competitor)
    libraries = peak_memory()
    images, labels = random_images(job.images, job.case.input_shape)
    loaded = peak_memory()
    train = competitor.on_bytes(job.case, images, labels)
    steps = max(1, job.images // job.case.batch)
    early_steps = min(EARLY_STEPS, steps)
    train(early_steps)
    early = peak_memory()
    train(steps)
    yield MemoryUse(libraries, loaded, early, peak_memory(), job.images, job.case.batch,
                    early_steps, steps)
