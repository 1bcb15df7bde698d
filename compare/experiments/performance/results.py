"""What a measurement of speed leaves behind, as plain dataclasses; text comes later."""

from dataclasses import dataclass, field

from compare.experiments.performance import settings as chosen
from compare.experiments.performance.cases import Case
from compare.experiments.performance.check_cost import CheckCase, CheckCost, curves
from compare.experiments.performance.robust_statistics import Spread
from compare.experiments.performance.settings import Settings

SCHEMA = 1  # of the JSON that is made from these
BLAS = "blas"  # takes turns as a competitor does, but only multiplies matrices
NAMES = {**chosen.NAMES, BLAS: "BLAS alone"}


@dataclass(frozen=True)
class Ready:
    """A competitor has loaded its libraries."""

    how: str  # how it is run, in a sentence or two
    versions: dict[str, str]
    startup_seconds: float


@dataclass(frozen=True)
class Prepared:
    """A competitor has built, compiled and warmed up what a row asks for."""

    how: str  # what was tried, if anything was
    seconds: float


@dataclass(frozen=True)
class Turn:
    """One timed stretch of one competitor, and how quiet its process was before it."""

    seconds: float
    samples: int
    resting_seconds: float  # that it waited for its turn,
    resting_cpu: float  # and processor seconds that its process used meanwhile, all threads


@dataclass
class Row:
    """One case, and every competitor's turns at it, in order."""

    case: Case
    multiply_adds: int  # for one sample
    turns: dict[str, list[Turn]]  # by competitor, the one to compare with first
    how: dict[str, str] = field(default_factory=dict)

    @property
    def pairs(self) -> int:
        """How often all have had their turn."""
        return min(len(turns) for turns in self.turns.values())

    def seconds(self, competitor: str) -> list[float]:
        """Seconds per sample, one number for each pair."""
        return [turn.seconds / turn.samples for turn in self.turns[competitor][:self.pairs]]

    def time(self, competitor: str) -> Spread:
        """Seconds per sample."""
        return Spread.of(self.seconds(competitor))

    def ratio(self, competitor: str, base: str) -> Spread:
        """Of times: how often as long as `base` the competitor takes, pair by pair."""
        pairs = zip(self.seconds(competitor), self.seconds(base))
        return Spread.of([ours / theirs for ours, theirs in pairs])


@dataclass(frozen=True)
class MemoryUse:
    """Peak memory of a training process at several moments, in bytes; None if the system is
    silent about it."""

    libraries: int | None  # all libraries loaded
    loaded: int | None  # and the images too, as bytes
    early: int | None  # after the first steps
    peak: int | None  # after all of them
    images: int
    batch: int
    early_steps: int
    steps: int


@dataclass
class Speed:
    """All rows, and what is needed to read them."""

    settings: Settings
    environment: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    ready: dict[str, Ready] = field(default_factory=dict)
    memory: dict[str, MemoryUse] = field(default_factory=dict)
    checks: dict[CheckCase, CheckCost] = field(default_factory=dict)
    stopped: str | None = None  # why it ended early, if it did
    interrupted: bool = False  # by Ctrl-C

    @property
    def partial(self) -> bool:
        return self.stopped is not None

    @property
    def title(self) -> str:
        title = "Speed of training and prediction"
        if set(self.settings.parts) == {"check"}:
            title = "The time of a check"
        return f"PARTIAL (stopped early): {title}" if self.partial else title

    @property
    def base(self) -> str:
        """Whom the others are compared with."""
        return self.settings.present[0]

    def part(self, name: str, axis: str = "") -> list[Row]:
        """The rows of a table of which at least one pair is finished."""
        return [row for row in self.rows
                if row.case.part == name and row.case.axis == axis and row.pairs]

    def check_curve(self, axis: str) -> list[CheckCost]:
        """What the checks along an axis took, as far as they are finished."""
        return [self.checks[case] for case in curves(self.settings.check_points)[axis]
                if case in self.checks]

    def resting(self, competitor: str) -> tuple[float, float] | None:
        """(processor seconds used while it waited, seconds that it waited), over all its turns."""
        turns = [turn for row in self.rows for turn in row.turns.get(competitor, ())]
        if not turns:
            return None
        return sum(turn.resting_cpu for turn in turns), sum(turn.resting_seconds for turn in turns)
