"""Measurements of speed made by hand for the tests, and competitors whose clock is arithmetic."""

from compare.experiments.performance.cases import Case
from compare.experiments.performance.check_cost import CheckCase, CheckCost, different
from compare.experiments.performance.competitors.task import Task
from compare.experiments.performance.results import MemoryUse, Ready, Row, Speed, Turn
from compare.experiments.performance.settings import Settings


class Fake:
    """A competitor that takes `overhead` seconds a run and `each` a sample, and never computes."""

    def __init__(self, each: float = 1e-3, overhead: float = 0.0):
        self.each, self.overhead = each, overhead
        self.how, self.versions = "made up.", {"library": "1.2"}
        self.asked: list[int] = []

    def training(self, case) -> Task:
        def run(steps):
            self.asked.append(steps)
            samples = steps * (case.images or case.batch)
            return self.overhead + self.each * samples, samples

        return Task(run, "nothing")

    predicting = training

    def on_bytes(self, case, images, labels):
        self.images = images
        return self.asked.append


def row(case: Case, multiply_adds: int = 1000, **seconds) -> Row:
    """A row with these seconds per sample, ten samples a turn."""
    turns = {name.replace("_", "-"): [Turn(10 * s, 10, 2.0, 0.01) for s in each]
             for name, each in seconds.items()}
    return Row(case, multiply_adds, turns)


def made(rows, **settings) -> Speed:
    """A whole measurement of these rows."""
    result = Speed(Settings(**settings), {"machine": "a computer"}, rows=list(rows))
    for name in dict.fromkeys(name for row in rows for name in row.turns):
        result.ready[name] = Ready(f"{name} ran somehow.", {"library": "1.2"}, 3.5)
    return result


def curves() -> list[Row]:
    """Scaling curves: scratch's time is 2 us per multiply-add, Keras's goes with their square."""
    rows = []
    for axis, values in (("batch", (1, 4, 16)), ("side", (4, 8, 16)), ("channels", (1, 2, 8))):
        for value in values:
            batch = value if axis == "batch" else 4
            side = value if axis == "side" else 8
            channels = value if axis == "channels" else 1
            work = side * side * channels
            rows.append(row(Case("scaling", "benchmark", batch, (side, side, channels), axis=axis),
                            work, scratch=[2e-6 * work] * 3,
                            keras=[1e-6 * batch * work * work] * 3))
    return rows


def whole() -> Speed:
    """Something of every part."""
    rows = [row(Case("training", "benchmark", 1), scratch=[1e-3, 2e-3, 4e-3],
                keras=[3e-3, 8e-3, 8e-3], blas=[5e-4, 5e-4, 5e-4]),
            row(Case("training", "wide", 100), scratch=[1e-4], keras=[1e-4], blas=[5e-5]),
            row(Case("predict", "benchmark", 32, images=64), scratch=[1e-5], keras=[2e-5],
                blas=[5e-6]), *curves()]
    result = made(rows, competitors=("scratch", "keras"), pairs=3)
    result.memory["scratch"] = MemoryUse(30_000_000, 80_000_000, 200_000_000, 210_000_000, 60_000,
                                         256, 16, 234)
    result.memory["keras"] = MemoryUse(*[None] * 4, 60_000, 256, 16, 234)
    rows[0].how["keras"] = "jit off 3, jit on 4 us: jit off"
    return result


def checked(points: int = 5) -> Speed:
    """Checks that take time in proportion to layers and to pixels, and to nothing else."""
    result = made([], parts=("check",), check_points=points)
    for case in different(points):
        seconds = 0.1 * case.layers * (case.side / 16) ** 2
        result.checks[case] = CheckCost(case, seconds, 2 * seconds, 10 * case.layers, True)
    return result


def with_failing_check() -> Speed:
    """One check alone, of which parity does not hold."""
    result = made([], parts=("check",), check_points=1)
    case = CheckCase(layers=11)
    result.checks[case] = CheckCost(case, 1.0, 1.0, 10, False)
    return result
